"""The contract register. It stays here: no other member's node is ever told of it, and no statement has room for it."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, BaseModel, BeforeValidator, Field, StringConstraints

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.plans import ActOut, Words, describe_act
from comity_node.auth import ContractKeeper, ThisNode
from comity_node.db import Store
from comity_node.domain.contract_sheet import MOST_BYTES, READ, WRITE
from comity_node.domain.contracts import (
    Answer,
    Answered,
    Contract,
    ContractState,
    Duty,
    DutyKind,
    DutyState,
    ExitCheck,
    LabourClause,
    TerminationReason,
    Terms,
    contract_in_words,
    duty_in_words,
    is_overdue,
)
from comity_node.domain.people import Person
from comity_node.domain.plan import in_words
from comity_node.services.remedy import contracts
from comity_node.wiring import Node
from comity_schemas.identifiers import Identifier
from comity_schemas.wire import PRINTABLE

router = APIRouter(tags=["contracts"])

Form = Literal["csv", "xlsx"]
TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def _short(most: int) -> Any:
    return Annotated[str, StringConstraints(min_length=1, max_length=most, pattern=PRINTABLE, strip_whitespace=True)]


def _read_identifier(value: Any) -> Any:
    # Types of the wire are strict about Python values: what came as JSON must be read as JSON.
    return Identifier.from_parsed(value) if isinstance(value, dict) else value


Identified = Annotated[Identifier, BeforeValidator(_read_identifier)]
Clauses = Annotated[frozenset[LabourClause], Field(max_length=len(LabourClause))]


class NewContract(Body):
    """Enter a contract. All of it stays here."""

    reference: _short(100)  # type: ignore[valid-type]
    supplier: _short(200)  # type: ignore[valid-type]
    identifier: Identified | None = None
    ends: date
    clauses: Clauses = frozenset()
    note: Words | None = None


class ContractCorrection(Body):
    """What was written down wrong; what is absent stays."""

    reference: _short(100) | None = None  # type: ignore[valid-type]
    supplier: _short(200) | None = None  # type: ignore[valid-type]
    identifier: Identified | None = None
    ends: date | None = None
    clauses: Clauses | None = None
    note: Words | None = None
    reason: Words


class NewDuty(Body):
    """Something the supplier has to do by a day."""

    kind: DutyKind
    due: date
    note: Words | None = None


class DutyMove(Body):
    """Fulfilled, waived or opened again; the last two say why."""

    to: DutyState
    reason: Words | None = None


class DutyCorrection(Body):
    """What was written down wrong; what is absent stays."""

    kind: DutyKind | None = None
    due: date | None = None
    note: Words | None = None
    reason: Words


class AnswerIn(Body):
    """The answer to one check. What does not apply says why."""

    answer: Answer
    words: Words | None = None


class ExitPlanIn(Body):
    """Answers to checks of the exit plan; what is absent stays as it was answered."""

    answers: Annotated[dict[ExitCheck, AnswerIn], Field(min_length=1, max_length=len(ExitCheck))]


class TerminateIn(Body):
    """Why the contract is cut."""

    reason: TerminationReason


class ReasonIn(Body):
    """Why, in words that stay here."""

    reason: Words


class ContractFileIn(Body):
    """A list of contracts and duties as a file."""

    form: Form
    content: Annotated[Base64Bytes, Field(max_length=2 * MOST_BYTES)]


class ContractsImportedOut(BaseModel):
    """What became of the list."""

    contracts: int
    duties: int
    unchanged: int


class ContractOut(BaseModel):
    """A contract in a list."""

    id: str
    reference: str
    supplier: str
    identifier: dict[str, Any] | None
    ends: date
    clauses: list[LabourClause]
    state: ContractState
    in_words: str
    termination: TerminationReason | None


class DutyOut(BaseModel):
    """A duty, in words and in codes."""

    id: str
    contract: str
    kind: DutyKind
    due: date
    state: DutyState
    in_words: str
    overdue: bool
    note: str | None
    history: list[ActOut]


class HangingOut(BaseModel):
    """An item of a corrective-action plan that hangs on the contract, in codes."""

    id: str
    remedy: str
    in_words: str


class AnsweredOut(BaseModel):
    """What was answered to a check."""

    answer: Answer
    words: str | None


class ContractDetailOut(ContractOut):
    """A contract with its duties, what hangs on it, its exit plan and its history, oldest first."""

    note: str | None
    duties: list[DutyOut]
    plan_items: list[HangingOut]
    exit_plan: dict[ExitCheck, AnsweredOut]
    exit_by: str | None
    exit_open: list[ExitCheck]
    """What must be answered before the contract may be cut."""
    terminated_by: str | None
    terminated_at: datetime | None
    history: list[ActOut]


@router.post("/contracts", status_code=201, responses=refuses(403, 409))
async def add_contract(body: NewContract, person: ContractKeeper, node: ThisNode, once: Onced) -> ContractDetailOut:
    """Enter a contract."""
    terms = Terms(body.reference, body.supplier, body.ends, body.clauses, body.identifier, body.note)

    async def add(store: Store) -> ContractDetailOut:
        return await _detail(store, await contracts.add_contract(store, person, terms, node.clock()), person, node)

    return await once.write(add)


@router.get("/contracts", responses=refuses(403))
async def list_contracts(
    person: ContractKeeper,
    node: ThisNode,
    state: ContractState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ContractOut]:
    """Contracts, newest first."""
    async with node.database.read() as store:
        rows = await store.contracts.page(state=state, before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda c: c.number, lambda c: ContractOut(**_contract(c, node)))


@router.get(
    "/contracts/export",
    response_class=Response,
    responses={
        **refuses(403),
        200: {"description": "as they are", "content": {media_type: {} for media_type in TYPES.values()}},
    },
)
async def export_contracts(person: ContractKeeper, node: ThisNode, form: Annotated[Form, Query()] = "csv") -> Response:
    """The whole register as a file, one duty a row, in the form that an import reads. It is on the trail."""
    async with node.database.write() as store:
        rows = await contracts.exported(store, person, node.clock())
    return Response(await asyncio.to_thread(WRITE[form], rows), media_type=TYPES[form])


@router.post("/contracts/import", status_code=201, responses=refuses(403))
async def import_contracts(
    body: ContractFileIn, person: ContractKeeper, node: ThisNode, once: Onced
) -> ContractsImportedOut:
    """Take in a list, all of it or nothing; what does not fit is named by row and column."""
    rows = await asyncio.to_thread(READ[body.form], body.content)

    async def take(store: Store) -> ContractsImportedOut:
        done = await contracts.import_contracts(store, person, rows, node.clock())
        return ContractsImportedOut(contracts=done.contracts, duties=done.duties, unchanged=done.unchanged)

    return await once.write(take)


@router.get("/contracts/{contract_id}", responses=refuses(403, 404))
async def get_contract(contract_id: Id, person: ContractKeeper, node: ThisNode) -> ContractDetailOut:
    """A contract with its duties, its exit plan and its history."""
    async with node.database.read() as store:
        return await _detail(store, await contracts.find_contract(store, contract_id), person, node)


@router.patch("/contracts/{contract_id}", responses=refuses(403, 404, 409))
async def correct_contract(
    contract_id: Id, body: ContractCorrection, person: ContractKeeper, node: ThisNode, once: Onced
) -> ContractDetailOut:
    """Correct what a contract says. Its history keeps what stood there."""
    changes = {name: getattr(body, name) for name in body.model_fields_set - {"reason"}}

    async def correct(store: Store) -> ContractDetailOut:
        contract = await contracts.find_contract(store, contract_id)
        given = {name: value for name, value in changes.items() if value is not None}
        done = await contracts.correct_contract(store, person, contract, given, body.reason, node.clock())
        return await _detail(store, done, person, node)

    return await once.write(correct)


@router.post("/contracts/{contract_id}/duties", status_code=201, responses=refuses(403, 404, 409))
async def add_duty(contract_id: Id, body: NewDuty, person: ContractKeeper, node: ThisNode, once: Onced) -> DutyOut:
    """Enter a duty of a running contract."""

    async def add(store: Store) -> DutyOut:
        contract = await contracts.find_contract(store, contract_id)
        made = await contracts.add_duty(store, person, contract, body.kind, body.due, body.note, node.clock())
        return await _duty(store, made, node)

    return await once.write(add)


@router.put("/contracts/{contract_id}/exit-plan", responses=refuses(403, 404, 409))
async def answer_exit_plan(
    contract_id: Id, body: ExitPlanIn, person: ContractKeeper, node: ThisNode, once: Onced
) -> ContractDetailOut:
    """Answer checks of the responsible-exit plan. A second person terminates."""
    answers = {check: Answered(given.answer, given.words) for check, given in body.answers.items()}

    async def answer(store: Store) -> ContractDetailOut:
        contract = await contracts.find_contract(store, contract_id)
        done = await contracts.answer_exit_plan(store, person, contract, answers, node.clock())
        return await _detail(store, done, person, node)

    return await once.write(answer)


@router.post("/contracts/{contract_id}/terminate", responses=refuses(403, 404, 409))
async def terminate_contract(
    contract_id: Id, body: TerminateIn, person: ContractKeeper, node: ThisNode, once: Onced
) -> ContractDetailOut:
    """Note that a contract is cut: refused without an exit plan, and by whoever answered it."""

    async def cut(store: Store) -> ContractDetailOut:
        contract = await contracts.find_contract(store, contract_id)
        return await _detail(
            store, await contracts.terminate(store, person, contract, body.reason, node.clock()), person, node
        )

    return await once.write(cut)


@router.post("/contracts/{contract_id}/resume", responses=refuses(403, 404, 409))
async def resume_contract(
    contract_id: Id, body: ReasonIn, person: ContractKeeper, node: ThisNode, once: Onced
) -> ContractDetailOut:
    """Take a termination back. The exit plan must then be answered anew."""

    async def again(store: Store) -> ContractDetailOut:
        contract = await contracts.find_contract(store, contract_id)
        return await _detail(
            store, await contracts.resume(store, person, contract, body.reason, node.clock()), person, node
        )

    return await once.write(again)


@router.post("/duties/{duty_id}/move", responses=refuses(403, 404, 409))
async def move_duty(duty_id: Id, body: DutyMove, person: ContractKeeper, node: ThisNode, once: Onced) -> DutyOut:
    """Note that a duty was fulfilled or is waived; or open it again."""

    async def go(store: Store) -> DutyOut:
        duty = await contracts.find_duty(store, duty_id)
        done = await contracts.move_duty(store, person, duty, body.to, body.reason, node.clock())
        return await _duty(store, done, node)

    return await once.write(go)


@router.patch("/duties/{duty_id}", responses=refuses(403, 404, 409))
async def correct_duty(
    duty_id: Id, body: DutyCorrection, person: ContractKeeper, node: ThisNode, once: Onced
) -> DutyOut:
    """Correct an open duty. Its history keeps what stood there."""
    changes = body.model_dump(exclude={"reason"}, exclude_none=True)

    async def correct(store: Store) -> DutyOut:
        duty = await contracts.find_duty(store, duty_id)
        done = await contracts.correct_duty(store, person, duty, changes, body.reason, node.clock())
        return await _duty(store, done, node)

    return await once.write(correct)


def _contract(contract: Contract, node: Node) -> dict[str, Any]:
    terms = contract.terms
    return {
        "id": contract.id,
        "reference": terms.reference,
        "supplier": terms.supplier,
        "identifier": None if terms.identifier is None else terms.identifier.to_parsed(),
        "ends": terms.ends,
        "clauses": sorted(terms.clauses),
        "state": contract.state,
        "in_words": contract_in_words(contract, node.clock().date()),
        "termination": contract.termination,
    }


async def _detail(store: Store, contract: Contract, person: Person, node: Node) -> ContractDetailOut:
    today = node.clock().date()
    duties = (await store.contracts.duties([contract.id]))[contract.id]
    items = await store.plans.of_contract(contract.id, seen_by=person.id)
    return ContractDetailOut(
        **_contract(contract, node),
        note=contract.terms.note,
        duties=[await _duty(store, duty, node) for duty in duties],
        plan_items=[HangingOut(id=i.id, remedy=i.remedy, in_words=in_words(i, today)) for i in items],
        exit_plan={c: AnsweredOut(answer=a.answer, words=a.words) for c, a in contract.exit_plan.items()},
        exit_by=contract.exit_by,
        exit_open=await contracts.checks_left(store, contract),
        terminated_by=contract.terminated_by,
        terminated_at=contract.terminated_at,
        history=[describe_act(act) for act in await store.local_acts.of(contract.id)],
    )


async def _duty(store: Store, duty: Duty, node: Node) -> DutyOut:
    today = node.clock().date()
    return DutyOut(
        id=duty.id,
        contract=duty.contract_id,
        kind=duty.kind,
        due=duty.due,
        state=duty.state,
        in_words=duty_in_words(duty, today),
        overdue=is_overdue(duty, today),
        note=duty.note,
        history=[describe_act(act) for act in await store.local_acts.of(duty.id)],
    )
