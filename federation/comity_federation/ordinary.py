"""The fast lane: recognising an ordinary statement at a third of the price of `decide`.

Rules:
- It never refuses. What it does not recognise at once is None, and `decide` says what it is worth.
- It is stricter than `decide` and never looser: whatever it opens, `decide` accepts with the same content, provided
  that the statement stands next in its log and refers to what is there. A test holds it to that on every vector and
  on mutated records.
- An ordinary statement is what our own signer writes: no escapes, no sealed boxes, no disclosure missing, GREEN or
  CLEAR, a kind that can be read, under a key that nothing closes.

Costs, and the parsers compared: docs/performance.md.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
import pybase64
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_federation.jws import ALGORITHM
from comity_federation.statements import genesis
from comity_schemas.handling import Handling, Tlp
from comity_schemas.member import Member, MemberStatus
from comity_schemas.statement import (
    ALLOWED_KINDS,
    BODIES,
    BODY_DISCLOSABLE,
    MAX_DIGESTS,
    MAX_RECORD_BYTES,
    STATEMENT_TYP,
    VERSION,
)

_BEGIN: Final = b'{"statement":"'
_END: Final = b'","sealed":[]}'
_BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STATEMENT: Final = _BASE64URL + b".~"
_ENDS_OF: Final = {0: frozenset(_BASE64URL), 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
"""Length modulo 4 to the last characters that leave no spare bits."""
_PADDING: Final = (b"", b"", b"==", b"=")
_CLAIMS: Final = ["v", "iss", "seq", "prev", "iat", "kind", "handling", "open", "boxes", "body", "_sd_alg"]
_VALIDATORS: Final = {kind: model.__pydantic_validator__ for kind, model in BODIES.items()}
_SIGNATURE_CHARS: Final = 86


class Ordinary(NamedTuple):
    """A statement of which only its place and what it refers to are still to be checked: steps 9, 13 and, for the
    order of keys, 7."""

    seq: int
    prev: str
    hash: str
    key: int
    """Index in the member's list of the key that signed it."""
    iat: int
    kind: str
    handling: str
    """JSON text, validated."""
    text: str
    """JSON text of the body, validated: fields in clear and disclosed ones."""
    body: dict[str, Any]
    """The same as a value."""


class _Unusual(Exception):
    """Not recognised at once; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Signers:
    """A member as the fast lane needs it."""

    did: str
    genesis: str
    kinds: frozenset[str]
    """The kinds that can be read and that its role may say."""
    keys: Mapping[bytes, tuple[int, bytes]]
    """Encoded header to index and public key, of the keys that nothing closes."""

    @classmethod
    def of(cls, member: Member) -> "Signers":
        """Return what the registry's entry means here; nobody but an active member is ordinary."""
        keys: dict[bytes, tuple[int, bytes]] = {}
        if member.status is MemberStatus.ACTIVE:
            for number, listed in enumerate(member.signing_keys):
                header = strict_json.dumps({"alg": ALGORITHM, "typ": STATEMENT_TYP, "kid": listed.kid})
                encoded = b64encode(header).encode("ascii")
                # The first of two entries with one name is the one that `decide` finds.
                if encoded not in keys and listed.kid.partition("#")[0] == member.did:
                    keys[encoded] = (number, _public(listed.key.crv, listed.key.x) if listed.closed is None else b"")
        kinds = frozenset(BODIES) & ALLOWED_KINDS[member.role]
        usable = {header: key for header, key in keys.items() if key[1]}
        return cls(member.did, genesis(member.did), kinds, usable)


def open_ordinary(raw: bytes, signers: Signers) -> Ordinary | None:
    """Return the statement if it is ordinary and its signature holds; None says nothing about it."""
    try:
        return _open(raw, signers)
    except (_Unusual, BadSignatureError, ValidationError, ValueError, TypeError, KeyError):
        return None


def _open(raw: bytes, signers: Signers) -> Ordinary:
    if len(raw) > MAX_RECORD_BYTES or not raw.startswith(_BEGIN) or not raw.endswith(_END):
        raise _Unusual
    statement = raw[len(_BEGIN) : -len(_END)]
    # Two dots in all: none in a disclosure. With this alphabet the record has its one form.
    if statement.translate(None, _STATEMENT) or statement.count(b".") != 2:
        raise _Unusual
    jwt, *disclosures = statement.split(b"~")
    if not disclosures or disclosures.pop():
        raise _Unusual
    header, payload, signature = jwt.split(b".")
    number, key = signers.keys[header]
    if len(signature) != _SIGNATURE_CHARS:
        raise _Unusual
    crypto_sign_open(_decode(signature) + jwt[: -_SIGNATURE_CHARS - 1], key)
    claims = _parse(_decode(payload))
    kind, handling = _check_claims(claims, signers)
    if [_digest(encoded) for encoded in disclosures] != claims["open"]:
        raise _Unusual
    text, body = _read_body(claims, kind, handling, disclosures)
    place = (claims["seq"], claims["prev"], _digest(jwt), number, claims["iat"], kind)
    return Ordinary(*place, _handling(handling)[1], text.decode(), body)


