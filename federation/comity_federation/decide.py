"""The decision about one record: thirteen numbered steps, in order, fail closed. Pure: no I/O, no clock.

    (1) size  (2) record: strict JSON, closed, one form  (3) JWS  (4) the key is listed for this log's member
    (5) signature  (6) payload: strict JSON, common claims, issuer  (7) the key counts at this place
    (8) disclosures and boxes match  (9) place in the log  (10) version and kind  (11) the role may say this
    (12) the readable body fits its schema  (13) references and handling

What fails at 1–5, 7 or 8 may be somebody else's doing: the position stays open. At 6 the author signed something
without a place. From 10 on the author used the position up: the chain goes on, so that one bad body never blocks a log.

A disclosure whose digest is signed but whose content is malformed is the author's act, so it is refused at 12, not 8.
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_federation.decision import Accepted, Decision, Forked, Place, Refused, Repeated, Seen, Trust, Waiting
from comity_federation.disclosures import MalformedDisclosure, read_disclosure
from comity_federation.encoding import digest
from comity_federation.statements import genesis
from comity_schemas.corroboration import Corroboration
from comity_schemas.handling import Tlp
from comity_schemas.member import Last, Member, MemberStatus, SigningKey
from comity_schemas.pointer import POINTER_TERMS, Pointer
from comity_schemas.reply import Reply
from comity_schemas.statement import (
    ALLOWED_KINDS,
    BODIES,
    BODY_DISCLOSABLE,
    MAX_DIGESTS,
    MAX_RECORD_BYTES,
    STATEMENT_TYP,
    VERSION,
    Body,
    Claims,
    Kind,
    Record,
    Withdrawal,
)
from comity_schemas.wire import misfits

_DIGEST = re.compile("[A-Za-z0-9_-]{43}")
_WHOLE_BODY_WITHHELD = frozenset({Tlp.AMBER, Tlp.AMBER_STRICT})


RULES = 7
"""Raised with every change of what is accepted: nodes then decide what they hold anew."""


class _Stop(Exception):
    def __init__(self, decision: Decision) -> None:
        self.decision = decision


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement whose signature holds."""

    claims: Claims
    hash: str
    key: int
    disclosures: tuple[str, ...]
    sealed: tuple[str, ...]

    def refused(self, step: int, code: str, detail: str = "") -> _Stop:
        return _Stop(Refused(step, code, detail, self.claims.seq, self.hash, self.key, self.claims.kind))

    def waiting(self, why: str) -> _Stop:
        return _Stop(Waiting(why, self.claims.seq, self.hash, self.claims.prev))


def decide(raw: bytes, trust: Trust, seen: Seen) -> Decision:
    """Return what a record from one member's log is worth.

    Args:
        raw: As received; nothing in it is believed yet.
        trust: What the registry says about the member whose log this is.
        seen: What is known of that log so far.

    Raises:
        LookupError: the caller did not load the two places that `log_state.peek` names; no record can cause it.
    """
    try:
        statement = _open(raw, trust.member)
        _check_key_counts(statement, trust.member, seen)  # 7
        _check_disclosures(statement)  # 8
        _check_place(statement, seen)  # 9
        return _accept(statement, trust.member, seen)
    except _Stop as stop:
        return stop.decision


def demanded(member: Member) -> tuple[Last, ...]:
    """Return every `last` the registry demands of a log, the furthest first: history must run through each."""
    closings = [member.closed, member.thawed, *(key.closed for key in member.signing_keys)]
    return tuple(sorted((last for last in closings if last is not None), key=lambda last: -last.seq))


def _open(raw: bytes, member: Member) -> _Statement:
    """Steps 1 to 6."""
    if len(raw) > MAX_RECORD_BYTES:  # 1
        raise _Stop(Refused(1, "too-large", f"{len(raw)} bytes; at most {MAX_RECORD_BYTES}"))
    record = _read_record(raw)  # 2
    jwt, *disclosures = record.statement.split("~")
    if not disclosures or disclosures.pop() != "":
        raise _Stop(Refused(3, "parts", "an SD-JWT ends in ~ and carries no key binding"))
    try:
        token = jws.take_apart(jwt, STATEMENT_TYP)  # 3
    except jws.MalformedJws as error:
        raise _Stop(Refused(3, error.reason)) from error
    number, key = _listed_key(token.kid, member)  # 4
    try:
        jws.check_signature(token, key.key)  # 5
    except jws.BadSignature as error:
        raise _Stop(Refused(5, "bad-signature")) from error
    claims = _read_claims(token.payload, member)  # 6
    return _Statement(claims, digest(jwt), number, tuple(disclosures), record.sealed)


