"""Whatever a broker does to what members publish is detected and named, or has no effect.

Each case serves one kind of falsified log to a real receiver. While it lasts nothing counts that the members did not
say; afterwards, served honestly, the node ends with the same view as one that was never lied to: no spoiled copy has
used up a place.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from builders import key_of
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Refused, Seen, Waiting
from comity_federation.local_log import LocalLog
from comity_node.services.answering.moment import SILENT_AFTER
from hostile_bus import Cheat, HostileBus, Shown, honest, with_parts
from lies import liar
from listening import Listener
from member_stories import AGENCY, BODY, WORKERS, Story, checkpoint, tell_everything
from node_world import NOW, Clock

OF_AGENCY, OF_BODY, OF_WORKERS = (statements_topic(p.name) for p in (AGENCY, BODY, WORKERS))


@dataclass
class Told:
    """Honest members, what they said, and what whoever hears them undisturbed ends with."""

    log: LocalLog
    story: Story
    view: dict[str, Any] = field(default_factory=dict)


@pytest_asyncio.fixture(scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    place = tmp_path_factory.mktemp("told")
    log = LocalLog(place / "log.db")
    await log.start()
    story = await tell_everything(log)
    undisturbed = Listener(place / "undisturbed", HostileBus(log), story.registry())
    await undisturbed.listen()
    assert (await undisturbed.coverage()).complete and not await undisturbed.refused()
    yield Told(log, story, await undisturbed.snapshot())
    await log.stop()


@dataclass(frozen=True)
class Case:
    """One way to cheat, and by what it is found."""

    cheat: Callable[[Told], Cheat]
    refused: frozenset[tuple[str, int, str]] = frozenset()
    """What lies in quarantine afterwards: member, step, code."""
    said: tuple[str, ...] = ()
    """What the answers of the node then say about whom they rest on."""
    same: bool = False
    """Whether it has no effect at all."""


def nth(told: Told, topic: str, number: int) -> bytes:
    slug = topic.rpartition(".")[2]
    return told.story.logs[slug][number].raw


def one_only(topic: str, number: int, instead: Callable[[bytes], Iterable[bytes | None]]) -> Callable[[Told], Cheat]:
    """Cheat about one record of one log."""

    def of(told: Told) -> Cheat:
        target = nth(told, topic, number)

        def cheat(where: str, value: bytes) -> Iterable[Shown]:
            return [(where, shown) for shown in instead(value)] if value == target else honest(where, value)

        return cheat

    return of


def every(instead: Callable[[str, bytes], Iterable[Shown]]) -> Callable[[Told], Cheat]:
    """Cheat about every statement; checkpoints pass."""
    return lambda told: lambda where, value: instead(where, value) if ".statements." in where else honest(where, value)


def _swapped(where: str, value: bytes) -> Iterable[Shown]:
    return [({OF_AGENCY: OF_BODY, OF_BODY: OF_AGENCY}.get(where, where), value)]


def _reversed(told: Told) -> Cheat:
    """Hold everything back until the last, then serve it backwards."""
    held: list[bytes] = []
    last = told.story.logs["agency"][-1].raw

    def cheat(where: str, value: bytes) -> Iterable[Shown]:
        if where != OF_AGENCY:
            return honest(where, value)
        held.append(value)
        return [(where, each) for each in reversed(held)] if value == last else []

    return cheat


def _foreign_disclosures(told: Told) -> Cheat:
    foreign = [d.encoded for d in told.story.logs["body"][0].disclosed]
    return one_only(OF_AGENCY, 1, lambda raw: [with_parts(raw, disclosures=lambda _: foreign)])(told)


def _forged(told: Told) -> Cheat:
    """The broker signs with a key of its own under the member's key id."""
    impostor = type(AGENCY)("agency", keys=(key_of("broker"),))
    return one_only(OF_AGENCY, 1, lambda raw: [impostor.chain(1, after=told.story.logs["agency"][0])[0].raw])(told)


