"""Two people release, and two people take back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.visible import note_list, read_report, visible_review
from comity_node.auth import Releaser, Reviewer, ThisNode, saying
from comity_node.db import Store
from comity_node.db.outbox import OutboxItem
from comity_node.db.reviews import Review
from comity_node.domain.due_process import AtRisk, Outcome, PostponeReason, RetaliationCheck, Stage
from comity_node.domain.lifecycle import Step
from comity_node.services.importing import batches
from comity_node.services.publishing.deliveries import who_has_applied
from comity_node.services.publishing.published import RELEASE, WITHDRAW
from comity_node.services.review import due_process, release
from comity_node.services.review.due_process import Clock, clock_of, clocks_of
from comity_node.services.review.revision import propose_revision as revise
from comity_node.wiring import Node
from comity_schemas.finding import Remedy, Status, Verified
from comity_schemas.handling import Contact, Handling
from comity_schemas.report import Ref
from comity_schemas.statement import Kind, WithdrawalReason
from comity_schemas.wire import Digest, Month

router = APIRouter(tags=["review"])

ReviewState = Literal["proposed", "approved", "rejected"]


def _read_terms(value: Any) -> Any:
    # Types of the wire are strict about Python values: what came as JSON must be read as JSON.
    return Handling.from_parsed(value) if isinstance(value, dict) else value


Terms = Annotated[Handling, BeforeValidator(_read_terms)]


class ReleaseProposal(Body):
    """Propose that one observation is released; `revises` corrects an own published finding."""

    report: Digest
    observation: Ref
    handling: Terms | None = None
    revises: Digest | None = None
    starts_as: Status | None = None
    """Where the report says that the matter is further by now: how the first finding starts."""


class RevisionProposal(Body):
    """Propose that an own published finding says where the matter stands now."""

    statement: Digest
    status: Status
    verified: Verified | None = None
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=10)] | None = None
    remedy_due: Month | None = None


class WithdrawalProposal(Body):
    """Propose that an own published finding or decision is taken back."""

    statement: Digest
    reason: WithdrawalReason


class CheckIn(Body):
    """Who could be blamed, and what follows: notify the supplier, or postpone with a reason and a review date."""

    blamed: Annotated[tuple[AtRisk, ...], Field(min_length=1, max_length=len(AtRisk))]
    outcome: Outcome
    contact: Contact | None = None
    """May the supplier notice? By default `engage` when it is notified, `none` when not."""
    reason: PostponeReason | None = None
    review_by: date | None = None


class ProcessOut(BaseModel):
    """The clock of due process: where a proposal stands, and what was answered."""

    stage: Stage
    in_words: str
    overdue: bool
    blamed: list[str]
    outcome: str | None
    contact: str | None
    reason: str | None
    review_by: date | None
    checked_at: datetime | None
    notified_at: datetime | None
    window_ends: datetime | None


class ReviewOut(BaseModel):
    """A proposal, and exactly what it lets leave."""

    id: str
    act: str
    state: str
    report: str | None
    observation: str | None
    ruling: str | None
    """Of a decision; a finding has a report."""
    target: str | None
    batch: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    handling: dict[str, Any]
    clear: dict[str, Any]
    disclosed: dict[str, Any]
    withheld: dict[str, Any]
    process: ProcessOut


class PublishedOut(BaseModel):
    """A statement on its way out, or out: `queued`, `signed` or `sent`."""

    review: str | None
    """Null where only the log knew of it, as after a restored backup."""
    act: str
    state: str
    kind: str
    seq: int | None
    statement: str | None
    sent_at: datetime | None


class AppliedBy(BaseModel):
    """One other member, and whether it says to have applied a statement."""

    member: str
    since: datetime | None
    """Since when it says so; null: it has not said so yet."""
    told_of: int
    """The last place of this node's log that it has told of; 0: of none."""


class AppliedOut(BaseModel):
    """Who has applied a statement of this node."""

    statement: str
    """What was asked about, or the newest thing said of it."""
    kind: str
    seq: int
    sent_at: datetime | None
    everybody: bool
    members: list[AppliedBy]


