"""Who is in the network: the content of the registry's two signed lists.

`MemberList` gives rights and is signed by k of n key holders. `SuspensionList` can only take the right to publish
away, and one holder's signature is enough for it.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from comity_schemas.wire import CountryCode, Did, Digest, KeyId, Slug, Wire, text


class Role(StrEnum):
    """What a member is; `statement.ALLOWED_KINDS` says what each may publish."""

    AGENCY = "agency"
    PROCUREMENT_BODY = "procurement-body"
    AUDIT_FIRM = "audit-firm"
    AUTHORITY = "authority"
    WORKER_ORGANISATION = "worker-organisation"
    OBSERVER = "observer"


class MemberStatus(StrEnum):
    """`pending` has no right at all; `suspended` waits beyond `closed`; `removed` is refused beyond it."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


class Last(Wire):
    """The last statement that counts: history counts only if it runs through this hash.

    `seq` 0 with the genesis hash says that nothing counts.
    """

    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]
    hash: Digest


class PublicKey(Wire):
    """An Ed25519 or X25519 public key as a JWK (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519", "X25519"]
    x: Digest


class SigningKey(Wire):
    """One key of a member, in the order of its list: later keys supersede earlier ones when first used."""

    kid: KeyId
    key: PublicKey
    closed: Last | None = None
    """Retired or compromised: what this key signed counts up to and including `closed`."""


class ReportKey(Wire):
    """One auditor's key for signing reports. One a person, unnamed."""

    kid: KeyId
    key: PublicKey


class Basis(StrEnum):
    """Why an audit firm may audit under a scheme."""

    ACCREDITED = "accredited"
    SCHEME_APPROVED = "scheme-approved"
    REGISTERED = "registered"
    APPOINTED = "appointed"


class Authorisation(Wire):
    """An audit firm's right to audit under one scheme."""

    scheme: text(64)  # type: ignore[valid-type]
    basis: Basis
    appointed_by: Slug | None = None
    """The member that appointed it, for whose reports alone it counts; of every other basis none."""
    valid_from: date
    valid_until: date

    @model_validator(mode="after")
    def _appointed_by_somebody(self) -> Self:
        if (self.basis is Basis.APPOINTED) != (self.appointed_by is not None):
            raise ValueError("an appointment names the member that made it, and no other basis does")
        return self


class PublicAccess(StrEnum):
    """Whether outsiders can compel the member to disclose what it holds."""

    IMMUNITY = "immunity"
    STATUTE = "statute"
    POLICY = "policy"
    NONE = "none"


class Member(Wire):
    """One organisation as the registry lists it. Also the content of the `member.json` that `comity init` makes."""

    did: Did
    slug: Slug
    names: Annotated[tuple[text(200), ...], Field(min_length=1, max_length=12)]  # type: ignore[valid-type]
    country: CountryCode | Literal["international"]
    role: Role
    status: MemberStatus
    closed: Last | None = None
    """Set when suspended or removed."""
    thawed: Last | None = None
    """After a fork: the branch that counts runs through this statement; later ones may follow it."""
    signing_keys: Annotated[tuple[SigningKey, ...], Field(max_length=100)] = ()
    sealing_key: PublicKey | None = None
    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,300}$")] | None = None
    daily_statements: Annotated[int, Field(ge=0, le=10_000_000)] = 100_000
    report_keys: Annotated[tuple[ReportKey, ...], Field(max_length=10_000)] = ()
    authorisations: Annotated[tuple[Authorisation, ...], Field(max_length=200)] = ()
    public_access: PublicAccess = PublicAccess.NONE

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.status in (MemberStatus.SUSPENDED, MemberStatus.REMOVED) and self.closed is None:
            raise ValueError(f"a {self.status} member needs closed: the last statement that counts")
        return self


class MemberList(Wire):
    """The target `members.json`, signed k of n."""

    v: Literal[1]
    members: Annotated[tuple[Member, ...], Field(max_length=5_000)]
    lifted: Annotated[tuple[Digest, ...], Field(max_length=5_000)] = ()
    """Ids of suspensions that no longer hold: lifting one needs k of n, as giving any right does."""


class SuspensionReason(StrEnum):
    """Why one holder took a member's right to publish away."""

    COMPROMISED = "compromised"
    FORK = "fork"
    MISCONDUCT = "misconduct"
    AT_OWN_REQUEST = "at-own-request"


class Suspension(Wire):
    """A member's statements after `last` wait until the suspension is lifted."""

    id: Digest
    member: Slug
    last: Last
    reason: SuspensionReason
    at: AwareDatetime


class SuspensionList(Wire):
    """The target `suspensions.json`, signed by any one holder."""

    v: Literal[1]
    suspensions: Annotated[tuple[Suspension, ...], Field(max_length=5_000)]


def in_force(members: MemberList, suspensions: SuspensionList) -> tuple[Member, ...]:
    """Return the members with every suspension that was not lifted applied to them.

    A member that the k-of-n list already closed earlier keeps the earlier closing; nothing here adds a right.
    """
    open_ones: dict[str, Suspension] = {}
    for suspension in suspensions.suspensions:
        if suspension.id in members.lifted:
            continue
        earlier = open_ones.get(suspension.member)
        if earlier is None or suspension.last.seq < earlier.last.seq:
            open_ones[suspension.member] = suspension
    return tuple(_suspend(member, open_ones.get(member.slug)) for member in members.members)


def _suspend(member: Member, suspension: Suspension | None) -> Member:
    if suspension is None or member.status in (MemberStatus.PENDING, MemberStatus.REMOVED):
        return member
    last = suspension.last
    if member.closed is not None and member.closed.seq <= last.seq:
        last = member.closed
    return member.model_copy(update={"status": MemberStatus.SUSPENDED, "closed": last})
