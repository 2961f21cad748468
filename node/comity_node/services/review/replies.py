"""What suppliers reply and dispute: written down, let out by two people, decided by a third.

A reply within its window comes before the finding is published; it leaves once the finding is signed and has a hash.
Any member may carry a reply to what another member said. Only the publisher decides a dispute.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.db.supplier_words import SupplierWord
from comity_node.domain.errors import AlreadyDecided, AlreadyProposed, Contradictory, NotFound, NotYet, SamePerson
from comity_node.domain.people import Person
from comity_node.domain.replying import REPLY_TERMS, require_sayable
from comity_node.domain.supplier_view import PointerEntry
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import OF_A_SUPPLIER, RELEASE, all_forms
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.reply import DisputeOutcome, Reply, ReplyAct, ReplyCode

_SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Said:
    """What a supplier says, and to what: a proposal of this node, or a statement of any member."""

    act: ReplyAct
    codes: tuple[ReplyCode, ...]
    text: str | None = None
    review_id: str | None = None
    about: str | None = None


async def write_down(store: Store, said: Said, by: Person | None, now: datetime) -> SupplierWord:
    """Keep what a supplier said; a reply after its window is taken and marked late.

    Args:
        store: The open transaction.
        said: Its words.
        by: Who wrote them down; None where the supplier did so through its link.
        now: The time.

    Raises:
        NotFound: there is nothing that it could be about.
        Contradictory: it names both a proposal and a statement, or neither, or a code twice.
        TextRefused: the text tells what must not leave.
    """
    review_id, about = await require_said(store, said, by)
    process = None if review_id is None else await store.due_process.find(review_id)
    ends = None if process is None else process.window_ends
    late = said.act is ReplyAct.REPLY and ends is not None and now > ends
    word = SupplierWord(
        new_id(), review_id, about, said.act, said.codes, said.text, now, late, None if by is None else by.id
    )
    await store.words.add(word)
    detail = {"review": review_id} if about is None else {"about": about}
    actor = _SUPPLIER if by is None else by.id
    await store.trail.add(now, actor, Event.SUPPLIER_SAID, word.id, act=said.act.value, late=late, **detail)
    return word


async def require_said(store: Store, said: Said, by: Person | None = None) -> tuple[str | None, str | None]:
    """Let what a supplier says pass only if it can be kept; return the own proposal or else the statement it is about.

    Raises:
        NotFound, Contradictory, TextRefused: as `write_down`.
    """
    if (said.review_id is None) == (said.about is None):
        raise Contradictory("name either a proposal of this node or a published statement; nothing was recorded")
    if not said.codes or len(set(said.codes)) != len(said.codes):
        raise Contradictory("give at least one code, and each once; nothing was recorded")
    review_id, about, finding = await _subject(store, said, by)
    require_sayable(said.text, finding)
    return review_id, about


async def propose_reply(store: Store, person: Person, word_id: str, now: datetime) -> Review:
    """Propose that a reply or dispute leaves, with what was decided of it; a second person approves.

    Raises:
        NotFound: there is no such reply.
        NotYet: what it is about is not published yet.
        AlreadyProposed: it is on its way, or says already what it would say.
    """
    word = await _word(store, word_id, person)
    about, handling = await _about(store, word)
    before = None if word.carried is None else await store.reviews.find(word.carried)
    said = {} if before is None else json.loads(before.content)["reply"]
    # What was rejected was to stand in the place of what is out, and so is what comes after it.
    replaces = said.get("replaces")
    if before is not None and before.state != "rejected":
        item = await store.outbox.of_review(before.id)
        replaces = None if item is None else item.hash
        if replaces is None or said.get("outcome") == (word.outcome and word.outcome.value):
            raise AlreadyProposed(f"it is {before.state} already (review {before.id})")
    reply = Reply(
        replaces=replaces,
        about=about,
        act=word.act,
        codes=word.codes,
        text=word.text,
        made=word.made_at.date(),
        late=word.late,
        outcome=word.outcome,
        # Were a clock set back meanwhile, no node would read it.
        decided=None if word.decided_at is None else max(word.made_at, word.decided_at).date(),
    )
    content = {"reply": reply.to_parsed(), "handling": handling.to_parsed()}
    review = Review(new_id(), RELEASE, "proposed", json.dumps(content, ensure_ascii=False), person.id, now)
    await store.reviews.add(review)
    await store.words.carry(word.id, review.id)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE, statement=about)
    return review


async def decide_dispute(
    store: Store, person: Person, word_id: str, outcome: DisputeOutcome, now: datetime
) -> SupplierWord:
    """Decide a dispute as a third person. What follows for the finding is a revision or withdrawal of its own.

    Raises:
        NotFound: there is no such dispute.
        AlreadyDecided: somebody has decided it.
        Contradictory: it is about another member's statement, which only that member decides.
        SamePerson: the person proposed or released the finding, or wrote the dispute down.
    """
    word = await _word(store, word_id, person)
    if word.act is not ReplyAct.DISPUTE:
        raise NotFound("no such dispute")
    if not word.open:
        raise AlreadyDecided(f"this dispute was decided already ({word.outcome}); nothing was changed")
    review = None if word.review_id is None else await store.reviews.find(word.review_id)
    if review is None and (word.about is None or await store.outbox.of_hash(word.about) is None):
        raise Contradictory("it is about another member's statement, and only its publisher decides")
    # Of an own statement that only the log knew nobody can tell who released it.
    released = set() if review is None else await _who_accused(store, review)
    if person.id in released | {word.entered_by}:
        raise SamePerson("a third person decides: you proposed or released the finding, or wrote the dispute down")
    await store.words.decide(word.id, outcome, by=person.id, now=now)
    await store.trail.add(now, person.id, Event.DISPUTE_DECIDED, word.id, outcome=outcome.value)
    return await _word(store, word_id, person)


async def _who_accused(store: Store, review: Review) -> set[str | None]:
    """Return who proposed and who released what is disputed: as it was said first, as it is named, and whenever it was
    made graver. A form that says nothing graver, such as of a plan, accuses nobody."""
    item = await store.outbox.of_review(review.id)
    named = review.target if item is None or item.hash is None else item.hash
    people = {review.proposed_by, review.decided_by}
    for form in [] if named is None else await all_forms(store, named):
        item = await store.outbox.of_hash(form)
        said = None if item is None or item.review_id is None else await store.reviews.find(item.review_id)
        if said is not None and (said.target is None or await store.due_process.find(said.id) is not None):
            people |= {said.proposed_by, said.decided_by}
    return people


async def _word(store: Store, word_id: str, person: Person) -> SupplierWord:
    word = await store.words.find(word_id)
    review = None if word is None or word.review_id is None else await store.reviews.find(word.review_id)
    if word is None or (review is not None and await _is_kept_from(store, review, person)):
        raise NotFound("no such reply")
    return word


async def _is_kept_from(store: Store, review: Review, person: Person | None) -> bool:
    """Tell whether a proposal is of a case of people at risk to which this person of the node is not assigned."""
    if person is None or review.report_id is None:
        return False
    return await store.cases.keeps_report_from(review.report_id, person.id)


async def _subject(store: Store, said: Said, by: Person | None) -> tuple[str | None, str | None, Finding | None]:
    """Return the own proposal, or else the other member's statement, and the finding as far as it can be read."""
    review_id = said.review_id
    if said.about is not None:
        item = await store.outbox.of_hash(said.about)
        if item is None or item.review_id is None:
            found = (await store.view.load([said.about])).get(said.about)
            if found is None or isinstance(found, PointerEntry):
                raise NotFound("no such statement is known here")
            return None, said.about, getattr(found, "finding", None)
        review_id = item.review_id
    review = None if review_id is None else await store.reviews.find(review_id)
    content = {} if review is None else json.loads(review.content)
    gone = review is None or review.act != RELEASE or review.state == "rejected"
    if review is None or gone or OF_A_SUPPLIER.isdisjoint(content) or await _is_kept_from(store, review, by):
        raise NotFound("no such proposal")
    return review.id, None, Finding.from_parsed(content["finding"]) if "finding" in content else None


async def _about(store: Store, word: SupplierWord) -> tuple[str, Handling]:
    if word.review_id is None:
        assert word.about is not None
        return word.about, REPLY_TERMS
    item = await store.outbox.of_review(word.review_id)
    if item is None or item.hash is None:
        raise NotYet("what it answers to is not published yet; it can leave once that is signed. Nothing was published")
    return item.hash, item.outgoing.handling
