"""Deciding what was received and folding what counts, one transaction a log.

The live path and the replay after a registry change, a fork or a fuller copy are the same function over records in
log order, so a node that joined early and one that joins late end with the same view.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from comity_federation.bus import Skipped, statements_topic
from comity_federation.decide import demanded
from comity_federation.decision import Accepted, Decision, Forked, Refused, Repeated, Trust, Waiting
from comity_federation.log_state import LogState, peek, trace_branch
from comity_federation.merging import merge_copies
from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.logs import LogStatus
from comity_node.db.received import Received, Verdict, Volume
from comity_node.domain.changing import Change
from comity_node.domain.supplier_view import AnyEntry, Statement, changes
from comity_node.domain.trail import Event
from comity_node.services.receiving.hearing import heard_at
from comity_node.services.receiving.limits import MOST_QUARANTINED, QUARANTINE_FULL
from comity_node.services.receiving.subscriptions import has_only_new_keys, trust_fingerprint
from comity_schemas.member import Member

_CHUNK = 500
_ACTOR = "exchange"


@dataclass(frozen=True, slots=True)
class Settled:
    """How many records were decided, and how."""

    accepted: int = 0
    waiting: int = 0
    refused: int = 0
    repeated: int = 0
    read_again: int = 0
    """How many logs are read from their beginning again."""

    def __add__(self, other: "Settled") -> "Settled":
        """Return both together."""
        return Settled(
            self.accepted + other.accepted,
            self.waiting + other.waiting,
            self.refused + other.refused,
            self.repeated + other.repeated,
            self.read_again + other.read_again,
        )


async def settle(
    database: Database, registry: Registry, now: datetime, is_newest: Callable[[], bool] = lambda: True
) -> Settled:
    """Decide everything in the inbox, and anew every log whose member's registry entry changed.

    Args:
        database: The node's.
        registry: Under which to decide.
        now: The time.
        is_newest: Whether this registry still is; asked within each transaction, and if not the rest is left.
    """
    async with database.read() as store:
        with_inbox = await store.received.members_in_state("new")
        under = {log.member: log.decided_under for log in await store.logs.all()}
    total = Settled()
    for member in registry.members:
        changed = under.get(member.slug, "") not in ("", trust_fingerprint(member))
        more = member.slug in with_inbox or changed
        while more:
            async with database.write() as store:
                if not is_newest():
                    return total
                total += await settle_log(store, member, now)
                more = bool(await store.received.inbox(member.slug, most=1))
    return total


async def settle_log(store: Store, member: Member, now: datetime) -> Settled:
    """Decide one member's inbox, what waits too when it has a new key, the whole log when more of its entry changed."""
    log = await store.logs.of(member.slug)
    if has_only_new_keys(member, log.decided_under):
        await store.received.reopen_waiting(member.slug)
    elif log.decided_under not in ("", trust_fingerprint(member)):
        again = await _ask_for_what_was_not_kept(store, member)
        return replace(await redecide(store, member, now, why="registry"), read_again=int(again))
    settling = _Settling(store, member, log, now)
    # A bounded transaction: people who approve or screen meanwhile wait for a moment, not for a whole catch-up.
    await settling.run(most=_CHUNK)
    if settling.replay_needed:
        found = {"repeats": settling.repeats, "skipped": settling.skipped}
        return await redecide(store, member, now, why=settling.replay_needed, **found)
    return await settling.finish()


async def _ask_for_what_was_not_kept(store: Store, member: Member) -> bool:
    """Read a log again of which refused records were not kept: under another registry they may count."""
    if not await store.skipped.any_for(member.slug, QUARANTINE_FULL):
        return False
    await store.logs.read_again(statements_topic(member.slug))
    return True


