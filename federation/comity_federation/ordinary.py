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

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from operator import lt
from typing import Any, Final, NamedTuple

import orjson
import pybase64
from nacl.bindings import crypto_sign_open

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_federation.jws import ALGORITHM
from comity_federation.statements import genesis
from comity_schemas.handling import Handling, Tlp
from comity_schemas.member import Member, MemberStatus
from comity_schemas.pointer import POINTER_TERMS
from comity_schemas.statement import (
    ALLOWED_KINDS,
    BODIES,
    BODY_DISCLOSABLE,
    MAX_DIGESTS,
    MAX_RECORD_BYTES,
    STATEMENT_TYP,
    VERSION,
    Kind,
)

_BEGIN: Final = b'{"statement":"'
_END: Final = b'","sealed":[]}'
_BASE64URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ENDS_OF: Final = {0: frozenset(_BASE64URL), 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
"""Length modulo 4 to the last characters that leave no spare bits."""
_PADDING: Final = (b"", b"", b"==", b"=")
_CLAIMS: Final = re.compile(
    rb'\{"v":%d,"iss":"([^"]*)","seq":([1-9][0-9]{0,15}),"prev":"([A-Za-z0-9_-]{43})","iat":(0|[1-9][0-9]{0,15}),'
    rb'"kind":"([a-z-]*)","handling":(\{[^{}]*\}),"open":\[([^\]]*)\],"boxes":\[\],"body":(\{.*\}),"_sd_alg":"sha-256"\}'
    % VERSION,
    re.DOTALL,
)
"""The payload as our own signer writes it: taken apart as text, since its digests are most of it."""
_DIGESTS: Final = b',"_sd":["'
"""What stands between the fields of a body in clear and the digests, which come last."""
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

    did: bytes
    genesis: str
    kinds: Mapping[bytes, str]
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
        # One text for all of one kind, as for handling: what is sent between processes is then named, not repeated.
        kinds = {kind.encode("ascii"): sys.intern(str(kind)) for kind in BODIES.keys() & ALLOWED_KINDS[member.role]}
        usable = {header: key for header, key in keys.items() if key[1]}
        return cls(member.did.encode("ascii"), genesis(member.did), kinds, usable)


@dataclass(slots=True, eq=False)
class _Opening:
    """A record on its way through the steps: each finds what the ones before it have left here."""

    raw: bytes
    signers: Signers
    jwt: bytes = field(init=False)
    payload: bytes = field(init=False)
    signature: bytes = field(init=False)
    key: tuple[int, bytes] = field(init=False)
    disclosures: list[bytes] = field(init=False)
    seq: int = field(init=False)
    prev: str = field(init=False)
    iat: int = field(init=False)
    kind: str = field(init=False)
    handling: bytes = field(init=False)
    shown: bytes = field(init=False)
    """The digests of the disclosures, as JSON without its brackets."""
    clear: bytes = field(init=False)
    """The fields of the body in clear, as JSON without the bracket at the end."""
    body: dict[str, Any] = field(init=False)
    text: bytes = field(init=False)
    opened: Ordinary = field(init=False)


def open_ordinary(arrived: Iterable[tuple[bytes, Signers]]) -> list[Ordinary | None]:
    """Return for each record the statement if it is ordinary and its signature holds; None says nothing about it.

    Each step is done for all before the next begins: one after the other they drive each other's code and tables out
    of the processor's caches, which costs a quarter of the time.
    """
    opening: list[_Opening | None] = [_Opening(raw, signers) for raw, signers in arrived]
    for step in _STEPS:
        for place, each in enumerate(opening):
            if each is not None:
                try:
                    step(each)
                except (
                    Exception
                ):  # Whatever a record makes a step raise: all others must go on, and `decide` judges it.
                    opening[place] = None
    return [None if each is None else each.opened for each in opening]


def _take_apart(it: _Opening) -> None:
    raw = it.raw
    if len(raw) > MAX_RECORD_BYTES or not raw.startswith(_BEGIN) or not raw.endswith(_END):
        raise _Unusual
    # With these three gone, decoding lets nothing pass that would be written in another way.
    if b"+" in raw or b"/" in raw or b"=" in raw:
        raise _Unusual
    it.jwt, *it.disclosures = raw[len(_BEGIN) : -len(_END)].split(b"~")
    if not it.disclosures or it.disclosures.pop():
        raise _Unusual
    header, it.payload, it.signature = it.jwt.split(b".")
    it.key = it.signers.keys[header]
    if len(it.signature) != _SIGNATURE_CHARS:
        raise _Unusual


def _check_signature(it: _Opening) -> None:
    crypto_sign_open(_decode(it.signature) + it.jwt[: -_SIGNATURE_CHARS - 1], it.key[1])


def _read_claims(it: _Opening) -> None:
    """Check what every kind has in common, as `Claims` does."""
    claims = _CLAIMS.fullmatch(_decode(it.payload))
    if claims is None:
        raise _Unusual
    iss, seq, prev, iat, kind, it.handling, it.shown, body = claims.groups()
    it.seq, it.prev, it.iat, it.kind = int(seq), prev.decode(), int(iat), it.signers.kinds[kind]
    if iss != it.signers.did or max(it.seq, it.iat) > strict_json.MAX_INTEGER:
        raise _Unusual
    if it.seq == 1 and it.prev != it.signers.genesis:
        raise _Unusual
    if not _handling(it.handling).of_pointers and it.kind == Kind.POINTER:
        raise _Unusual
    it.clear, _, digests = body.rpartition(_DIGESTS)
    _check_digests(it, digests)


def _check_digests(it: _Opening, digests: bytes) -> None:
    """Check that exactly the disclosures are here that were signed to be, and that they are among all digests."""
    shown = [_digest(encoded) for encoded in it.disclosures]
    if it.shown != (b'"%b"' % b'","'.join(shown) if shown else b""):
        raise _Unusual
    if not digests.endswith(b'"]}'):
        raise _Unusual
    listed = digests[:-3].split(b'","')
    if len(listed) > MAX_DIGESTS or not {43}.issuperset(map(len, listed)):
        raise _Unusual
    if b"".join(listed).translate(None, _BASE64URL) or not set(listed).issuperset(shown):
        raise _Unusual
    if not all(map(lt, shown, shown[1:])) or not all(map(lt, listed, listed[1:])):
        raise _Unusual


def _read_body(it: _Opening) -> None:
    """Put the disclosed fields beside those in clear: as values, and as text."""
    disclosable, body = BODY_DISCLOSABLE[it.kind], _parse(it.clear + b"}")
    if not disclosable.isdisjoint(body):
        raise _Unusual
    text = [it.clear]
    for encoded in it.disclosures:
        disclosure = _decode(encoded)
        salt, name, value = _parse(disclosure)
        if type(salt) is not str or name not in disclosable or name in body:
            raise _Unusual
        body[name] = value
        # Of an array in its one form, without escapes: what stands behind the fourth quotation mark.
        text.append(b',"%b":%b' % (name.encode("ascii"), disclosure.split(b'"', 4)[4][1:-1]))
    text.append(b"}")
    it.body, it.text = body, b"".join(text)


def _check_body(it: _Opening) -> None:
    """Let the body's own schema judge it."""
    _VALIDATORS[it.kind].validate_json(it.text)
    if it.body.get("named_after_person") and _handling(it.handling).tlp is Tlp.CLEAR:
        raise _Unusual


def _finish(it: _Opening) -> None:
    place = (it.seq, it.prev, _digest(it.jwt).decode("ascii"), it.key[0], it.iat, it.kind)
    it.opened = Ordinary(*place, _handling(it.handling).text, it.text.decode(), it.body)


_STEPS: Final = (_take_apart, _check_signature, _read_claims, _read_body, _check_body, _finish)


class _Terms(NamedTuple):
    """Handling terms as the fast lane needs them."""

    tlp: Tlp
    text: str
    of_pointers: bool


@lru_cache(maxsize=256)
def _handling(text: bytes) -> _Terms:
    """Return for whom a statement is; only those whose body travels in clear are ordinary."""
    _parse(text)
    terms = Handling.model_validate_json(text)
    if terms.tlp not in (Tlp.GREEN, Tlp.CLEAR):
        raise _Unusual
    return _Terms(terms.tlp, text.decode(), terms == POINTER_TERMS)


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
    """Return the bytes of canonical base64url, in which what stands only in other alphabets was looked for."""
    left = len(encoded) % 4
    if left == 1 or encoded[-1] not in _ENDS_OF[left]:
        raise _Unusual
    return pybase64.b64decode(encoded + _PADDING[left], b"-_", validate=True)


def _digest(encoded: bytes) -> bytes:
    return pybase64.b64encode(sha256(encoded).digest(), b"-_")[:-1]


def _public(crv: str, x: str) -> bytes:
    if crv != ALGORITHM:
        return b""
    try:
        return b64decode(x)
    except NotCanonical:
        return b""
