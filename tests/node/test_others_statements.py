"""What members say of each other's statements: two contradictory decisions, a correction by somebody else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, IDENTIFIERS, Publisher
from comity_node.cli.words import say_answer
from comity_node.db import Database
from comity_node.domain.errors import AlreadyProposed, NotPublished
from comity_node.domain.ruling import Ruling
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen
from comity_node.services.review.decisions import keep_ruling, propose_decision
from comity_node.services.review.release import propose_withdrawal
from comity_node.services.review.revision import Step, propose_revision
from comity_schemas.decision import Decision
from comity_schemas.finding import Status
from comity_schemas.identifiers import Identifier
from comity_schemas.statement import WithdrawalReason
from node_world import NOW, Bench, registry_of
from review_office import Office

AGENCY, BODY = Publisher("agency"), Publisher("body")
CNPJ = Identifier.from_parsed(IDENTIFIERS[0])
TERM = DECISION_IN_CLEAR["terms"][0]


async def decisions_of(database: Database) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole answer, and the decisions of it by who published them."""
    members = registry_of(AGENCY.member(), BODY.member())
    async with database.read() as store:
        given = describe(await screen(store, [Question(identifiers=(CNPJ,))], members, NOW + timedelta(days=1)))
    return given, {hit["published_by"]: hit for hit in given["answers"][0]["decisions"]}


def decided(publisher: Publisher, **changes: Any) -> Any:
    return publisher.decision(clear={**DECISION_IN_CLEAR, "reference": publisher.name[0].upper() * 43, **changes})


OTHERWISE: dict[str, dict[str, Any]] = {
    "lifted by one": {"lifted": "rescinded"},
    "another end": {"terms": [{**TERM, "until": "2027-01-14"}]},
    "no end": {"terms": [{"start": TERM["start"], "end": "permanent"}]},
}


@pytest.mark.parametrize("case", OTHERWISE)
async def test_two_members_contradictory_decisions_both_stand_and_say_so(
    sqlite: Database, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(sqlite)
    ours, theirs = decided(AGENCY), decided(BODY, **OTHERWISE[case])
    await bench.arrive(AGENCY.member(), ours.raw)
    await bench.arrive(BODY.member(), theirs.raw)
    given, told = await decisions_of(sqlite)
    assert told["agency"]["contradicted_by"] == [theirs.hash] and told["body"]["contradicted_by"] == [ours.hash]
    say_answer(given)
    said = capsys.readouterr().out
    assert said.count("MEMBERS DISAGREE on this decision") == 2 and "ask WBG which is true" in said
    # Once one of them corrects it, nobody disagrees any more.
    clear = {**DECISION_IN_CLEAR, "reference": "B" * 43, "replaces": theirs.hash}
    await bench.arrive(BODY.member(), BODY.decision(clear=clear, **BODY.after(theirs)).raw)
    _, told = await decisions_of(sqlite)
    assert [hit["contradicted_by"] for hit in told.values()] == [[], []]


AGREEING: dict[str, dict[str, Any]] = {
    "the same": {},
    "another case of the authority": {"terms": [{**TERM, "start": "2019-01-01", "until": "2020-01-01"}]},
    "another measure": {"measure": "condition", "lifted": "rescinded"},
    "another authority": {"authority": {"code": "ADB", "country": "international"}, "lifted": "rescinded"},
}


@pytest.mark.parametrize("case", AGREEING)
async def test_two_decisions_that_are_not_one_contradict_nobody(sqlite: Database, case: str) -> None:
    bench = Bench(sqlite)
    await bench.arrive(AGENCY.member(), decided(AGENCY).raw)
    await bench.arrive(BODY.member(), decided(BODY, **AGREEING[case]).raw)
    _, told = await decisions_of(sqlite)
    assert [hit["contradicted_by"] for hit in told.values()] == [[], []]


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("how", ["corrects", "takes back"])
async def test_a_correction_by_somebody_else_than_the_issuer_counts_at_no_node(
    sqlite: Database, how: str, opens: bool
) -> None:
    bench, finding = Bench(sqlite, opens=opens), AGENCY.finding()
    first = BODY.finding()
    place = BODY.after(first)
    theirs = (
        BODY.finding(clear={**FINDING_IN_CLEAR, "replaces": finding.hash}, **place)
        if how == "corrects"
        else BODY.withdrawal(finding.hash, **place)
    )
    await bench.arrive(AGENCY.member(), finding.raw)
    await bench.arrive(BODY.member(), first.raw, theirs.raw)
    assert (await bench.states(BODY.member()))[theirs.hash] == [("kept", "reference")]
    async with sqlite.read() as store:
        assert (await store.view.load([finding.hash]))[finding.hash].state == "current"


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


async def test_a_correction_by_somebody_else_is_refused_and_told_whose_it_is(office: Office) -> None:
    finding = BODY.finding()
    decision = BODY.decision(**BODY.after(finding))
    await Bench(office.database).arrive(BODY.member(), finding.raw, decision.raw)
    ana, why = office.people["ana"], "body has published this, and only body corrects it"
    step, error = Step(Status.CONFIRMED), WithdrawalReason.FACTUAL_ERROR
    ruling = Ruling(v=1, decision=Decision.from_parsed({**DECISION_IN_CLEAR, "names": [{"text": "X"}]}))
    stored = await office.write(lambda store: keep_ruling(store, ana, ruling, NOW))
    acts = (
        lambda store: propose_revision(store, ana, finding.hash, step, NOW),
        lambda store: propose_withdrawal(store, ana, finding.hash, error, NOW),
        lambda store: propose_decision(store, ana, stored, now=NOW, revises=decision.hash),
    )
    for act in acts:
        with pytest.raises(NotPublished, match=why):
            await office.write(act)
    async with office.database.read() as store:
        assert await store.reviews.page(state=None, before=None, most=9) == []


async def test_a_decision_that_was_taken_back_and_stands_after_all_is_released_anew(office: Office) -> None:
    ana, name = office.people["ana"], [{"text": "X"}]
    ruling = Ruling(v=1, decision=Decision.from_parsed({**DECISION_IN_CLEAR, "names": name}))
    stored = await office.write(lambda store: keep_ruling(store, ana, ruling, NOW))

    async def propose() -> Any:
        return await office.write(lambda store: propose_decision(store, ana, stored, now=NOW))

    await office.approve("ben", await propose())
    (first,) = await office.sign()
    with pytest.raises(AlreadyProposed):
        await propose()
    await office.approve("ben", await office.withdraw("ana", first))
    await office.approve("ben", await propose())
    assert await office.released() == 3
