"""What suppliers reply and dispute: written down, let out by two people, decided by a third."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.reviews import ReviewOut, describe_review
from comity_node.auth import Releaser, Reviewer, ThisNode, saying
from comity_node.db import Store
from comity_node.db.supplier_words import SupplierWord
from comity_node.services.review import replies
from comity_node.wiring import Node
from comity_schemas.reply import MOST_TEXT, DisputeOutcome, ReplyAct, ReplyCode
from comity_schemas.statement import Kind
from comity_schemas.wire import PRINTABLE, Digest

router = APIRouter(prefix="/replies", tags=["supplier"])

Codes = Annotated[tuple[ReplyCode, ...], Field(min_length=1, max_length=len(ReplyCode))]
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT, pattern=PRINTABLE)]
"""As it comes; whether it may leave is checked with words for what is wrong."""


class ReplyIn(Body):
    """What a supplier says: to a proposal of this node, or to a published statement of any member."""

    review: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    about: Digest | None = None
    act: ReplyAct
    codes: Codes
    text: Text | None = None


class OutcomeIn(Body):
    """What a third person decides."""

    outcome: DisputeOutcome


class WordOut(BaseModel):
    """What a supplier said, and where it stands."""

    id: str
    review: str | None
    about: str | None
    act: ReplyAct
    codes: list[ReplyCode]
    text: str | None
    made_at: datetime
    late: bool
    entered_by: str | None
    """Null where the supplier said it itself."""
    outcome: DisputeOutcome | None
    decided_at: datetime | None
    decide_by: datetime | None
    """Until when a third person has to decide a dispute; null once decided."""
    overdue: bool
    carried: str | None
    """The newest proposal to let it leave."""


@router.post("", status_code=201, responses=refuses(403, 404))
async def write_down_reply(body: ReplyIn, person: Reviewer, node: ThisNode, once: Onced) -> WordOut:
    """Write down what a supplier said otherwise than through its link. Nothing leaves yet."""
    said = replies.Said(body.act, body.codes, body.text, body.review, body.about)

    async def write(store: Store) -> WordOut:
        return describe_word(await replies.write_down(store, said, person, node.clock()), node)

    return await once.write(write)


@router.get("", responses=refuses(403))
async def list_replies(person: Releaser, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[WordOut]:
    """What suppliers replied and disputed, newest first; but for what is about a case of others."""
    async with node.database.read() as store:
        rows = await store.words.page(before=read_cursor(cursor), most=limit + 1, seen_by=person.id)
    return page(rows, limit, lambda w: w.number, lambda w: describe_word(w, node))


@router.post("/{word_id}/release", status_code=201, dependencies=[saying(Kind.REPLY)], responses=refuses(403, 404, 409))
async def propose_reply(word_id: Id, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose that it leaves, with what was decided of it; a second person approves."""

    async def propose(store: Store) -> ReviewOut:
        return await describe_review(store, await replies.propose_reply(store, person, word_id, node.clock()), node)

    return await once.write(propose)


@router.post("/{word_id}/decide", responses=refuses(403, 404, 409))
async def decide_dispute(word_id: Id, body: OutcomeIn, person: Releaser, node: ThisNode, once: Onced) -> WordOut:
    """Decide a dispute as a third person: neither who proposed or released the finding, nor who wrote this down."""

    async def decide(store: Store) -> WordOut:
        word = await replies.decide_dispute(store, person, word_id, body.outcome, node.clock())
        return describe_word(word, node)

    return await once.write(decide)


def describe_word(word: SupplierWord, node: Node) -> WordOut:
    """Return what a supplier said, and where it stands."""
    decide_by = word.made_at + node.settings.windows.dispute if word.open else None
    return WordOut(
        id=word.id,
        review=word.review_id,
        about=word.about,
        act=word.act,
        codes=list(word.codes),
        text=word.text,
        made_at=word.made_at,
        late=word.late,
        entered_by=word.entered_by,
        outcome=word.outcome,
        decided_at=word.decided_at,
        decide_by=decide_by,
        overdue=decide_by is not None and node.clock() > decide_by,
        carried=word.carried,
    )
