"""Taking in what the bus delivers, a batch a transaction: ordinary statements are accepted and folded at once, junk
goes to quarantine, everything else to the inbox for `settle`; where reading goes on is stored with it.

A crash before the commit repeats the batch, a crash after it loses nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from comity_federation.bus import Delivered, Skipped
from comity_federation.checkpoints import tells_heads
from comity_federation.log_state import peek
from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.logs import LogStatus
from comity_node.db.received import Arrived, Volume
from comity_node.services.receiving.acceptance import Acceptance
from comity_node.services.receiving.limits import MOST_PARKED, MOST_QUARANTINED, QUARANTINE_FULL, Budget, spent_today
from comity_node.services.receiving.opening import Judged, Opened, Opening
from comity_node.services.receiving.settle import Settled
from comity_node.services.receiving.subscriptions import Subscription, Subscriptions, subscriptions
from comity_node.services.receiving.words import note_checkpoint
from comity_schemas.member import MemberStatus
from comity_schemas.statement import MAX_RECORD_BYTES

_NEWEST_CHECKPOINTS = 8
"""How many of a batch's checkpoints of one member are opened: older ones say nothing that newer ones do not, but for
the heads of others, once a day and in parts."""

_NEWEST_PARTS = 20
"""How many of those are opened besides: as many as a day has in a network of 5,000."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a batch brought."""

    statements: int = 0
    settled: Settled = field(default_factory=Settled)
    """What was decided at once."""
    to_settle: int = 0
    """How many lie in the inbox now because of it."""
    left: frozenset[str] = frozenset()
    """Topics of which something was left on the bus: too much of it is undecided, or its member is over its budget."""


async def positions(database: Database, registry: Registry, bus_id: str) -> dict[str, int]:
    """Return where reading of every topic goes on."""
    async with database.read() as store:
        known = await store.logs.positions(bus_id)
    return {topic: known.get(topic, 0) for topic in subscriptions(registry).topics}


async def take_in(
    database: Database,
    delivered: Sequence[Delivered | Skipped],
    registry: Registry,
    bus_id: str,
    now: datetime,
    opened: Sequence[Opening] | None = None,
    begins: Mapping[str, int] | None = None,
    *,
    ends: Mapping[str, int] | None = None,
    left: Set[str] = frozenset(),
    is_newest: Callable[[], bool] = lambda: True,
) -> TakenIn | None:
    """Store a batch and where reading goes on, in one transaction; None when it does not fit what is known by then.

    Then nothing is stored: the registry has changed while the batch was on its way, or the database was set back and
    what lies between is missing.

    Args:
        database: The node's.
        delivered: As the bus gave it, in order within each topic.
        registry: Under which it was opened.
        bus_id: The bus that these offsets belong to.
        now: The time.
        opened: For each item what could be told of it by itself. Without it all go to the inbox, as they must while
            the registry is expired.
        begins: By topic the position from which the batch was read.
        ends: Where the topics ended when the node connected: what comes after counts against the daily budget.
        left: Topics of which something was left on the bus before: what was read of them since is left too.
        is_newest: Whether this registry still is; asked within the transaction.
    """
    async with database.write() as store:
        if not is_newest():
            return None
        if begins is not None:
            known = await store.logs.positions(bus_id)
            if any(known.get(topic, 0) != begins[topic] for topic in {item.topic for item in delivered} - left):
                return None
        batch = _Batch(store, registry, now, ends or {}, set(left))
        await batch.begin(delivered, opened)
        for item, opening in zip(delivered, opened or [None] * len(delivered), strict=True):
            batch.take(item, opening)
        taken = replace(await batch.write(), left=frozenset(batch.left - left))
        await store.logs.move(batch.next_offsets, bus_id)
    return taken


async def forget_position(database: Database, topic: str, bus_id: str) -> None:
    """Read a topic from its beginning again: the bus no longer holds where we were. Repeats are dropped later."""
    async with database.write() as store:
        await store.logs.move({topic: 0}, bus_id)