async def redecide(
    store: Store, member: Member, now: datetime, *, why: str, repeats: int = 0, skipped: int = 0
) -> Settled:
    """Decide a whole log anew and fold it anew; the result depends on the records and the registry only.

    Args:
        store: The open transaction.
        member: As the registry lists it now.
        now: The time.
        why: For the trail.
        repeats: Dropped by the pass that found this to be needed, and not counted yet.
        skipped: Found by it to have no room, likewise.
    """
    log = await store.logs.of(member.slug)
    frozen_from: int | None = None
    stood, newest = await store.view.stamps_of_log(member.slug), await store.changes.newest()
    while True:
        await store.received.reopen(member.slug)
        await store.view.forget_log(member.slug)
        counted = replace(log, repeats=log.repeats + repeats, skipped=log.skipped + skipped)
        start = replace(counted, head=0, frozen_from=frozen_from)
        settling = _Settling(store, member, start, now)
        await settling.run()
        if settling.state.frozen_from == frozen_from and not settling.fuller_copy:
            break
        # A fork found on the way: once more, with nothing counted from there on.
        frozen_from = settling.state.frozen_from
        repeats, skipped = repeats + settling.repeats, skipped + settling.skipped
    stands = await store.view.stamps_of_log(member.slug)
    # What stands as it stood is no news to anybody, however often it is decided.
    await store.changes.keep_what_is_news(newest, {n for n, stamp in stands.items() if stood.get(n) == stamp})
    await store.changes.note(sorted(stood.keys() - stands.keys()), Change.REMOVED, now)
    detail = {"why": why, "frozen_from": frozen_from}
    await store.trail.add(now, _ACTOR, Event.LOG_REDECIDED, member.slug, **detail)
    if frozen_from is not None and frozen_from != log.frozen_from:
        await store.trail.add(now, _ACTOR, Event.LOG_FROZEN, member.slug, frozen_from=frozen_from)
    return await settling.finish()


