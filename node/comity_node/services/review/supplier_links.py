"""A supplier's personal link to one finding: what it sees through it, saves, extends, replies and disputes.

Opening it uses nothing up. It is good while the finding stands, in whatever form, until somebody revokes it; it ends by
itself when the finding is withdrawn, overturned or expired. Through it the supplier sees
exactly what the network sees: no withheld field, nothing of the report, nobody's name.
"""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from comity_federation.encoding import digest
from comity_federation.statements import Outgoing
from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.db.supplier_links import SupplierLink
from comity_node.db.supplier_words import SupplierWord
from comity_node.domain.due_process import Outcome, Windows
from comity_node.domain.errors import Contradictory, LinkEnd, LinkEnded, NotFound, NotSignedIn, NotYet
from comity_node.domain.people import Person
from comity_node.domain.supplier_view import Entry, EntryState, Standing, standing
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import (
    OF_A_SUPPLIER,
    RELEASE,
    forms_of,
    is_taken_back,
    newest_hash,
    said_of,
)
from comity_node.services.review.due_process import Clock, clock_for_supplier, why_exempt
from comity_node.services.review.release import read_outgoing
from comity_node.services.review.replies import Said, require_said, write_down
from comity_schemas.reply import ReplyAct, ReplyCode
from comity_schemas.statement import Kind

_ENDED = {
    Standing.OVERTURNED: (LinkEnd.OVERTURNED, "it was overturned: it does not stand any more"),
    Standing.EXPIRED: (LinkEnd.EXPIRED, "its time is over: every node shows it as expired"),
}