def _check_claims(claims: dict[str, Any], signers: Signers) -> tuple[str, bytes]:
    """Check what every kind has in common, as `Claims` does; return kind and handling."""
    seq, prev, iat, kind = claims["seq"], claims["prev"], claims["iat"], claims["kind"]
    if list(claims) != _CLAIMS or claims["iss"] != signers.did or claims["boxes"] != []:
        raise _Unusual
    if claims["v"] != VERSION or claims["_sd_alg"] != "sha-256":
        raise _Unusual
    # By type: 1.0 and true equal 1.
    if not (type(claims["v"]) is type(seq) is type(iat) is int) or seq < 1 or iat < 0:
        raise _Unusual
    if max(seq, iat) > strict_json.MAX_INTEGER:
        raise _Unusual
    if kind not in signers.kinds or not _are_digests([prev]) or (seq == 1 and prev != signers.genesis):
        raise _Unusual
    handling = orjson.dumps(claims["handling"])
    _handling(handling)
    # One object for all of one kind, as for handling: what is sent between processes is then named, not repeated.
    return sys.intern(kind), handling


def _read_body(
    claims: dict[str, Any], kind: str, handling: bytes, disclosures: list[bytes]
) -> tuple[bytes, dict[str, Any]]:
    """Return the fields in clear and the disclosed ones, as text and as value, after the body's own schema has
    accepted them."""
    body: dict[str, Any] = claims["body"]
    if type(body) is not dict:
        raise _Unusual
    digests = body.pop("_sd", [])
    if type(digests) is not list or len(digests) > MAX_DIGESTS or not _are_digests(digests):
        raise _Unusual
    if digests != sorted(set(digests)) or not set(digests).issuperset(claims["open"]):
        raise _Unusual
    disclosable = BODY_DISCLOSABLE[kind]
    if not disclosable.isdisjoint(body):
        raise _Unusual
    for encoded in disclosures:
        salt, name, value = _parse(_decode(encoded))
        if type(salt) is not str or name not in disclosable or name in body:
            raise _Unusual
        body[name] = value
    text = orjson.dumps(body)
    _VALIDATORS[kind].validate_json(text)
    if body.get("named_after_person") and _handling(handling)[0] is Tlp.CLEAR:
        raise _Unusual
    return text, body


@lru_cache(maxsize=256)
def _handling(text: bytes) -> tuple[Tlp, str]:
    """Return for whom a statement is, and the text; only those whose body travels in clear are ordinary."""
    tlp = Handling.model_validate_json(text).tlp
    if tlp not in (Tlp.GREEN, Tlp.CLEAR):
        raise _Unusual
    return tlp, text.decode()


def _parse(text: bytes) -> Any:
    """Return strict JSON. Written again it gives the same bytes, so no key was repeated and no number rounded; floats,
    depth and size of numbers are for the closed types that follow."""
    if b"\\" in text:
        raise _Unusual
    value = orjson.loads(text)
    if orjson.dumps(value) != text:
        raise _Unusual
    return value


def _decode(encoded: bytes) -> bytes:
    """Return the bytes of canonical base64url whose alphabet was checked."""
    left = len(encoded) % 4
    if left == 1 or encoded[-1] not in _ENDS_OF[left]:
        raise _Unusual
    return pybase64.b64decode(encoded + _PADDING[left], b"-_")


def _digest(encoded: bytes) -> str:
    return pybase64.b64encode(sha256(encoded).digest(), b"-_")[:-1].decode("ascii")


def _are_digests(values: list[Any]) -> bool:
    """Tell whether all are SHA-256 in base64url; other types raise TypeError."""
    return {43}.issuperset(map(len, values)) and not "".join(values).encode().translate(None, _BASE64URL)


def _public(crv: str, x: str) -> bytes:
    if crv != ALGORITHM:
        return b""
    try:
        return b64decode(x)
    except NotCanonical:
        return b""
