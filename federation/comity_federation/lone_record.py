"""One record by itself, offline: is it genuine and unchanged, and who said it?

The same steps as `decide.decide`. What only the whole log could tell is taken as given and said so: that the record
stands at its place, and that what it refers to exists.
"""

from collections.abc import Callable
from datetime import datetime

from nacl.signing import SigningKey

from comity_federation import strict_json
from comity_federation.decide import decide, demanded
from comity_federation.decision import Decision, Earlier, Place, Refused, Seen, Trust
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_federation.log_state import peek
from comity_federation.statements import Outgoing, genesis, sign_statement
from comity_schemas.member import Member, MemberStatus, PublicKey, Role
from comity_schemas.member import SigningKey as SigningKeyEntry
from comity_schemas.statement import Kind


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
    earlier = {name: Earlier(0, Kind.FINDING) for name in claimed.refers_to}
    return decide(raw, Trust(member), Seen(claimed.seq - 1, before, earlier, branch))


def claimed_issuer(raw: bytes) -> str | None:
    """Return the DID whose key a record claims was used, unverified; None where that cannot be read."""
    try:
        header = strict_json.loads(b64decode(strict_json.loads(raw)["statement"].partition(".")[0]))
        return str(header["kid"]).partition("#")[0]
    except (strict_json.NotStrict, NotCanonical, KeyError, TypeError, AttributeError):
        return None


def rehearse(outgoing: Outgoing, now: datetime) -> Decision:
    """Return what every node would decide about a statement if it were signed now by a member that may say it.

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
        role=Role.AGENCY,
        status=MemberStatus.ACTIVE,
        signing_keys=(SigningKeyEntry(kid=kid, key=public),),
    )
    signed = sign_statement(outgoing, iss=did, kid=kid, key=key, seq=2, prev=genesis(did), now=now)
    return decide_alone(signed.record, lambda _: member, did)
