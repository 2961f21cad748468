"""What others say beside a finding or decision: its supplier's replies, and other members' own evidence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from comity_node.db import Store
from comity_node.domain.corroborating import weigh
from comity_node.domain.screening import DecisionHit, Hit, R
from comity_node.domain.supplier_view import AnyEntry, DecisionEntry, Entry, EntryState, ReplyEntry
from comity_schemas.reply import ReplyAct


async def with_voices(store: Store, hits: Sequence[Hit], today: date, until: datetime | None = None) -> tuple[Hit, ...]:
    """Return findings with all that others say of them, also of the earlier forms of what is said now.

    Args:
        store: of one view.
        hits: findings.
        today: the day.
        until: what people here decided later does not count; None: nothing is later.
    """
    forms = await _forms_of(store, hits)
    return tuple(await _with_evidence(store, await _replied(store, hits, forms, until), forms, today))


async def with_replies(
    store: Store, hits: Sequence[DecisionHit], until: datetime | None = None
) -> tuple[DecisionHit, ...]:
    """Return decisions with what their subjects answered, also to the earlier forms of what is said now."""
    return tuple(await _replied(store, hits, await _forms_of(store, hits), until))


async def _forms_of(store: Store, hits: Sequence[R]) -> dict[str, set[str]]:
    """Return what each hit's statement said before, itself included: what was said to an earlier form still stands.

    A revision may name any earlier form, so the forms that came between are followed upwards too.
    """
    forms = {hit.entry.hash: {hit.entry.hash} for hit in hits}
    beside = {hit.entry.hash: {before} for hit in hits if (before := _replaces(hit.entry)) is not None}
    while beside:
        there = await store.view.load(set().union(*beside.values()))
        for newest, names in beside.items():
            forms[newest] |= names
        beside = {
            newest: more
            for newest, names in beside.items()
            if (more := {name for each in names if each in there for name in _next_to(there[each])} - forms[newest])
        }
    return forms


def _next_to(entry: AnyEntry) -> set[str]:
    """Return the form before an entry, and the one that took its place."""
    after = entry.by if entry.state is EntryState.SUPERSEDED else entry.earlier_by
    return {name for name in (_replaces(entry), after) if name is not None}


async def _replied(store: Store, hits: Sequence[R], forms: dict[str, set[str]], until: datetime | None) -> list[R]:
    """Return hits with what their suppliers answered, in the order of their days."""
    found = await store.view.replies.about(sorted(set().union(*forms.values()))) if forms else []
    replies = sorted(
        ((e.reply.made, e.hash, e.reply.about, e) for e in found if e.reply is not None), key=lambda r: r[:2]
    )
    decided = await _decided_here(store, [entry for *_, entry in replies], until)
    return [
        replace(
            hit,
            replies=tuple(e for *_, about, e in replies if about in forms[hit.entry.hash]),
            decided_here=decided,
        )
        for hit in hits
    ]


async def _decided_here(store: Store, replies: Sequence[ReplyEntry], until: datetime | None) -> dict[str, date]:
    """Return which disputes a person of this node has decided while the network still holds them for open."""
    decided: dict[str, date] = {}
    for entry in replies:
        said = entry.reply
        if said is None or said.act is not ReplyAct.DISPUTE or said.outcome is not None:
            continue
        item = await store.outbox.of_hash(said.about)
        words = [] if item is None or item.review_id is None else await store.words.of_review(item.review_id)
        for word in words:
            ours = (word.act, word.codes, word.text, word.made_at.date())
            at = word.decided_at
            if ours == (said.act, said.codes, said.text, said.made) and at and (until is None or at <= until):
                decided[entry.hash] = at.date()
    return decided


async def _with_evidence(store: Store, hits: Sequence[Hit], forms: dict[str, set[str]], today: date) -> list[Hit]:
    """Return hits with what other members' own evidence says of them."""
    found = await store.view.corroborations.about(sorted(set().union(*forms.values()))) if forms else []
    weighed: list[Hit] = []
    for hit in hits:
        finding, names = hit.entry.finding, forms[hit.entry.hash]
        about = [e for e in found if e.corroboration is not None and e.corroboration.about in names]
        if finding is not None and about:
            hit = replace(hit, corroborations=weigh(hit.entry.member, finding, about, today))
        weighed.append(hit)
    return weighed


def _replaces(entry: AnyEntry) -> str | None:
    body = entry.finding if isinstance(entry, Entry) else entry.decision if isinstance(entry, DecisionEntry) else None
    return None if body is None else body.replaces
