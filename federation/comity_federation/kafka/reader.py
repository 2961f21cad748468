"""Reading many logs from the positions one is told, on every call.

Rules:
- The caller's positions are the truth. Records already fetched are handed out only if they begin exactly there;
  otherwise they are thrown away and fetched again. So nothing can be lost between the two, after any error.
- One log's trouble (no right, no leader, damage, a flood) never holds up another: it is put aside for a while, and
  every log with news gets an equal share of a call.
- Nothing loops without a pause.
- Being told "out of range" is an alarm only after the log's leader has confirmed where the log begins and ends.
"""

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from comity_federation.bus import BusUnavailable, Delivered, HistoryMissing, Skipped
from comity_federation.kafka.batches import Damaged, open_batches
from comity_federation.kafka.cluster import Absent, Cluster, Code, Fetched, name_code, only_led
from comity_federation.kafka.ends import find_bounds

log = logging.getLogger(__name__)

LONGEST_FETCH_S: Final = 5.0
"""How long a broker may hold a fetch that has no news; it answers at once when there is some."""

LEADER_RETRY_S: Final = 0.3
MISSING_RETRY_S: Final = 2.0
FORBIDDEN_RETRY_S: Final = 10.0
LOOK_AGAIN_S: Final = 60.0
"""How often leaders and the cluster's id are asked for when all is well."""

TRIES_AT_DAMAGE: Final = 3
"""So often a batch whose checksum fails is asked for before it is skipped: it may be damaged only on the way."""

TRIES_AT_MISSING: Final = 3
"""So often in a row a log that was read before must be absent before its history is called missing: a broker that
has just started may not know its topics yet."""


@dataclass(slots=True)
class _Log:
    """What is known about one topic."""

    leader: int | None = None
    absent: Absent | None = None
    not_before: float = 0.0
    times_missing: int = 0
    damage: tuple[int, int] = (-1, 0)
    """Offset of a damaged batch and how often it was seen."""
    position: int = 0
    """Where `ahead` goes on."""
    ahead: Iterator[Delivered | Skipped | Damaged] | None = None
    """Fetched and not yet handed out; decoded only then, so that its memory is that of the raw bytes."""


@dataclass(slots=True)
class _Fetch:
    asked: Mapping[str, int]
    answer: asyncio.Task[Fetched] = field(repr=False)
    ahead: bool
    """Sent before the caller asked: empty, it says nothing about now."""