@router.post("/reviews", status_code=201, dependencies=[saying(Kind.FINDING)], responses=refuses(403, 404, 409))
async def propose_release(body: ReleaseProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose a release. Nothing leaves before a second person approves."""

    async def propose(store: Store) -> ReviewOut:
        review = await release.propose_release(
            store,
            person,
            body.report,
            body.observation,
            policy=node.settings.policy,
            now=node.clock(),
            handling=body.handling,
            revises=body.revises,
            starts_as=body.starts_as,
        )
        return await describe_review(store, review, node)

    return await once.write(propose)


@router.post("/revisions", status_code=201, dependencies=[saying(Kind.FINDING)], responses=refuses(403, 404, 409))
async def propose_revision(body: RevisionProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose where a published finding stands now. The earlier form stands until a second person approves."""
    step = Step(body.status, body.verified, body.remedies, body.remedy_due)

    async def propose(store: Store) -> ReviewOut:
        return await describe_review(store, await revise(store, person, body.statement, step, node.clock()), node)

    return await once.write(propose)


@router.post("/withdrawals", status_code=201, dependencies=[saying(Kind.WITHDRAWAL)], responses=refuses(403, 404, 409))
async def propose_withdrawal(body: WithdrawalProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose that a published finding or decision is taken back. It stands until a second person approves."""

    async def propose(store: Store) -> ReviewOut:
        review = await release.propose_withdrawal(store, person, body.statement, body.reason, node.clock())
        return await describe_review(store, review, node)

    return await once.write(propose)


@router.get("/reviews", responses=refuses(403))
async def list_reviews(
    person: Releaser, node: ThisNode, state: ReviewState | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[ReviewOut]:
    """Proposals, newest first; `state` is `proposed`, `approved` or `rejected`. Each reading is on the trail."""
    async with node.database.write() as store:
        rows = await store.reviews.page(state=state, before=read_cursor(cursor), most=limit + 1, seen_by=person.id)
        await note_list(store, person, node.clock(), "reviews", min(len(rows), limit), cursor)
        clocks = await clocks_of(store, rows, node.clock())
    return page(rows, limit, lambda r: r.number, lambda r: _review(r, clocks[r.id]))


@router.get("/reviews/{review_id}", responses=refuses(403, 404))
async def get_review(review_id: Id, person: Releaser, node: ThisNode) -> ReviewOut:
    """One proposal, and exactly what it lets leave. Each reading of what came from a report is on the trail."""
    async with node.database.write() as store:
        review = await visible_review(store, review_id, person)
        if review.report_id is not None:
            await read_report(store, review.report_id, person, node.clock(), what="proposal")
        await batches.note_opening(store, person, review, node.clock())
        return await describe_review(store, review, node)


@router.post("/reviews/{review_id}/check", responses=refuses(403, 404, 409))
async def check_retaliation(review_id: Id, body: CheckIn, person: Releaser, node: ThisNode, once: Onced) -> ReviewOut:
    """Say who could be blamed for a finding, and whether its supplier is told now; nothing leaves."""
    usual = Contact.ENGAGE if body.outcome is Outcome.NOTIFY else Contact.NONE
    check = RetaliationCheck(frozenset(body.blamed), body.outcome, body.contact or usual, body.reason, body.review_by)

    async def answer(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        windows = node.settings.windows
        review = await due_process.check_retaliation(store, person, review_id, check, windows, node.clock())
        return await describe_review(store, review, node)

    return await once.write(answer)


@router.post("/reviews/{review_id}/notify", responses=refuses(403, 404, 409))
async def notify_supplier(review_id: Id, person: Releaser, node: ThisNode, once: Onced) -> ReviewOut:
    """Record that the supplier was told: its reply window begins."""

    async def notify(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        windows = node.settings.windows
        review = await due_process.notify_supplier(store, person, review_id, windows, node.clock())
        return await describe_review(store, review, node)

    return await once.write(notify)


@router.post("/reviews/{review_id}/approve", responses=refuses(403, 404, 409))
async def approve(review_id: Id, person: Releaser, node: ThisNode, once: Onced) -> ReviewOut:
    """Approve as the second person: this is the release, and it cannot be undone, only taken back."""

    role = await node.own_role()

    async def decide(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        await release.approve(store, person, review_id, node.clock(), role)
        return await _decided(store, review_id, node)

    return await once.write(decide)


@router.post("/reviews/{review_id}/reject", responses=refuses(403, 404, 409))
async def reject(review_id: Id, person: Releaser, node: ThisNode, once: Onced) -> ReviewOut:
    """Reject as the second person; it may be proposed again."""

    async def decide(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        await release.reject(store, person, review_id, node.clock())
        return await _decided(store, review_id, node)

    return await once.write(decide)


@router.get("/published", responses=refuses(403))
async def list_published(
    person: Releaser, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[PublishedOut]:
    """What we have told others, newest first."""
    async with node.database.read() as store:
        rows = await store.outbox.page(before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda r: r[0].id, _published)


@router.get("/published/{statement}/applied", responses=refuses(403, 404))
async def get_applied(statement: Digest, person: Releaser, node: ThisNode) -> AppliedOut:
    """Who has applied it; of what was taken back or corrected, who has applied that. By the members' own word."""
    registry = await node.registry()
    async with node.database.read() as store:
        found = await who_has_applied(store, registry, node.settings.member, statement)
    members = [AppliedBy(member=slug, since=since, told_of=told_of) for slug, since, told_of in found.members]
    return AppliedOut(
        statement=found.statement,
        kind=found.kind,
        seq=found.seq,
        sent_at=found.sent_at,
        everybody=all(each.since is not None for each in members),
        members=members,
    )


async def _decided(store: Store, review_id: str, node: Node) -> ReviewOut:
    review = await store.reviews.find(review_id)
    assert review is not None
    return await describe_review(store, review, node)


async def describe_review(store: Store, review: Review, node: Node) -> ReviewOut:
    """Return a proposal with exactly what it lets leave, and its clock."""
    return _review(review, await clock_of(store, review, node.clock()))


def _review(review: Review, clock: Clock) -> ReviewOut:
    leaving = release.read_outgoing(review)
    return ReviewOut(
        id=review.id,
        act=review.act,
        state=review.state,
        report=review.report_id,
        observation=review.observation,
        ruling=review.ruling_id,
        target=review.target,
        batch=review.batch,
        proposed_by=review.proposed_by,
        proposed_at=review.proposed_at,
        decided_by=review.decided_by,
        decided_at=review.decided_at,
        handling=leaving.handling.to_parsed(),
        clear=dict(leaving.body),
        disclosed=dict(leaving.disclosed),
        withheld=dict(leaving.withheld),
        process=_process(clock),
    )


def _process(clock: Clock) -> ProcessOut:
    process = clock.process
    check = None if process is None else process.check
    return ProcessOut(
        stage=clock.stage,
        in_words=clock.in_words,
        overdue=clock.overdue,
        blamed=[] if check is None else sorted(check.blamed),
        outcome=None if check is None else check.outcome,
        contact=None if check is None else check.contact,
        reason=None if check is None else check.reason,
        review_by=None if check is None else check.review_by,
        checked_at=None if process is None else process.checked_at,
        notified_at=None if process is None else process.notified_at,
        window_ends=None if process is None else process.window_ends,
    )


def _published(row: tuple[OutboxItem, str | None]) -> PublishedOut:
    item, act = row
    return PublishedOut(
        review=item.review_id,
        act=act or (WITHDRAW if item.outgoing.kind == Kind.WITHDRAWAL else RELEASE),
        state=item.state,
        kind=item.outgoing.kind,
        seq=item.seq,
        statement=item.hash,
        sent_at=item.sent_at,
    )
