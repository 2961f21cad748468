"""The trail: an entry fits its catalogue, and an export of it can be checked by anybody who does not trust the node."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from builders import Publisher
from comity_federation import strict_json
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import digest
from comity_node.db import Database, Store
from comity_node.db.migrate import migrate_async
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.trail import Anchor, Event, TrailEntry, entry_digest, link
from comity_node.domain.trail_catalogue import CATALOGUE, NotInCatalogue, check_detail
from comity_node.domain.trail_export import Manifest, Selection
from comity_node.domain.trail_proof import Verdict, examine
from comity_node.services.receiving.words import note_checkpoint
from comity_node.services.trail import (
    export_lines,
    is_anchor_due,
    is_anchor_wanted,
    note_export,
    prepare_export,
)
from comity_schemas.statement import Checkpoint
from node_world import NOW, new_sqlite, registry_of

AGENCY = Publisher()
ADMIN = Person(id="ada", name="Ada", roles=frozenset({PersonRole.ADMIN}), firm=None)

WRONG: dict[str, dict[str, Any]] = {
    "a field is missing": {},
    "a field is unknown": {"act": "release", "because": "x"},
    "a field is of another type": {"act": 5},
    "a flag is no text": {"act": True},
}


def test_every_event_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) == set(Event)
    for described in CATALOGUE.values():
        names = [field.name for field in described.fields]
        assert len(set(names)) == len(names) and described.actor and described.subject


@pytest.mark.parametrize("what", WRONG)
def test_a_detail_that_the_catalogue_does_not_know_is_refused(what: str) -> None:
    check_detail(Event.REVIEW_APPROVED, {"act": "release"})
    with pytest.raises(NotInCatalogue, match=r"review\.approved"):
        check_detail(Event.REVIEW_APPROVED, WRONG[what])


async def test_nothing_is_written_that_does_not_fit(database: Database) -> None:
    with pytest.raises(NotInCatalogue):
        async with database.write() as store:
            await store.trail.add(NOW, "ana", Event.LINK_REVOKED, "x", name="Canary")
    async with database.read() as store:
        assert await store.trail.page(before=None, most=5) == []


async def run(store: Store, sql: str) -> None:
    await (await store.trail._session.connection()).execute(text(sql))


BEFORE_SALTS = "0015"


class Keeping:
    """A node's trail, and what its relay and its administrator do with it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.signed: list[bytes] = []

    async def note(self, *reports: str, at: datetime = NOW, by: str = "ana") -> None:
        async with self.database.write() as store:
            for report in reports:
                await store.trail.add(at, by, Event.REPORT_READ, report, what="drafts")

    async def checkpoint(self, at: datetime = NOW) -> None:
        """What the relay does: sign what the chain comes to, and keep it."""
        async with self.database.write() as store:
            number, trail = await store.trail.head()
            said = {"v": 1, "iss": AGENCY.did, "iat": int(at.timestamp()), "seq": 0, "hash": "H" * 43}
            given = {**said, "registry_version": 1, "registry_hash": "R" * 43, "trail": trail}
            raw = sign_checkpoint(Checkpoint.from_parsed(given), AGENCY.kid(0), AGENCY.keys[0])
            await store.trail.put_anchor(Anchor(number, trail, raw, at))
        self.signed.append(raw)

    async def export(self, selection: Selection = Selection(), at: datetime = NOW) -> int:  # noqa: B008 (frozen)
        manifest = await prepare_export(self.database, selection)
        async with self.database.write() as store:
            return await note_export(store, ADMIN, manifest, at)

    async def lines(self, number: int) -> list[bytes]:
        return [line async for line in export_lines(self.database, number, AGENCY.did)]


def check(lines: list[bytes], *witnesses: bytes) -> Verdict:
    return examine(lines, {AGENCY.did: AGENCY.member()}.get, witnesses)


def said(lines: list[bytes], *witnesses: bytes) -> list[str]:
    return [problem.what for problem in check(lines, *witnesses).problems]


