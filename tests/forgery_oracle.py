"""Was a decision about a mutated record right to count it, or to blame its author? Told without the code under test.

The generator knows every JWT that was really signed, and by which key. So the oracle checks no signature: it looks the
JWT up. The rest is read with the standard library only, from the text of the wire format.
"""

import base64
import hashlib
import json
from typing import Any

from comity_federation.decision import Accepted, Decision, Forked, Refused, Repeated, Waiting
from comity_schemas.member import Member, MemberStatus
from mutation_corpus import corpus
from mutations import Case

MAY_SAY = {
    "agency": None,
    "worker-organisation": {"finding", "pointer", "withdrawal", "reply", "corroboration"},
    "audit-firm": {"audit-notice", "withdrawal"},
    "observer": set(),
}
"""None: all."""


def forgery(this: Case, decision: Decision) -> str | None:
    """Return why the decision lets somebody through who must not be, or None if it is sound."""
    blames_author = isinstance(decision, Refused) and (decision.step == 6 or decision.step >= 10)
    if isinstance(decision, Waiting) or (isinstance(decision, Refused) and not blames_author):
        return None
    jwt, disclosures, boxes = _parts(this.raw)
    member = this.trust.member
    signer = _signer(this, jwt, member)
    if signer is None:
        return "no listed key of this log's member signed this"
    if isinstance(decision, Refused) and decision.step == 6:
        return None
    claims = _payload(jwt)
    name = _sha256(jwt.encode())
    if decision.hash != name:
        return "the hash is not that of the signed text"
    if isinstance(decision, Forked):
        return None if decision.other != name else "a statement contradicts itself"
    place = this.seen.places.get(claims["seq"])
    if isinstance(decision, Repeated):
        return None if place is not None and place.hash == name else "no such statement stands there"
    foreign = [d for d in disclosures if _sha256(d.encode()) not in claims["open"]]
    if foreign or [box for box in boxes if _sha256(box.encode()) not in claims["boxes"]]:
        return "it carries what the author did not sign for"
    return _misplaced(this, claims, signer) or (
        _misread(decision, claims, disclosures, member) if isinstance(decision, Accepted) else None
    )


def _signer(this: Case, jwt: str, member: Member) -> int | None:
    """Which of the member's keys signed this very text, under its own name."""
    kid = json.loads(_decoded(jwt.partition(".")[0]))["kid"]
    for number, key in enumerate(member.signing_keys):
        pair = (key.key.x, jwt)
        if key.kid == kid and (pair in this.signed or pair in corpus().signed):
            return number
    return None


def _misplaced(this: Case, claims: dict[str, Any], signer: int) -> str | None:
    """Does it stand where nothing may stand?"""
    seen, member, seq = this.seen, this.trust.member, claims["seq"]
    if seq != seen.head + 1:
        return "it is not the next one"
    if seen.head and seen.places[seen.head].hash != claims["prev"]:
        return "it follows something else"
    if seen.head and seen.places[seen.head].key > signer:
        return "its key was superseded"
    if seen.frozen_from is not None and seq >= seen.frozen_from:
        return "the log is frozen here"
    if member.status is MemberStatus.PENDING:
        return "a pending member has no right"
    if member.status is not MemberStatus.ACTIVE and (member.closed is None or seq > member.closed.seq):
        return "it lies beyond the last that counts"
    closed = member.signing_keys[signer].closed
    if closed is not None and seq > closed.seq:
        return "its key is closed"
    lasts = [last for last in (member.closed, member.thawed, closed) if last is not None]
    if any(last.seq == seq and last.hash != _sha256(_jwt_of(this.raw).encode()) for last in lasts):
        return "the registry names another statement here"
    return None


def _misread(decision: Accepted, claims: dict[str, Any], disclosures: list[str], member: Member) -> str | None:
    """Was something else understood than the author wrote?"""
    if decision.claims.to_parsed() | {"_sd_alg": "sha-256"} != {
        k: v for k, v in (claims | {"sd_alg": claims["_sd_alg"]}).items() if v is not None
    }:
        return "other claims were read than were signed"
    allowed = MAY_SAY[member.role]
    if allowed is not None and claims["kind"] not in allowed:
        return "this role may not say this"
    shown = {part[1]: part[2] for part in (json.loads(_decoded(d)) for d in disclosures)}
    clear = {k: v for k, v in claims["body"].items() if k != "_sd"}
    tlp = claims["handling"]["tlp"]
    if tlp == "RED" or (tlp.startswith("AMBER") and (decision.body is not None or clear or claims["open"])):
        return "the handling forbids this"
    if decision.body is not None:
        if not set(claims["open"]) <= set(claims["body"].get("_sd", [])):
            return "something is disclosed that the body does not hold"
        if decision.body.model_dump(mode="json", exclude_unset=True) != {**clear, **shown}:
            return "another body was read than was signed"
    present = {_sha256(d.encode()) for d in disclosures}
    if set(decision.missing) != set(claims["open"]) - present:
        return "what is missing is not told"
    return None


def _parts(raw: bytes) -> tuple[str, list[str], list[str]]:
    record = json.loads(raw)
    jwt, *disclosures = record["statement"].split("~")
    return jwt, disclosures[:-1], record["sealed"]


def _jwt_of(raw: bytes) -> str:
    return _parts(raw)[0]


def _payload(jwt: str) -> dict[str, Any]:
    return dict(json.loads(_decoded(jwt.split(".")[1])))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sha256(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
