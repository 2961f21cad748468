"""Screenings on file: asked and kept under the officer's own reference, answered again later, never changed."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses, sends
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.screening import MOST_ASKED, SupplierIn
from comity_node.auth import Officer, ThisNode
from comity_node.db import Store
from comity_node.db.filings import PART
from comity_node.domain.export import Cell, csv_of
from comity_node.domain.filing import SHORT, Difference, Filing, Stage
from comity_node.domain.trail import Event
from comity_node.domain.vocabulary import Language
from comity_node.services.answering.answers import describe_coverage
from comity_node.services.answering.moment import Moment
from comity_node.services.filing import exporting, keeping, letters
from comity_node.services.filing.verifying import Told, Verified, verify
from comity_node.services.screening_files.filing import answers_of
from comity_schemas.wire import PRINTABLE

router = APIRouter(prefix="/filed-screenings", tags=["screening"])

Reference = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE, strip_whitespace=True)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=SHORT, pattern=PRINTABLE, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,63}$")]


class FilingIn(Body):
    """Screen now and keep the answer under your own reference: what the network says, whatever you judged of a row."""

    reference: Reference
    stage: Stage
    suppliers: Annotated[tuple[SupplierIn, ...], Field(min_length=1, max_length=MOST_ASKED)]


class FileOfIn(Body):
    """Keep what a screened file was answered, under your own reference."""

    reference: Reference
    stage: Stage


class KeepIn(Body):
    """A later last day."""

    until: date


class TakeBackIn(Body):
    """Why it was filed in error, in words that stay here."""

    why: Why


class LetterIn(Body):
    """A letter to one of the suppliers asked about."""

    row: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    language: Language = Language.ENGLISH
    spoken_to: Annotated[frozenset[Slug], Field(max_length=50)] = frozenset()
    """Members you have spoken to, because they ask for it before anybody contacts this supplier."""
    answer_by: date | None = None


class FilingOut(BaseModel):
    """A screening on file, and what it rests on; what was asked and answered stands under `answers`."""

    id: str
    reference: str
    stage: Stage
    filed_by: str
    filed_at: datetime
    keep_until: date
    asked: int
    as_of: datetime
    registry_version: int
    positions: dict[str, int]
    coverage: dict[str, Any]
    engine: str
    """By what names were compared."""
    taken_back: str | None
    """By whom, when and why: it was filed in error."""
    destroyed_at: datetime | None
    """When its time was over; the answers are gone."""


class FiledAnswersOut(BaseModel):
    """Some of what was asked and answered, in its order, as it was filed."""

    first: int
    """The row of the first of them, from 1."""
    answers: list[dict[str, Any]]
    next_after: int | None
    """Ask for what follows with `after`; null at the end."""


class DifferenceOut(BaseModel):
    """One thing that is otherwise."""

    row: int
    what: str
    kind: str | None
    statement: str | None
    published_by: str | None
    cause: str | None


class VerifiedOut(BaseModel):
    """Whether the same answer follows from the same positions, and what has changed since."""

    id: str
    reference: str
    same: bool
    logs: dict[str, str]
    """Member to what has become of its log; only those that are not as they were."""
    at_the_same_positions: list[DifferenceOut]
    further_at_the_same_positions: int
    since: list[DifferenceOut]
    further_since: int
    notes: list[str]
    as_of: datetime
    coverage: dict[str, Any]
    """Of now; that of then stands in the filed screening."""


class LetterOut(BaseModel):
    """A letter as text, the English original first; and what it does not ask about, and why."""

    text: str
    statements: list[str]
    left_out: dict[str, list[str]]


@router.post("", status_code=201, responses=refuses(403, 409))
async def file_screening(body: FilingIn, person: Officer, node: ThisNode, once: Onced) -> FilingOut:
    """Screen up to 500 suppliers now, all at one moment, and keep the answers. No query leaves the node."""
    registry, now = await node.registry(), node.clock()
    questions = [supplier.question for supplier in body.suppliers]
    answered = await keeping.answer(node.database, questions, registry, now)

    async def put(store: Store) -> FilingOut:
        months = node.settings.keep_screenings_months
        filing = await keeping.put_on_file(store, person, body.reference, body.stage, answered, months, now)
        return (await _described(store, [filing]))[0]

    return await once.write(put)


@router.post("/of-file/{file_id}", status_code=201, responses=refuses(403, 404, 409))
async def file_screened_file(file_id: Id, body: FileOfIn, person: Officer, node: ThisNode, once: Onced) -> FilingOut:
    """Keep what your screened file of up to 20,000 rows was answered, at its own moment, whatever came since.

    Its rows are asked again, which takes as long as screening it did.
    """
    answered = await answers_of(node.database, person, file_id)

    async def put(store: Store) -> FilingOut:
        months, now = node.settings.keep_screenings_months, node.clock()
        filing = await keeping.put_on_file(store, person, body.reference, body.stage, answered, months, now)
        return (await _described(store, [filing]))[0]

    return await once.write(put)


@router.get("", responses=refuses(403))
async def list_filed_screenings(
    person: Officer,
    node: ThisNode,
    reference: Annotated[str | None, Query(max_length=100, pattern=PRINTABLE)] = None,
    stage: Stage | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FilingOut]:
    """What is on file, newest first; `reference` finds every reference that contains it."""
    before = read_cursor(cursor)
    async with node.database.read() as store:
        rows = await store.filings.page(reference=reference, stage=stage, before=before, most=limit + 1)
        shown = dict(zip([f.number for f in rows], await _described(store, rows), strict=True))
    return page(rows, limit, lambda filing: filing.number, lambda filing: shown[filing.number])


@router.get("/{filing_id}", responses=refuses(403, 404))
async def get_filed_screening(filing_id: Id, person: Officer, node: ThisNode) -> FilingOut:
    """One screening on file, and what it rests on."""
    async with node.database.read() as store:
        return (await _described(store, [await keeping.find(store, filing_id)]))[0]


@router.get("/{filing_id}/answers", responses=refuses(403, 404))
async def get_filed_answers(
    filing_id: Id,
    person: Officer,
    node: ThisNode,
    after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=PART)] = PART,
) -> FiledAnswersOut:
    """What was asked and answered, exactly as it was filed."""
    async with node.database.write() as store:
        filing = await keeping.find_whole(store, filing_id)
        rows = await store.filings.answers(filing, after=after, most=limit)
        await store.trail.add(node.clock(), person.id, Event.SCREENING_READ, filing.id, what="answers")
    last = rows[-1][0] if rows else after
    following = last if last < filing.asked else None
    return FiledAnswersOut(first=after + 1, answers=[answer for _, answer in rows], next_after=following)


@router.get("/{filing_id}/csv", responses=refuses(403, 404) | sends("text/csv"), response_class=Response)
async def export_filed_screening(filing_id: Id, person: Officer, node: ThisNode) -> Response:
    """All of it as CSV: a line for each statement found, what it rests on below."""
    table: list[tuple[Cell, ...]] = [exporting.HEADINGS]
    async with node.database.write() as store:
        filing, last = await keeping.find_whole(store, filing_id), 0
        while rows := await store.filings.answers(filing, after=last, most=PART):
            table += [tuple(line) for line in exporting.lines(rows)]
            last = rows[-1][0]
        (shown,) = await _described(store, [filing])
        await store.trail.add(node.clock(), person.id, Event.SCREENING_READ, filing.id, what="export")
    return Response(csv_of(table, _notes(shown)), media_type="text/csv")


@router.post("/{filing_id}/verify", responses=refuses(403, 404))
async def verify_filed_screening(filing_id: Id, person: Officer, node: ThisNode) -> VerifiedOut:
    """Answer it again, at its own positions and now; nothing that is on file is changed."""
    now = node.clock()
    verified = await verify(node.database, filing_id, await node.registry(), now)
    async with node.database.write() as store:
        await store.trail.add(now, person.id, Event.SCREENING_VERIFIED, filing_id, same=verified.same)
    return _verified(verified)


@router.post("/{filing_id}/keep", responses=refuses(403, 404, 409))
async def keep_filed_screening(filing_id: Id, body: KeepIn, person: Officer, node: ThisNode, once: Onced) -> FilingOut:
    """Keep it longer than by the setting, as while the procurement is disputed; never shorter."""

    async def keep(store: Store) -> FilingOut:
        filing = await keeping.keep_longer(store, person, filing_id, body.until, node.clock())
        return (await _described(store, [filing]))[0]

    return await once.write(keep)


@router.post("/{filing_id}/take-back", responses=refuses(403, 404, 409))
async def take_back_filed_screening(
    filing_id: Id, body: TakeBackIn, person: Officer, node: ThisNode, once: Onced
) -> FilingOut:
    """Say that it was filed in error. It can still be read, and says so."""

    async def take_back(store: Store) -> FilingOut:
        filing = await keeping.take_back(store, person, filing_id, body.why, node.clock())
        return (await _described(store, [filing]))[0]

    return await once.write(take_back)


@router.post("/{filing_id}/letter", responses=refuses(403, 404, 409))
async def write_clarification_letter(filing_id: Id, body: LetterIn, person: Officer, node: ThisNode) -> LetterOut:
    """A letter that asks a supplier for its explanation, of what may be raised with it by now; nothing is sent."""
    registry = await node.registry()
    wanted = letters.Wanted(body.row, body.language, body.spoken_to, body.answer_by)
    async with node.database.write() as store:
        letter = await letters.write_letter(
            store, person, filing_id, wanted, node.own_member(registry).names[0], registry, node.clock()
        )
    left_out = {statement: list(why) for statement, why in letter.left_out}
    return LetterOut(text=letter.text, statements=list(letter.statements), left_out=left_out)


async def _described(store: Store, filings: list[Filing]) -> list[FilingOut]:
    people = await store.accounts.names(
        sorted({name for f in filings for name in (f.by, f.taken_back_by) if name is not None})
    )
    return [_filing(filing, people) for filing in filings]


def _filing(filing: Filing, people: dict[str, str]) -> FilingOut:
    moment, gone = Moment.from_parsed(dict(filing.moment)), "somebody whose account is gone"
    taken_back = None
    if filing.taken_back_at is not None:
        who = people.get(filing.taken_back_by or "", gone)
        taken_back = f"by {who} on {filing.taken_back_at:%Y-%m-%d}: {filing.taken_back_why}"
    return FilingOut(
        id=filing.id,
        reference=filing.reference,
        stage=filing.stage,
        filed_by=people.get(filing.by, gone),
        filed_at=filing.at,
        keep_until=date.fromisoformat(filing.keep_until),
        asked=filing.asked,
        as_of=moment.at,
        registry_version=moment.registry_version,
        positions=moment.positions,
        coverage=describe_coverage(moment.coverage),
        engine=filing.engine,
        taken_back=taken_back,
        destroyed_at=filing.destroyed_at,
    )


def _notes(shown: FilingOut) -> list[str]:
    places = ", ".join(f"{slug} {head}" for slug, head in shown.positions.items()) or "none"
    said = [
        f"Filed as {shown.reference} ({shown.stage.value}) by {shown.filed_by} on {shown.filed_at:%Y-%m-%d %H:%M} UTC.",
        f"As of {shown.as_of:%Y-%m-%d %H:%M:%S} UTC, {shown.coverage['in_words']}.",
        f"Asked at log positions: {places}; registry version {shown.registry_version}.",
        "No finding or decision shared is no clearance: it says only what these members have shared.",
    ]
    return [*said, *([] if shown.taken_back is None else [f"FILED IN ERROR: taken back {shown.taken_back}"])]


def _verified(verified: Verified) -> VerifiedOut:
    return VerifiedOut(
        id=verified.filing.id,
        reference=verified.filing.reference,
        same=verified.same,
        logs=verified.logs,
        at_the_same_positions=_told(verified.again),
        further_at_the_same_positions=verified.again.further,
        since=_told(verified.since),
        further_since=verified.since.further,
        notes=verified.notes,
        as_of=verified.now.at,
        coverage=describe_coverage(verified.now.coverage),
    )


def _told(told: Told) -> list[DifferenceOut]:
    return [_difference(difference, cause) for difference, cause in told.each]


def _difference(difference: Difference, cause: str | None) -> DifferenceOut:
    return DifferenceOut(
        row=difference.row,
        what=difference.what,
        kind=difference.kind,
        statement=difference.statement,
        published_by=difference.member,
        cause=cause,
    )
