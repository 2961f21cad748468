import types
import typing
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

import comity_federation
import comity_schemas
from api_world import EXIT_PLAN, Office, furnish
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_node.cli import due
from comity_node.db import Database
from comity_node.db.outbox import OutboxItem
from comity_node.domain.contract_sheet import (
    ContractSheetRefused,
    read_csv,
    write_csv,
)
from comity_node.domain.contracts import (
    Answer,
    Answered,
    Contract,
    ContractState,
    DutyKind,
    DutyState,
    ExitCheck,
    LabourClause,
    TerminationReason,
    Terms,
    contract_in_words,
)
from comity_node.domain.errors import ContractMayNot, ExitPlanMissing, ReferenceTaken, SamePerson
from comity_node.domain.plan import ItemState
from comity_node.services.operating.retention import NOTHING_DESTROYED
from comity_node.services.remedy import contracts, plans
from comity_node.services.remedy.plans import NOTHING_LATE, Move, Subject
from comity_schemas.finding import Remedy
from comity_schemas.statement import BODIES, Checkpoint, Claims
from contract_terms import ALL_YES, HEADINGS, TERMS, as_read
from node_world import NOW, Town, exchanging, until
from review_office import Office as ReviewOffice
from unwrapped import unwrapped

# --- on a database


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[ReviewOffice]:
    made = ReviewOffice(sqlite)
    await made.open()
    yield made


async def entered(office: ReviewOffice, terms: Terms = TERMS) -> Contract:
    contract: Contract = await office.write(
        lambda store: contracts.add_contract(store, office.people["ana"], terms, NOW)
    )
    return contract


async def again(office: ReviewOffice, contract: Contract) -> Contract:
    async with office.database.read() as store:
        return await contracts.find_contract(store, contract.id)


async def answer(office: ReviewOffice, contract: Contract, who: str = "ana", **more: Answered) -> None:
    answers = {**ALL_YES, **{ExitCheck(name.replace("_", "-")): given for name, given in more.items()}}
    now = await again(office, contract)
    await office.write(lambda store: contracts.answer_exit_plan(store, office.people[who], now, answers, NOW))


async def cut(office: ReviewOffice, contract: Contract, who: str) -> Contract:
    now = await again(office, contract)
    ended: Contract = await office.write(
        lambda store: contracts.terminate(store, office.people[who], now, TerminationReason.LABOUR_RIGHTS, NOW)
    )
    return ended


async def test_a_termination_asks_for_the_exit_plan_then_for_a_second_person_and_can_be_taken_back(
    office: ReviewOffice,
) -> None:
    contract = await entered(office)
    with pytest.raises(ExitPlanMissing, match="engagement-tried, workers-heard"):
        await cut(office, contract, "ben")
    await answer(office, contract)
    with pytest.raises(SamePerson):
        await cut(office, contract, "ana")
    ended = await cut(office, contract, "ben")
    assert contract_in_words(ended, NOW.date()) == "terminated (labour-rights)"
    with pytest.raises(ContractMayNot, match="terminated already"):
        await cut(office, contract, "ben")
    await office.write(lambda store: contracts.resume(store, office.people["cy"], ended, "another contract", NOW))
    running = await again(office, contract)
    assert (running.state, running.exit_plan) == (ContractState.RUNNING, {})
    with pytest.raises(ExitPlanMissing):
        await cut(office, contract, "ben")
    async with office.database.read() as store:
        assert [a.act for a in await store.local_acts.of(contract.id)] == ["exit-plan", "terminate", "resume"]
        events = [entry.event.value for _, entry in reversed(await store.trail.page(before=None, most=4))]
    assert events == ["contract.added", "exit-plan.answered", "contract.terminated", "contract.resumed"]


async def test_while_a_remedy_of_a_plan_is_owed_the_exit_plan_must_secure_it(office: ReviewOffice) -> None:
    contract = await entered(office)
    subject, ana = Subject(finding="F" * 43), office.people["ana"]
    item = await office.write(
        lambda store: plans.add_item(store, ana, subject, Remedy.FEES_REPAID, "2026-12", None, NOW, contract.id)
    )
    await answer(office, contract, remedy_secured=Answered(Answer.NOT_APPLICABLE, "nothing was owed"))
    with pytest.raises(ExitPlanMissing, match="remedy-secured"):
        await cut(office, contract, "ben")
    await office.write(lambda store: plans.move_item(store, ana, item, Move(ItemState.DONE), NOW))
    assert (await cut(office, contract, "ben")).state is ContractState.TERMINATED