async def full(database: Database) -> tuple[Keeping, list[bytes]]:
    """Nine readings with checkpoints between them, all exported."""
    keeping = Keeping(database)
    for hour in range(3):
        at = NOW + timedelta(hours=hour)
        await keeping.note(*(f"R{hour}{n}" for n in range(3)), at=at)
        await keeping.checkpoint(at)
    number = await keeping.export(at=NOW + timedelta(hours=3))
    await keeping.checkpoint(NOW + timedelta(hours=3))
    return keeping, await keeping.lines(number)


async def test_an_export_of_all_proves_every_entry_and_that_the_file_is_whole(database: Database) -> None:
    keeping, lines = await full(database)
    verdict = check(lines, *keeping.signed)
    assert verdict.problems == []
    assert (verdict.first, verdict.last, verdict.shown, verdict.left_out) == (1, 10, 10, 0)
    assert (verdict.closed, verdict.anchored_to, verdict.witnessed, verdict.witnessed_to) == (True, 10, 4, 10)
    assert verdict.anchored_at == NOW.replace(microsecond=0) + timedelta(hours=3)


SELECTIONS: dict[str, tuple[Selection, set[str]]] = {
    "time": (Selection(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)), {"R10", "R11", "R12"}),
    "object": (Selection(about="R11"), {"R11"}),
    "event": (Selection(events=(Event.LINK_REVOKED,)), set()),
    "person": (Selection(by="ben"), {"L"}),
}


@pytest.mark.parametrize("what", SELECTIONS)
async def test_a_part_proves_that_it_is_in_the_whole_and_shows_nothing_else(sqlite: Database, what: str) -> None:
    keeping, _ = await full(sqlite)
    async with sqlite.write() as store:
        await store.trail.add(NOW, "ben", Event.LINK_MADE, "L", review="V")
    selection, wanted = SELECTIONS[what]
    number = await keeping.export(selection)
    await keeping.note("later")
    await keeping.checkpoint(NOW + timedelta(hours=4))
    lines = await keeping.lines(number)
    verdict = check(lines)
    assert (verdict.problems, verdict.closed) == ([], True)
    shown = [json.loads(line) for line in lines if b'"subject"' in line]
    assert {each["subject"] for each in shown} == wanted | {"trail"}
    assert not any(f'"R{n}'.encode() in b"".join(lines) for n in ("00", "22", "later"))
    assert verdict.shown + verdict.left_out == verdict.last - verdict.first + 1


async def test_what_a_detail_refers_to_is_found_too(sqlite: Database) -> None:
    keeping = Keeping(sqlite)
    async with sqlite.write() as store:
        await store.trail.add(NOW, "ben", Event.REVIEW_PROPOSED, "V1", act="release", report="R")
        await store.trail.add(NOW, "ben", Event.REVIEW_PROPOSED, "V2", act="release", report="R_")
    manifest = await prepare_export(keeping.database, Selection(about="R"))
    assert (manifest.entries, manifest.first, manifest.last) == (1, 1, 2)


def _changed(lines: list[bytes], place: int, **changes: Any) -> list[bytes]:
    line = json.dumps({**json.loads(lines[place]), **changes}, separators=(",", ":")).encode() + b"\n"
    return [*lines[:place], line, *lines[place + 1 :]]


def _without(lines: list[bytes], place: int) -> list[bytes]:
    return [*lines[:place], *lines[place + 1 :]]


def _digest(value: dict[str, Any]) -> str:
    at, event = datetime.fromisoformat(value["at"]), Event(value["event"])
    entry = TrailEntry(at, value["actor"], event, value["subject"], value["detail"])
    return entry_digest(value["number"], value["salt"], entry)


def _forged(lines: list[bytes], place: int) -> list[bytes]:
    """Another entry there, and all hashes behind it as they would then be."""
    chain = json.loads(lines[place - 1])["hash"]
    lines = _changed(lines, place, subject="another")
    for n in range(place, len(lines)):
        value = json.loads(lines[n])
        if "salt" in value:
            chain = link(chain, _digest(value))
            lines = _changed(lines, n, hash=chain)
    return lines


def _hidden(lines: list[bytes], place: int) -> list[bytes]:
    """An entry turned into its digest: the chain still holds."""
    value = json.loads(lines[place])
    gap = {"left_out": [_digest(value)], "from": value["number"], "hash": value["hash"]}
    return [*lines[:place], json.dumps(gap).encode() + b"\n", *lines[place + 1 :]]


