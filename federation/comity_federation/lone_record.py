"""One record by itself, offline: is it genuine and unchanged, and who said it?

The same steps as `decide.decide`. What only the whole log could tell is taken as given and said so: that the record
stands at its place, and that what it refers to exists.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from nacl.signing import SigningKey

from comity_federation import strict_json
from comity_federation.decide import decide, demanded
from comity_federation.decision import Decision, Earlier, Place, Refused, Seen, Trust
from comity_federation.disclosures import MalformedDisclosure, read_disclosure
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_federation.log_state import peek
from comity_federation.statements import Outgoing, genesis, sign_statement
from comity_schemas.member import Member, MemberStatus, PublicKey, Role
from comity_schemas.member import SigningKey as SigningKeyEntry
from comity_schemas.statement import Claims, Kind

_LATEST = 253_402_300_799
"""The last second of the year 9999: Python knows no later time, claims may name one."""


def decide_alone(raw: bytes, member_of: Callable[[str], Member | None], issuer: str | None) -> Decision:
    """Return what one record is worth without its log.

    Args:
        raw: As received.
        member_of: the registry's member of a DID.
        issuer: the DID the record claims, as `claimed_issuer` reads it.
    """
    member = None if issuer is None else member_of(issuer)
    claimed = peek(raw)
    if member is None:
        # Nobody to check against: the first four steps still say what is wrong with the form.
        return Refused(4, "unknown-member", "the registry lists no member that could have signed this")
    if claimed is None:
        return decide(raw, Trust(member), Seen())
    lasts = demanded(member)
    branch = {claimed.seq: claimed.hash} | {last.seq: last.hash for last in lasts}
    before = {claimed.seq - 1: Place(claimed.prev, 0)} if claimed.seq > 1 else {}
    # What it refers to is not at hand: taken for of its own kind, or, where it is taken back, for a finding.
    kind = Kind.FINDING if claimed.kind == Kind.WITHDRAWAL else claimed.kind
    earlier = {name: Earlier(0, kind) for name in claimed.refers_to}
    return decide(raw, Trust(member), Seen(claimed.seq - 1, before, earlier, branch))


def as_when_signed(member: Member) -> Member:
    """Return the member's entry with nothing closed: what the registry closes later does not change who signed."""
    keys = tuple(key.model_copy(update={"closed": None}) for key in member.signing_keys)
    opened = {"status": MemberStatus.ACTIVE, "closed": None, "thawed": None, "signing_keys": keys}
    return member.model_copy(update=opened)


def claimed_key(raw: bytes) -> str | None:
    """Return the id of the key that a record claims was used, unverified; None where that cannot be read."""
    try:
        return str(strict_json.loads(b64decode(strict_json.loads(raw)["statement"].partition(".")[0]))["kid"])
    except (strict_json.NotStrict, NotCanonical, KeyError, TypeError, AttributeError):
        return None


def claimed_issuer(raw: bytes) -> str | None:
    """Return the DID whose key a record claims was used, unverified; None where that cannot be read."""
    kid = claimed_key(raw)
    return None if kid is None else kid.partition("#")[0]


def claimed_moment(seconds: int) -> datetime:
    """Return when something claims to be signed, by its seconds since 1970; the year 9999 for whatever is later."""
    return datetime.fromtimestamp(min(seconds, _LATEST), UTC)


def read_outgoing(raw: bytes) -> tuple[Outgoing, datetime]:
    """Return what a genuine record says and when it claims to be signed: withheld values stand in no record.

    Args:
        raw: Verified already.
    """
    jwt, *disclosures = strict_json.loads(raw)["statement"].split("~")[:-1]
    claims = Claims.from_parsed(strict_json.loads(b64decode(jwt.split(".")[1])))
    disclosed: dict[str, Any] = {}
    for encoded in disclosures:
        with suppress(MalformedDisclosure):
            disclosure = read_disclosure(encoded)
            disclosed[disclosure.name] = disclosure.value
    body = {name: value for name, value in claims.body.items() if name != "_sd"}
    outgoing = Outgoing(claims.kind, claims.handling, body, disclosed, {})
    return outgoing, claimed_moment(claims.iat)


def rehearse(outgoing: Outgoing, now: datetime, role: Role) -> Decision:
    """Return what every node would decide about a statement if it were signed now by a member of this role.

    Nothing is kept: the key is thrown away.
    """
    key, did = SigningKey.generate(), "did:web:rehearsal"
    kid = f"{did}#once"
    public = PublicKey(kty="OKP", crv="Ed25519", x=b64encode(bytes(key.verify_key)))
    member = Member(
        did=did,
        slug="rehearsal",
        names=("Rehearsal",),
        country="international",
        role=role,
        status=MemberStatus.ACTIVE,
        signing_keys=(SigningKeyEntry(kid=kid, key=public),),
    )
    signed = sign_statement(outgoing, iss=did, kid=kid, key=key, seq=2, prev=genesis(did), now=now)
    return decide_alone(signed.record, lambda _: member, did)
