"""What an officer judged of a row, laid over what was found for it.

Rules:
- Whoever was judged not to be it is left out before anything is counted or cut off, and named as set aside.
- Of whoever was judged to be it everything counts, under whatever name: nothing new is ever hidden by a judgement.
  Where that lapsed, as what a person must look at.
- Nothing is laid over what is put on file: that has to follow from the log positions alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from comity_node.db import Store
from comity_node.db.entries import E
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.screening import DecisionHit, Hit, NoticeHit, PointerHit, audits_of, pointed_at
from comity_node.domain.supplier_view import decision_standing, standing
from comity_node.domain.suppliers.mentions import Role
from comity_node.domain.watching.judging import Holds, VendorJudged, Weighed, as_judged, as_recognised
from comity_node.services.answering.concerned import LikeSupplier
from comity_node.services.suppliers.screened import whom_about

MOST = 200
"""Statements of whoever was judged to be a row that one answer brings beside what was found."""

OfRow = Mapping[int, Weighed]
"""The number under which a supplier stands to what was judged of it and one row."""

H = TypeVar("H", Hit, DecisionHit, PointerHit, NoticeHit)


@dataclass(slots=True)
class Found:
    """What may concern the one asked about."""

    findings: list[Hit]
    decisions: list[DecisionHit]
    pointers: list[PointerHit]
    audits: list[NoticeHit]
    suppliers: list[LikeSupplier]
    set_aside: list[Weighed] = field(default_factory=list)
    """By which somebody who was found is left out."""


async def with_judged(store: Store, found: Found, judged: OfRow, today: date) -> Found:
    """Return what was found as it counts for a row; what was not found by name or number and was judged is added."""
    if not judged:
        return found
    about = await whom_about(store, (h.entry.hash for h in _all(found)))
    wholes = {statement: known.whole for statement, known in about.items()}
    same = {w: said for w, said in judged.items() if _was_recognised(said)}
    more = await _said_of(store, same, {hit.entry.hash for hit in _all(found)}, today)
    there = {*wholes.values(), *(like.known.whole for like in found.suppliers)}
    return Found(
        [*_laid(found.findings, wholes, judged), *more.findings],
        [*_laid(found.decisions, wholes, judged), *more.decisions],
        [*_laid(found.pointers, wholes, judged), *more.pointers],
        [*_laid(found.audits, wholes, judged), *more.audits],
        [
            replace(like, likeness=likeness)
            for like in found.suppliers
            if (likeness := as_judged(like.likeness, judged.get(like.known.whole))) is not None
        ],
        [judged[whole] for whole in sorted(there & judged.keys()) if _is_aside(judged[whole])],
    )


def _was_recognised(said: Weighed) -> bool:
    return said.judgement.judged is VendorJudged.SAME and said.holds in (Holds.HOLDS, Holds.LAPSED)


def _is_aside(said: Weighed) -> bool:
    return said.holds is Holds.HOLDS and said.judgement.judged is VendorJudged.NOT_SAME


def _all(found: Found) -> Iterable[Hit | DecisionHit | PointerHit | NoticeHit]:
    return (*found.findings, *found.decisions, *found.pointers, *found.audits)


def _laid(hits: Iterable[H], wholes: Mapping[str, int], judged: OfRow) -> list[H]:
    laid = ((hit, as_judged(hit.likeness, judged.get(wholes.get(hit.entry.hash, 0)))) for hit in hits)
    return [replace(hit, likeness=likeness) for hit, likeness in laid if likeness is not None]


async def _said_of(store: Store, same: OfRow, found: set[str], today: date) -> Found:
    """Return what is said of whoever was judged to be the row and was not found otherwise."""
    together = await store.suppliers.of_wholes(sorted(same)) if same else []
    whole_of = {known.number: known.whole for known in together}
    mentions = await store.mentions.of(sorted(whole_of), MOST, Role.SUBJECT) if whole_of else []
    named = await store.said_of.asides(sorted(whole_of))
    about = {entry: same[whole_of[of]] for entry, of in [*((m.entry, m.supplier) for m in mentions), *named]}
    nothing = Likeness(Verdict.NONE)
    likeness = {n: as_recognised(nothing, said) or nothing for n, said in about.items()}
    read = await store.view.named_by_number(sorted(about))

    def new(entries: Mapping[int, E]) -> list[tuple[E, Likeness]]:
        return [(entry, likeness[n]) for n, entry in entries.items() if entry.hash not in found]

    return Found(
        [Hit(entry, standing(entry, today), how) for entry, how in new(read.findings)],
        [DecisionHit(entry, decision_standing(entry, today), how) for entry, how in new(read.decisions)],
        pointed_at(new(read.pointers), today),
        audits_of(new(read.notices), today),
        [],
    )
