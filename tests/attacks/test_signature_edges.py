"""Ed25519 at its edges: keys and signatures on which verifiers are known to disagree.

If two nodes verified differently, a hostile member could split the network with one record. So every such signature
must be refused, or be judged alike by two independent libraries. Points are computed here, not copied.
Source: RFC 8032 §5.1; Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", 2020.
"""

import hashlib
import itertools
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from builders import Publisher, key_of
from comity_federation import jws
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Refused, Seen, Trust
from comity_federation.encoding import b64decode, b64encode
from comity_federation.statements import record_bytes
from comity_schemas.member import PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
BASE_Y = 4 * pow(5, -1, P) % P


def add(a: Point, b: Point) -> Point:
    (x, y), (u, v) = a, b
    k = D * x * u * y * v
    return (x * v + u * y) * pow(1 + k, -1, P) % P, (y * v + x * u) * pow(1 - k, -1, P) % P


def times(n: int, a: Point) -> Point:
    total: Point = (0, 1)
    while n:
        total, a, n = (add(total, a) if n & 1 else total), add(a, a), n >> 1
    return total


def point_of(y: int, odd: int) -> Point | None:
    """The point with this y and this parity of x, if the curve has one."""
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - x2) % P:
        return None
    return (x if x & 1 == odd else P - x) if x else 0, y % P