def _read_record(raw: bytes) -> Record:
    try:
        parsed = strict_json.loads(raw)
        record = Record.from_parsed(parsed)
    except strict_json.NotStrict as error:
        raise _Stop(Refused(2, error.reason)) from error
    except (ValidationError, ValueError) as error:
        raise _Stop(Refused(2, "not-a-record")) from error
    if strict_json.dumps(parsed) != raw or list(parsed) != ["statement", "sealed"]:
        raise _Stop(Refused(2, "other-form", "key order or whitespace differs from the one form"))
    return record


def _listed_key(kid: str, member: Member) -> tuple[int, SigningKey]:
    if kid.partition("#")[0] != member.did:
        raise _Stop(Refused(4, "another-log", f"signed by a key of another member than {member.slug}"))
    for number, key in enumerate(member.signing_keys):
        if key.kid == kid:
            return number, key
    raise _Stop(Waiting("unknown-key"))


def _read_claims(payload: bytes, member: Member) -> Claims:
    try:
        claims = Claims.from_parsed(strict_json.loads(payload))
    except strict_json.NotStrict as error:
        raise _Stop(Refused(6, error.reason)) from error
    except (ValidationError, ValueError) as error:
        raise _Stop(Refused(6, "claims", misfits(error))) from error
    if claims.iss != member.did:
        raise _Stop(Refused(6, "issuer", f"the statement names {claims.iss}"))
    if claims.seq == 1 and claims.prev != genesis(member.did):
        raise _Stop(Refused(6, "genesis", "a first statement follows the hash of its issuer's DID"))
    return claims


def _check_key_counts(statement: _Statement, member: Member, seen: Seen) -> None:
    claims = statement.claims
    if member.status is MemberStatus.PENDING:
        raise statement.waiting("pending")
    lasts = demanded(member)
    if lasts and claims.seq <= lasts[0].seq:
        required = seen.branch.get(claims.seq)
        if required is None:
            raise statement.waiting("branch")
        if required != statement.hash:
            raise statement.refused(7, "other-branch", "the registry names another history")
    elif claims.prev in seen.other_branch or (
        lasts and claims.seq == lasts[0].seq + 1 and claims.prev != lasts[0].hash
    ):
        raise statement.refused(7, "other-branch", "it continues a history that the registry does not name")
    closed = member.signing_keys[statement.key].closed
    if closed is not None and claims.seq > closed.seq:
        raise statement.refused(7, "key-closed", f"this key counts up to statement {closed.seq}")
    # Without `closed` nothing counts: a suspension must never fail open.
    if claims.seq > (member.closed.seq if member.closed is not None else 0):
        if member.status is MemberStatus.REMOVED:
            raise statement.refused(7, "member-removed", "it lies beyond the last that counts")
        if member.status is MemberStatus.SUSPENDED:
            raise statement.waiting("suspended")
    before = _place(seen, claims.seq - 1)
    if before is None:
        return
    if statement.key < before.key:
        raise statement.refused(7, "key-superseded", "a later key has signed before this place")
    if lasts and before.hash != claims.prev and claims.seq > lasts[0].seq + 1:
        # Whether the statement before it, unseen here, lies on a branch already refused is not known yet.
        raise statement.waiting("branch")


def _place(seen: Seen, seq: int) -> Place | None:
    """Return what stands at a position, or None outside the chain; the caller loads the two a record concerns."""
    if not 1 <= seq <= seen.head:
        return None
    if seq not in seen.places:
        raise LookupError(f"place {seq} of the chain was not loaded")
    return seen.places[seq]


def _check_disclosures(statement: _Statement) -> None:
    digests = [digest(encoded) for encoded in statement.disclosures]
    if any(d not in statement.claims.open for d in digests):
        raise statement.refused(8, "disclosure", "a disclosure was altered or added")
    if digests != sorted(set(digests)):
        raise statement.refused(8, "disclosure-order", "disclosures are repeated or not in the order of their digests")
    boxes = [digest(box) for box in statement.sealed]
    if boxes != [box for box in statement.claims.boxes if box in boxes]:
        raise statement.refused(8, "box", "a box was altered, added or moved")


