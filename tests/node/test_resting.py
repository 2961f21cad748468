"""Rounds that found nothing rest until somebody commits, and miss nothing that was."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import HANDLING
from comity_federation.statements import Outgoing, Signed
from comity_node.db import Database
from comity_node.db.jobs import Job
from comity_node.db.logs import LogStatus
from comity_node.db.peers import ReportedHead
from comity_node.db.reviews import Review
from comity_node.db.suppliers import FOLLOWED_BY
from comity_node.db.versions import Versions
from comity_node.domain.changing import Change
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.importing.jobs import IMPORT
from comity_node.services.review.release import RELEASE
from comity_node.services.screening_files.jobs import SCREENING
from comity_node.services.watching.noticing import ALERTS
from comity_node.wiring import Home, Node
from comity_node.wiring.settings import Settings
from comity_node.workers import jobs, screening_files, searching, suppliers, watching
from comity_node.workers.jobs import JobRunner
from comity_node.workers.loops import Rest
from comity_node.workers.screening_files import FileScreener
from comity_node.workers.searching import NameIndex
from comity_node.workers.suppliers import SupplierGraph
from comity_node.workers.watching import Watching
from comity_schemas.handling import Handling

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)

PERSON = Person("ana", "Ana", frozenset())
OUTGOING = Outgoing("finding", Handling.from_parsed(HANDLING), {}, {}, {})

TRIES = 200
"""A server of PostgreSQL has other databases too: their commits count, and other tests run beside this one."""


async def is_still(database: Database) -> bool:
    """Tell whether two versions in a row are ever equal."""
    for _ in range(TRIES):
        if await database.version() == await database.version():
            return True
    return False


async def test_a_version_stays_until_somebody_commits(database: Database) -> None:
    assert await is_still(database)
    other = Database(database.url)
    for name, writer in (("bus", database), ("topics", other)):
        before = await database.version()
        async with writer.write() as store:
            await store.conditions.set(name, "does not answer", NOW)
        assert await database.version() != before
    await other.close()
    assert await is_still(database), "reading says nothing new"


async def test_looking_and_taking_back_are_no_commits(sqlite: Database) -> None:
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    before = await sqlite.version()
    async with sqlite.read() as store:
        await store.conditions.all()
    async with sqlite.rehearse() as store:
        await store.conditions.clear("bus")
    assert await sqlite.version() == before


async def test_a_database_that_does_not_answer_has_another_version_each_time(tmp_path: Path) -> None:
    gone = tmp_path / "gone.db"
    for url in (f"sqlite+aiosqlite:///{gone}", "postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing"):
        nowhere = Database(url)
        assert await nowhere.version() != await nowhere.version()
        await nowhere.close()
    assert not gone.exists(), "asking for a version has made a database"


async def test_a_version_over_a_connection_opened_anew_is_another(database: Database) -> None:
    before = await database.version()
    await database.close()
    assert await database.version() != before


async def test_work_done_in_vain_rests_until_a_commit_or_another_reason(sqlite: Database) -> None:
    rest, done = Rest(sqlite), []

    def work(found: bool) -> Callable[[], Awaitable[bool]]:
        async def do() -> bool:
            done.append(found)
            return found

        return do

    async def fail() -> bool:
        raise LookupError

    one, two = date(2026, 10, 1), date(2026, 10, 2)
    assert await rest.unless_in_vain(work(True), under=one)
    assert not await rest.unless_in_vain(work(False), under=one)
    assert not await rest.unless_in_vain(work(True), under=one)
    assert done == [True, False]
    with pytest.raises(LookupError):
        await rest.unless_in_vain(fail, under=two)
    assert await rest.unless_in_vain(work(True), under=two), "what failed was not in vain"
    assert not await rest.unless_in_vain(work(False), under=two)
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    assert await rest.unless_in_vain(work(True), under=two)


async def test_idle_rounds_ask_the_database_nothing_until_something_comes(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (searching, suppliers, watching):
        monkeypatch.setattr(module, "_LOOK_EVERY_S", 0)
    for module in (jobs, screening_files):
        monkeypatch.setattr(module, "IDLE_S", 0)
    settings = Settings(member="reader", database=sqlite.url, bus="local:none", registry="none")
    node = Node(Home(tmp_path), settings, sqlite, None, lambda: NOW)
    rounds = {**Watching(node).loops, **NameIndex(node).loops, "suppliers": SupplierGraph(node).follow}
    rounds |= {"jobs": JobRunner(node)._round, "screening-files": FileScreener(node)._round}
    for _ in range(4):
        for step in rounds.values():
            await step()
    asked: list[str] = []
    read = Database.read
    monkeypatch.setattr(Database, "read", lambda self: asked.append("read") or read(self))
    row = Versions.row

    async def glance(self: Versions, statement: str, values: Sequence[Any] = ()) -> Sequence[Any] | None:
        if not statement.startswith("pragma"):
            asked.append(statement)
        return await row(self, statement, values)

    monkeypatch.setattr(Versions, "row", glance)
    with monkeypatch.context() as only_reads:
        only_reads.setattr(Database, "write", lambda _: pytest.fail("an idle round has written"))
        for step in rounds.values():
            await step()
    assert not asked
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    for step in rounds.values():
        await step()
    assert len(asked) >= len(rounds), "a round rests though something came"


async def test_a_glance_sees_what_there_is_to_do_and_nothing_else(database: Database) -> None:
    glances = database.glances

    async def seen() -> dict[str, bool]:
        own = await glances.own_log()
        assert own is not None
        return {
            "job": await glances.a_job_runs((IMPORT,)),
            "alerts": await glances.is_behind(ALERTS, FOLLOWED_BY),
            "view": await glances.is_behind_view(FOLLOWED_BY),
            "gap": await glances.a_gap_is_shown(),
            "head": await glances.a_head_is_reported(),
            "signature": own.waits_for_signature,
            "anchor": own.anchor_wanted,
            "delivery": await glances.a_delivery_waits(),
        }

    nothing = dict.fromkeys(await seen(), False)
    assert await seen() == nothing
    assert await glances.followed(FOLLOWED_BY) == 0
    async with database.write() as store:
        await store.accounts.add_person(PERSON, None)
        await store.jobs.add(Job("other", SCREENING, "running", "batch", PERSON.id, NOW, total=1), b"")
        await store.changes.note([1], Change.ADDED, NOW)
    assert await seen() == nothing | {"view": True}
    async with database.write() as store:
        await store.jobs.add(Job("job", IMPORT, "running", "batch", PERSON.id, NOW, total=1), b"")
        await store.suppliers.set_followed(1)
        await store.peers.note_head(ReportedHead("one", "other", 3, "hash", NOW))
        await store.trail.want_anchor(await store.trail.add(NOW, "test", Event.TOKEN_REVOKED, "token"))
    assert await seen() == nothing | {"job": True, "alerts": True, "head": True, "anchor": True}
    assert await glances.followed(FOLLOWED_BY) == 1
    async with database.write() as store:
        await store.changes.set_followed(ALERTS, 1)
        await store.logs.put(LogStatus("other", announced_seq=3))
        await store.reviews.add(Review("review", RELEASE, "proposed", "{}", PERSON.id, NOW))
        await store.outbox.add("review", OUTGOING)
    assert await seen() == nothing | {"job": True, "head": True, "anchor": True, "gap": True, "signature": True}
    async with database.write() as store:
        await store.logs.put(LogStatus("other", head=3, announced_seq=3))
        (item,) = await store.outbox.in_state("queued", most=1)
        await store.outbox.put_signed([(item.id, Signed(1, "first", b"bytes", ()))], NOW)
    own = await glances.own_log()
    assert own is not None
    assert (own.signed, own.sent, own.waits_for_signature, own.waits_for_sending) == ((1, "first"), None, False, True)
    assert not await glances.a_gap_is_shown()
    async with database.write() as store:
        await store.outbox.mark_sent(1, 1, NOW)
    own = await glances.own_log()
    assert own is not None
    assert (own.signed, own.sent, own.waits_for_sending) == ((1, "first"), (1, "first"), False)
    async with database.read() as store:
        assert await store.outbox.own_log() == own


async def test_a_glance_without_an_answer_says_that_there_may_be_something(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite+aiosqlite:///{tmp_path / 'gone.db'}")
    assert await nowhere.glances.a_job_runs((IMPORT,))
    assert await nowhere.glances.is_behind(ALERTS, FOLLOWED_BY)
    assert await nowhere.glances.is_behind_view(FOLLOWED_BY)
    assert await nowhere.glances.followed(FOLLOWED_BY) is None
    assert await nowhere.glances.own_log() is None
    await nowhere.close()
