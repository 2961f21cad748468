"""People at risk: cases that only assigned staff can tell exist. For everybody else there is no such case."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.pointers import SupplierNamed
from comity_node.api.visible import visible_report
from comity_node.auth import Releaser, Staff, ThisNode
from comity_node.db import Store
from comity_node.domain.protection import HELD_BACK, Case, Step
from comity_node.services.protection import cases
from comity_node.services.review.pointers import PointerState, own_pointer
from comity_node.wiring import Node
from comity_schemas.countries import Country
from comity_schemas.finding import Severity
from comity_schemas.indicators import Indicator
from comity_schemas.wire import Digest, Slug, text

router = APIRouter(prefix="/cases", tags=["people at risk"])

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,39}$")]
"""The number of a file; there is no room for a name in it."""


class NewCase(SupplierNamed):
    """Open a case: a supplier, a country, and whether children are concerned; nobody's name, and not what happened."""

    place: Country | None = None
    """Where the people are, if not in the supplier's country."""
    children: bool = False
    report: Digest | None = None
    """The report it came from: from now on it opens to the assigned staff only."""
    reference: Reference | None = None
    """The number of your own file on it."""


class StepIn(Body):
    """Record that a step was taken; `contact` and `consent` where the step asks for them."""

    step: Step
    contact: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    consent: bool | None = None


class DetailIn(Body):
    """What focal points of other members would be told."""

    indicators: Annotated[tuple[Indicator, ...], Field(min_length=1, max_length=11)]
    severity: Severity
    members: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=100)]


class PersonNamed(Body):
    """Somebody by the name of their account."""

    name: text(100)  # type: ignore[valid-type]


class StepOut(BaseModel):
    """A step that was taken."""

    step: Step
    by: str
    at: datetime
    contact: str | None
    consent: bool | None


class DetailOut(BaseModel):
    """What was decided, and why it is held back."""

    indicators: list[str]
    severity: Severity
    members: list[str]
    decided_by: str
    decided_at: datetime
    held_back: str


class StaffOut(BaseModel):
    """Somebody who is assigned."""

    id: str
    name: str | None
    """Null where the account is closed."""


class CaseOut(BaseModel):
    """A case, for those who are assigned."""

    id: str
    names: list[str]
    country: str
    place: str
    children: bool
    report: str | None
    reference: str | None
    opened_by: str
    opened_at: datetime
    passed_on: int
    """How often it went on to a deputy because nobody had looked at it."""
    path: list[Step]
    steps: list[StepOut]
    next_step: Step | None
    """Null once it is closed."""
    may_be_told: bool
    """Whether safety plan and referral are under way, so that a pointer and detail may be decided."""
    pointer: PointerState | None
    """Where the supplier's pointer stands; it may have been made for anything else."""
    detail: DetailOut | None
    staff: list[StaffOut]


@router.post("", status_code=201, responses=refuses(403, 404))
async def open_case(body: NewCase, person: Staff, node: ThisNode, once: Onced) -> CaseOut:
    """Open a case. You and the first on duty are assigned; nothing leaves this node."""
    opening = cases.Opening(body.whom, body.place or body.country, body.children, body.report, body.reference)

    async def write(store: Store) -> CaseOut:
        if body.report is not None:
            await visible_report(store, body.report, person)
        return await _case(store, await cases.open_case(store, person, opening, node.clock()), node)

    return await once.write(write)