async def test_the_database_itself_refuses_a_cut_without_exit_plan_and_by_the_same_person(office: ReviewOffice) -> None:
    contract, ana = await entered(office), office.people["ana"].id
    for exit_by in (None, ana):
        wrong = replace(
            contract,
            state=ContractState.TERMINATED,
            exit_by=exit_by,
            terminated_by=ana,
            termination=TerminationReason.OTHER_BREACH,
        )
        with pytest.raises(IntegrityError):
            await office.write(lambda store, wrong=wrong: store.contracts.put(wrong))


async def test_corrections_keep_what_stood_there_and_no_two_contracts_share_a_reference(office: ReviewOffice) -> None:
    contract, ana = await entered(office), office.people["ana"]
    await entered(office, replace(TERMS, reference="FC-2"))
    with pytest.raises(ReferenceTaken):
        await entered(office)
    correct = lambda **changes: office.write(  # noqa: E731 said once
        lambda store: contracts.correct_contract(store, ana, contract, changes, "misread", NOW)
    )
    with pytest.raises(ReferenceTaken):
        await correct(reference="FC-2")
    with pytest.raises(ContractMayNot):
        await correct(ends=TERMS.ends)
    await correct(ends=date(2028, 1, 31), clauses=frozenset({LabourClause.REMEDY}))
    async with office.database.read() as store:
        (act,) = await store.local_acts.of(contract.id)
    assert act.before == {"ends": "2027-06-30", "clauses": ["audit-reports"]}
    add = lambda: office.write(  # noqa: E731 said once
        lambda store: contracts.add_duty(store, ana, contract, DutyKind.LIST_FACTORIES, date(2027, 1, 31), None, NOW)
    )
    duty = await add()
    with pytest.raises(ContractMayNot):
        await add()
    wrong = {"due": date(2027, 3, 31)}
    await office.write(lambda store: contracts.correct_duty(store, ana, duty, wrong, "misread", NOW))
    done = await office.write(lambda store: contracts.move_duty(store, ana, duty, DutyState.DONE, None, NOW))
    with pytest.raises(ContractMayNot):
        await office.write(lambda store: contracts.correct_duty(store, ana, done, wrong, "misread", NOW))


LIST = (
    f"{HEADINGS}\n"
    "FC-1;Exemplar Gloves;2027-01-31;audit-reports, remedy;give-audit-report;2026-12-31;;\n"
    "FC-1;Exemplar Gloves;2027-01-31;audit-reports; list-factories-by-tier;2026-11-30;done;handed in early\n"
    "FC-2;Northwind;2028-01-31;;;;;page 4\n"
).replace("audit-reports; ", "audit-reports, remedy;")


async def test_a_list_is_taken_whole_or_not_at_all_and_a_second_time_changes_nothing(office: ReviewOffice) -> None:
    take = lambda raw: office.write(  # noqa: E731 said once
        lambda store: contracts.import_contracts(store, office.people["ana"], read_csv(raw.encode()), NOW)
    )
    for wrong, said in (
        (LIST.replace("FC-2", "FC-1"), "row 4, reference: another row"),
        (LIST + "FC-2;Northwind;2029-01-31;;;;;\n", "row 5, reference: another row"),
    ):
        with pytest.raises(ContractSheetRefused, match=said):
            await take(wrong)
    async with office.database.read() as store:
        assert await store.contracts.all() == []
    done = await take(LIST)
    assert (done.contracts, done.duties, done.unchanged) == (2, 2, 0)
    done = await take(LIST)
    assert (done.contracts, done.duties, done.unchanged) == (0, 0, 2)
    for wrong, said in (
        (LIST.replace("Northwind", "Southwind"), "row 4, reference: the register says otherwise"),
        (LIST.replace("2026-12-31;;", "2026-12-31;done;"), "row 2, state: the register has this duty as open"),
    ):
        with pytest.raises(ContractSheetRefused, match=said):
            await take(wrong)
    rows = await office.write(lambda store: contracts.exported(store, office.people["ana"], NOW))
    assert sorted(map(repr, as_read(read_csv(write_csv(rows))))) == sorted(map(repr, as_read(read_csv(LIST.encode()))))


