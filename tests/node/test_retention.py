"""Reports are sealed with keys of their own and destroyed in time, by the node itself; what is provable stays."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from api_world import MEDIA_TYPE, PICTURE, furnish
from builders import AuditFirm
from comity_federation.encoding import digest
from comity_federation.signed_reports import open_report, sign_report
from comity_node.db import Database
from comity_node.db.evidence import StoredEvidence
from comity_node.db.given_answers import GivenAnswer
from comity_node.db.keys import KeyFiles, KeyGone, Seals
from comity_node.db.reports import StoredReport
from comity_node.db.supplier_links import SupplierLink
from comity_node.db.supplier_words import SupplierWord
from comity_node.domain.allowing import AllowanceCode
from comity_node.domain.contracts import Answer, Answered, DutyKind, ExitCheck, Terms
from comity_node.domain.errors import CannotPropose, ReportExpired, ReportKeyGone
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.plan import ItemState
from comity_node.domain.pointing import Whom
from comity_node.domain.protection import Contact, ContactKind, Step
from comity_node.domain.retention import last_day
from comity_node.services.accounts import add_person
from comity_node.services.evidence.vault import Vault
from comity_node.services.operating import retention
from comity_node.services.operating.retention import UNDECIDED, Destroyed, expire, prepare, retention_of, why_kept
from comity_node.services.protection import cases
from comity_node.services.remedy import contracts, plans
from comity_node.services.reports.stored import exact_bytes, open_stored
from comity_node.services.reports.submit import SCHEME_NOT_AUTHORISED
from comity_node.services.review.allowances import decide_allowance, propose_allowance
from comity_node.services.review.concerns import HOLD, LET_GO, decide_act, make_objection, propose_act
from comity_node.services.review.release import approve, propose_release, reject
from comity_node.services.review.report_status import report_status
from comity_schemas.finding import Remedy, Severity, Verified
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import Indicator
from comity_schemas.member import Role
from comity_schemas.reply import ReplyAct, ReplyCode
from comity_schemas.subject import Name
from heard import hear
from node_world import NOW, Clock, Town, audit_report, exchanging, new_sqlite, registry_of, until

FIRM = AuditFirm("firm")
CANARY = "Canary-at-rest"
NUMBER = Identifier(scheme="XI-LEI", id="ZZZZ00EXEMPLARGL0170")
WORDS = "Canary: what the supplier began to say"
LATER = NOW + timedelta(days=120)
"""Past the last day of the reports below."""


@dataclass
class Archive:
    """A node's reports, with the keys apart."""

    database: Database
    vault: Vault
    people: list[Person]
    place: Path

    async def report(self, until: str | None = "2026-12-31", ref: str = "A") -> StoredReport:
        raw = sign_report(
            audit_report(auditor=FIRM.did, keep_until=until, ref=ref), iss=FIRM.did, kid=FIRM.kid, key=FIRM.key, now=NOW
        )
        stored = StoredReport(
            digest(raw), "signed", raw, "firm", FIRM.kid, "r" * 43, "s", None, (), self.people[0].id, NOW
        )  # fmt: skip
        async with self.database.write() as store:
            await store.reports.add(stored)
        return stored

    async def again(self, stored: StoredReport) -> StoredReport:
        async with self.database.read() as store:
            found = await store.reports.find(stored.id)
        assert found is not None
        return found

    async def expire(self, days: int = 120) -> Destroyed:
        return await expire(self.database, self.vault, 84, NOW + timedelta(days=days))

    async def propose(self, stored: StoredReport) -> str:
        async with self.database.write() as store:
            review = await propose_release(store, self.people[0], stored.id, "O1", policy=Policy(), now=NOW)
            await hear(store, self.people[0], review.id, NOW)
        return review.id

    def on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.place.glob("node.db*"))

    def keys(self) -> list[Path]:
        return sorted(path for path in (self.place / "keys").glob("*") if path.is_file())


@pytest_asyncio.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    database = Database(new_sqlite(tmp_path), tmp_path / "keys")
    people = []
    for name in ("ana", "ben"):
        async with database.write() as store:
            people.append(
                await add_person(
                    store, name=name, roles=[PersonRole.REVIEWER], firm="firm", password_hash=None, by="t", now=NOW
                )
            )
    yield Archive(database, Vault(tmp_path / "data", tmp_path / "data-keys"), people, tmp_path)
    await database.close()


