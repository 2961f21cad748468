import json
import re
from typing import Any

import pytest
from hypothesis import given

from builders import STRICT_VALUES, shared_standard
from comity_federation.disclosures import MalformedDisclosure, disclose, padded, read_disclosure
from comity_federation.encoding import b64decode, b64encode, digest


@pytest.mark.parametrize("example", ["simple", "address_only_flat", "complex_ekyc", "arf-pid", "w3c-vc"])
def test_digests_of_the_examples_of_rfc_9901_are_the_same_here(example: str) -> None:
    text = shared_standard(f"vectors/sd-jwt/examples/{example}/disclosures.md").read_text("utf-8")
    told = re.findall(r"SHA-256 Hash: `(\S+)`\n \* Disclosure:\\\n((?:`\S+`\\?\n)+)", text)
    assert told
    for wanted, encoded in told:
        assert digest(re.sub(r"[`\\\n]", "", encoded)) == wanted


def test_a_disclosure_of_rfc_9901_is_read() -> None:
    found = read_disclosure("WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd")
    assert (found.name, found.value) == ("given_name", "John")
    assert found.digest == "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4"


def test_array_elements_of_rfc_9901_are_not_read_here() -> None:
    with pytest.raises(MalformedDisclosure):
        read_disclosure("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0")


@given(STRICT_VALUES)
def test_a_disclosure_shows_the_value_it_was_made_of(value: Any) -> None:
    made = disclose("names", value)
    assert read_disclosure(made.encoded) == made


def test_a_salt_has_128_bits_and_is_never_used_twice() -> None:
    salts = {json.loads(b64decode(disclose("names", 1).encoded))[0] for _ in range(50)}
    assert len(salts) == 50
    assert {len(b64decode(salt)) for salt in salts} == {16}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'["s"]', b'["s","n"]', b'["s","n",1,2]', b'[1,"n",1]', b'["s",1,1]', b'{"s":1}', b'["s","_sd",1]',
     b'["s","...",1]', b'["s","n",1.5]', b'["s","n",{"a":1,"a":1}]', b'["s","n","\\u0000"]', b'["s","n"'],
)  # fmt: skip
def test_any_other_form_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedDisclosure):
        read_disclosure(b64encode(raw))


def test_text_that_is_not_base64url_is_refused() -> None:
    for text in ("%%%", "WyJzIiwibiIsMV0=", "WyJzIiwibiIsMV1"):
        with pytest.raises(MalformedDisclosure):
            read_disclosure(text)


@pytest.mark.parametrize("count", [0, 1, 10, 16])
def test_the_number_of_digests_tells_nothing(count: int) -> None:
    found = padded(digest(str(n)) for n in range(count))
    assert len(set(found)) == 16
    assert found == sorted(found)
    assert {digest(str(n)) for n in range(count)} <= set(found)