async def test_what_was_exported_is_taken_in_again_and_changes_nothing(office: ReviewOffice) -> None:
    contract, ana = await entered(office, replace(TERMS, note="page 4")), office.people["ana"]
    for day, note in ((date(2027, 1, 31), None), (date(2027, 2, 28), "second half")):
        duty = await office.write(
            lambda store, day=day, note=note: contracts.add_duty(
                store, ana, contract, DutyKind.LIST_FACTORIES, day, note, NOW
            )
        )
        await office.write(
            lambda store, duty=duty: contracts.move_duty(store, ana, duty, DutyState.WAIVED, "the plant closed", NOW)
        )
    await answer(office, contract)
    await cut(office, contract, "ben")
    rows = await office.write(lambda store: contracts.exported(store, ana, NOW))
    again = read_csv(write_csv(rows))
    assert [row.duty.note for row in again if row.duty] == ["the plant closed", "second half"]
    done = await office.write(lambda store: contracts.import_contracts(store, ana, again, NOW))
    assert (done.contracts, done.duties, done.unchanged) == (0, 0, 2)
    # It is cut at this node, and a list says so, or is refused; at another node a list cuts nothing.
    assert {row.terminated for row in again} == {TerminationReason.LABOUR_RIGHTS}
    for wrong, said in (
        ([replace(row, terminated=None) for row in again], "terminated, and the list says otherwise"),
        ([replace(row, terms=replace(row.terms, reference="FC-9")) for row in again], "a list cuts no contract"),
        ([replace(again[-1], row=9, duty=replace(again[-1].duty, due=date(2029, 1, 1)))], "without this duty"),
    ):
        with pytest.raises(ContractSheetRefused, match=said):
            await office.write(lambda store, wrong=wrong: contracts.import_contracts(store, ana, wrong, NOW))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (LIST.replace("handed in early", "handed in late"), "row 3, note: of this duty the register says otherwise"),
        (LIST + "FC-2;Northwind;2028-01-31;;;;;page 5\n", "row 5, note: another row with this reference"),
    ],
)
async def test_a_note_that_says_otherwise_is_named_and_not_passed_over(
    office: ReviewOffice, wrong: str, said: str
) -> None:
    ana = office.people["ana"]
    await office.write(lambda store: contracts.import_contracts(store, ana, read_csv(LIST.encode()), NOW))
    with pytest.raises(ContractSheetRefused, match=said):
        await office.write(lambda store: contracts.import_contracts(store, ana, read_csv(wrong.encode()), NOW))


async def test_status_reminds_of_duties_and_ends_by_their_ids_alone(office: ReviewOffice) -> None:
    contract, ana = await entered(office, replace(TERMS, ends=date(2026, 11, 1))), office.people["ana"]
    for day in (date(2026, 9, 1), date(2026, 10, 20), date(2027, 1, 1)):
        await office.write(
            lambda store, day=day: contracts.add_duty(store, ana, contract, DutyKind.LIST_FACTORIES, day, None, NOW)
        )
    async with office.database.read() as store:
        soon = await contracts.due_soon(store, NOW.date())
    lines = due.lines(NOTHING_LATE, soon, NOTHING_DESTROYED, NOW.date())
    assert [line.partition(": ")[2] for line in lines[:2]] == [
        "due 2026-09-01, OVERDUE for 30 days",
        "due 2026-10-20, in 19 days",
    ]
    assert lines[2].startswith("contracts   1 end within 60 days, the first on 2026-11-01") and len(lines) == 3
    said = str(lines) + str(due.facts(NOTHING_LATE, soon, NOTHING_DESTROYED, NOW.date()))
    assert TERMS.reference not in said and "Exemplar" not in said


# --- nothing of it leaves


def types_in(hint: Any, seen: set[type]) -> Iterator[type]:
    """Every class that a value of this type may be made of."""
    for part in typing.get_args(hint):
        yield from types_in(part, seen)
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) and hint not in seen:
        seen.add(hint)
        yield hint
        if issubclass(hint, BaseModel):
            for field in hint.model_fields.values():
                yield from types_in(field.annotation, seen)