class _Settling:
    """One pass over a member's inbox in log order; verdicts and entries are written together, a chunk at a time."""

    def __init__(self, store: Store, member: Member, log: LogStatus, now: datetime) -> None:
        self.store, self.member, self.log, self.now = store, member, log, now
        self.trust = Trust(member)
        self.state = LogState(head=log.head, frozen_from=log.frozen_from)
        self.fuller_copy = False
        self._anchor = next((last.seq for last in demanded(member)), 0)
        self._counts = {"accepted": 0, "waiting": 0, "refused": 0, "repeated": 0}
        self._heard: datetime | None = log.heard_at
        self._verdicts: dict[int, Verdict] = {}
        self._view: dict[str, AnyEntry] = {}
        self._folded: dict[str, AnyEntry] = {}
        self._somebody_waits = True
        self._awaited: set[int] = set()
        """Places at which records wait, among those that these records could let in."""
        self._quarantined: Volume | None = None
        self.skipped = 0
        """Offsets of which the bytes were not kept."""

    @property
    def replay_needed(self) -> str | None:
        """Why the whole log must be decided anew, if it must."""
        if self.state.frozen_from != self.log.frozen_from:
            return "fork"
        return "fuller copy" if self.fuller_copy else None

    @property
    def repeats(self) -> int:
        """How many repeats this pass has dropped."""
        return self._counts["repeated"]

    async def run(self, *, most: int | None = None) -> None:
        """Decide the inbox in log order, at most so many records."""
        slug = self.member.slug
        self.state.other_branch = await self.store.received.hashes_with_code(slug, "other-branch")
        if self.log.head < self._anchor:
            links = await self.store.received.links(slug)
            self.state.branch = trace_branch(demanded(self.member), links.get)
            if self.log.head + 1 in self.state.branch:
                await self.store.received.reopen_waiting(slug, "branch")
        self._somebody_waits = slug in await self.store.received.members_in_state("waiting")
        ids = await self.store.received.inbox_in_log_order(slug)
        for start in range(0, len(ids) if most is None else min(most, len(ids)), _CHUNK):
            records = await self.store.received.by_ids(ids[start : start + _CHUNK])
            self._forget_places()
            await self._load(records)
            for record in records:
                await self._take(record)
            await self._write()

    async def finish(self) -> Settled:
        """Write what is now known of the log."""
        place = self.state.places.get(self.state.head)
        known = (self.log.head_hash, self.log.head_key) if place is None else (place.hash, place.key)
        log = replace(
            self.log,
            head=self.state.head,
            head_hash=known[0] if self.state.head else "",
            head_key=known[1] if self.state.head else 0,
            frozen_from=self.state.frozen_from,
            repeats=self.log.repeats + self._counts["repeated"],
            skipped=self.log.skipped + self.skipped,
            decided_under=trust_fingerprint(self.member),
            heard_at=self._heard,
        )
        await self.store.logs.put(log)
        return Settled(**self._counts)

    def _forget_places(self) -> None:
        # Memory stays bounded by a chunk, however long the log is.
        self.state.places = {s: p for s, p in self.state.places.items() if s == self.state.head}
        self.state.earlier = {}
        self._view = {}
        self._awaited = set()

    async def _load(self, records: list[Received]) -> None:
        seqs: set[int] = set()
        refers_to: set[str] = set()
        for record in records:
            claimed = peek(record.raw)
            if claimed is not None:
                seqs |= {claimed.seq - 1, claimed.seq}
                refers_to |= set(claimed.refers_to)
        slug = self.member.slug
        places = await self.store.received.places(slug, seqs | {self.state.head})
        self.state.places.update({s: p for s, p in places.items() if s <= self.state.head})
        self.state.earlier.update(await self.store.received.earlier(slug, refers_to))
        self._view.update(await self.store.view.load(refers_to))
        if self._somebody_waits:
            self._awaited |= await self.store.received.waiting_among(slug, {seq + 1 for seq in seqs})
        if self.log.head >= self._anchor:
            # The chain runs through what the registry demands, so what stands in it is the demanded branch.
            self.state.branch = {seq: place.hash for seq, place in self.state.places.items()}

    async def _take(self, record: Received) -> None:
        slug, ready = self.member.slug, deque([record])
        while ready:
            head_before = self.state.head
            current = ready.popleft()
            await self._note(current, self.state.decide(current.raw, self.trust))
            if self.state.head > head_before and self.state.head + 1 in self._awaited:
                # What waited for the next place can be decided now, and then perhaps what waits right behind it.
                await self._write()
                waiting = await self.store.received.waiting_from(slug, self.state.head + 1, most=_CHUNK)
                await self._load(waiting)
                self._awaited -= {each.seq for each in waiting}
                ready.extend(waiting)

    async def _note(self, record: Received, decision: Decision) -> None:
        match decision:
            case Accepted():
                self._count("accepted", decision.claims.iat)
                self._verdicts[record.id] = _accepted(decision)
                self._fold(decision)
            case Refused():
                self._count("refused")
                await self._refuse(record, decision)
            case Waiting():
                self._count("waiting")
                self._somebody_waits = True
                place = decision.seq or record.seq
                if place is not None:
                    self._awaited.add(place)
                self._verdicts[record.id] = Verdict(
                    "waiting", decision.seq, decision.hash, decision.prev, code=decision.why
                )
            case Forked():
                # Nothing of this pass is kept: the log is decided anew, frozen from there on.
                pass
            case Repeated():
                self._count("repeated")
                await self._repeat(record, decision)

    async def _refuse(self, record: Received, refused: Refused) -> None:
        if not refused.uses_place and await self._quarantine_is_full(record.raw):
            await self.store.received.drop(record.id)
            if record.bus_offset is not None:
                offset, topic = record.bus_offset, statements_topic(self.member.slug)
                not_kept = Skipped(topic, offset, offset, QUARANTINE_FULL)
                self.skipped += await self.store.skipped.note(self.member.slug, [not_kept], self.now)
            return
        self._verdicts[record.id] = _refused(refused)

    async def _quarantine_is_full(self, raw: bytes) -> bool:
        if self._quarantined is None:
            slug = self.member.slug
            self._quarantined = (await self.store.received.quarantined([slug])).get(slug, Volume(0, 0))
        if self._quarantined.reaches(MOST_QUARANTINED):
            return True
        self._quarantined = self._quarantined.and_one(raw)
        return False

    async def _repeat(self, record: Received, decision: Repeated) -> None:
        await self._write()
        holder = await self.store.received.holder(self.member.slug, decision.hash)
        if holder is not None and holder.id != record.id:
            fuller = merge_copies(holder.raw, record.raw)
            if fuller != holder.raw:
                await self.store.received.replace_raw(self.member.slug, decision.hash, fuller)
                self.fuller_copy = True
            await self.store.received.drop(record.id)

    def _fold(self, decision: Accepted) -> None:
        claims = decision.claims
        statement = Statement(self.member.slug, claims.seq, decision.hash, claims.kind, claims.handling, decision.body)
        folded = {entry.hash: entry for entry in changes(self._view, statement)}
        self._view.update(folded)
        self._folded.update(folded)

    async def _write(self) -> None:
        """Write what was decided so far, before anything more is asked of the database."""
        await self.store.received.settle(self._verdicts)
        self._verdicts = {}
        if self._folded:
            await self.store.view.put(list(self._folded.values()), self.now)
            self._folded = {}

    def _count(self, what: str, claimed_time: int | None = None) -> None:
        self._counts[what] += 1
        if claimed_time is not None:
            self._heard = heard_at(self._heard, claimed_time, self.now)


def _accepted(decision: Accepted) -> Verdict:
    claims = decision.claims
    missing = f"{len(decision.missing)} disclosures missing" if decision.missing else None
    return Verdict(
        "accepted", claims.seq, decision.hash, claims.prev, key=decision.key, kind=claims.kind, detail=missing
    )


def _refused(decision: Refused) -> Verdict:
    return Verdict(
        "kept" if decision.uses_place else "refused",
        decision.seq,
        decision.hash,
        key=decision.key,
        kind=decision.kind,
        step=decision.step,
        code=decision.code,
        detail=decision.detail or None,
    )