LINK_PREFIX = "comity_supplier_"
_SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a supplier sees through its link."""

    statement: str | None
    """Hash of the published finding; None before."""
    state: str
    """`proposed` or `published`."""
    says: dict[str, Any]
    """What the network sees, or would see."""
    handling: dict[str, Any]
    clock: Clock
    may_extend: bool
    words: list[SupplierWord]
    left: frozenset[str]
    """Ids of the words that have left and stand beside it at every node."""
    draft: dict[str, Any] | None


async def make_link(store: Store, person: Person, review_id: str, now: datetime) -> tuple[str, str]:
    """Make a link for the supplier of a proposal; return its id and its secret, which is shown this once.

    Raises:
        NotFound: there is no such proposal of a finding, or it is kept from this person.
        NotYet: the supplier is not told yet: a link would tell it.
        LinkEnded: what it would show does not stand any more.
    """
    review = await store.reviews.find(review_id)
    if (
        review is None
        or review.act != RELEASE
        or review.state == "rejected"
        or OF_A_SUPPLIER.isdisjoint(json.loads(review.content))
        or (review.report_id is not None and await store.cases.keeps_report_from(review.report_id, person.id))
    ):
        raise NotFound("no such proposal")
    process = await store.due_process.find(review_id)
    told = process is not None and process.check.outcome is Outcome.NOTIFY and process.notified_at is not None
    if not told and await why_exempt(store, review) is None:
        raise NotYet("the supplier is not told yet, and a link would tell it; nothing was made")
    secret = LINK_PREFIX + secrets.token_urlsafe(32)
    link = SupplierLink(new_id(), review_id, person.id, now)
    await _what_stands(store, link, now.date())
    await store.links.add(link, digest(secret))
    await store.trail.add(now, person.id, Event.LINK_MADE, link.id, review=review_id)
    return link.id, secret


async def revoke_link(store: Store, person: Person, link_id: str, now: datetime) -> None:
    """Revoke a link at once.

    Raises:
        NotFound: there is no such link, or it was revoked.
    """
    if not await store.links.revoke(link_id, now):
        raise NotFound("no such link")
    await store.trail.add(now, person.id, Event.LINK_REVOKED, link_id)


async def open_link(store: Store, secret: str) -> SupplierLink:
    """Return the link of a secret.

    Raises:
        NotSignedIn: wrong or revoked; which of the two is not told.
    """
    found = await store.links.by_secret(digest(secret)) if secret.isascii() else None
    if found is None:
        raise NotSignedIn("this link is wrong or was revoked; ask whoever sent it to you")
    return found


async def show(store: Store, link: SupplierLink, now: datetime) -> Shown:
    """Return what the supplier sees: exactly what the network sees now, and its own words.

    Raises:
        LinkEnded: it does not stand any more.
    """
    stands = await _what_stands(store, link, now.date())
    words = await said_through(store, link)
    clock = await clock_for_supplier(store, stands.review, now)
    return Shown(
        stands.statement,
        "proposed" if stands.statement is None else "published",
        {**stands.outgoing.body, **stands.outgoing.disclosed},
        stands.outgoing.handling.to_parsed(),
        clock,
        stands.review.state == "proposed" and clock.process is not None and clock.process.may_extend(now),
        words,
        frozenset([word.id for word in words if await _has_left(store, word)]),
        None if link.draft is None else json.loads(link.draft),
    )


async def said_through(store: Store, link: SupplierLink) -> list[SupplierWord]:
    """Return what the supplier has said about it in all its forms, oldest first; also once the link has ended."""
    reviews = [link.review_id]
    item = await store.outbox.of_review(link.review_id)
    if item is not None and item.hash is not None:
        for later in (await forms_of(store, item.hash))[1:]:
            form = await store.outbox.of_hash(later)
            if form is not None and form.review_id is not None:
                reviews.append(form.review_id)
    return [word for review in dict.fromkeys(reviews) for word in await store.words.of_review(review)]


async def _has_left(store: Store, word: SupplierWord) -> bool:
    item = None if word.carried is None else await store.outbox.of_review(word.carried)
    return item is not None and item.hash is not None


async def save_draft(store: Store, link: SupplierLink, draft: dict[str, Any]) -> None:
    """Keep what the supplier has begun to say; nobody here is shown it."""
    await store.links.put_draft(link.id, json.dumps(draft, ensure_ascii=False))


async def extend_window(store: Store, link: SupplierLink, windows: Windows, now: datetime) -> Clock:
    """Extend the reply window, once and while it runs.

    Raises:
        Contradictory: no window runs, or it was extended already.
    """
    review = (await _what_stands(store, link, now.date())).review
    process = await store.due_process.find(review.id)
    if process is None or process.window_ends is None or process.window_ends <= now or review.state != "proposed":
        raise Contradictory("no reply window runs now; you can still reply, and it will say that it came late")
    if not process.may_extend(now):
        raise Contradictory("the reply window was extended already, and only once can it be")
    ends = process.window_ends + windows.extension
    await store.due_process.put(replace(process, window_ends=ends, extended_at=now))
    await store.trail.add(now, _SUPPLIER, Event.WINDOW_EXTENDED, review.id, window_ends=ends.isoformat())
    return await clock_for_supplier(store, review, now)


async def require_sendable(
    store: Store, link: SupplierLink, act: ReplyAct, codes: tuple[ReplyCode, ...], text: str | None, now: datetime
) -> None:
    """Let an answer pass only if `say` would take it now. Nothing is kept.

    Raises:
        TextRefused, Contradictory, LinkEnded: as `say`.
    """
    stands = await _what_stands(store, link, now.date())
    await require_said(store, Said(act, codes, text, review_id=stands.review.id))


async def say(
    store: Store, link: SupplierLink, act: ReplyAct, codes: tuple[ReplyCode, ...], text: str | None, now: datetime
) -> SupplierWord:
    """Take the supplier's reply or dispute; its draft is done with.

    Raises:
        TextRefused, Contradictory: nothing was kept; the draft stays.
        LinkEnded: what it answers to does not stand any more.
    """
    stands = await _what_stands(store, link, now.date())
    word = await write_down(store, Said(act, codes, text, review_id=stands.review.id), None, now)
    await store.links.put_draft(link.id, None)
    return word


@dataclass(frozen=True, slots=True)
class _Stands:
    """What a link is about now: the newest form of what it was made for."""

    review: Review
    outgoing: Outgoing
    statement: str | None


async def _what_stands(store: Store, link: SupplierLink, today: date) -> _Stands:
    """Return what a link shows today. Nobody has to end it: what it rests on says so.

    Raises:
        LinkEnded: withdrawn, overturned, expired, or not published after all.
    """
    review = await store.reviews.find(link.review_id)
    assert review is not None
    if review.state == "rejected":
        raise LinkEnded(LinkEnd.REJECTED, "it was not published after all: nothing is said of you there")
    item = await store.outbox.of_review(review.id)
    if item is None or item.hash is None:
        return _Stands(review, read_outgoing(review), None)
    newest = await newest_hash(store, item.hash)
    item = await store.outbox.of_hash(newest)
    assert item is not None
    if await is_taken_back(store, newest):
        raise LinkEnded(LinkEnd.WITHDRAWN, "it was taken back: it is not said of you any more")
    if item.outgoing.kind == Kind.FINDING:
        entry = Entry(newest, "", item.seq or 0, item.outgoing.handling, said_of(item.outgoing), EntryState.CURRENT)
        ended = _ENDED.get(standing(entry, today))
        if ended is not None:
            raise LinkEnded(*ended)
    revised = None if item.review_id is None else await store.reviews.find(item.review_id)
    return _Stands(revised or review, item.outgoing, newest)