def test_no_statement_and_no_checkpoint_has_room_for_anything_of_the_register() -> None:
    reached = {found for root in (*BODIES.values(), Claims, Checkpoint) for found in types_in(root, set())}
    foreign = {found for found in reached if found.__module__.startswith("comity_node")}
    assert len(reached) > 30 and foreign == set()
    codes = {*LabourClause, *ExitCheck, *DutyKind}
    enumerations = {str(member) for found in reached if hasattr(found, "__members__") for member in found}  # type: ignore[attr-defined]
    assert codes & enumerations == set()
    # And nothing that travels could import it: the register's types live above both packages.
    assert not hasattr(comity_schemas, "contracts") and not hasattr(comity_federation, "contracts")


CANARY = "Canary-of-the-register"


async def test_nothing_of_the_register_or_a_plan_appears_in_anything_that_is_sent_or_logged(town: Town) -> None:
    api = await furnish(town)
    with capture_logs() as logs:
        await _fill_register(api)
        statement = await api.published()
        contract = (await api.made("officer", "GET", "contracts?limit=1"))["items"][0]["id"]
        item = {"statement": statement, "remedy": "fees-repaid", "due": "2027-01", "note": CANARY, "contract": contract}
        await api.made("reviewer", "POST", "plan-items", json=item)
        review = (await api.made("reviewer", "POST", "plan/say", json={"statement": statement}))["id"]
        await api.made("reviewer 2", "POST", f"reviews/{review}/approve")
        async with exchanging(api.house):
            await until("both are sent", lambda: _all_sent(api))
            await until("a checkpoint is out", lambda: _own_checkpoint(api))
    sent = unwrapped(await _on_the_bus(town))
    # What is looked through holds what was said: the finding's new status, and the checkpoint.
    assert b'"under-engagement"' in sent and b"Exemplo" in sent and b'"trail"' in sent
    outgoing = [str(item) for item in await _outbox(api)]
    assert len(outgoing) == 2
    trail = str(await api.made("admin", "GET", "trail?limit=200"))
    assert "contract.terminated" in trail
    ready = (await api.ask(None, "GET", "/readyz")).text
    for where in (str(sent), str(outgoing), str(logs), trail, ready):
        assert CANARY not in where


async def _on_the_bus(town: Town) -> bytes:
    """Every record and checkpoint that the log holds."""
    log = town.log()
    await log.start()
    try:
        topics = (statements_topic("agency"), checkpoints_topic("agency"))
        found = [item for topic in topics for item in await log.tail(topic, most=100)]
    finally:
        await log.stop()
    return b"\n".join(item.value for item in found)


async def _fill_register(api: Office) -> None:
    """Put the canary into every text of the register, by every way in."""
    terms = {"reference": f"{CANARY}-1", "supplier": CANARY, "ends": "2027-01-31", "note": CANARY}
    contract = (await api.made("officer", "POST", "contracts", json=terms))["id"]
    duty = {"kind": "give-audit-report", "due": "2026-01-31", "note": CANARY}
    made = (await api.made("officer", "POST", f"contracts/{contract}/duties", json=duty))["id"]
    await api.made("officer", "POST", f"duties/{made}/move", json={"to": "waived", "reason": CANARY})
    change = {"note": f"{CANARY}!", "reason": CANARY}
    await api.made("officer", "PATCH", f"contracts/{contract}", json=change)
    not_needed = {"child-path-followed": {"answer": "not-applicable", "words": CANARY}}
    plan = {"answers": {**EXIT_PLAN["answers"], **not_needed}}
    await api.made("officer", "PUT", f"contracts/{contract}/exit-plan", json=plan)
    await api.made("officer 2", "POST", f"contracts/{contract}/terminate", json={"reason": "labour-rights"})
    await api.made("officer", "POST", f"contracts/{contract}/resume", json={"reason": CANARY})
    for wrong in ({"form": "csv", "content": "bm8="}, {**terms, "ends": CANARY}):
        path = "contracts/import" if "form" in wrong else "contracts"
        assert (await api.ask("officer", "POST", path, json=wrong)).status_code == 422
    assert CANARY.encode() in (await api.ask("officer", "GET", "contracts/export?form=csv")).content


async def _all_sent(api: Office) -> bool:
    items = (await api.made("reviewer", "GET", "published"))["items"]
    return [item["state"] for item in items] == ["sent", "sent"]


async def _own_checkpoint(api: Office) -> bool:
    async with api.house.node.database.read() as store:
        return await store.peers.checkpoint("agency") is not None


async def _outbox(api: Office) -> list[OutboxItem]:
    async with api.house.node.database.read() as store:
        return await store.outbox.in_state("sent", most=10)