def _check_place(statement: _Statement, seen: Seen) -> None:
    claims = statement.claims
    here, before = _place(seen, claims.seq), _place(seen, claims.seq - 1)
    if here is not None and here.hash == statement.hash:
        raise _Stop(Repeated(claims.seq, statement.hash))
    if claims.seq > seen.head + 1:
        raise statement.waiting("gap")
    if before is not None and before.hash != claims.prev:
        raise _Stop(Forked(claims.seq - 1, claims.seq, statement.hash, before.hash))
    if here is not None:
        raise _Stop(Forked(claims.seq, claims.seq, statement.hash, here.hash))
    if seen.frozen_from is not None and claims.seq >= seen.frozen_from:
        raise statement.waiting("frozen")


def _accept(statement: _Statement, member: Member, seen: Seen) -> Accepted:
    claims = statement.claims
    if claims.v != VERSION:  # 10
        raise statement.refused(10, "version", f"version {claims.v} is not known here")
    model = BODIES.get(claims.kind)
    if model is None:
        raise statement.refused(10, "unknown-kind", f"kept; kind {claims.kind} is not known here")
    if claims.kind not in ALLOWED_KINDS[member.role]:  # 11
        raise statement.refused(11, "role", f"a member of role {member.role} may not publish a {claims.kind}")
    body = _read_body(statement, model)  # 12
    _check_references(statement, body, seen)  # 13
    _check_handling(statement, body)
    present = {digest(encoded) for encoded in statement.disclosures}
    return Accepted(claims, statement.hash, statement.key, body, tuple(d for d in claims.open if d not in present))


def _read_body(statement: _Statement, model: type[Body]) -> Body | None:
    claims = statement.claims
    clear = dict(claims.body)
    digests = clear.pop("_sd", [])
    if not _is_digest_list(digests) or not set(claims.open) <= set(digests):
        raise statement.refused(12, "digests", "_sd is not a sorted list of at most 64 digests that holds all of open")
    shown = _read_disclosed(statement)
    if claims.handling.tlp in _WHOLE_BODY_WITHHELD:
        # `open`, not what this copy shows: whoever strips a disclosure must not make it count.
        if clear or claims.open:
            raise statement.refused(13, "handling", f"{claims.handling.tlp} withholds the whole body")
        return None
    disclosable = BODY_DISCLOSABLE[claims.kind]
    if not set(shown) <= disclosable or set(clear) & disclosable:
        raise statement.refused(12, "disclosed-fields", "a field is disclosed that must be in clear, or the reverse")
    try:
        return model.from_parsed({**clear, **shown})
    except (ValidationError, ValueError) as error:
        raise statement.refused(12, "body", misfits(error)) from error


def _read_disclosed(statement: _Statement) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for encoded in statement.disclosures:
        try:
            disclosure = read_disclosure(encoded)
        except MalformedDisclosure as error:
            raise statement.refused(12, "disclosure", str(error)) from error
        if disclosure.name in shown:
            raise statement.refused(12, "disclosure", f"{disclosure.name} is disclosed twice")
        shown[disclosure.name] = disclosure.value
    return shown


def _is_digest_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_DIGESTS
        and all(isinstance(d, str) and _DIGEST.fullmatch(d) for d in value)
        and value == sorted(set(value))
    )


def _check_references(statement: _Statement, body: Body | None, seen: Seen) -> None:
    if body is None:
        return
    if body.replaces is not None:
        target = seen.earlier.get(body.replaces)
        if target is None or target.seq >= statement.claims.seq or target.kind != statement.claims.kind:
            raise statement.refused(13, "reference", "replaces names no earlier statement of this log and kind")
    if isinstance(body, Withdrawal):
        target = seen.earlier.get(body.statement)
        if target is None or target.seq >= statement.claims.seq:
            raise statement.refused(13, "reference", "the statement taken back is not an earlier one of this log")
        if target.kind in (Kind.GROUP_KEY, Kind.WITHDRAWAL):
            raise statement.refused(13, "reference", f"a {target.kind} cannot be taken back")


def _check_handling(statement: _Statement, body: Body | None) -> None:
    tlp = statement.claims.handling.tlp
    if tlp is Tlp.RED:
        raise statement.refused(13, "handling", "TLP:RED never leaves a node")
    if statement.claims.kind == Kind.POINTER and statement.claims.handling != POINTER_TERMS:
        raise statement.refused(13, "handling", "every pointer has the same terms, so that none stands out")
    if isinstance(body, Reply | Corroboration | Pointer | Withdrawal | None):
        return
    if tlp is Tlp.CLEAR and body.named_after_person:
        raise statement.refused(13, "handling", "a firm named after a person is never TLP:CLEAR")
