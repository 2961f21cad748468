"""What a registry means for reading: which topics, and what is needed to judge what stands in them."""

from dataclasses import dataclass
from functools import lru_cache

from comity_federation import strict_json
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.decide import RULES, demanded
from comity_federation.encoding import digest
from comity_federation.registry import Registry
from comity_schemas.member import Member, MemberStatus


@dataclass(frozen=True, slots=True)
class Subscription:
    """One member's log."""

    member: Member
    entry: bytes
    """Its entry in the registry, as JSON."""
    fingerprint: str
    """Names the rules and the registry's word on the member: when it changes, the log is decided anew."""
    anchor: int
    """History up to here must run through what the registry names; 0 when it names nothing."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All logs to read. Keys are topics."""

    statements: dict[str, Subscription]
    checkpoints: dict[str, Subscription]

    @property
    def topics(self) -> list[str]:
        """Every topic to read."""
        return [*self.statements, *self.checkpoints]


def subscribe(member: Member) -> Subscription:
    """Return what one entry of the registry means for reading."""
    entry = strict_json.dumps(member.to_parsed())
    anchor = next((last.seq for last in demanded(member)), 0)
    return Subscription(member, entry, trust_fingerprint(member), anchor)


def subscriptions(registry: Registry) -> Subscriptions:
    """Return all logs of a registry, pending members' excepted; quick when asked again for the same one."""
    return _subscriptions(_Same(registry))


def trust_fingerprint(member: Member) -> str:
    """Return what names the rules and the registry's word on a member."""
    return digest(strict_json.dumps([RULES, member.to_parsed()]))


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
    return Subscriptions(
        {statements_topic(s.member.slug): s for s in read}, {checkpoints_topic(s.member.slug): s for s in read}
    )