TAMPERINGS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "an entry is changed": (lambda x: _changed(x, 2, actor="nobody"), "entry 2 was changed"),
    "an entry is removed": (lambda x: _without(x, 2), "entry 2 is missing"),
    "two are removed": (lambda x: _without(_without(x, 2), 2), "entries 2 to 3 are missing"),
    "two change places": (lambda x: [*x[:2], x[3], x[2], *x[4:]], "entry 2 stands behind entry 3"),
    "an entry is repeated": (lambda x: [*x[:3], x[2], *x[3:]], "entry 2 stands behind entry 2"),
    "all is forged from an entry on": (lambda x: _forged(x, 2), "names another trail than this file"),
    "an entry is hidden": (lambda x: _hidden(x, 2), "9 entries were exported and 8 are shown: some were taken out"),
    "a checkpoint is removed": (lambda x: _without(x, 4), "the end names another place or number of lines"),
    "a checkpoint is forged": (lambda x: _changed(x, 4, checkpoint="a.b.c"), "was not signed by the member"),
    "the end is cut off": (lambda x: x[:-1], "it was cut off"),
    "much is cut off": (lambda x: x[:6], "the export's own entry is missing"),
    "a line is cut off": (lambda x: [*x[:6], x[6][:-9]], "this line is cut off"),
    "the end is cut off and made anew": (lambda x: [*x[:5], b'{"end":3,"lines":6}\n'], "own entry is missing"),
    "something is added": (lambda x: [*x, x[2]], "something was added behind the end"),
    "it is somebody else's": (lambda x: _changed(x, 0, member="did:web:x.example"), "does not know whose trail"),
    "it begins later": (lambda x: _changed([x[0], *x[2:]], 0, after=1, hash="A" * 43), "entry 2 was changed"),
    "it is no export": (lambda x: [b"{}\n", *x[1:]], "this is no export"),
    "a line holds something else": (lambda x: _changed(x, 2, at="yesterday"), "holds something else"),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    async def make() -> list[bytes]:
        database = Database(new_sqlite(tmp_path_factory.mktemp("trail"), "trail.db"))
        _, lines = await full(database)
        await database.close()
        return lines

    return asyncio.run(make())


@pytest.mark.parametrize("what", TAMPERINGS)
def test_whatever_is_done_to_an_export_is_noticed_and_named(exported: list[bytes], what: str) -> None:
    assert said(exported) == []
    tamper, named = TAMPERINGS[what]
    found = said(tamper(exported))
    assert any(named in each for each in found), found


async def test_a_trail_rewritten_later_contradicts_a_checkpoint_that_another_member_kept(sqlite: Database) -> None:
    keeping, _ = await full(sqlite)
    kept = list(keeping.signed)
    # The node's owner changes its first entry, chains all anew, and signs new checkpoints with the right key.
    async with sqlite.write() as store:
        rows = await store.trail.after(0, upto=99, most=99)
        await run(store, "delete from trail")
        await run(store, "delete from trail_anchor")
        for row in rows:
            detail = json.loads(row.entry.detail)
            await store.trail.add(row.entry.at, "mallory", row.entry.event, row.entry.subject, **detail)
    for hour in (-1, 3):
        await keeping.checkpoint(NOW + timedelta(hours=hour))
        await keeping.note("more")
    number = await keeping.export()
    await keeping.checkpoint(NOW + timedelta(hours=4))
    lines = await keeping.lines(number)
    assert said(lines) == [], "by itself it looks whole"
    assert len(said(lines, *kept)) == len(kept)
    assert all("rewritten or set back" in each for each in said(lines, *kept))


async def test_what_no_checkpoint_fixes_is_said_and_one_is_asked_for(sqlite: Database) -> None:
    keeping = Keeping(sqlite)
    await keeping.note("R1", "R2")
    number = await keeping.export()
    async with sqlite.read() as store:
        assert await is_anchor_wanted(store)
    verdict = check(await keeping.lines(number))
    assert (verdict.problems, verdict.closed, verdict.anchored_to) == ([], False, 0)
    await keeping.checkpoint()
    async with sqlite.read() as store:
        assert not await is_anchor_wanted(store)
        assert not await is_anchor_due(store, 3, NOW + timedelta(hours=9)), "nothing was written since"
        assert not await is_anchor_due(store, 4, NOW + timedelta(minutes=59))
        assert await is_anchor_due(store, 4, NOW + timedelta(hours=1))
    assert check(await keeping.lines(number)).closed
    assert await keeping.lines(number) == await keeping.lines(number)


