"""Fetching what the bus does not bring: gaps of a log, and disclosures that a copy lacked.

The publisher is asked first, then others, one after another, a small range at a time. What comes proves itself: it goes
through the inbox and the decision like everything else, so a node that gives forgeries only wastes its own time. A gap
that nobody fills is asked for less and less often.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import structlog

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.db.logs import LogStatus
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.client import Given
from comity_node.services.peers.taking_in import take_in_given
from comity_node.services.receiving.limits import spent_today
from comity_schemas.member import Member, MemberStatus

_PEERS_ASKED = 3
"""How many besides the publisher are asked about one gap in one round."""

_GAPS_AT_ONCE = 20
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 900.0

LACKING_EVERY_S = 60.0
_LACKING_AGAIN_S = 24 * 3600.0
_LACKING_AT_ONCE = 20
_MOST_REMEMBERED = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """Places of a log that this node lacks."""

    member: Member
    first: int
    last: int


@dataclass(slots=True)
class _Patience:
    first: int
    due: float
    pause_s: float = _FIRST_PAUSE_S


async def gaps(store: Store, registry: Registry, own: str, today: date) -> list[Gap]:
    """Return what is missing of others' logs: announced by their own checkpoints, or shown by what waits beyond.

    Not what this node itself leaves on the bus until tomorrow, since its member has published too much today.
    """
    found = []
    logs = {log.member: log for log in await store.logs.all()}
    something_waits = await store.received.members_in_state("waiting")
    for member in registry.members:
        known = logs.get(member.slug, LogStatus(member.slug))
        if member.slug == own or member.status is MemberStatus.PENDING or known.frozen_from is not None:
            continue
        if spent_today(known, today) >= member.daily_statements:
            continue
        waits = member.slug in something_waits
        beyond = await store.received.first_beyond_gap(member.slug, known.head) if waits else None
        last = max(known.announced_seq or 0, 0 if beyond is None else beyond - 1)
        if last > known.head and not await _is_on_its_way(store, member.slug, known.head + 1):
            found.append(Gap(member, known.head + 1, last))
    return found


async def _is_on_its_way(store: Store, slug: str, seq: int) -> bool:
    """Whether the place is in the inbox, or what its member has signed there waits for the registry's word.

    Who signed under a key that is not listed nobody can tell: whoever serves the bus could write it to hide the place.
    """
    return any(
        copy.state == "new" or (copy.state == "waiting" and copy.code != "unknown-key")
        for copy in await store.received.copies(slug, [seq])
    )


@dataclass(slots=True)
class Refill:
    """One node's asking for what it lacks."""

    peers: Peers
    settle_now: Callable[[], None]
    patience_s: float
    """How long a gap may be there before somebody is asked: mostly the bus is only a moment late."""
    _waiting: dict[str, _Patience] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _cursors: dict[str, int] = field(default_factory=dict)

    async def fill_gaps(self, registry: Registry) -> int:
        """Ask for what has been missing for long enough; return how many records came."""
        async with self.peers.database.read() as store:
            found = await gaps(store, registry, self.peers.own, self.peers.clock().date())
        names = {gap.member.slug for gap in found}
        self._waiting = {slug: patience for slug, patience in self._waiting.items() if slug in names}
        came = 0
        for gap in [gap for gap in found if self._is_due(gap)][:_GAPS_AT_ONCE]:
            came += await self._fill(gap, registry)
        return came

    @property
    def knows_of_gaps(self) -> bool:
        """Whether the last look found any, asked for or not."""
        return bool(self._waiting)

    async def complete_disclosures(self, registry: Registry) -> int:
        """Ask for disclosures that came with no copy, each statement's once a day; return how many fuller ones came."""
        came = 0
        for member in registry.members:
            if member.slug == self.peers.own or member.status is MemberStatus.PENDING:
                continue
            for name in await self._next_lacking(member.slug):
                for peer in self._whom_to_ask(member, registry):
                    given = await self.peers.ask(peer, self.peers.client.record(peer, member, name))
                    if given and await self._take_in(member, [given], peer):
                        came += 1
                        break
        return came

    def _is_due(self, gap: Gap) -> bool:
        known = self._waiting.get(gap.member.slug)
        if known is None or known.first != gap.first:
            # New, or the log has moved on: the bus may bring the rest by itself.
            wait = 0.0 if known is not None else self.patience_s
            self._waiting[gap.member.slug] = known = _Patience(gap.first, self.peers.passed() + wait)
        return known.due <= self.peers.passed()

    async def _fill(self, gap: Gap, registry: Registry) -> int:
        patience = self._waiting[gap.member.slug]
        first = gap.first
        for peer in self._whom_to_ask(gap.member, registry):
            most = gap.last - first + 1
            given = await self.peers.ask(peer, self.peers.client.records(peer, gap.member, first, most))
            if given:
                await self._take_in(gap.member, given, peer)
                first = given[-1].claimed.seq + 1
                log.info("peer.refilled", member=gap.member.slug, peer=peer.slug, first=gap.first, last=first - 1)
            if first > gap.last:
                break
        patience.due = self.peers.passed() + patience.pause_s
        patience.pause_s = min(2 * patience.pause_s, _LONGEST_PAUSE_S)
        return first - gap.first

    def _whom_to_ask(self, publisher: Member, registry: Registry) -> Iterator[Member]:
        """The publisher first, then others by chance; only those that may be asked now."""
        reachable = self.peers.reachable(registry)
        others = [peer for peer in reachable if peer.slug != publisher.slug]
        first = [peer for peer in reachable if peer.slug == publisher.slug]
        yield from self.peers.rested(first)
        yield from self.peers.rested(others)[:_PEERS_ASKED]

    async def _take_in(self, member: Member, given: list[Given], peer: Member) -> int:
        taken = await take_in_given(self.peers.database, member, given, peer.slug, self.peers.clock())
        if taken:
            self.settle_now()
        return taken

    async def _next_lacking(self, slug: str) -> list[str]:
        async with self.peers.database.read() as store:
            found = await store.received.lacking(slug, after=self._cursors.get(slug, 0), most=_LACKING_AT_ONCE)
        # A node may keep less than was said: what was forgotten on purpose looks the same and is asked for in turn.
        self._cursors[slug] = found[-1].id if len(found) == _LACKING_AT_ONCE else 0
        now = self.peers.passed()
        names = [r.hash for r in found if r.hash is not None and self._asked.get(r.hash, now) <= now]
        if len(self._asked) > _MOST_REMEMBERED:
            self._asked.clear()
        self._asked.update(dict.fromkeys(names, now + _LACKING_AGAIN_S))
        return names
