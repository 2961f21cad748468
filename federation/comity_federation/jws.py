"""Compact JWS with Ed25519: exactly one algorithm, exactly three header fields, one signature over exact bytes.

Each use has its own `typ`, so that a signature made for one thing never counts for another. libsodium is the only
verifier of statements, checkpoints and reports, because verifiers disagree on small-order keys.

Source: RFC 7515 (compact serialization), RFC 9864 (`Ed25519`; the deprecated `EdDSA` is refused).
"""

from dataclasses import dataclass
from typing import ClassVar

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_schemas.errors import ComityError
from comity_schemas.member import Member, MemberStatus, PublicKey

ALGORITHM = "Ed25519"


class MalformedJws(ComityError):
    """The text is not the one form of JWS that is accepted here.

    Attributes:
        reason: a stable word: `parts`, `encoding`, `header`, `algorithm`, `type`.
    """

    code: ClassVar[str] = "jws.malformed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"malformed signature: {reason}")
        self.reason = reason


class BadSignature(ComityError):
    """The key did not sign these bytes."""

    code: ClassVar[str] = "jws.bad-signature"


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS taken apart; nothing of it is believed before `check_signature`."""

    kid: str
    payload: bytes
    signed: bytes
    signature: bytes


def sign(key: SigningKey, kid: str, typ: str, payload: bytes) -> str:
    """Return the compact JWS of a payload."""
    header = strict_json.dumps({"alg": ALGORITHM, "typ": typ, "kid": kid})
    signed = f"{b64encode(header)}.{b64encode(payload)}"
    return f"{signed}.{b64encode(key.sign(signed.encode('ascii')).signature)}"


def take_apart(token: str, typ: str) -> Jws:
    """Return the parts of a compact JWS of one type, unverified.

    Raises:
        MalformedJws: anything but three canonical parts and the exact header.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise MalformedJws("parts")
    try:
        header_bytes, payload, signature = (b64decode(part) for part in parts)
    except NotCanonical as error:
        raise MalformedJws("encoding") from error
    try:
        header = strict_json.loads(header_bytes)
    except strict_json.NotStrict as error:
        raise MalformedJws("header") from error
    if not isinstance(header, dict) or set(header) != {"alg", "typ", "kid"} or not isinstance(header["kid"], str):
        raise MalformedJws("header")
    if header["alg"] != ALGORITHM:
        raise MalformedJws("algorithm")
    if header["typ"] != typ:
        raise MalformedJws("type")
    return Jws(header["kid"], payload, token.rpartition(".")[0].encode("ascii"), signature)


def check_signature(token: Jws, key: PublicKey) -> None:
    """Return if the key signed exactly these bytes.

    Raises:
        BadSignature: it did not, or the key is unusable.
    """
    if key.crv != ALGORITHM:
        raise BadSignature("this key is not one for signing")
    try:
        VerifyKey(b64decode(key.x)).verify(token.signed, token.signature)
    except (BadSignatureError, NotCanonical, ValueError, TypeError) as error:
        raise BadSignature("this key did not sign these bytes") from error


def open_word_of(member: Member, token: str, typ: str) -> bytes:
    """Return the payload of what an active member signed outside its log, under any listed key that is not closed.

    Raises:
        MalformedJws: not the one form of a JWS of this type.
        BadSignature: the member is not active, the key is not listed or closed, or it did not sign these bytes.
    """
    opened = take_apart(token, typ)
    if member.status is not MemberStatus.ACTIVE:
        raise BadSignature("its member is not active")
    key = next((k for k in member.signing_keys if k.kid == opened.kid and k.closed is None), None)
    if key is None:
        raise BadSignature("signed by a key that is not listed or is closed")
    check_signature(opened, key.key)
    return opened.payload