def _checkpoints_withheld(where: str, value: bytes) -> Iterable[Shown]:
    return [] if where == checkpoints_topic("agency") else [(where, value)]


def _everything_withheld(where: str, value: bytes) -> Iterable[Shown]:
    return [] if where.endswith(".agency") else [(where, value)]


def _foreign_checkpoint(where: str, value: bytes) -> Iterable[Shown]:
    return [(checkpoints_topic("body"), value)] if where == checkpoints_topic("agency") else [(where, value)]


def in_quarantine(step: int, code: str, *members: str) -> frozenset[tuple[str, int, str]]:
    return frozenset((member, step, code) for member in members or ("agency",))


BEHIND = "statements of agency announced but not received"
JUNK = b'{"statement":"junk","sealed":[]}'
CASES: dict[str, Case] = {
    "repeats everything": Case(every(lambda where, value: [(where, value)] * 3), same=True),
    "serves a log backwards": Case(_reversed, same=True),
    "drops one": Case(one_only(OF_AGENCY, 1, lambda raw: []), said=(f"5 {BEHIND}",)),
    "withholds the tail": Case(one_only(OF_AGENCY, 5, lambda raw: []), said=(f"1 {BEHIND}",)),
    "withholds all statements": Case(every(lambda where, value: []), said=(f"6 {BEHIND}",)),
    "withholds checkpoints": Case(lambda told: _checkpoints_withheld, said=("1 of 3 members not heard",)),
    "withholds a member": Case(lambda told: _everything_withheld, said=("1 of 3 members not heard",)),
    "swaps two topics": Case(
        every(_swapped), in_quarantine(4, "another-log", "agency", "body"), (BEHIND, "statements of body")
    ),
    "copies a record into another log": Case(
        every(lambda where, value: [(where, value), (OF_WORKERS, value)]), in_quarantine(4, "another-log", "workers")
    ),
    "leaves disclosures out": Case(one_only(OF_AGENCY, 1, lambda raw: [with_parts(raw, disclosures=lambda _: [])])),
    "reorders disclosures": Case(
        one_only(OF_AGENCY, 1, lambda raw: [with_parts(raw, disclosures=lambda ds: ds[::-1])]),
        in_quarantine(8, "disclosure-order"),
        (f"5 {BEHIND}",),
    ),
    "exchanges disclosures": Case(_foreign_disclosures, in_quarantine(8, "disclosure"), (f"5 {BEHIND}",)),
    "adds a disclosure": Case(
        one_only(OF_AGENCY, 1, lambda raw: [with_parts(raw, disclosures=lambda ds: [*ds, "AAAA"])]),
        in_quarantine(8, "disclosure"),
        (f"5 {BEHIND}",),
    ),
    "leaves boxes out": Case(one_only(OF_AGENCY, 0, lambda raw: [with_parts(raw, boxes=[])]), same=True),
    "exchanges boxes": Case(
        one_only(OF_AGENCY, 0, lambda raw: [with_parts(raw, boxes=["AAAA", "BBBB"])]),
        in_quarantine(8, "box"),
        (f"6 {BEHIND}",),
    ),
    "puts boxes where none were": Case(
        one_only(OF_AGENCY, 1, lambda raw: [with_parts(raw, boxes=["AAAA"])]),
        in_quarantine(8, "box"),
        (f"5 {BEHIND}",),
    ),
    "forges one": Case(_forged, in_quarantine(5, "bad-signature"), (f"5 {BEHIND}",)),
    "cuts one off": Case(one_only(OF_AGENCY, 1, lambda raw: [raw[:-9]]), in_quarantine(2, "syntax"), (f"5 {BEHIND}",)),
    "makes one too large": Case(
        one_only(OF_AGENCY, 1, lambda raw: [raw + b" " * 70_000]), in_quarantine(1, "too-large"), (f"5 {BEHIND}",)
    ),
    "writes one in another form": Case(
        one_only(OF_AGENCY, 1, lambda raw: [raw.replace(b":[", b": [", 1)]),
        in_quarantine(2, "other-form"),
        (f"5 {BEHIND}",),
    ),
    "mixes in junk": Case(
        every(lambda where, value: [(where, JUNK), (where, value), (where, b"")]),
        in_quarantine(3, "parts", "agency", "body", "workers")
        | in_quarantine(2, "syntax", "agency", "body", "workers"),
    ),
    "mixes in null values": Case(every(lambda where, value: [(where, None), (where, value)]), same=True),
    "serves another's checkpoint": Case(lambda told: _foreign_checkpoint, said=("1 of 3 members not heard",)),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_a_broker_does_is_named_or_has_no_effect_and_uses_up_no_place(
    name: str, told: Told, tmp_path: Path
) -> None:
    case = CASES[name]
    bus = HostileBus(told.log, case.cheat(told))
    listener = Listener(tmp_path / "node", bus, told.story.registry())
    await listener.listen()
    assert set(await listener.refused()) == case.refused
    coverage = await listener.coverage()
    assert coverage.complete == (not case.said)
    assert all(words in coverage.in_words() for words in case.said), coverage.in_words()
    lied_to = await listener.snapshot()
    assert not case.same or lied_to == told.view
    assert case.same or lied_to != told.view or case.refused or case.said
    for slug in ("agency", "body", "workers"):
        head, frozen_from, places, _ = lied_to[slug]
        assert frozen_from is None
        assert places.items() <= told.view[slug][2].items(), "something counts that nobody said"
        assert head <= told.view[slug][0]
    bus.repent()
    await listener.listen()
    assert await listener.snapshot() == told.view
    assert (await listener.coverage()).complete
    assert await listener.conditions() == {}
    assert await listener.check() == []


async def test_a_stripped_copy_says_what_is_missing(told: Told, tmp_path: Path) -> None:
    """It counts without a name, so answers say that there is a finding they cannot tell the subject of."""
    cheat = one_only(OF_BODY, 0, lambda raw: [with_parts(raw, disclosures=lambda _: [])])(told)
    bus = HostileBus(told.log, cheat)
    listener = Listener(tmp_path / "node", bus, told.story.registry())
    await listener.listen()
    async with listener.database() as database, database.read() as store:
        unnamed = await store.view.findings.unnamed()
    bus.repent()
    await listener.listen()
    async with listener.database() as database, database.read() as store:
        assert unnamed == 1 + await store.view.findings.unnamed()


async def test_headers_have_no_effect(tmp_path: Path, told: Told) -> None:
    """A record under lying headers, or none, is the same record: they are never read."""
    log = LocalLog(tmp_path / "log.db")
    await log.start()
    lies = {"ce_source": "did:web:body.example", "ce_id": "999", "ce_type": "comity.withdrawal.v1", "content-type": "x"}
    for slug, made in told.story.logs.items():
        for each, headers in zip(made, [{}, lies] * len(made), strict=False):
            await log.publish(statements_topic(slug), each.raw, headers)
    for publisher in told.story.members:
        said = checkpoint(publisher, told.story.logs[publisher.name])
        await log.publish(checkpoints_topic(publisher.name), said, lies)
    listener = Listener(tmp_path / "node", HostileBus(log), told.story.registry())
    await listener.listen()
    assert await listener.snapshot() == told.view
    await log.stop()


def test_each_unsigned_byte_changed_leaves_the_place_open(told: Told) -> None:
    """Every byte outside the JWT, to another value and deleted."""
    made = told.story.logs["agency"][0]
    start = made.raw.index(made.jwt.encode())
    unsigned = [at for at in range(len(made.raw)) if not start <= at < start + len(made.jwt)]
    assert len(unsigned) > 500
    for at in unsigned:
        byte = made.raw[at : at + 1]
        for instead in (bytes([byte[0] ^ 1]), b""):
            raw = made.raw[:at] + instead + made.raw[at + 1 :]
            if raw == made.raw:
                continue
            decision = decide(raw, AGENCY.trust(), Seen())
            assert isinstance(decision, Refused) and not decision.uses_place and decision.step != 6, (at, instead)


def test_each_signed_byte_changed_leaves_the_place_open(told: Told) -> None:
    made = told.story.logs["agency"][0]
    start = made.raw.index(made.jwt.encode())
    for at in range(start, start + len(made.jwt)):
        raw = made.raw[:at] + bytes([made.raw[at] ^ 1]) + made.raw[at + 1 :]
        decision = decide(raw, AGENCY.trust(), Seen())
        # Another key id waits: nothing is known of it.
        assert isinstance(decision, Waiting) or (isinstance(decision, Refused) and decision.step <= 5), at
    assert isinstance(decide(made.raw, AGENCY.trust(), Seen()), Accepted)


async def test_a_truncated_log_is_read_again_and_nothing_is_lost(told: Told, tmp_path: Path) -> None:
    bus = HostileBus(told.log)
    listener = Listener(tmp_path / "node", bus, told.story.registry())
    await listener.listen()
    bus.truncate(OF_AGENCY, keep=2)
    await listener.listen()
    assert await listener.snapshot() == told.view
    bus.rename()
    await listener.listen()
    assert await listener.snapshot() == told.view


async def test_a_log_cut_and_grown_again_behind_the_readers_back_is_told_by_what_is_missing(
    told: Told, tmp_path: Path
) -> None:
    """The position is valid again, so reading cannot notice; the gap and the announced head do."""
    bus = HostileBus(told.log, one_only(OF_AGENCY, 5, lambda raw: [])(told))
    listener = Listener(tmp_path / "node", bus, told.story.registry())
    bus.truncate(OF_AGENCY, keep=0)
    bus.withheld = {OF_AGENCY}
    for _ in range(4):
        bus.put(OF_AGENCY, b"{}")
    await listener.listen()
    bus.truncate(OF_AGENCY, keep=0)
    bus.withheld = set()
    await listener.listen()
    assert f"6 {BEHIND}" in (await listener.coverage()).in_words()


async def test_silence_is_noticed_after_an_hour_and_an_old_checkpoint_served_again_does_not_break_it(
    told: Told, tmp_path: Path
) -> None:
    bus, clock = HostileBus(told.log), Clock()
    listener = Listener(tmp_path / "node", bus, told.story.registry(), clock)
    await listener.listen()
    old = checkpoint(AGENCY, told.story.logs["agency"][:2])
    bus.withheld = {checkpoints_topic(p.name) for p in told.story.members}
    clock.now = NOW + SILENT_AFTER * 1.5
    for _ in range(3):
        bus.put(checkpoints_topic("agency"), old)
        bus.put(checkpoints_topic("agency"), checkpoint(AGENCY, told.story.logs["agency"]))
    await listener.listen()
    coverage = await listener.coverage()
    assert [slug for slug, _ in coverage.not_heard] == ["agency", "body", "workers"]
    assert "3 of 3 members not heard since 2026-10-01 12:00 UTC" in coverage.in_words()
    assert (await listener.logs())["agency"].announced_seq == 6


@pytest.mark.parametrize("seed", range(6))
async def test_a_log_of_mostly_lies_ends_as_if_it_had_been_true(seed: int, told: Told, tmp_path: Path) -> None:
    """Every trick at random on every record, restarts between, and honesty at the end."""
    luck = random.Random(seed)
    bus = HostileBus(told.log, liar(told.story, luck))
    listener = Listener(tmp_path / "node", bus, told.story.registry())
    for _ in range(luck.randrange(1, 4)):
        await listener.listen()
        if luck.random() < 0.5:
            bus.truncate(luck.choice([OF_AGENCY, OF_BODY]), keep=luck.randrange(4))
        if luck.random() < 0.3:
            bus.rename()
    bus.repent()
    await listener.listen()
    assert await listener.snapshot() == told.view
    assert await listener.check() == []