@dataclass(slots=True)
class _Batch:
    """One batch on its way into the database."""

    store: Store
    registry: Registry
    now: datetime
    ends: Mapping[str, int]
    left: set[str]
    """Topics of which what comes is left on the bus; grows on the way."""
    next_offsets: dict[str, int] = field(default_factory=dict)
    _as_found: dict[str, LogStatus] = field(default_factory=dict)
    _in_order: set[str] = field(default_factory=set)
    """Members whose logs take ordinary statements at once: nothing of theirs is frozen or contested, and nothing is
    undecided but what waits behind a gap or for its key."""
    _gaps: dict[str, set[int]] = field(default_factory=dict)
    """Places at which their statements wait for those before them."""
    _filled: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The first and last of those places behind a gap that was filled."""
    _parked: set[str] = field(default_factory=set)
    """Members of whom something was put aside at once, to wait."""
    _inbox: list[Arrived] = field(default_factory=list)
    _checkpoints: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    _skipped: dict[str, list[Skipped]] = field(default_factory=lambda: defaultdict(list))
    _statements: int = 0
    _budgets: dict[str, Budget] = field(default_factory=dict)
    _undecided: dict[str, Volume] = field(default_factory=dict)
    _quarantined: dict[str, Volume] = field(default_factory=dict)
    _acceptance: Acceptance = field(init=False)
    _subscribed: Subscriptions = field(init=False)

    async def begin(self, delivered: Sequence[Delivered | Skipped], opened: Sequence[Opening] | None) -> None:
        """Load what is known of the logs that the batch concerns."""
        self._subscribed = subscriptions(self.registry)
        self._acceptance = Acceptance(self.store, self.now)
        slugs, topics = self._subscribed.slugs, {item.topic for item in delivered}
        # Mostly few of very many: the others cost nothing.
        concerned = {slugs[topic] for topic in topics}
        heard = {topic: one for topic in topics if (one := self._subscribed.statements.get(topic)) is not None}
        self._as_found = await self.store.logs.of_each(concerned)
        undecided = concerned & await self.store.received.members_in_state("new", "waiting")
        if undecided:
            self._undecided = await self.store.received.undecided(undecided)
        today = self.now.date()
        for topic, subscription in heard.items():
            log = self._as_found[subscription.member.slug]
            self._budgets[topic] = Budget(subscription, today, spent_today(log, today), self.ends.get(topic, 2**63))
        if opened is None:
            return
        came = [(slugs[item.topic], each) for item, each in zip(delivered, opened, strict=True)]
        refused = {slug for slug, each in came if isinstance(each, Judged) and each.state == "refused"}
        if refused:
            self._quarantined = await self.store.received.quarantined(refused)
        if undecided:
            self._gaps = await self.store.received.gaps(undecided)
        for subscription in heard.values():
            log = self._as_found[subscription.member.slug]
            if (log.member not in undecided or log.member in self._gaps) and _is_in_order(log, subscription):
                self._in_order.add(log.member)
                self._acceptance.begin(log)
        await self._acceptance.load(
            [(slug, each) for slug, each in came if isinstance(each, Opened) and slug in self._in_order]
        )

    def take(self, item: Delivered | Skipped, opening: Opening) -> None:
        """Put one item where it belongs, or leave it and what follows it in its topic on the bus."""
        if item.topic in self.left:
            return
        slug = self._subscribed.slugs[item.topic]
        if isinstance(item, Skipped):
            self._skipped[slug].append(item)
        elif item.topic in self._subscribed.checkpoints:
            self._checkpoints[item.topic].append(item.value)
        elif self._budgets[item.topic].allows(item.offset) and self._take_statement(slug, item, opening):
            self._budgets[item.topic].count(item.offset)
            self._statements += 1
        else:
            self.left.add(item.topic)
            return
        self.next_offsets[item.topic] = (item.last if isinstance(item, Skipped) else item.offset) + 1

    def _take_statement(self, slug: str, item: Delivered, opening: Opening) -> bool:
        if isinstance(opening, Judged) and opening.state == "refused":
            self._refuse(slug, item, opening)
            return True
        ordinary = opening if isinstance(opening, Opened) and slug in self._in_order else None
        if ordinary is not None and self._acceptance.take(slug, item.offset, item.value, ordinary):
            if slug in self._gaps:
                self._look_behind_gap(slug)
            return True
        undecided = self._undecided.get(slug, Volume(0, 0))
        if undecided.reaches(MOST_PARKED):
            return False
        self._undecided[slug] = undecided.and_one(item.value)
        if isinstance(opening, Judged):
            self._acceptance.judge(slug, item.offset, item.value, opening)
            self._parked.add(slug)
        elif ordinary is not None and self._is_behind_gap(item.topic, ordinary):
            self._acceptance.park(slug, item.offset, item.value, ordinary)
            self._gaps.setdefault(slug, set()).add(ordinary.seq)
            self._parked.add(slug)
        else:
            # What follows in this log may rest on it, so all of it waits for `settle`.
            self._in_order.discard(slug)
            self._inbox.append(_to_inbox(slug, item))
        return True

    def _is_behind_gap(self, topic: str, opened: Opened) -> bool:
        """Tell whether nothing but a gap before it keeps a statement of a log in order from being accepted."""
        subscription = self._subscribed.statements[topic]
        # Where the registry names a branch, `settle` knows which statements lie on another one.
        return not subscription.anchor and opened.seq > self._acceptance.follows(subscription.member.slug)

    def _look_behind_gap(self, slug: str) -> None:
        """Let `settle` have what waited for the statement just accepted, and what comes after it in this batch."""
        first = last = self._acceptance.follows(slug)
        gaps = self._gaps[slug]
        if first in gaps:
            while last + 1 in gaps:
                last += 1
            self._filled[slug] = (first, last)
            self._in_order.discard(slug)

    def _refuse(self, slug: str, item: Delivered, refused: Judged) -> None:
        quarantined = self._quarantined.get(slug, Volume(0, 0))
        if quarantined.reaches(MOST_QUARANTINED):
            self._skipped[slug].append(Skipped(item.topic, item.offset, item.offset, QUARANTINE_FULL))
            return
        self._quarantined[slug] = quarantined.and_one(item.value)
        self._acceptance.judge(slug, item.offset, _kept(item.value), refused)

    async def write(self) -> TakenIn:
        """Store everything."""
        settled = await self._acceptance.write()
        await self.store.received.add_arrived(self._inbox, self.now)
        for slug, (first, last) in self._filled.items():
            await self.store.received.reopen_gap(slug, first, last)
        logs = self._acceptance.logs()
        for budget in self._budgets.values():
            slug = budget.subscription.member.slug
            log = logs.get(slug) or self._as_found[slug]
            if (slug in logs and log.head) or (slug in self._parked and not log.decided_under):
                logs[slug] = replace(log, decided_under=budget.subscription.fingerprint)
        for slug, items in self._skipped.items():
            log = logs.get(slug) or self._as_found[slug]
            logs[slug] = replace(log, skipped=log.skipped + await self.store.skipped.note(slug, items, self.now))
        for budget in self._budgets.values():
            slug = budget.subscription.member.slug
            logs[slug] = budget.noted(logs.get(slug) or self._as_found[slug])
        await self.store.logs.put(*(log for log in logs.values() if log != self._as_found[log.member]))
        for topic, raws in self._checkpoints.items():
            older = [raw for raw in raws[:-_NEWEST_CHECKPOINTS] if tells_heads(raw)]
            for raw in older[-_NEWEST_PARTS:] + raws[-_NEWEST_CHECKPOINTS:]:
                member = self._subscribed.checkpoints[topic].member
                await note_checkpoint(self.store, member, raw, self.registry, self.now)
        to_settle = len(self._inbox) + sum(last + 1 - first for first, last in self._filled.values())
        return TakenIn(self._statements, settled, to_settle)


def _is_in_order(log: LogStatus, subscription: Subscription) -> bool:
    """Tell whether the next statement of a log needs no more than to stand next: step 7 has nothing to say."""
    return (
        subscription.member.status is MemberStatus.ACTIVE
        and log.frozen_from is None
        and log.head >= subscription.anchor
        and log.decided_under in ("", subscription.fingerprint)
    )


def _kept(value: bytes) -> bytes:
    # One byte too many is enough to refuse it; a peer cannot fill the disk with more.
    return value[: MAX_RECORD_BYTES + 1]


def _to_inbox(slug: str, item: Delivered) -> Arrived:
    kept = _kept(item.value)
    claimed = peek(kept) if len(kept) <= MAX_RECORD_BYTES else None
    if claimed is None:
        return Arrived(slug, item.offset, kept, "new")
    return Arrived(slug, item.offset, kept, "new", claimed.seq, claimed.hash, claimed.prev)
