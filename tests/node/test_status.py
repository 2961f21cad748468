"""How a node says that it is: what is late, since when, what is safe, what to do; whether it runs or not."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import event

from builders import Publisher
from comity_node.db import Database
from comity_node.db.backlog import Backlog
from comity_node.db.conditions import Condition
from comity_node.db.logs import LogStatus
from comity_node.db.search import Built, Reach
from comity_node.domain.advice import ANY, CONDITIONS, advise
from comity_node.services.operating.status import RUNS, Measures, Status, measure, weigh
from comity_node.wiring.locks import is_held, take
from comity_node.workers.exchange import Exchange, Part
from comity_schemas.member import MemberStatus
from node_world import NOW, House, Town, comity, registry_of, served, until

ALL = dict.fromkeys(RUNS, True)
QUIET = Measures((), Backlog(0, None), Backlog(0, None), {}, {}, {})
AGENCY, FIRM = Publisher("agency").member(), Publisher("firm").member()


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def heard(slug: str, **changes: Any) -> LogStatus:
    return replace(LogStatus(slug, heard_at=ago(minutes=1)), **changes)


def of(*logs: LogStatus, measures: Measures = QUIET, running: Mapping[str, bool] = ALL, **registry: Any) -> Status:
    known = {log.member: log for log in (heard("agency"), heard("firm"), *logs)}
    return weigh(replace(measures, logs=known), registry_of(AGENCY, FIRM, **registry), running, "agency", NOW)


def names(status: Status) -> list[str]:
    return [trouble.name for trouble in status.troubles]


def test_a_node_where_nothing_is_late_is_healthy() -> None:
    status = of()
    assert (names(status), list(status.late), status.healthy) == ([], [], True)


def test_a_name_index_that_is_built_anew_says_how_far_it_is_since_when_and_that_nothing_is_missed() -> None:
    building = Built(1, 300_000, batch=400_000, since=ago(minutes=3).isoformat())
    status = of(measures=replace(QUIET, name_index=Reach(building, 1_500_000, waits=False)))
    (told,) = status.under_way
    assert told.what == (
        "the name index is being built: 300,000 of 1,500,000 suppliers are in it (20 %), those up to 400,000 are "
        "being added"
    )
    assert told.since == ago(minutes=3) and told.advice.safe.startswith("Screening finds all the same")
    assert told.advice.do.startswith("Nothing: it goes on") and status.healthy
    done = replace(building, since=None, batch=None)
    assert of(measures=replace(QUIET, name_index=Reach(done, 1_500_000, waits=True))).under_way == []


def test_a_condition_is_told_with_what_is_safe_and_what_to_do() -> None:
    status = of(measures=replace(QUIET, conditions=[Condition("relay", ago(hours=2), "the bus does not answer")]))
    (trouble,) = status.troubles
    assert (trouble.name, trouble.since, trouble.what) == ("relay", ago(hours=2), "the bus does not answer")
    assert trouble.advice == CONDITIONS["relay"]
    assert not status.healthy


async def test_every_loop_and_condition_of_the_exchange_has_advice(town: Town) -> None:
    house = await town.found("agency")
    for parts in (tuple(Part), (Part.RECEIVER,), (Part.RELAY,)):
        exchange = Exchange(house.node, house.node.bus(), parts)
        assert set(exchange._steps) <= set(CONDITIONS)
    assert {"exchange", "bus", "registry", "topics", "trust"} <= set(CONDITIONS)
    assert advise("of another release") is ANY


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ({"api": False, "receiver": False, "relay": False}, ["stopped"]),
        ({"api": True, "receiver": True, "relay": False}, ["relay"]),
        ({"api": False, "receiver": True, "relay": True}, ["api"]),
        ({"api": True, "receiver": False, "relay": False}, ["receiver", "relay"]),
    ],
)
def test_what_does_not_run_is_said(running: dict[str, bool], said: list[str]) -> None:
    status = of(running=running)
    assert names(status) == said
    assert all("comity" in trouble.advice.do for trouble in status.troubles)


def test_the_outbox_is_late_after_five_minutes_unless_the_reason_is_said_already() -> None:
    late = replace(QUIET, outgoing=Backlog(3, ago(minutes=6)))
    (trouble,) = of(measures=late).troubles
    assert (trouble.name, trouble.since, trouble.what[:3]) == ("outbox", ago(minutes=6), "3 r")
    assert of(measures=replace(QUIET, outgoing=Backlog(3, ago(minutes=4)))).healthy
    both = replace(late, conditions=[Condition("relay", ago(minutes=9), "no answer")])
    assert names(of(measures=both)) == ["relay"]


def test_the_inbox_is_late_after_five_minutes_unless_the_reason_is_said_already() -> None:
    late = replace(QUIET, undecided=Backlog(9, ago(minutes=6)))
    assert names(of(measures=late)) == ["inbox"]
    assert names(of(measures=late, running={**ALL, "receiver": False})) == ["receiver"]


def test_an_expired_registry_names_this_machines_clock_and_a_wrong_one_as_the_first_thing_to_look_at() -> None:
    (trouble,) = of(expires=ago(days=2)).troubles
    assert (trouble.name, trouble.since) == ("registry", ago(days=2))
    assert f"{NOW:%Y-%m-%d %H:%M} UTC" in trouble.what
    assert "clock" in trouble.advice.do


def test_a_registry_that_ends_soon_is_said_before() -> None:
    assert names(of(expires=NOW + timedelta(minutes=119))) == ["registry"]
    assert of(expires=NOW + timedelta(minutes=121)).healthy


def test_a_node_without_a_registry_says_why_and_what_to_do() -> None:
    status = weigh(QUIET, "this node has no registry yet", ALL, "agency", NOW)
    (trouble,) = status.troubles
    assert (trouble.name, trouble.what) == ("trust", "this node has no registry yet")
    assert "root.json" in trouble.advice.do


def test_a_frozen_log_needs_the_registrar_and_is_not_also_missing_something() -> None:
    status = of(heard("firm", head=3, frozen_from=4, announced_seq=9))
    (trouble,) = status.troubles
    assert (trouble.name, "firm" in trouble.what, "place 4" in trouble.what) == ("fork", True, True)
    assert list(status.late) == []


def test_a_log_that_is_behind_what_was_announced_is_late_elsewhere() -> None:
    measures = replace(QUIET, records={"firm": {"waiting": 2, "accepted": 3}})
    status = of(heard("firm", head=3, announced_seq=7), measures=measures)
    assert status.healthy
    (late,) = status.late
    assert late.what == (
        "firm has announced 7, this node has 3: 4 statements are missing, 2 that came early wait for them"
    )


def test_a_silent_member_is_late_elsewhere_and_a_silent_own_node_is_told_that_others_do_not_hear_it() -> None:
    status = of(heard("firm", heard_at=ago(hours=3)), heard("agency", heard_at=None))
    said = {late.what: (late.since, late.advice.safe) for late in status.late}
    assert said["nothing was heard of firm"][0] == ago(hours=3)
    assert said["nothing was heard of agency"] == (None, "Others do not hear this node.")


def test_a_member_that_follows_a_newer_registry_is_an_alarm() -> None:
    assert names(of(heard("firm", announced_registry=2))) == ["older-registry"]
    assert of(heard("firm", announced_registry=1)).healthy
    lasting = replace(QUIET, conditions=[Condition("registry-behind", ago(hours=1), "others go by another registry")])
    assert names(of(heard("firm", announced_registry=2), measures=lasting)) == ["registry-behind"]


def test_a_pending_member_is_not_listed() -> None:
    pending = Publisher("new").member(status=MemberStatus.PENDING)
    status = weigh(QUIET, registry_of(AGENCY, pending), ALL, "agency", NOW)
    assert [log.slug for log in status.heard] == ["agency"]


def test_a_lock_is_held_as_long_as_its_process_has_it_and_asking_takes_it_from_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "part.lock"
    assert not is_held(lock)
    with take(lock) as taken:
        assert taken and is_held(lock) and is_held(lock)
        with take(lock) as again:
            assert not again
    assert not is_held(lock)
    with take(lock, shared=True) as one, take(lock, shared=True) as two:
        assert one and two and is_held(lock)


async def test_what_waits_is_measured_with_its_age(database: Database) -> None:
    async with database.read() as store:
        measures = await measure(store, NOW)
    assert (measures.outgoing, measures.undecided) == (Backlog(0, None), Backlog(0, None))
    async with database.write() as store:
        for minutes in (3, 8):
            await store.received.add("firm", b"junk", None, ago(minutes=minutes), None)
    async with database.read() as store:
        measures = await measure(store, NOW)
    assert measures.undecided == Backlog(2, ago(minutes=8))


async def test_its_cost_does_not_grow_with_what_was_accepted_or_sent(sqlite: Database) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []
    event.listen(sqlite._engine.sync_engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    async with sqlite.read() as store:
        await measure(store, NOW)
    queries = [(query, values) for query, values in asked if query.lstrip().lower().startswith("select")]
    assert len(queries) >= 6
    plans: list[str] = []
    async with sqlite.read() as store:
        connection = await store._session.connection()
        for query, values in queries:
            plans += [row[3] for row in await connection.exec_driver_sql(f"explain query plan {query}", values)]
    whole = [plan for plan in plans if re.match(r"SCAN (received|outbox|review|entry|trail)\b", plan)]
    # The indexes over what is not accepted, what is still open and what corrects something may be read through.
    few = ("ix_received_not_accepted", "ix_review_open", "ix_outbox_corrects")
    assert whole and [plan for plan in whole if not any(index in plan for index in few)] == []


async def test_a_home_whose_node_never_ran_and_one_whose_node_runs_are_told_apart(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    stopped = await asyncio.to_thread(comity, "status", "--home", str(house.home))
    assert stopped.returncode == 1, stopped.stderr
    assert "this node does not run" in stopped.stdout
    assert "comity serve" in stopped.stdout
    with served(house.home):

        async def healthy() -> dict[str, Any] | None:
            ran = await asyncio.to_thread(comity, "status", "--home", str(house.home), "--json")
            found: dict[str, Any] = json.loads(ran.stdout)
            assert (ran.returncode == 0) == found["healthy"]
            return found if found["healthy"] and found["logs"][0]["heard_at"] else None

        found = await until("it is healthy", healthy)
        assert found["running"] == {"api": True, "receiver": True, "relay": True}
        assert found["logs"][0]["member"] == "agency"
        assert (found["needs_you"], found["late_elsewhere"]) == ([], [])
        said = (await asyncio.to_thread(comity, "status", "--home", str(house.home))).stdout
    assert said.splitlines()[0].endswith("UTC: all is well here")
    assert "outbox      empty" in said and "quarantine  empty" in said


async def test_ready_says_that_the_registry_expired_with_both_times_and_what_to_do(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    assert (await _ready(house)).status_code == 200
    expired = house.node.trusted_registry().expires
    # A clock two days wrong: the same registry, another time.
    house.node.clock = lambda: expired + timedelta(days=2)
    answer = await _ready(house)
    (said,) = answer.json()["held_up"]
    assert (answer.status_code, said["name"], said["since"]) == (503, "registry", expired.isoformat())
    assert f"{expired:%Y-%m-%d %H:%M} UTC" in said["text"]
    assert f"{expired + timedelta(days=2):%Y-%m-%d %H:%M} UTC" in said["text"]
    assert "compare this machine's clock" in said["do"] and "stays in force until" in said["safe"]


async def _ready(house: House) -> httpx2.Response:
    async with house.api() as api:
        return await api.get("/readyz")


async def test_a_directory_that_is_no_home_is_said_in_one_sentence(tmp_path: Path) -> None:
    ran = await asyncio.to_thread(comity, "status", "--home", str(tmp_path))
    assert ran.returncode == 1
    assert "is this a node's home?" in ran.stderr and "Traceback" not in ran.stderr
