"""Decisions of authorities: folded, found and shown apart from findings, published and taken back by two people."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, HANDLING, IDENTIFIERS, NAMES, Made, Publisher
from comity_node.cli.words import say_answer
from comity_node.db import Database
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.screening import (
    DecisionHit,
    DecisionState,
    Question,
    State,
    recognitions_of,
)
from comity_node.domain.supplier_view import (
    DecisionEntry,
    DecisionStanding,
    Entry,
    EntryState,
    Statement,
    decision_standing,
    fold,
)
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Coverage
from comity_node.services.answering.screen import Answer, screen
from comity_node.services.operating.check import check
from comity_schemas.decision import Decision, End
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier
from comity_schemas.member import Role
from comity_schemas.statement import Kind, Withdrawal
from node_world import NOW, Bench, House, Town, exchanging, registry_of, until

TERMS = Handling.from_parsed(HANDLING)
TODAY = date(2026, 11, 22)
AGENCY = Publisher("agency")
CNPJ = Identifier.from_parsed(IDENTIFIERS[0])


def decision(**fields: Any) -> Decision:
    return Decision.from_parsed({**DECISION_IN_CLEAR, "names": NAMES, **fields})


def entry(body: Decision | None, state: EntryState = EntryState.CURRENT) -> DecisionEntry:
    return DecisionEntry("H" * 43, "agency", 1, TERMS, body, state)


def standing_of(*terms: dict[str, Any], **fields: Any) -> DecisionStanding:
    return decision_standing(entry(decision(terms=list(terms), **fields)), TODAY)


# --- what it means today


def test_five_ends_of_a_source_are_five_meanings() -> None:
    shown = {end: standing_of({"start": "2020-01-01", "end": end}) for end in End if end is not End.DATE}
    assert shown == {
        End.ONGOING: DecisionStanding.IN_FORCE,
        End.INDEFINITE: DecisionStanding.IN_FORCE,
        End.PERMANENT: DecisionStanding.IN_FORCE,
        End.PLACEHOLDER: DecisionStanding.IN_FORCE,
        End.NOT_STATED: DecisionStanding.END_NOT_STATED,
    }


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 4_000))
def test_a_decision_is_in_force_from_its_first_to_its_last_day_both_included(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    one = entry(decision(terms=[{"start": str(start), "end": "date", "until": str(end)}]))
    days = {start: "in force", end: "in force"}
    days |= {start - timedelta(days=1): "not begun", end + timedelta(days=1): "ended"}
    assert {day: decision_standing(one, day).value for day in days} == days


def test_where_sources_disagree_it_is_in_force_if_one_of_them_says_so() -> None:
    over = {"source": "one", "start": "2024-01-01", "end": "date", "until": "2026-11-21"}
    assert standing_of(over, {**over, "source": "two", "until": "2026-11-22"}) is DecisionStanding.IN_FORCE
    assert standing_of(over, {**over, "source": "two", "until": "2026-11-20"}) is DecisionStanding.ENDED


def test_what_was_lifted_is_not_in_force_whatever_its_dates() -> None:
    assert standing_of({"end": "permanent"}, lifted="overturned") is DecisionStanding.LIFTED


# --- folding


def statement(seq: int, body: Finding | Decision | Withdrawal | None, kind: Kind) -> Statement:
    return Statement("agency", seq, f"{seq:043}", kind, TERMS, body)


def test_a_decision_and_a_finding_are_entries_of_different_types() -> None:
    found = Finding.from_parsed({**FINDING_IN_CLEAR, "names": NAMES})
    view = fold([statement(1, found, Kind.FINDING), statement(2, decision(), Kind.DECISION)])
    assert [type(e) for e in view.values()] == [Entry, DecisionEntry]


def test_a_lifting_supersedes_the_decision_and_a_withdrawal_ends_it_for_good() -> None:
    first, lifted = decision(), decision(lifted="overturned", replaces=f"{1:043}")
    back = Withdrawal.from_parsed({"statement": f"{2:043}", "reason": "wrong-subject"})
    said = [
        statement(1, first, Kind.DECISION),
        statement(2, lifted, Kind.DECISION),
        statement(3, back, Kind.WITHDRAWAL),
    ]
    states = [[e.state.value for e in fold(said[:count]).values()] for count in (1, 2, 3)]
    assert states == [["current"], ["superseded", "current"], ["superseded", "withdrawn"]]


def test_a_decision_that_cannot_be_read_is_counted_and_claims_nothing() -> None:
    (one,) = fold([statement(1, None, Kind.DECISION)]).values()
    assert isinstance(one, DecisionEntry)
    assert decision_standing(one, TODAY) is DecisionStanding.END_NOT_STATED


def test_a_recognition_is_tied_to_the_decision_it_names_and_to_no_other() -> None:
    of = {"code": "WBG", "country": "international"}
    bank = {"code": "EBRD", "country": "international"}
    said = [
        decision(reference="A" * 43),
        decision(reference="B" * 43, authority=bank, act={"type": "recognition", "of": of, "reference": "A" * 43}),
        decision(reference="C" * 43, authority=bank, act={"type": "recognition", "of": of, "reference": "X" * 43}),
        decision(reference="E" * 43, authority=bank, act={"type": "recognition", "of": of}),
    ]
    hits = [
        DecisionHit(
            DecisionEntry(f"{n:043}", "agency", n, TERMS, body, EntryState.CURRENT),
            DecisionStanding.IN_FORCE,
            Likeness(Verdict.REVIEW),
        )
        for n, body in enumerate(said)
    ]
    tied = {name: [hit.entry.hash for hit in others] for name, others in recognitions_of(hits).items()}
    assert tied == {f"{0:043}": [f"{1:043}"]}


# --- received, found, checked; by the fast lane and without it


async def answered(bench: Bench, **question: Any) -> dict[str, Any]:
    async with bench.database.read() as store:
        given = await screen(store, [Question(**question)], registry_of(AGENCY.member()), NOW)
    (answer,) = describe(given)["answers"]
    return dict(answer)


def chain() -> list[Made]:
    first = AGENCY.decision()
    finding = AGENCY.finding(**AGENCY.after(first))
    lifted = {**DECISION_IN_CLEAR, "lifted": "rescinded", "replaces": first.hash}
    revised = AGENCY.decision(clear=lifted, **AGENCY.after(finding))
    other = AGENCY.decision(clear={**DECISION_IN_CLEAR, "reference": "E" * 43}, **AGENCY.after(revised))
    return [first, finding, revised, other, AGENCY.withdrawal(other.hash, **AGENCY.after(other))]


@pytest.mark.parametrize("opens", [True, False])
async def test_decisions_stand_in_tables_of_their_own_and_check_agrees(database: Database, opens: bool) -> None:
    bench, said = Bench(database, opens=opens), chain()
    settled = await bench.arrive(AGENCY.member(), *(made.raw for made in said))
    assert settled.accepted == 5
    async with database.read() as store:
        findings, decisions = await store.view.findings.of_log("agency"), await store.view.decisions.of_log("agency")
    assert set(findings) == {said[1].hash}
    assert {name: (e.state.value, e.by) for name, e in decisions.items()} == {
        said[0].hash: ("superseded", said[2].hash),
        said[2].hash: ("current", None),
        said[3].hash: ("withdrawn", said[4].hash),
    }
    assert await bench.check(AGENCY.member()) == []


async def test_the_fast_lane_and_decide_fold_decisions_alike(database: Database, sqlite: Database) -> None:
    benches, said = [Bench(database, opens=True), Bench(sqlite, opens=False)], [made.raw for made in chain()]
    for bench in benches:
        await bench.arrive(AGENCY.member(), *said)
    first, second = [await bench.snapshot(AGENCY.member()) for bench in benches]
    assert first == second


async def test_check_notices_a_decision_that_was_changed_in_the_database(database: Database) -> None:
    bench = Bench(database)
    await bench.arrive(AGENCY.member(), *(made.raw for made in chain()))
    async with database.write() as store:
        connection = await store._session.connection()
        await connection.exec_driver_sql("update decision set reason = 'because'")
    problems = await bench.check(AGENCY.member())
    assert len(problems) == 3
    assert all("decision " in problem and "differs" in problem for problem in problems)


async def test_a_supplier_known_only_by_a_decision_has_no_finding_and_is_not_unknown(database: Database) -> None:
    bench = Bench(database)
    await bench.arrive(AGENCY.member(), AGENCY.decision().raw)
    answer = await answered(bench, identifiers=(CNPJ,))
    assert (answer["verdict"], answer["state"], answer["findings"]) == ("match", "known, never audited", [])
    assert answer["decision_state"] == "decisions shared"
    (hit,) = answer["decisions"]
    assert (hit["standing"], hit["decision"]["stand"], "indicators" in Decision.from_parsed(hit["decision"])) == (
        "in force",
        "relays",
        False,
    )
    by_name = await answered(bench, name="Fazenda Exemplo")
    assert (by_name["verdict"], by_name["decision_state"]) == (
        "review",
        "decisions shared under a like name, identity not confirmed",
    )
    unknown = await answered(bench, name="Somebody Else Entirely")
    assert (unknown["state"], unknown["decision_state"]) == ("no supplier by this name", "no decision shared")


async def test_by_the_number_of_one_branch_the_others_of_the_company_are_found(database: Database) -> None:
    bench = Bench(database)
    await bench.arrive(AGENCY.member(), AGENCY.decision().raw)
    branch = Identifier.of("BR-CNPJ", "00000000000272")
    answer = await answered(bench, name="Another name", identifiers=(branch,))
    assert (answer["verdict"], answer["decision_state"]) == (
        "same company, other site",
        "decisions shared on another site of the same company",
    )
    (hit,) = answer["decisions"]
    assert "the same company by BR-CNPJ 00000000, another branch: 00000000000191" in hit["reason"]


async def test_a_finding_says_nothing_of_decisions(database: Database) -> None:
    bench = Bench(database)
    await bench.arrive(AGENCY.member(), AGENCY.finding().raw)
    answer = await answered(bench, identifiers=(CNPJ,))
    assert (answer["state"], answer["decision_state"], answer["decisions"]) == (
        "findings shared",
        "no decision shared",
        [],
    )


# --- over two nodes: proposed, released by a second person, found elsewhere, lifted, taken back


@dataclass
class Pair:
    """An agency that publishes and a procurement body that screens."""

    agency: House
    body: House

    async def as_(self, who: str, method: str, path: str, **more: Any) -> Any:
        house = self.body if who == "officer" else self.agency
        async with house.api(house.people[who]) as api:
            answer = await api.request(method, f"/api/v1/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def released(self, decision: dict[str, Any], **more: Any) -> str:
        """Propose as one person, approve as another; return the statement once it is sent."""
        review = await self.as_("first", "POST", "decisions", json={"decision": decision, **more})
        return await self.approved(str(review["id"]))

    async def approved(self, review: str) -> str:
        await self.as_("second", "POST", f"reviews/{review}/approve")

        async def sent() -> str | None:
            items = (await self.as_("first", "GET", "published"))["items"]
            return next((i["statement"] for i in items if i["review"] == review and i["state"] == "sent"), None)

        return str(await until("it is sent", sent))

    async def screened(self, **supplier: Any) -> dict[str, Any]:
        found = await self.as_("officer", "POST", "screenings", json={"suppliers": [supplier]})
        return dict(found["answers"][0])

    async def until_standing(self, *standings: str) -> list[dict[str, Any]]:
        async def told() -> list[dict[str, Any]] | None:
            hits = (await self.screened(identifiers=IDENTIFIERS))["decisions"]
            return hits if sorted(hit["standing"] for hit in hits) == sorted(standings) else None

        return list(await until(f"decisions stand as {standings}", told))


@pytest_asyncio.fixture
async def pair(town: Town) -> AsyncIterator[Pair]:
    agency, body = await town.found("agency"), await town.found("body", Role.PROCUREMENT_BODY)
    await town.refresh()
    await agency.hire("first", "reviewer")
    await agency.hire("second", "reviewer")
    await body.hire("officer", "officer")
    async with exchanging(agency), exchanging(body):
        yield Pair(agency, body)


async def test_a_decision_crosses_the_network_is_lifted_and_taken_back_by_two_people_each(pair: Pair) -> None:
    said = {**DECISION_IN_CLEAR, "names": NAMES, "identifiers": IDENTIFIERS, "terms": [{"end": "ongoing"}]}
    first = await pair.released(said)
    (hit,) = await pair.until_standing("in force")
    assert (hit["published_by"], hit["statement"], Decision.from_parsed(hit["decision"])) == (
        "agency",
        first,
        Decision.from_parsed(said),
    )
    lifted = await pair.released({**said, "lifted": "overturned"}, revises=first)
    hits = {hit["statement"]: hit for hit in await pair.until_standing("lifted", "superseded")}
    assert hits[first]["changed_by"] == lifted
    review = await pair.as_("first", "POST", "withdrawals", json={"statement": lifted, "reason": "wrong-subject"})
    await pair.approved(review["id"])
    hits = {hit["statement"]: hit for hit in await pair.until_standing("withdrawn", "superseded")}
    assert hits[lifted]["taken_back"] == "wrong-subject"
    answer = await pair.screened(identifiers=IDENTIFIERS)
    assert (answer["state"], answer["decision_state"]) == ("known, never audited", "no decision shared")
    for house in (pair.agency, pair.body):
        node = house.node
        assert await check(node.database, await node.registry(), node.clock()) == []


async def test_nobody_releases_a_decision_alone_and_nothing_corrects_what_is_no_decision(pair: Pair) -> None:
    said = {**DECISION_IN_CLEAR, "names": NAMES}
    async with pair.agency.api(pair.agency.people["first"]) as api:
        review = (await api.post("/api/v1/decisions", json={"decision": said})).json()
        alone = await api.post(f"/api/v1/reviews/{review['id']}/approve")
        again = await api.post("/api/v1/decisions", json={"decision": said})
        other = await api.post("/api/v1/decisions", json={"decision": said, "revises": "A" * 43})
        amber = await api.post(
            "/api/v1/decisions",
            json={"decision": {**said, "reference": "F" * 43}, "handling": {**HANDLING, "tlp": "AMBER"}},
        )
        person = {**said, "reference": "G" * 43, "named_after_person": True}
        clear = await api.post("/api/v1/decisions", json={"decision": person, "handling": {**HANDLING, "tlp": "CLEAR"}})
        held = await api.post("/api/v1/decisions", json={"decision": person})
        kept = await api.get(f"/api/v1/rulings/{review['ruling']}")
    codes = [answer.json()["code"] for answer in (alone, again, other, amber, clear)]
    assert codes == [
        "review.same-person",
        "review.already-proposed",
        "review.not-published",
        "review.handling-refused",
        "review.handling-refused",
    ]
    assert (held.status_code, held.json()["handling"]["tlp"], review["handling"]["tlp"]) == (201, "GREEN", "CLEAR")
    assert kept.json()["decision"] == review["clear"] | review["disclosed"]


# --- words


def printed(capsys: pytest.CaptureFixture[str], *bodies: dict[str, Any]) -> str:
    hits = [
        DecisionHit(
            DecisionEntry(f"{n:043}", "agency", n, TERMS, decision(**body), EntryState.CURRENT),
            decision_standing(entry(decision(**body)), TODAY),
            Likeness(Verdict.MATCH, reason="the same BR-CNPJ 00000000000191"),
        )
        for n, body in enumerate(bodies)
    ]
    cover = Coverage(1, ("agency",), (), (), (), None)
    question = Question(identifiers=(CNPJ,))
    answer = Answer(
        question=question,
        verdict=Verdict.MATCH,
        state=State.NOTHING_SHARED,
        hits=(),
        unreadable=0,
        decision_state=DecisionState.SHARED,
        decisions=tuple(hits),
        orders=Counter(hit.standing for hit in hits),
        unreadable_decisions=2,
        pointers=(),
        unreadable_pointers=0,
        as_of=NOW,
        registry_version=1,
        positions={},
        coverage=cover,
    )
    say_answer(describe([answer]))
    return capsys.readouterr().out


def test_decisions_have_a_heading_of_their_own_and_a_recognition_stands_below_what_it_recognises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    of = {"code": "WBG", "country": "international"}
    bank = {"code": "EBRD", "country": "international"}
    recognised = {
        "authority": bank,
        "act": {"type": "recognition", "of": of, "reference": "A" * 43},
        "reference": "B" * 43,
    }
    lines = printed(capsys, {"reference": "A" * 43}, recognised).splitlines()
    assert lines[1:4] == [
        "  Decisions of authorities (orders, not findings): decisions shared",
        "  match (the same BR-CNPJ 00000000000191)",
        "    Fazenda Exemplo Ltda, BR: excluded by WBG (international)",
    ]
    assert lines[4:6] == [
        "    in force; grounds: fraud; agency only relays it",
        "    from 2026-01-15 to 2028-01-14",
    ]
    assert lines[6] == "    recognised, which is no further decision on the case:"
    assert lines[8] == "      Fazenda Exemplo Ltda, BR: excluded by EBRD (international), recognising a decision of WBG"
    assert "  (2 further decisions name nobody this node may read)" in lines
    assert not any("indicator" in line or "finding " in line for line in lines[1:9])


def test_sources_that_disagree_are_both_shown_and_five_ends_have_five_wordings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = printed(
        capsys,
        {
            "terms": [
                {"source": "oflc-spreadsheet", "start": "2012-06-07", "end": "date", "until": "2013-06-06"},
                {"source": "wayback-20130618063829", "start": "2012-06-07", "end": "date", "until": "2014-06-06"},
            ]
        },
        *({"reference": str(n) * 43, "terms": [{"end": end}]} for n, end in enumerate(End) if end is not End.DATE),
    )
    assert "    sources disagree on dates:\n    from 2012-06-07 to 2013-06-06 (oflc-spreadsheet)\n" in said
    assert "    from 2012-06-07 to 2014-06-06 (wayback-20130618063829)\n" in said
    ends = {line.strip() for line in said.splitlines() if "start not stated" in line}
    assert len(ends) == 5