def encoded(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _torsion() -> list[Point]:
    """The eight points of small order: L times a point that generates the whole group."""
    for y in itertools.count(2):
        found = point_of(y, 0)
        if found is not None and times(4 * L, found) != (0, 1):
            return [times(n, times(L, found)) for n in range(8)]
    raise AssertionError


TORSION = _torsion()
BASE = point_of(BASE_Y, 0)
assert BASE is not None and times(L, BASE) == (0, 1) and len(set(TORSION)) == 8


def spellings(point: Point) -> Iterator[bytes]:
    """Every 32 bytes that some verifier reads as this point, also those no honest one writes."""
    x, y = point
    for sign in {x & 1} | ({0, 1} if x == 0 else set()):
        for value in {y, y + P}:
            if value < 2**255:
                yield (value | sign << 255).to_bytes(32, "little")


SMALL = sorted({spelling for point in TORSION for spelling in spellings(point)})
SIGNER = Publisher("edge", keys=(key_of("edge"),))
MADE = SIGNER.finding()
HEAD, SIGNATURE = MADE.jwt.rpartition(".")[0], b64decode(MADE.jwt.rpartition(".")[2])
S = int.from_bytes(SIGNATURE[32:], "little")


def counts(signature: bytes, x: bytes | None = None) -> bool:
    """Whether the record counts under this signature, and under this key in the registry's place."""
    member = SIGNER.member()
    if x is not None:
        listed = member.signing_keys[0].model_copy(update={"key": PublicKey(kty="OKP", crv="Ed25519", x=b64encode(x))})
        member = member.model_copy(update={"signing_keys": (listed,)})
    raw = record_bytes(f"{HEAD}.{b64encode(signature)}", (d.encoded for d in MADE.disclosed))
    decision = decide(raw, Trust(member), Seen())
    assert isinstance(decision, Accepted) or (isinstance(decision, Refused) and decision.code == "bad-signature")
    return isinstance(decision, Accepted)


def openssl_accepts(signature: bytes, x: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(x).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_the_unchanged_signature_counts() -> None:
    assert counts(SIGNATURE)
    assert len(SMALL) == 14, "eight points, six of them with one or more spellings besides the canonical one"


@pytest.mark.parametrize("x", SMALL, ids=lambda x: x.hex()[:12])
def test_under_a_key_of_small_order_nothing_counts(x: bytes) -> None:
    """With S = 0 and R of small order, verifiers that let such keys pass accept one signature for every text."""
    for r in SMALL:
        assert not counts(r + bytes(32), x)
    for point in TORSION:
        assert not counts(encoded(add(point, times(5, BASE))) + (5).to_bytes(32, "little"), x)


def test_a_careless_verifier_would_take_the_forgery_that_is_refused_here() -> None:
    one = encoded((0, 1))
    assert openssl_accepts(one + bytes(32), one, b"any text")
    assert not counts(one + bytes(32), one)


@pytest.mark.parametrize("more", [*(n * L for n in range(1, 15)), 2**253, 2**254, 2**255])
def test_a_signature_has_no_second_form_by_its_s(more: int) -> None:
    """S + L verifies in careless libraries; a bit set beyond what S needs does in others."""
    assert not counts(SIGNATURE[:32] + (S + more & 2**256 - 1).to_bytes(32, "little"))


def test_a_signature_of_zeros_or_with_the_order_as_s_never_counts() -> None:
    for s in (0, L, L - S):
        assert not counts(SIGNATURE[:32] + s.to_bytes(32, "little"))
    assert not counts(bytes(64)) and not counts(b"\xff" * 64)


@pytest.mark.parametrize("number", range(1, 8))
def test_a_signature_has_no_second_form_by_its_r(number: int) -> None:
    """R plus a point of small order passes where verification multiplies by the cofactor."""
    y = int.from_bytes(SIGNATURE[:32], "little")
    r = point_of(y & (2**255 - 1), y >> 255)
    assert r is not None
    assert not counts(encoded(add(r, TORSION[number])) + SIGNATURE[32:])


def test_r_in_a_spelling_that_is_not_canonical_never_counts() -> None:
    for r in SMALL:
        assert not counts(r + SIGNATURE[32:])
    for y in range(P, 2**255):
        assert not counts(y.to_bytes(32, "little") + SIGNATURE[32:])


@pytest.mark.parametrize("number", range(1, 8))
def test_under_a_key_of_mixed_order_two_libraries_say_the_same(number: int) -> None:
    """Only its owner can make such a key. It harms nobody as long as all nodes judge its signatures alike."""
    secret = hashlib.sha512(bytes(SIGNER.keys[0])).digest()
    scalar = int.from_bytes(secret[:32], "little") & ((1 << 254) - 8) | 1 << 254
    key = encoded(add(times(scalar, BASE), TORSION[number]))
    text, answers = HEAD.encode(), set()
    for nonce in range(1, 13):
        r = encoded(times(nonce, BASE))
        challenge = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % L
        signature = r + ((nonce + challenge * scalar) % L).to_bytes(32, "little")
        assert counts(signature, key) == openssl_accepts(signature, key, text)
        answers.add(counts(signature, key))
    assert False in answers, "a key of mixed order verifies like any other: then this test shows nothing"


@pytest.mark.parametrize("flip", range(0, 256, 5))
def test_no_neighbour_of_the_key_verifies(flip: int) -> None:
    x = bytearray(SIGNER.keys[0].verify_key.encode())
    x[flip // 8] ^= 1 << flip % 8
    assert not counts(SIGNATURE, bytes(x))


def test_the_length_of_a_signature_is_fixed() -> None:
    for signature in (b"", SIGNATURE[:63], SIGNATURE + b"\0", SIGNATURE * 2):
        assert not counts(signature)


def test_a_signature_over_the_prehash_or_in_another_context_never_counts() -> None:
    """Ed25519ph and Ed25519ctx sign other bytes; here only the plain form counts."""
    key = SIGNER.keys[0]
    hashed = key.sign(hashlib.sha512(HEAD.encode()).digest()).signature
    tagged = key.sign(b"SigEd25519 no Ed25519 collisions\x01\x00" + HEAD.encode()).signature
    assert not counts(hashed) and not counts(tagged)
    token = jws.take_apart(f"{HEAD}.{b64encode(SIGNATURE)}", "comity-statement+sd-jwt")
    assert token.signed == HEAD.encode()
