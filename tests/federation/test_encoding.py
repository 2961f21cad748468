import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity_federation.encoding import NotCanonical, b64decode, b64encode, digest


@given(st.binary())
def test_what_is_encoded_decodes_to_the_same(value: bytes) -> None:
    assert b64decode(b64encode(value)) == value


@given(st.binary(), st.integers(0, 40), st.characters())
def test_no_other_text_decodes_to_the_same_bytes(value: bytes, at: int, character: str) -> None:
    text = b64encode(value)
    other = text[:at] + character + text[at:]
    with contextlib.suppress(NotCanonical):
        assert b64decode(other) != value


@pytest.mark.parametrize("text", ["QQ==", "QQ=", "QR", "Q", "Q Q", "QQ\n", "+/+/", "QÄ", "QQ.", "=", "٠٠٠٠"])
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        b64decode(text)


def test_the_decoder_of_python_would_take_what_is_refused_here() -> None:
    assert base64.urlsafe_b64decode("Q!Q==") == base64.urlsafe_b64decode("QR==") == b"A"


def test_a_digest_is_sha_256_in_base64url() -> None:
    assert digest("abc") == digest(b"abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
