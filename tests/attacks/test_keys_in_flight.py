"""Keys rotate, are stolen and closed, members are suspended, removed and thawed while records are in flight.

Three nodes hear of it: one that was there all the time, one that was offline in the middle, one that joins at the
end. However the records and the registry's versions interleave, all three end with the same view, and the thief with
nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from builders import FINDING_IN_CLEAR, Made, Publisher, key_of
from comity_federation.bus import statements_topic
from comity_federation.local_log import LocalLog
from comity_schemas.member import Last, Member, MemberStatus
from hostile_bus import HostileBus
from listening import Listener
from member_stories import BODY
from node_world import registry_of

MANY = Publisher("agency", keys=tuple(key_of(f"agency {n}") for n in range(1, 9)))
TOPIC = statements_topic("agency")


@dataclass
class Network:
    """One member's log on an honest bus, the registry's word on it, and three nodes."""

    place: Path
    log: LocalLog
    entry: Member = field(default_factory=lambda: listed(1))
    version: int = 1

    def __post_init__(self) -> None:
        self.there = self._node("there")
        self.offline = self._node("offline")

    def _node(self, name: str) -> Listener:
        return Listener(self.place / name, HostileBus(self.log), self.registry())

    def registry(self) -> Any:
        return registry_of(self.entry, BODY.member(), version=self.version)

    async def publish(self, *made: Made) -> None:
        for each in made:
            await self.log.publish(TOPIC, each.raw, {})
        await self.there.listen()

    async def enter(self, entry: Member, *, heard: bool = True) -> None:
        """Sign a new entry into the registry; the node that is there hears of it now, or with the next."""
        self.entry, self.version = entry, self.version + 1
        if heard:
            await self.there.listen(self.registry())

    async def end(self) -> dict[str, Any]:
        """Let all three hear everything and return what they agree on."""
        late = self._node("late")
        views = []
        for node in (self.there, self.offline, late):
            await node.listen(self.registry())
            views.append(await node.snapshot())
            assert await node.check() == []
        assert views[0] == views[1] == views[2]
        return dict(views[0])


@pytest_asyncio.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    log = LocalLog(tmp_path / "log.db")
    await log.start()
    yield Network(tmp_path, log)
    await log.stop()


def listed(count: int, *, ended: dict[int, Last] | None = None, **changes: Any) -> Member:
    """The member with the first so many of its keys listed."""
    entry = MANY.member(closed_keys=ended, **changes)
    return entry.model_copy(update={"signing_keys": entry.signing_keys[:count]})


def counted(view: dict[str, Any]) -> list[str]:
    """The hashes that count, in order."""
    return [place.hash for _, place in sorted(view["agency"][2].items())]


def hashes(*made: Made) -> list[str]:
    return [each.hash for each in made]


async def test_a_key_changes_while_records_are_in_flight(network: Network) -> None:
    old = MANY.chain(3)
    new = MANY.chain(3, key=1, after=old[-1])
    await network.publish(*old)
    await network.offline.listen()
    # The registry lists the new key; who has not heard of it waits, and refuses nothing.
    await network.enter(listed(2), heard=False)
    await network.publish(*new)
    assert counted(await network.there.snapshot()) == hashes(*old)
    assert await network.there.refused() == []
    await network.enter(listed(2, ended={0: old[-1].last()}))
    assert counted(await network.end()) == hashes(*old, *new)


async def test_a_key_for_every_statement(network: Network) -> None:
    made: list[Made] = []
    for key in range(8):
        await network.enter(listed(key + 1), heard=key % 3 == 0)
        made += MANY.chain(1, key=key, after=made[-1] if made else None)
        await network.publish(made[-1])
        if key == 4:
            await network.offline.listen(network.registry())
    assert counted(await network.end()) == hashes(*made)


async def test_an_older_key_counts_no_more_once_a_later_one_has_signed(network: Network) -> None:
    await network.enter(listed(2))
    old = MANY.chain(2)
    new = MANY.chain(1, key=1, after=old[-1])
    relapse = MANY.chain(1, key=0, after=new[-1], salt="relapse ")
    await network.publish(*old, *new, *relapse)
    assert counted(await network.end()) == hashes(*old, *new)
    assert await network.there.refused() == [("agency", 7, "key-superseded")]


async def test_a_thief_signs_on_and_the_registry_closes_the_key_where_the_true_history_ends(network: Network) -> None:
    true = MANY.chain(3)
    stolen = MANY.chain(3, after=true[-1], salt="stolen ")
    await network.publish(*true)
    await network.offline.listen()
    await network.publish(*stolen)
    assert counted(await network.there.snapshot()) == hashes(*true, *stolen), "nobody can know yet"
    after = MANY.chain(2, key=1, after=true[-1])
    await network.enter(listed(2, ended={0: true[-1].last()}))
    assert counted(await network.there.snapshot()) == hashes(*true), "what the thief said is taken back at once"
    await network.publish(*after)
    assert counted(await network.end()) == hashes(*true, *after)
    assert ("agency", 7, "key-closed") in await network.there.refused()


async def test_a_thief_forks_a_log_and_closing_the_key_with_the_true_branch_thaws_it(network: Network) -> None:
    true = MANY.chain(4)
    stolen = MANY.chain(2, after=true[1], salt="stolen ")
    await network.publish(*true[:3], *stolen, true[3])
    view = await network.there.snapshot()
    assert counted(view) == hashes(*true[:2]) and view["agency"][1] == 3, "frozen from the first that differs"
    await network.enter(listed(2, ended={0: true[3].last()}))
    after = MANY.chain(1, key=1, after=true[3])
    await network.publish(*after)
    view = await network.end()
    assert counted(view) == hashes(*true, *after) and view["agency"][1] is None


async def test_a_stolen_retired_key_cannot_rewrite_history_for_a_node_that_was_not_there(network: Network) -> None:
    """A broker shows the newcomer a whole other history, well signed by the key that was retired long ago."""
    true = MANY.chain(3)
    after = MANY.chain(2, key=1, after=true[-1])
    forged = MANY.chain(3, salt="forged ")
    for number, tell in enumerate(([*forged], [*forged, *true, *after], [*true[:1], *forged[1:], *true[1:], *after])):
        log = LocalLog(network.place / f"lies-{number}.db")
        await log.start()
        for made in tell:
            await log.publish(TOPIC, made.raw, {})
        await network.enter(listed(2, ended={0: true[-1].last()}))
        newcomer = Listener(network.place / f"newcomer-{number}", HostileBus(log), network.registry())
        await newcomer.listen()
        seen = counted(await newcomer.snapshot())
        assert not set(seen) & set(hashes(*forged)), "the forged history counts"
        assert seen == (hashes(*true, *after) if number else [])
        assert (await newcomer.logs())["agency"].frozen_from is None, "a retired key freezes nobody"
        await log.stop()


async def test_without_a_last_two_histories_freeze_and_the_registry_decides(network: Network) -> None:
    """The key was not retired in the registry: then nobody can tell which history is true, and none counts."""
    true, forged = MANY.chain(3), MANY.chain(3, salt="forged ")
    await network.publish(*forged[:2], *true, forged[2])
    view = await network.there.snapshot()
    assert counted(view) == [] and view["agency"][1] == 1
    await network.enter(listed(1, thawed=true[-1].last()))
    assert counted(await network.end()) == hashes(*true)


async def test_a_suspension_lets_what_is_in_flight_wait_and_lifting_it_lets_it_count(network: Network) -> None:
    made = MANY.chain(6)
    await network.publish(*made[:3])
    await network.enter(listed(1, status=MemberStatus.SUSPENDED, closed=made[2].last()), heard=False)
    await network.publish(made[3])
    assert counted(await network.there.snapshot()) == hashes(*made[:4]), "not heard of yet"
    await network.there.listen(network.registry())
    assert counted(await network.there.snapshot()) == hashes(*made[:3]), "taken back: it waits"
    await network.offline.listen(network.registry())
    await network.publish(*made[4:])
    assert await network.there.refused() == []
    await network.enter(listed(1))
    assert counted(await network.end()) == hashes(*made)


async def test_a_suspension_earlier_than_what_counted_takes_it_back_everywhere(network: Network) -> None:
    made = MANY.chain(5)
    await network.publish(*made)
    await network.offline.listen()
    await network.enter(listed(1, status=MemberStatus.SUSPENDED, closed=made[1].last()))
    assert counted(await network.end()) == hashes(*made[:2])


async def test_a_removal_refuses_what_is_in_flight_beyond_it_for_good(network: Network) -> None:
    made = MANY.chain(5)
    await network.publish(*made[:4])
    await network.offline.listen()
    await network.enter(listed(1, status=MemberStatus.REMOVED, closed=made[2].last()))
    await network.publish(made[4])
    assert counted(await network.end()) == hashes(*made[:3])
    assert set(await network.there.refused()) == {("agency", 7, "member-removed")}


async def test_a_member_closed_at_zero_never_said_anything(network: Network) -> None:
    made = MANY.chain(3)
    await network.publish(*made)
    await network.offline.listen()
    nothing = Last(seq=0, hash=MANY.genesis)
    await network.enter(listed(1, status=MemberStatus.REMOVED, closed=nothing))
    assert counted(await network.end()) == []


async def test_thawing_goes_on_with_the_branch_it_names_however_much_of_the_other_comes_later(network: Network) -> None:
    one = MANY.chain(1)
    left, right = MANY.chain(3, after=one[0], salt="left "), MANY.chain(5, after=one[0], salt="right ")
    await network.publish(*one, *left[:2], *right[:2])
    await network.offline.listen()
    await network.enter(listed(1, thawed=left[1].last()))
    assert counted(await network.there.snapshot()) == hashes(*one, *left[:2])
    await network.publish(right[3], right[2], left[2], right[4])
    view = await network.end()
    assert counted(view) == hashes(*one, *left) and view["agency"][1] is None


async def test_a_last_that_nobody_has_seen_yet_makes_everything_wait_until_it_comes(network: Network) -> None:
    made = MANY.chain(4)
    await network.publish(*made[:2])
    await network.enter(listed(2, ended={0: made[3].last()}))
    await network.publish(made[2])
    assert counted(await network.there.snapshot()) == [], "which of two histories leads there is not known"
    assert await network.there.refused() == []
    await network.publish(made[3])
    after = MANY.chain(1, key=1, after=made[3])
    await network.publish(*after)
    assert counted(await network.end()) == hashes(*made, *after)


async def test_what_a_compromised_key_said_before_its_end_stays_with_its_withdrawal(network: Network) -> None:
    """The member takes back with its new key what the thief managed to say before the end that counts."""
    true = MANY.chain(2)
    planted = MANY.chain(1, after=true[-1], salt="planted ")
    await network.publish(*true, *planted)
    await network.enter(listed(2, ended={0: planted[0].last()}))
    taken_back = MANY.withdrawal(planted[0].hash, key=1, **MANY.after(planted[0]))
    revised = MANY.finding(key=1, clear={**FINDING_IN_CLEAR, "replaces": true[0].hash}, **MANY.after(taken_back))
    await network.publish(taken_back, revised)
    view = await network.end()
    entries = view["agency"][3]
    assert entries[planted[0].hash].state == "withdrawn"
    assert entries[true[0].hash].state == "superseded"
    assert counted(view) == hashes(*true, *planted, taken_back, revised)
