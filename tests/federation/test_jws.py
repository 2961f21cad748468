import json

import pytest
from nacl.signing import SigningKey

from builders import key_of, public_key, shared_standard
from comity_federation import jws
from comity_federation.encoding import b64decode, b64encode
from comity_schemas.member import PublicKey

KEY = key_of("jws")
TYP = "comity-test+jwt"
TOKEN = jws.sign(KEY, "did:web:a.example#1", TYP, b"payload")


def test_a_signature_of_the_listed_key_holds() -> None:
    token = jws.take_apart(TOKEN, TYP)
    jws.check_signature(token, public_key(KEY))
    assert (token.kid, token.payload) == ("did:web:a.example#1", b"payload")


def test_another_key_did_not_sign() -> None:
    with pytest.raises(jws.BadSignature):
        jws.check_signature(jws.take_apart(TOKEN, TYP), public_key(key_of("another")))


@pytest.mark.parametrize("x", ["A" * 43, "A" * 42 + "B", "_" * 43])
def test_an_unusable_key_signs_nothing(x: str) -> None:
    """All zeros is a key of small order; the second is not canonical base64url; the third is off the curve."""
    with pytest.raises(jws.BadSignature):
        jws.check_signature(jws.take_apart(TOKEN, TYP), PublicKey(kty="OKP", crv="Ed25519", x=x))


def test_a_sealing_key_signs_nothing() -> None:
    with pytest.raises(jws.BadSignature):
        jws.check_signature(jws.take_apart(TOKEN, TYP), public_key(KEY).model_copy(update={"crv": "X25519"}))


def test_a_signature_with_a_large_s_is_refused() -> None:
    """S + L verifies in careless libraries; libsodium refuses it, so a signature has one form only."""
    order = 2**252 + 27742317777372353535851937790883648493
    head, signature = TOKEN.rpartition(".")[0], b64decode(TOKEN.rpartition(".")[2])
    other = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(jws.BadSignature):
        jws.check_signature(jws.take_apart(f"{head}.{b64encode(other)}", TYP), public_key(KEY))


@pytest.mark.parametrize("length", [0, 1, 63, 65])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    head = TOKEN.rpartition(".")[0]
    with pytest.raises(jws.BadSignature):
        jws.check_signature(jws.take_apart(f"{head}.{b64encode(b'x' * length)}", TYP), public_key(KEY))


def test_a_type_counts_for_its_own_use_only() -> None:
    with pytest.raises(jws.MalformedJws) as refused:
        jws.take_apart(TOKEN, "comity-other+jwt")
    assert refused.value.reason == "type"


def test_the_example_of_rfc_8037_has_the_same_signature_here() -> None:
    example = json.loads(shared_standard("vectors/rfc8037/rfc8037-appendix-a.json").read_text("utf-8"))
    key = SigningKey(b64decode(example["jwk_private"]["d"]))
    assert public_key(key).x == example["jwk_public"]["x"]
    signed, _, signature = example["jws_compact"].rpartition(".")
    assert b64encode(key.sign(signed.encode()).signature) == signature
    token = jws.Jws("", example["jws_payload"].encode(), signed.encode(), b64decode(signature))
    jws.check_signature(token, public_key(key))


def test_the_example_of_rfc_8037_is_refused_for_its_deprecated_algorithm() -> None:
    example = json.loads(shared_standard("vectors/rfc8037/rfc8037-appendix-a.json").read_text("utf-8"))
    header = b64encode(json.dumps({"alg": "EdDSA", "typ": TYP, "kid": "k"}).encode())
    with pytest.raises(jws.MalformedJws) as refused:
        jws.take_apart(f"{header}.{example['jws_compact'].partition('.')[2]}", TYP)
    assert refused.value.reason == "algorithm"
    with pytest.raises(jws.MalformedJws):
        jws.take_apart(example["jws_compact"], TYP)