# --- keys


def test_what_is_sealed_opens_only_with_its_own_key_and_as_what_it_is(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path)
    seals = Seals(files)
    names = [seals.seal(b"report %d" % n, f"id-{n}") for n in range(3)]
    seals.keep()
    later = Seals(files)
    for n, (name, sealed) in enumerate(names):
        assert b"report" not in sealed and later.open(name, sealed, f"id-{n}") == b"report %d" % n
    (first, sealed), (second, other) = names[0], names[1]
    for name, raw, about in (
        (second, sealed, "id-0"),
        (first, sealed, "id-1"),
        (first, other, "id-0"),
        (first, sealed[:-1], "id-0"),
        (first, b"", "id-0"),
    ):
        with pytest.raises(KeyGone):
            later.open(name, raw, about)


def test_shredding_one_key_leaves_the_others_and_the_last_takes_the_file_with_it(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path)
    seals = Seals(files)
    (one, raw), (two, other) = seals.seal(b"one", "1"), seals.seal(b"two", "2")
    seals.keep()
    (path,) = tmp_path.iterdir()
    key = path.read_bytes()[:32]
    seals.shred(one)
    assert key not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyGone):
        Seals(files).open(one, raw, "1")
    assert Seals(files).open(two, other, "2") == b"two"
    seals.shred(one)
    seals.shred(two)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyGone):
        Seals(files).open(two, other, "2")


def test_short_texts_have_one_key_that_two_processes_agree_on(tmp_path: Path) -> None:
    one, other = Seals(KeyFiles(tmp_path)), Seals(KeyFiles(tmp_path))
    kept = one.seal_words(WORDS)
    assert kept is not None and "Canary" not in kept and kept != one.seal_words(WORDS)
    assert other.open_words(kept) == WORDS
    assert other.open_words("kept before") == "kept before" and other.open_words(None) is None
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(KeyGone):
        Seals(None).open_words(kept)


def test_reading_without_the_key_of_short_texts_makes_no_other_one_in_its_place(tmp_path: Path) -> None:
    kept = Seals(KeyFiles(tmp_path)).seal_words(WORDS)
    (path,) = tmp_path.iterdir()
    backup = path.rename(tmp_path.with_suffix(".backup"))
    with pytest.raises(KeyGone, match="restore it"):
        Seals(KeyFiles(tmp_path)).open_words(kept)
    assert list(tmp_path.iterdir()) == []
    backup.rename(path)
    assert Seals(KeyFiles(tmp_path)).open_words(kept) == WORDS


def test_the_soonest_stated_day_counts_and_else_the_members_months() -> None:
    assert last_day(audit_report(keep_until="2027-03-31"), date(2026, 10, 1), 84) == date(2027, 3, 31)
    assert last_day(audit_report(), date(2026, 10, 31), 16) == date(2028, 2, 29)


# --- reports


async def test_a_copy_of_the_database_alone_reads_no_report(archive: Archive) -> None:
    stored = await archive.report()
    # What an auditor signed is coded; taken apart, the canary would stand there.
    assert stored.raw[:200] not in archive.on_disk() and (await archive.again(stored)).raw == stored.raw
    without = Database(archive.database.url)
    async with without.read() as store:
        found = await store.reports.find(stored.id)
    await without.close()
    assert found is not None
    with pytest.raises(ReportKeyGone, match="hash"):
        exact_bytes(found)


async def test_a_transaction_that_fails_leaves_no_report_and_no_key_that_is_needed(archive: Archive) -> None:
    with pytest.raises(RuntimeError):
        async with archive.database.write() as store:
            await store.reports.add(StoredReport("R", "signed", b"x", *[None] * 5, (), archive.people[0].id, NOW))
            raise RuntimeError
    assert archive.keys() == []
    async with archive.database.read() as store:
        assert await store.reports.find("R") is None