@router.get("", responses=refuses(403))
async def list_cases(person: Staff, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[CaseOut]:
    """The cases you are assigned to, newest first. Each reading is on the trail."""
    async with node.database.write() as store:
        rows = await store.cases.page(person.id, before=read_cursor(cursor), most=limit + 1)
        await cases.note_read(store, person, rows[:limit], node.clock())
        numbered = [(case.number, await _case(store, case, node)) for case in rows]
    return page(numbered, limit, lambda row: row[0], lambda row: row[1])


@router.get("/{case_id}", responses=refuses(403, 404))
async def get_case(case_id: Id, person: Staff, node: ThisNode) -> CaseOut:
    """A case you are assigned to. Each reading is on the trail."""
    async with node.database.write() as store:
        return await _case(store, await cases.read_case(store, person, case_id, node.clock()), node)


@router.post("/{case_id}/steps", responses=refuses(403, 404, 409))
async def take_step(case_id: Id, body: StepIn, person: Staff, node: ThisNode, once: Onced) -> CaseOut:
    """Record the next step of its path."""

    async def write(store: Store) -> CaseOut:
        case = await cases.take_step(
            store, person, case_id, body.step, node.clock(), contact=body.contact, consent=body.consent
        )
        return await _case(store, case, node)

    return await once.write(write)


@router.post("/{case_id}/steps/take-back", responses=refuses(403, 404, 409))
async def take_step_back(case_id: Id, person: Staff, node: ThisNode, once: Onced) -> CaseOut:
    """Take the last step back, also the closing; that it was taken stays recorded."""

    async def write(store: Store) -> CaseOut:
        return await _case(store, await cases.take_back(store, person, case_id, node.clock()), node)

    return await once.write(write)


@router.post("/{case_id}/pointer", responses=refuses(403, 404, 409))
async def point_for_case(case_id: Id, person: Releaser, node: ThisNode, once: Onced) -> CaseOut:
    """Let a pointer stand for the supplier: one that does already, or a new proposal, which says nothing of this."""

    async def write(store: Store) -> CaseOut:
        return await _case(store, await cases.point_for(store, person, case_id, node.clock()), node)

    return await once.write(write)


@router.post("/{case_id}/detail", responses=refuses(403, 404, 409))
async def decide_detail(case_id: Id, body: DetailIn, person: Staff, node: ThisNode, once: Onced) -> CaseOut:
    """Decide what focal points of other members would be told. It is recorded, shown and held back."""
    registry = await node.registry()

    async def write(store: Store) -> CaseOut:
        said = (body.indicators, body.severity, body.members)
        case = await cases.decide_detail(store, person, case_id, *said, registry, node.clock())
        return await _case(store, case, node)

    return await once.write(write)


@router.post("/{case_id}/staff", responses=refuses(403, 404, 409))
async def assign_to_case(case_id: Id, body: PersonNamed, person: Staff, node: ThisNode, once: Onced) -> CaseOut:
    """Let another person of the staff see the case."""

    async def write(store: Store) -> CaseOut:
        return await _case(store, await cases.assign(store, person, case_id, body.name, node.clock()), node)

    return await once.write(write)


@router.delete("/{case_id}/staff/{person_id}", status_code=204, responses=refuses(403, 404, 409))
async def remove_from_case(case_id: Id, person_id: Id, person: Staff, node: ThisNode, once: Onced) -> Response:
    """Let somebody see the case no more; a focal point must stay."""

    async def write(store: Store) -> None:
        await cases.remove(store, person, case_id, person_id, node.clock())

    await once.write(write)
    return Response(status_code=204)


async def _case(store: Store, case: Case, node: Node) -> CaseOut:
    review = None if case.pointer is None else await store.reviews.find(case.pointer)
    pointer = None if review is None else (await own_pointer(store, review, node.clock())).state
    people = {each: await store.accounts.find_person(each) for each in case.staff}
    detail = None
    if case.detail is not None:
        said = case.detail
        detail = DetailOut(
            indicators=[indicator.value for indicator in said.indicators],
            severity=said.severity,
            members=list(said.members),
            decided_by=said.decided_by,
            decided_at=said.decided_at,
            held_back=HELD_BACK,
        )
    return CaseOut(
        id=case.id,
        names=[name.text for name in case.whom.names],
        country=case.whom.country,
        place=case.place,
        children=case.children,
        report=case.report_id,
        reference=case.reference,
        opened_by=case.opened_by,
        opened_at=case.opened_at,
        passed_on=case.passed_on,
        path=list(case.path),
        steps=[StepOut(step=d.step, by=d.by, at=d.at, contact=d.contact, consent=d.consent) for d in case.steps],
        next_step=case.next_step,
        may_be_told=case.may_be_told,
        pointer=pointer,
        detail=detail,
        staff=[StaffOut(id=each, name=None if who is None else who.name) for each, who in people.items()],
    )