async def test_the_manifest_reads_back_as_it_was_written(sqlite: Database) -> None:
    selection = Selection(NOW, NOW + timedelta(days=1), "R", (Event.REPORT_READ, Event.LINK_MADE), "ana")
    manifest = Manifest(selection, 3, 9, 4, "B" * 43)
    async with sqlite.write() as store:
        number = await note_export(store, ADMIN, manifest, NOW)
        entry = await store.trail.at(number)
    assert entry is not None and Manifest.of_entry(entry.entry) == manifest


async def test_writers_on_many_connections_keep_one_chain_that_can_be_exported(database: Database) -> None:
    keeping = Keeping(database)
    await asyncio.gather(*(keeping.note(f"R{n}", f"S{n}") for n in range(12)))
    number = await keeping.export()
    await keeping.checkpoint()
    verdict = check(await keeping.lines(number))
    assert (verdict.problems, verdict.shown, verdict.closed) == ([], 25, True)
    async with database.read() as store:
        assert await store.trail.first_break() is None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("update trail set actor = 'nobody' where id = 2", 2),
        ("delete from trail where id = 2", 3),
        ("delete from trail where id > 8", 9),
        ("update trail set hash = 'x' where id = 10", 10),
    ],
)
async def test_the_node_itself_finds_the_first_entry_that_does_not_follow(
    sqlite: Database, change: str, found: int
) -> None:
    await full(sqlite)
    async with sqlite.write() as store:
        await run(store, change)
    async with sqlite.read() as store:
        assert await store.trail.first_break() == found


async def test_a_trail_of_before_is_chained_anew_and_says_so(empty_url: str) -> None:
    await migrate_async(empty_url, BEFORE_SALTS)
    database = Database(empty_url)
    at, before = "2026-01-02T03:04:05.000000+00:00", digest("comity trail")
    async with database.write() as store:
        for number in (1, 4, 5):
            fields = ["2026-01-02T03:04:05+00:00", "ana", "link.revoked", f"L{number}", "{}"]
            before = digest(strict_json.dumps([before, *fields]))
            hash_ = "changed" if number == 4 else before
            values = f"{number}, '{at}', 'ana', 'link.revoked', 'L{number}', '{{}}', '{hash_}'"
            await run(store, f"insert into trail (id, at, actor, event, subject, detail, hash) values ({values})")
    await migrate_async(empty_url)
    async with database.write() as store:
        await store.trail.add(NOW, "ana", Event.LINK_REVOKED, "L6")
        assert await store.trail.first_break() is None
        entries = list(reversed(await store.trail.page(before=None, most=9)))
    assert [(number, entry.subject) for number, entry in entries] == [
        (1, "L1"),
        (2, "L4"),
        (3, "L5"),
        (4, "trail"),
        (5, "L6"),
    ]
    assert json.loads(entries[3][1].detail) == {"entries": 3, "head_before": before, "broken": 2}
    await database.close()


async def test_the_first_checkpoint_of_a_day_that_comes_of_a_member_is_kept(sqlite: Database) -> None:
    keeping, member = Keeping(sqlite), AGENCY.member()
    registry = registry_of(member)
    for hour in (0, 1, 24):
        await keeping.note(f"R{hour}")
        await keeping.checkpoint(NOW + timedelta(hours=hour))
        async with sqlite.write() as store:
            await note_checkpoint(store, member, keeping.signed[-1], registry, NOW + timedelta(hours=hour))
    async with sqlite.read() as store:
        kept = await store.peers.kept("agency", since=None, most=9)
        assert await store.peers.kept("agency", since=NOW.date() + timedelta(days=1), most=9) == kept[1:]
    days = [NOW.date(), NOW.date() + timedelta(days=1)]
    assert kept == [(days[0], keeping.signed[0]), (days[1], keeping.signed[2])]