async def test_expiry_shreds_the_key_and_empties_the_row_and_what_is_provable_stays(archive: Archive) -> None:
    stored = await archive.report()
    backup = archive.place / "backup.db"
    await _copy(archive, backup)
    assert await archive.expire(days=91) == Destroyed(0, 0)
    assert (await archive.again(stored)).keep_until == date(2026, 12, 31)
    assert await archive.expire() == Destroyed(1, 0)
    assert await archive.expire() == Destroyed(0, 0)
    left = await archive.again(stored)
    assert (left.raw, left.marks, left.expired_at) == (b"", ("expired",), LATER)
    assert (left.id, left.root, left.signature) == (stored.id, stored.root, stored.signature)
    assert archive.keys() == [] and digest(stored.raw) == left.id
    with pytest.raises(ReportExpired, match="2026-12-31"):
        open_stored(left)
    async with archive.database.write() as store:
        with pytest.raises(CannotPropose, match="its time was over"):
            await propose_release(store, archive.people[0], stored.id, "O1", policy=Policy(), now=LATER)
        assert await report_status(store, left) == []
        entries = await store.trail.page(before=None, most=1)
        assert (entries[0][1].event, entries[0][1].subject) == ("report.expired", stored.id)
    # Whoever still has the file can prove that it is the one: the id is the hash of its bytes.
    assert open_report(stored.raw, [FIRM.member()]).report.ref == "A"
    old = Database(f"sqlite+aiosqlite:///{backup}", archive.place / "keys")
    async with old.read() as store:
        found = await store.reports.find(stored.id)
    await old.close()
    assert found is not None and found.raw == b""


async def test_a_legal_hold_of_two_people_keeps_a_report_until_two_let_it_go(archive: Archive) -> None:
    stored = await archive.report()

    async def together(act: str) -> None:
        async with archive.database.write() as store:
            proposed = await propose_act(store, archive.people[0], act, stored.id, None, "a court asks", NOW)
        async with archive.database.write() as store:
            await decide_act(store, archive.people[1], proposed.id, NOW, confirm=True)

    await together(HOLD)
    assert await archive.expire() == Destroyed(0, 0)
    async with archive.database.read() as store:
        standing = await retention_of(store, LATER.date())
    assert standing.kept == ((stored.id, "held for legal use: two people let it go (comity joint propose)"),)
    assert (await archive.again(stored)).raw == stored.raw
    await together(LET_GO)
    assert await archive.expire() == Destroyed(1, 0)


async def test_a_hold_comes_too_late_for_what_is_destroyed_and_says_so(archive: Archive) -> None:
    one, other = await archive.report(), await archive.report(ref="B")
    async with archive.database.write() as store:
        await propose_act(store, archive.people[0], HOLD, other.id, None, "a court asks", NOW)
    assert await archive.expire() == Destroyed(1, 0)
    with pytest.raises(ReportExpired, match="destroyed"):
        async with archive.database.write() as store:
            await propose_act(store, archive.people[0], HOLD, one.id, None, "a court asks", LATER)


async def test_a_hold_that_waits_for_its_second_person_keeps_a_report_until_it_is_decided(archive: Archive) -> None:
    stored = await archive.report()
    async with archive.database.write() as store:
        proposed = await propose_act(store, archive.people[0], HOLD, stored.id, None, "a court asks", NOW)
    assert await archive.expire() == Destroyed(0, 0)
    async with archive.database.write() as store:
        assert "to be held for legal use" in str(await why_kept(store, stored.id))
        await decide_act(store, archive.people[1], proposed.id, NOW, confirm=False)
    assert await archive.expire() == Destroyed(1, 0)


async def test_a_file_past_its_own_day_waits_for_what_is_not_decided_too(archive: Archive) -> None:
    stored = await archive.report(until="2027-12-31")
    review = await archive.propose(stored)
    await asyncio.to_thread(archive.vault.begin, "f")
    file = StoredEvidence("f", stored.id, "E1", "kept", False, date(2026, 12, 31), archive.people[0].id, NOW)
    async with archive.database.write() as store:
        await store.evidence.add(file)
    assert await archive.expire() == Destroyed(0, 0)
    async with archive.database.write() as store:
        await reject(store, archive.people[1], review, NOW)
    assert await archive.expire() == Destroyed(0, 1)


