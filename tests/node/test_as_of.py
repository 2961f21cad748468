"""The supplier view as it was at log positions: what a node knew that had received no more than that."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, Made, Publisher
from comity_node.db import Database
from comity_node.db.view import View
from comity_node.domain.screening import Question
from comity_node.domain.supplier_view import AnyEntry, EntryState
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Moment, this_moment
from comity_node.services.answering.screen import screen, screen_at
from honest_log import AGENCY, BODY, named
from node_world import NOW, Bench, new_sqlite, registry_of

BOTH = (AGENCY, BODY)
MEMBERS = tuple(publisher.member() for publisher in BOTH)
KINDS = ("finding", "decision", "pointer", "notice", "reply", "corroboration")


@dataclass
class History:
    """What two members have published, in the order in which they said it."""

    said: list[tuple[Publisher, Made]] = field(default_factory=list)

    def log(self, of: Publisher) -> list[Made]:
        return [made for publisher, made in self.said if publisher is of]

    def say(self, of: Publisher, act: str, which: int) -> None:
        """Let a member say one thing more; what it speaks of is chosen by a number."""
        log = self.log(of)
        place = of.after(log[-1]) if log else {}
        others = [made for publisher, made in self.said if made.kind == "finding" and publisher is not of]
        if act == "withdraw" and log:
            made = of.withdrawal(log[which % len(log)].hash, **place)
        elif act == "revise" and log:
            old = log[which % len(log)]
            made = self._make(of, old.kind, {"replaces": old.hash, **_about(old)}, place, len(self.said))
        elif act == "seal":
            made = of.make(tlp="AMBER", clear={}, withheld={"names": [{"text": "Hidden"}]}, **place)
        elif act in ("reply", "corroboration") and others:
            made = self._make(of, act, {"about": others[which % len(others)].hash}, place, len(self.said))
        else:
            made = self._make(of, act if act in KINDS[:4] else "finding", {}, place, len(self.said))
        self.said.append((of, made))

    def _make(self, of: Publisher, kind: str, more: dict[str, Any], place: dict[str, Any], number: int) -> Made:
        given: dict[str, Any] = {**named(f"Supplier {number % 3}"), **place}
        match kind:
            case "decision":
                return of.decision(clear={**DECISION_IN_CLEAR, **more}, **given)
            case "pointer":
                return of.pointer(more=more, **given)
            case "notice" | "audit-notice":
                return of.notice(more=more, **given)
            case "reply":
                return of.reply(more.get("about", "A" * 43), more=more, **place)
            case "corroboration":
                return of.corroboration(more.get("about", "A" * 43), more=more, **place)
            case "finding":
                return of.finding(clear={**FINDING_IN_CLEAR, **more}, **given)
            case _:
                return of.make(kind="new-kind", clear={"x": number}, **place)


def _about(old: Made) -> dict[str, Any]:
    return {"about": old.body["about"]} if "about" in old.body else {}


ACTS = st.tuples(
    st.sampled_from(BOTH),
    st.sampled_from([*KINDS, "finding", "revise", "revise", "revise", "withdraw", "withdraw", "seal", "unknown"]),
    st.integers(0, 50),
)


async def _receive(bench: Bench, said: Sequence[tuple[Publisher, bytes]], batch: int) -> None:
    registry = registry_of(*MEMBERS)
    for start in range(0, len(said), batch):
        for publisher in BOTH:
            theirs = [raw for of, raw in said[start : start + batch] if of is publisher]
            if theirs:
                await bench.receive(publisher.member(), theirs, registry)
    await bench.settle(*MEMBERS)


async def read_whole(view: View, hashes: Sequence[str]) -> dict[str, Any]:
    """Return all that anybody can read of a view, by what statements say, never by the numbers of their records."""
    read: dict[str, Any] = {"members": await view.members(), "load": await view.load(hashes)}
    read["logs"] = {member.slug: await view.of_log(member.slug) for member in MEMBERS}
    for name in ("replies", "corroborations"):
        read[name] = {entry.hash: entry for entry in await getattr(view, name).about(hashes)}
    for name in ("findings", "decisions", "pointers", "notices"):
        kind = getattr(view, name)
        read[f"{name} unnamed"] = await kind.unnamed()
        read[f"{name} that stand"] = await _pages(kind)
    return read


async def _opened(stack: AsyncExitStack, url: str) -> Database:
    database = Database(url)
    stack.push_async_callback(database.close)
    return database


async def _pages(kind: Any) -> set[str]:
    found, before = set[str](), None
    while page := await kind.page(before=before, most=4):
        found |= {entry.hash for _, entry in page}
        before = page[-1][0]
    return found


@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(
    acts=st.lists(ACTS, min_size=12, max_size=20),
    steps=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=3),
    batch=st.integers(1, 24),
    opens=st.booleans(),
)
def test_the_view_as_it_was_is_that_of_a_node_that_received_no_more(
    acts: list[tuple[Publisher, str, int]], steps: list[tuple[int, int]], batch: int, opens: bool
) -> None:
    history = History()
    for act in acts:
        history.say(*act)
    # Some copies lacked what came later: what is read as of a position is what can be read of it today.
    late = [(p, made.stripped("names").raw) for n, (p, made) in enumerate(history.said) if n % 7 == 3]
    hashes = [made.hash for _, made in history.said]

    async def compare(place: Path) -> None:
        async with AsyncExitStack() as stack:
            database = await _opened(stack, new_sqlite(place, "whole.db"))
            await _receive(Bench(database, opens=opens), [*late, *((p, m.raw) for p, m in history.said)], batch)
            earlier = await _opened(stack, new_sqlite(place, "earlier.db"))
            heads = {"agency": 0, "body": 0}
            for ours, theirs in steps:
                before, heads = heads, {"agency": heads["agency"] + ours, "body": heads["body"] + theirs}
                more = [(p, m.raw) for p, m in history.said if before[p.name] < m.seq <= heads[p.name]]
                await _receive(Bench(earlier), more, len(more) or 1)
                async with earlier.read() as then, database.read() as now:
                    assert await read_whole(now.as_of(heads).view, hashes) == await read_whole(then.view, hashes)

    with TemporaryDirectory() as place:
        asyncio.run(compare(Path(place)))


def _states(entries: Mapping[str, AnyEntry], *made: Made) -> list[str]:
    return [entries[each.hash].state.value for each in made if each.hash in entries]


@pytest.fixture
def life() -> list[Made]:
    """A finding, its revision, the first one's withdrawal, the revision's."""
    first = AGENCY.finding()
    clear = {**FINDING_IN_CLEAR, "replaces": first.hash, "severity": "S3"}
    second = AGENCY.finding(clear=clear, **AGENCY.after(first))
    third = AGENCY.withdrawal(first.hash, **AGENCY.after(second))
    return [first, second, third, AGENCY.withdrawal(second.hash, **AGENCY.after(third))]


async def test_a_finding_is_read_as_current_superseded_and_withdrawn_at_its_places(
    bench: Bench, life: list[Made]
) -> None:
    await bench.arrive(AGENCY.member(), *(made.raw for made in life))
    read = {}
    async with bench.database.read() as store:
        for head in range(5):
            read[head] = _states(await store.as_of({"agency": head}).view.of_log("agency"), *life[:2])
    assert read == {
        0: [],
        1: ["current"],
        2: ["superseded", "current"],
        3: ["withdrawn", "current"],
        4: ["withdrawn", "withdrawn"],
    }


async def test_a_log_that_is_not_named_had_not_begun(bench: Bench) -> None:
    await bench.arrive(AGENCY.member(), AGENCY.finding().raw)
    async with bench.database.read() as store:
        assert await store.as_of({"body": 3}).view.of_log("agency") == {}


async def test_the_view_as_it_was_cannot_be_written(bench: Bench) -> None:
    await bench.arrive(AGENCY.member(), AGENCY.finding().raw)
    async with bench.database.write() as store:
        with pytest.raises(AssertionError):
            await store.as_of({"agency": 1}).view.forget_log("agency")


async def test_an_older_database_learns_on_the_next_settling_what_had_superseded_what_is_withdrawn(
    bench: Bench, life: list[Made]
) -> None:
    await bench.arrive(AGENCY.member(), *(made.raw for made in life))
    async with bench.database.write() as store:
        # What the migration leaves behind.
        await store._session.exec(text("update entry set earlier_by = null"))
        await store._session.exec(text("update log set decided_under = 'refolded'"))
    await bench.settle(AGENCY.member())
    async with bench.database.read() as store:
        entry = (await store.as_of({"agency": 2}).view.load([life[0].hash]))[life[0].hash]
    assert (entry.state, entry.by) == (EntryState.SUPERSEDED, life[1].hash)


async def test_a_screening_can_be_answered_again_as_of_the_moment_it_was_asked(quick: Bench, life: list[Made]) -> None:
    registry, asked = registry_of(*MEMBERS), [Question("Fazenda Exemplo Ltda"), Question("Nobody")]
    await quick.arrive(AGENCY.member(), life[0].raw)
    async with quick.database.read() as store:
        moment = await this_moment(store, registry, NOW)
        before = describe(await screen(store, asked, registry, NOW))
    await quick.arrive(AGENCY.member(), *(made.raw for made in life[1:]))
    await quick.receive(BODY.member(), [BODY.finding().raw], registry)
    async with quick.database.read() as store:
        kept = Moment.from_parsed(json.loads(json.dumps(moment.to_parsed())))
        assert describe(await screen(store, asked, registry, NOW + timedelta(days=900))) != before
        assert describe(await screen_at(store, asked, kept)) == before