class Reader:
    """Reads for one caller at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._logs: dict[str, _Log] = {}
        self._fetches: dict[int, _Fetch] = {}
        self._one_at_a_time = asyncio.Lock()
        self._look_again = 0.0
        self._known_id: str | None = None

    def accept_cluster(self) -> None:
        """The caller has been told the cluster's present id: go on there."""
        if self._known_id != self._cluster.id:
            self._known_id = self._cluster.id
            self._logs.clear()

    def troubles(self) -> dict[str, str]:
        """Return the topics that cannot be read at the moment, and why."""
        return {topic: known.absent.value for topic, known in self._logs.items() if known.absent is not None}

    async def read(self, positions: Mapping[str, int], most: int, wait_s: float) -> list[Delivered | Skipped]:
        """Return what the logs hold from the positions on; empty after `wait_s` without news.

        Raises:
            BusUnavailable: no broker answered.
            HistoryMissing: a position lies outside what is stored, or the cluster is another one.
        """
        async with self._one_at_a_time:
            self._follow(positions)
            deadline = time.monotonic() + wait_s
            answered = False
            while True:
                if items := self._hand_out(most):
                    self._fetch_ahead()
                    return items
                await self._find_leaders(positions)
                self._start_fetches(min(LONGEST_FETCH_S, deadline - time.monotonic()))
                left = deadline - time.monotonic()
                if left <= 0 and (answered or not self._fetches):
                    break
                answered |= await self._await_news(positions, left)
            if not answered and positions and all(self._logs[t].absent is Absent.LEADERLESS for t in positions):
                raise BusUnavailable("no broker answers for any topic")
            return []

    async def close(self) -> None:
        """Give up on all fetches under way."""
        fetches = [fetch.answer for fetch in self._fetches.values()]
        self._fetches.clear()
        for answer in fetches:
            answer.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)

    def _follow(self, positions: Mapping[str, int]) -> None:
        self._logs = {topic: self._logs.get(topic) or _Log() for topic in positions}
        for topic, position in positions.items():
            known = self._logs[topic]
            if known.position != position:
                known.position, known.ahead = position, None

    # handing out

    def _hand_out(self, most: int) -> list[Delivered | Skipped]:
        """Take equal shares of what is fetched, until `most`."""
        items: list[Delivered | Skipped] = []
        ready = [topic for topic, known in self._logs.items() if known.ahead is not None]
        random.shuffle(ready)
        while ready and len(items) < most:
            share = max(1, (most - len(items)) // len(ready))
            for topic in ready:
                self._take(topic, min(share, most - len(items)), items)
            ready = [topic for topic in ready if self._logs[topic].ahead is not None]
        return items

    def _take(self, topic: str, share: int, items: list[Delivered | Skipped]) -> None:
        known = self._logs[topic]
        while share > 0 and known.ahead is not None:
            item = next(known.ahead, None)
            if item is None:
                known.ahead = None
                return
            if isinstance(item, Damaged):
                skipped = self._judge_damage(known, item)
                if skipped is None:
                    return
                item = skipped
            known.position = (item.offset if isinstance(item, Delivered) else item.last) + 1
            items.append(item)
            share -= 1

    def _judge_damage(self, known: _Log, damaged: Damaged) -> Skipped | None:
        offset, times = known.damage
        times = times + 1 if offset == damaged.first else 1
        if times >= TRIES_AT_DAMAGE:
            known.damage = (-1, 0)
            return Skipped(damaged.topic, damaged.first, damaged.last, "checksum does not match")
        known.damage = (damaged.first, times)
        known.ahead = None
        known.not_before = time.monotonic() + LEADER_RETRY_S
        return None

    # finding leaders

    async def _find_leaders(self, positions: Mapping[str, int]) -> None:
        now = time.monotonic()
        lost = [t for t, known in self._logs.items() if known.leader is None and known.not_before <= now]
        if now >= self._look_again:
            lost = list(self._logs)
        if not lost:
            return
        led, absent = only_led(await self._cluster.leaders(lost))
        self._look_again = max(self._look_again, now + LOOK_AGAIN_S) if len(lost) == len(self._logs) else now
        self._check_cluster(positions)
        for topic, node in led.items():
            known = self._logs[topic]
            known.leader, known.times_missing = node, 0
            if known.absent is not Absent.FORBIDDEN:  # It may be seen; whether it may be read, the fetch will say.
                known.absent = None
        for topic, why in absent.items():
            self._put_aside(topic, why)
        gone = [t for t in absent if positions[t] > 0 and self._logs[t].times_missing >= TRIES_AT_MISSING]
        if gone:
            raise HistoryMissing(gone[0], positions[gone[0]])

    def _check_cluster(self, positions: Mapping[str, int]) -> None:
        if self._known_id is None:
            self._known_id = self._cluster.id
        if self._known_id != self._cluster.id:
            for known in self._logs.values():
                known.ahead = None
            begun = [topic for topic, position in positions.items() if position > 0]
            if begun:
                raise HistoryMissing(begun[0], positions[begun[0]])
            self.accept_cluster()
            self._follow(positions)

    def _put_aside(self, topic: str, why: Absent) -> None:
        known = self._logs[topic]
        pauses = {Absent.MISSING: MISSING_RETRY_S, Absent.FORBIDDEN: FORBIDDEN_RETRY_S}
        pause = pauses.get(why, LEADER_RETRY_S)
        if why is Absent.FORBIDDEN and known.absent is not why:
            log.warning("no right to read %s: asking again every %d s", topic, pause)
        known.times_missing = known.times_missing + 1 if why is Absent.MISSING else 0
        known.leader, known.absent, known.ahead = None, why, None
        known.not_before = time.monotonic() + pause

    # fetching

    def _fetch_ahead(self) -> None:
        """Fetch what comes next while the caller works on this, where nothing fetched is left."""
        busy = {known.leader for known in self._logs.values() if known.ahead is not None}
        # Not waiting for news: should the caller come back to another position, the broker is free.
        self._start_fetches(0.0, ahead=True, but_not=busy)

    def _start_fetches(self, wait_s: float, *, ahead: bool = False, but_not: Set[int | None] = frozenset()) -> None:
        now = time.monotonic()
        wanted: dict[int, dict[str, int]] = {}
        ready = [t for t, known in self._logs.items() if known.leader is not None and known.not_before <= now]
        # A broker fills its answer in the order of the question: shuffled, no log is always last.
        random.shuffle(ready)
        for topic in ready:
            node = self._logs[topic].leader
            if node is not None and node not in self._fetches and node not in but_not:
                wanted.setdefault(node, {})[topic] = self._logs[topic].position
        for node, asked in wanted.items():
            answer = asyncio.create_task(self._cluster.follow(node, asked, max(0.0, wait_s)))
            self._fetches[node] = _Fetch(asked, answer, ahead)

    async def _await_news(self, positions: Mapping[str, int], left: float) -> bool:
        """Wait for an answer, or until a topic put aside is due. True: a broker answered what is wanted now."""
        now = time.monotonic()
        due = [known.not_before - now for known in self._logs.values() if known.not_before > now]
        if not self._fetches:
            await asyncio.sleep(min([max(left, 0.0), *due]))
            return False
        # Past the deadline only the answers themselves end the wait, and they end by their own time limit.
        timeout = min([left, *due]) if left > 0 else None
        await asyncio.wait([f.answer for f in self._fetches.values()], timeout=timeout, return_when="FIRST_COMPLETED")
        answered = False
        lost: list[str] = []
        for node, fetch in list(self._fetches.items()):
            if fetch.answer.done():
                del self._fetches[node]
                answered |= self._receive(node, fetch, positions, lost)
        for topic in lost:
            await self._confirm_lost(topic, positions[topic])
        return answered

    def _receive(self, node: int, fetch: _Fetch, positions: Mapping[str, int], lost: list[str]) -> bool:
        error = fetch.answer.exception()
        if error is not None:
            if not isinstance(error, BusUnavailable):
                raise error
            log.warning("%s", error)
            for topic, known in self._logs.items():
                if known.leader == node:
                    self._put_aside(topic, Absent.LEADERLESS)
            return False
        for topic, (code, raw) in fetch.answer.result().items():
            # The caller may meanwhile want another position, or this topic no more.
            if positions.get(topic) != fetch.asked.get(topic) or self._logs[topic].leader != node:
                continue
            self._receive_topic(topic, code, raw, lost)
        mine = {topic for topic, known in self._logs.items() if known.leader == node}
        return not fetch.ahead and all(fetch.asked.get(topic) == positions[topic] for topic in mine)

    def _receive_topic(self, topic: str, code: int, raw: bytes, lost: list[str]) -> None:
        known = self._logs[topic]
        if code in (Code.NONE, Code.OFFSET_OUT_OF_RANGE) and known.absent is Absent.FORBIDDEN:
            log.warning("%s may be read again", topic)
            known.absent = None
        match code:
            case Code.NONE if raw:
                known.ahead = open_batches(topic, raw, known.position)
            case Code.NONE:
                pass
            case Code.OFFSET_OUT_OF_RANGE:
                lost.append(topic)
            case Code.TOPIC_AUTHORIZATION_FAILED:
                self._put_aside(topic, Absent.FORBIDDEN)
            case _:
                log.info("%s: %s", topic, name_code(code))
                self._put_aside(topic, Absent.LEADERLESS)

    async def _confirm_lost(self, topic: str, position: int) -> None:
        known = self._logs[topic]
        known.not_before = time.monotonic() + LEADER_RETRY_S
        first, end = await find_bounds(self._cluster, topic)
        if first <= position <= end:
            return  # A new leader had not caught up yet.
        if position == 0:
            # The beginning is wherever the log begins now: checkpoints are kept for thirty days only.
            known.ahead = iter([Skipped(topic, 0, first - 1, "no longer held")])
            return
        raise HistoryMissing(topic, position)