async def test_however_many_are_kept_the_next_is_destroyed(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [await archive.report(ref=ref) for ref in "ABC"]
    for stored in kept:
        await archive.propose(stored)
    await archive.report(until="2027-01-01", ref="D")
    await prepare(archive.database, 84)
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    assert await archive.expire() == Destroyed(1, 0)
    async with archive.database.read() as store:
        told = (await retention_of(store, LATER.date())).kept
    assert {name for name, _ in told} == {stored.id for stored in kept}


async def test_what_an_open_proposal_or_dispute_rests_on_waits_and_is_said(archive: Archive) -> None:
    one, other = await archive.report(), await archive.report(ref="B")
    first, second = await archive.propose(one), await archive.propose(other)
    assert await archive.expire() == Destroyed(0, 0)
    async with archive.database.write() as store:
        assert await why_kept(store, one.id) == UNDECIDED
        await reject(store, archive.people[1], first, NOW)
        await approve(store, archive.people[1], second, NOW, Role.AGENCY)
    assert await archive.expire() == Destroyed(2, 0)


async def test_a_copy_of_the_database_alone_reads_no_draft_no_word_no_note_and_no_contract(archive: Archive) -> None:
    ana, ben = archive.people
    report = await archive.report()
    review = await archive.propose(report)
    terms = Terms("FC-1", CANARY, date(2027, 1, 31), identifier=NUMBER, note=CANARY)
    async with archive.database.write() as store:
        contract = await contracts.add_contract(store, ana, terms, NOW)
        await contracts.correct_contract(store, ana, contract, {"ends": date(2028, 1, 31)}, CANARY, NOW)
        answers = {ExitCheck.CHILD_PATH: Answered(Answer.NOT_APPLICABLE, CANARY)}
        contract = await contracts.answer_exit_plan(store, ana, contract, answers, NOW)
        duty = await contracts.add_duty(store, ana, contract, DutyKind.TRAIN_STAFF, date(2027, 1, 1), CANARY, NOW)
        subject = plans.Subject(report_id=report.id, observation="O1")
        item = await plans.add_item(store, ana, subject, Remedy.WAGES_PAID, "2027-01", CANARY, NOW)
        item = await plans.move_item(store, ana, item, plans.Move(ItemState.DONE), NOW)
        verified = plans.Move(ItemState.VERIFIED, verified=Verified.DESK, verifier=CANARY)
        await plans.move_item(store, ben, item, verified, NOW)
        said = (review, None, ReplyAct.REPLY, (ReplyCode.REMEDIED,), CANARY, NOW, False, None)
        await store.words.add(SupplierWord("w1", *said))
        await store.links.add(SupplierLink("l1", review, ana.id, NOW), "hash")
        await store.links.put_draft("l1", CANARY)
        await store.given_answers.keep(ana.id, "key", GivenAnswer("r", 200, CANARY), NOW)
    assert CANARY.encode() not in archive.on_disk() and b"EXEMPLARGL0170" not in archive.on_disk()
    async with archive.database.read() as store:
        kept, link = await store.contracts.find(contract.id), await store.links.by_secret("hash")
        word, given = await store.words.find("w1"), await store.given_answers.find(ana.id, "key", NOW)
        found, again = await store.plans.find(item.id), await store.contracts.find_duty(duty.id)
        (act, _) = await store.local_acts.of(contract.id)
    assert kept and link and word and given and found and again
    assert (kept.terms.supplier, kept.terms.note, kept.terms.identifier) == (CANARY, CANARY, NUMBER)
    assert {a.words for a in kept.exit_plan.values()} == {CANARY} == {act.reason}
    assert [link.draft, word.text, given.body, found.note, found.verifier, again.note] == [CANARY] * 6


async def test_a_copy_of_the_database_alone_reads_no_case_and_not_why_anybody_objects_or_allows(
    archive: Archive,
) -> None:
    """An auditor says here who would be recognised, and a case whom people are in danger at."""
    ana, ben = archive.people
    report = await archive.report()
    whom = Whom("BR", (Name(text=CANARY),), (NUMBER,))
    member = FIRM.member(slug="city", country="SE")
    async with archive.database.write() as store:
        objection = await make_objection(store, ana, report, None, CANARY, NOW)
        act = await propose_act(store, ana, HOLD, report.id, None, CANARY, NOW)
        marked = replace(report, marks=(SCHEME_NOT_AUTHORISED,))
        allowance = await propose_allowance(store, ana, marked, AllowanceCode.URGENT, CANARY, NOW)
        allowance = await decide_allowance(store, ben, allowance.id, AllowanceCode.URGENT, CANARY, NOW, allow=True)
        fay = await add_person(
            store, name="fay", roles=[PersonRole.FOCAL_POINT], firm=None, password_hash=None, by="t", now=NOW
        )
        case = await cases.open_case(store, fay, cases.Opening(whom, "BR", False, None, CANARY), NOW)
        for step in (Step.REVIEWED, Step.SAFETY_PLAN):
            await cases.take_step(store, fay, case.id, step, NOW)
        await store.referrals.put(Contact("0" * 16, "BR", "Hotline", ContactKind.HOTLINE, "+55", date(2027, 1, 1)))
        await cases.take_step(store, fay, case.id, Step.REFERRAL_CONTACTED, NOW, contact="0" * 16)
        said = ((Indicator.DEBT_BONDAGE,), Severity.S4, ("city",))
        await cases.decide_detail(store, fay, case.id, *said, registry_of(member), NOW)
    raw = archive.on_disk()
    assert CANARY.encode() not in raw and b"EXEMPLARGL0170" not in raw and b"FL09" not in raw
    async with archive.database.read() as store:
        assert [o.reason for o in await store.concerns.objections(report.id)] == [CANARY] == [objection.reason]
        assert [a.reason for a in await store.concerns.acts(report.id)] == [CANARY] == [act.reason]
        (allowed,) = await store.allowances.of_report(report.id)
        found = await store.cases.find(case.id)
    assert allowed == allowance and allowed.second is not None and allowed.second.words == allowed.first.words == CANARY
    assert found is not None and found.detail is not None
    assert (found.whom, found.reference, found.detail.indicators) == (whom, CANARY, said[0])


async def test_what_came_before_reports_were_sealed_is_sealed_and_given_a_day(archive: Archive) -> None:
    plain = Database(archive.database.url)
    raw = sign_report(audit_report(auditor=FIRM.did), iss=FIRM.did, kid=FIRM.kid, key=FIRM.key, now=NOW)
    async with plain.write() as store:
        await store.reports.add(StoredReport(digest(raw), "signed", raw, *[None] * 5, (), archive.people[0].id, NOW))
    await plain.close()
    await prepare(archive.database, 12)
    async with archive.database.read() as store:
        found = await store.reports.find(digest(raw))
        assert await store.reports.unprepared(most=9) == []
    assert found is not None and (found.raw, found.keep_until) == (raw, date(2027, 10, 31))
    connection = sqlite3.connect(archive.place / "node.db")
    (kept,) = connection.execute("select raw from report").fetchone()
    connection.close()
    assert raw[:100] not in kept


async def _copy(archive: Archive, to: Path) -> None:
    def copy() -> None:
        source, target = sqlite3.connect(archive.place / "node.db"), sqlite3.connect(to)
        source.backup(target)
        source.close()
        target.close()

    await asyncio.to_thread(copy)


async def test_a_node_destroys_by_itself_what_is_past_its_day_and_never_by_a_clock_that_is_far_wrong(
    town: Town,
) -> None:
    api = await furnish(town)
    house = api.house
    report = await api.report_with_evidence()
    async with house.node.database.write() as store:
        await store.reports.prepare(report, date(2026, 1, 1))
    expires = house.node.trusted_registry().expires
    wrong, right = Clock(expires + timedelta(days=1)), house.node.clock
    house.node.clock = wrong
    async with exchanging(house):
        await asyncio.sleep(1.5)
        assert (await api.ask("reviewer", "GET", f"reports/{report}/signed")).status_code in (200, 401)
    house.node.clock = right
    assert (await api.ask("reviewer", "GET", f"reports/{report}/signed")).status_code == 200
    async with exchanging(house):

        async def destroyed() -> bool:
            return bool((await api.made("reviewer", "GET", f"reports/{report}"))["expired_at"])

        await until("the report is destroyed", destroyed)
    for path in ("signed", "drafts", "sections", "evidence"):
        answer = await api.ask("reviewer", "GET", f"reports/{report}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "report.expired")
    listed = (await api.made("reviewer", "GET", "reports"))["items"][0]
    assert (listed["id"], listed["marks"]) == (report, ["expired"])
    assert list((house.home / "evidence").glob("*")) == [] and PICTURE
    again = await api.ask("auditor", "POST", "reports", content=api.signed(), headers=MEDIA_TYPE)
    assert again.status_code == 201
