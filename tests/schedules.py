"""Days in the life of a network, drawn from a source of luck: members publish, rotate keys, are suspended and join,
records are late, a node restarts and hears of each registry change sooner or later.

The same days are lived on an honest bus, where nothing may ever raise an alarm, and on a hostile one that repents at
the end, where the node must end as if it had never been lied to.
"""

import base64
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from builders import FINDING_IN_CLEAR, HANDLING, Made, Publisher
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.local_log import LocalLog
from comity_federation.registry import Registry
from comity_schemas.member import Member, MemberStatus
from hostile_bus import HostileBus
from listening import Listener
from member_stories import BOXES, EVERYBODY, Story, checkpoint
from node_world import NOW, Clock, registry_of


@dataclass
class Days:
    """The network, one node that listens, and what went wrong so far."""

    place: Path
    luck: random.Random
    bus: HostileBus
    alarms: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """What happened, for whoever reads a failure."""

    def __post_init__(self) -> None:
        self.story = Story(EVERYBODY[:2])
        self.entries: dict[str, Member] = {p.name: self._first_entry(p) for p in self.story.members}
        self.keys = {publisher.name: 0 for publisher in EVERYBODY}
        self.clock = Clock()
        self.listener = Listener(self.place / "node", self.bus, self.registry(), self.clock)

    def registry(self) -> Registry:
        """What k of n have signed by now."""
        expires = NOW + timedelta(days=30)
        return registry_of(*self.entries.values(), version=self.story.registry_version, expires=expires)

    async def live(self, events: int) -> None:
        """Let so many things happen."""
        choices = (
            (self._publish, 8), (self._listen, 5), (self._hold_up, 3), (self._check_in, 2), (self._repeat, 2),
            (self._rotate, 1), (self._close_key, 1), (self._suspend_or_lift, 1), (self._join, 1), (self._budget, 1),
        )  # fmt: skip
        acts, weights = [act for act, _ in choices], [weight for _, weight in choices]
        for _ in range(events):
            act = self.luck.choices(acts, weights)[0]
            self.told.append(act.__name__.strip("_"))
            self.clock.pass_time(seconds=self.luck.randrange(90))
            await act()

    async def end(self) -> None:
        """Let everything arrive, everybody say where they stand, and the node hear of the newest registry."""
        for publisher in self.story.members:
            if self.entries[publisher.name].status is MemberStatus.SUSPENDED:
                self._enter(publisher, status=MemberStatus.ACTIVE, closed=None)
        for publisher in self.story.members:
            await self._check_in(publisher)
        self.bus.withheld.clear()
        await self.listener.listen(self.registry())

    def honest_places(self) -> dict[str, list[str]]:
        """What every node must hold at the end: member to hashes in order."""
        return {publisher.name: [made.hash for made in self.story.log(publisher)] for publisher in self.story.members}

    async def held_places(self) -> dict[str, list[str]]:
        """What the node does hold."""
        seen = await self.listener.snapshot()
        return {slug: [p.hash for _, p in sorted(seen[slug][2].items())] for slug in self.entries}

    async def late_joiner(self) -> dict[str, Any]:
        """What a node sees that was not there before and asks an honest bus."""
        late = Listener(self.place / "late", HostileBus(self.bus._inner), self.registry(), self.clock)
        await late.listen()
        return await late.snapshot()

    # What happens ---------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        publisher = self._somebody()
        for _ in range(self.luck.randrange(1, 6)):
            await self.story.say(self.bus, publisher, self._statement(publisher))

    async def _listen(self) -> None:
        """The node runs for a while; perhaps it has heard of the newest registry, perhaps not yet."""
        await self.listener.listen(self.registry() if self.luck.random() < 0.5 else None)
        self.alarms += [f"refused: {each}" for each in await self.listener.refused()]
        self.alarms += [f"frozen: {log.member}" for log in (await self.listener.logs()).values() if log.frozen_from]
        self.alarms += [f"condition: {each}" for each in (await self.listener.conditions()).items()]

    async def _hold_up(self) -> None:
        """A topic is late, or what was late comes."""
        slug = self._somebody().name
        self.bus.withheld ^= {self.luck.choice((statements_topic, checkpoints_topic))(slug)}

    async def _check_in(self, publisher: Publisher | None = None) -> None:
        who = publisher or self._somebody()
        log, version = self.story.log(who), self.story.registry_version
        raw = checkpoint(who, log, self.clock(), key=self.keys[who.name], registry_version=version)
        await self.bus.publish(checkpoints_topic(who.name), raw, {})

    async def _repeat(self) -> None:
        """A relay that crashed between sending and marking sends again."""
        publisher = self._somebody()
        for made in self.story.log(publisher)[-self.luck.randrange(1, 4) :]:
            await self.bus.publish(statements_topic(publisher.name), made.raw, {})

    async def _rotate(self) -> None:
        """A second key is listed; the member signs with it from now on."""
        publisher = self._somebody()
        if self.keys[publisher.name] == 0:
            keys = publisher.member().signing_keys
            self._enter(publisher, signing_keys=(self.entries[publisher.name].signing_keys[0], *keys[1:]))
            self.keys[publisher.name] = 1

    async def _close_key(self) -> None:
        """The key that was superseded is closed where it ended."""
        publisher = self._somebody()
        log = self.story.log(publisher)
        ends = [made for made in log if made.seq not in self._by_second_key(publisher)]
        entry = self.entries[publisher.name]
        if self.keys[publisher.name] == 1 and ends and entry.signing_keys[0].closed is None:
            first = entry.signing_keys[0].model_copy(update={"closed": ends[-1].last()})
            self._enter(publisher, signing_keys=(first, *entry.signing_keys[1:]))

    async def _suspend_or_lift(self) -> None:
        publisher = self._somebody()
        log = self.story.log(publisher)
        if self.entries[publisher.name].status is MemberStatus.SUSPENDED:
            self._enter(publisher, status=MemberStatus.ACTIVE, closed=None)
        elif log:
            self._enter(publisher, status=MemberStatus.SUSPENDED, closed=log[-1].last())

    async def _join(self) -> None:
        if len(self.story.members) < len(EVERYBODY):
            self.story.members = EVERYBODY
            self._enter(EVERYBODY[-1], **{})

    async def _budget(self) -> None:
        self._enter(self._somebody(), daily_statements=self.luck.randrange(1_000, 100_000))

    # Parts ----------------------------------------------------------------------------------------------------------

    def _somebody(self) -> Publisher:
        return self.luck.choice(self.story.members)

    def _first_entry(self, publisher: Publisher) -> Member:
        entry = publisher.member()
        return entry.model_copy(update={"signing_keys": entry.signing_keys[:1]})

    def _enter(self, publisher: Publisher, **changes: Any) -> None:
        entry = self.entries.get(publisher.name, self._first_entry(publisher))
        self.entries[publisher.name] = entry.model_copy(update=changes)
        self.story.registry_version += 1

    def _by_second_key(self, publisher: Publisher) -> set[int]:
        return {made.seq for made in self.story.log(publisher) if f"{publisher.did}#key-2" in _header(made)}

    def _statement(self, publisher: Publisher) -> Made:
        log = self.story.log(publisher)
        number, key = len(log), self.keys[publisher.name]
        more: dict[str, Any] = {"key": key, **(publisher.after(log[-1]) if log else {})}
        shown = {"names": [{"text": f"{publisher.name} {number}"}]}
        match self.luck.randrange(8):
            case 0 if log and self.luck.choice(log).kind == "finding":
                findings = [made for made in log if made.kind == "finding"]
                return publisher.withdrawal(self.luck.choice(findings).hash, **more)
            case 1 if any(made.kind == "finding" for made in log):
                earlier = self.luck.choice([made for made in log if made.kind == "finding"])
                return publisher.finding(clear={**FINDING_IN_CLEAR, "replaces": earlier.hash}, **more)
            case 2:
                return publisher.make(tlp="AMBER", clear={}, withheld=shown, **more)
            case 3:
                return publisher.finding(handling={**HANDLING, "tlp": "CLEAR"}, boxes=BOXES, **more)
        return publisher.finding(disclosed=shown, **more)


def _header(made: Made) -> str:
    head = made.jwt.partition(".")[0]
    return base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode()


async def honest_run(place: Path, luck: random.Random, events: int = 16) -> list[str]:
    """Live through honest days and return everything that raised an alarm, which must be nothing."""
    log = LocalLog(place / "log.db")
    await log.start()
    try:
        days = Days(place, luck, HostileBus(log))
        await days.live(events)
        await days.end()
        alarms = [*days.alarms]
        alarms += [f"refused: {each}" for each in await days.listener.refused()]
        coverage = await days.listener.coverage()
        alarms += [] if coverage.complete else [coverage.in_words()]
        alarms += [f"condition: {each}" for each in (await days.listener.conditions()).items()]
        alarms += await days.listener.check()
        if await days.held_places() != days.honest_places():
            alarms.append("the node does not hold what was published")
        if await days.listener.snapshot() != await days.late_joiner():
            alarms.append("a node that joined late has another view")
        return [f"{alarm} (after: {', '.join(days.told)})" for alarm in alarms]
    finally:
        await log.stop()
