"""What a registry means for reading: which topics, and what is needed to judge what stands in them."""

from dataclasses import dataclass
from functools import lru_cache

from comity_federation import strict_json
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.decide import RULES, demanded
from comity_federation.encoding import digest
from comity_federation.registry import Registry
from comity_federation.statements import genesis
from comity_schemas.member import Member, MemberStatus


@dataclass(frozen=True, slots=True)
class Subscription:
    """One member's log."""

    member: Member
    entry: bytes
    """Its entry in the registry, as JSON, without what is for reports only."""
    fingerprint: str
    """Names the rules and the registry's word on the member: when it changes, the log is decided anew."""
    anchor: int
    """History up to here must run through what the registry names; 0 when it names nothing but the beginning."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All logs to read. Keys are topics."""

    statements: dict[str, Subscription]
    checkpoints: dict[str, Subscription]
    slugs: dict[str, str]
    """Whose topic it is."""

    @property
    def topics(self) -> list[str]:
        """Every topic to read."""
        return [*self.statements, *self.checkpoints]


DECIDES = {"did", "slug", "role", "status", "closed", "thawed", "signing_keys"}
"""The fields of a registry entry that `decide` looks at. Addresses and auditors' keys change often, and no log is
decided anew for them."""


def subscribe(member: Member) -> Subscription:
    """Return what one entry of the registry means for reading."""
    bare = member.model_copy(update={"report_keys": (), "authorisations": ()})
    entry = strict_json.dumps(bare.to_parsed())
    # Another beginning than a log can have lets nothing of it count: its first statement is no ordinary one either.
    anchor = max((last.seq or int(last.hash != genesis(member.did)) for last in demanded(member)), default=0)
    return Subscription(member, entry, trust_fingerprint(member), anchor)


def subscriptions(registry: Registry) -> Subscriptions:
    """Return all logs of a registry, pending members' excepted; quick when asked again for the same one."""
    return _subscriptions(_Same(registry))


def trust_fingerprint(member: Member) -> str:
    """Return what names the rules and the registry's word on a member, as far as it decides."""
    return digest(strict_json.dumps([RULES, member.model_dump(mode="json", include=DECIDES, exclude_none=True)]))


def has_only_new_keys(member: Member, decided_under: str) -> bool:
    """Tell whether the registry has only listed further keys since: what was accepted or refused stays so."""
    new = [key.closed is None for key in member.signing_keys]
    while new and new.pop():
        before = member.model_copy(update={"signing_keys": member.signing_keys[: len(new)]})
        if trust_fingerprint(before) == decided_under:
            return True
    return False


class _Same:
    """A registry by identity: comparing two by content costs more than all else here."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.registry is self.registry

    def __hash__(self) -> int:
        return id(self.registry)


@lru_cache(maxsize=2)
def _subscriptions(same: _Same) -> Subscriptions:
    read = [subscribe(m) for m in same.registry.members if m.status is not MemberStatus.PENDING]
    statements = {statements_topic(s.member.slug): s for s in read}
    checkpoints = {checkpoints_topic(s.member.slug): s for s in read}
    slugs = {topic: s.member.slug for topic, s in (*statements.items(), *checkpoints.items())}
    return Subscriptions(statements, checkpoints, slugs)
