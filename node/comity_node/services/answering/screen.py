"""Screening against the local supplier view. No query leaves the node."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.behind import Names
from comity_node.domain.matching.likeness import Verdict, strongest_verdict
from comity_node.domain.noticing import NOBODY_LOOKED, Assessed
from comity_node.domain.screening import (
    DecisionHit,
    DecisionState,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
    State,
    assessed_of,
    audits_of,
    best_verdict,
    decision_state_of,
    pointed_at,
    sort_hits,
    state_of,
)
from comity_node.domain.supplier_view import (
    DecisionStanding,
    Standing,
    decision_standing,
    standing,
)
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import Weighed
from comity_node.services.answering.concerned import LikeSupplier, concerned
from comity_node.services.answering.judged import Found, OfRow, with_judged
from comity_node.services.answering.moment import Coverage, Moment, this_moment
from comity_node.services.answering.voices import with_replies, with_voices
from comity_node.services.suppliers.following import catch_up
from comity_node.services.suppliers.screened import Through, joined_with, through_providers

FEW = 100
"""Changes that somebody who asks takes in first, so that judgements and labour providers count for them too. While more
is being received, they are found as they are: whoever asks does not wait for whoever writes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What this node knew about one supplier at one moment."""

    question: Question
    verdict: Verdict
    state: State
    hits: tuple[Hit, ...]
    unreadable: int
    """Findings that count but name nobody this node may read."""
    decision_state: DecisionState
    decisions: tuple[DecisionHit, ...]
    unreadable_decisions: int
    as_of: datetime
    registry_version: int
    positions: dict[str, int]
    """Member to the last statement of its log that this answer rests on."""
    coverage: Coverage
    through: tuple[Through, ...] = ()
    """What is said of its labour providers; never its own, so it makes neither verdict nor state."""
    pointers: tuple[PointerHit, ...] = ()
    """Whom to speak to before contacting the supplier; only those that stand today."""
    unreadable_pointers: int = 0
    audits: tuple[NoticeHit, ...] = ()
    unreadable_audits: int = 0
    suppliers: tuple[LikeSupplier, ...] = ()
    """Whoever is known here and may be the one asked about, the likest first."""
    assessed: Assessed = NOBODY_LOOKED
    """What audits say by indicator; nothing where nobody looked."""
    set_aside: tuple[Weighed, ...] = ()
    """By which suppliers that were found are left out: judged not to be the row that is asked about."""
    findings: Mapping[Standing, int] = field(default_factory=dict)
    """How many there are by what they mean today, also of what is too much to be shown."""
    orders: Mapping[DecisionStanding, int] = field(default_factory=dict)
    """The same of decisions."""

    @property
    def further(self) -> dict[str, int]:
        """How many findings and decisions there are beyond those that are shown."""
        return {
            "findings": sum(self.findings.values()) - len(self.hits),
            "decisions": sum(self.orders.values()) - len(self.decisions),
        }


async def screen(
    store: Store, questions: Sequence[Question], registry: Registry, now: datetime, judged: Sequence[OfRow] = ()
) -> list[Answer]:
    """Answer questions from one consistent view, so that all are asked at the same log positions.

    Args:
        store: Of that view.
        questions: Whom somebody asks about.
        registry: Of members.
        now: The time.
        judged: For each question, what was judged of the row that it asks about; for none where it is empty.
    """
    return await _answers(store, questions, await this_moment(store, registry, now), judged)


async def screen_at(
    store: Store, questions: Sequence[Question], moment: Moment, judged: Sequence[OfRow] = ()
) -> list[Answer]:
    """Answer questions as of a moment, now or later: from the statements up to its positions, on its day.

    What people here judged and entered since, and what the registry says of members since, is not taken off again.
    """
    return await _answers(store.as_of(moment.positions), questions, moment, judged)


async def _answers(
    store: Store, questions: Sequence[Question], moment: Moment, judged: Sequence[OfRow]
) -> list[Answer]:
    unnamed = await store.view.unnamed()
    frame = partial(
        Answer,
        unreadable=unnamed.findings,
        unreadable_decisions=unnamed.decisions,
        unreadable_pointers=unnamed.pointers,
        unreadable_audits=unnamed.notices,
        as_of=moment.at,
        registry_version=moment.registry_version,
        positions=moment.positions,
        coverage=moment.coverage,
    )
    behind = await store.behind.names()
    of_rows: Sequence[OfRow] = judged or [{}] * len(questions)
    return [
        await _answer(store, question, of_row, behind, moment.at, frame)
        for question, of_row in zip(questions, of_rows, strict=True)
    ]


async def _answer(
    store: Store, question: Question, judged: OfRow, behind: Names, at: datetime, frame: Callable[..., Answer]
) -> Answer:
    today = at.date()
    found = await concerned(store, question, behind)
    # Verdict and state rest on all that was found, also on what is too much to be shown.
    hits = [Hit(entry, standing(entry, today), likeness) for entry, likeness in found.findings]
    decided = [DecisionHit(entry, decision_standing(entry, today), likeness) for entry, likeness in found.decisions]
    pointers, audits = pointed_at(found.pointers, today), audits_of(found.notices, today)
    alike = {like.known.number: like.likeness.verdict for like in found.suppliers}
    joined = await joined_with(store, [*hits, *decided, *pointers, *audits], today, alike)
    counts = Found(
        joined.with_found(hits, joined.findings),
        joined.with_found(decided, joined.decisions),
        joined.with_found(pointers, joined.pointers),
        joined.with_found(audits, joined.audits),
        [like for like in found.suppliers if like.is_spoken_of],
    )
    counts = await with_judged(store, counts, judged, today)
    hits, decided, suppliers = counts.findings, counts.decisions, counts.suppliers
    # Strongest of all: it says whether it is the same supplier, not what is said of it.
    verdicts = [best_verdict(hits), best_verdict(decided), best_verdict(counts.pointers), best_verdict(counts.audits)]
    return frame(
        question=question,
        verdict=strongest_verdict([*verdicts, *(like.likeness.verdict for like in suppliers)]),
        state=state_of(hits, counts.audits, known_otherwise=bool(decided or counts.pointers or suppliers)),
        hits=await with_voices(store, sort_hits(hits), today, at),
        decision_state=decision_state_of(decided),
        decisions=await with_replies(store, sort_hits(decided), at),
        pointers=tuple(sort_hits(counts.pointers)),
        audits=tuple(sort_hits(counts.audits)),
        assessed=assessed_of(hits, counts.audits),
        through=await through_providers(store, question),
        suppliers=tuple(suppliers),
        set_aside=tuple(counts.set_aside),
        findings=Counter(hit.standing for hit in hits),
        orders=Counter(hit.standing for hit in decided),
    )


async def nothing_judged(_: Store) -> Sequence[OfRow]:
    """Return what counts where nobody asks about rows of their own."""
    return ()


async def screen_and_note(
    database: Database,
    questions: Sequence[Question],
    registry: Registry,
    person: str,
    now: datetime,
    judged_in: Callable[[Store], Awaitable[Sequence[OfRow]]] = nothing_judged,
) -> list[Answer]:
    """Answer once the trail says that somebody asked and how much; never whom about.

    Args:
        database: The node's.
        questions: Whom somebody asks about.
        registry: Of members.
        person: Who asks.
        now: The time.
        judged_in: Reads, in the view that answers, what was judged of the row that each question is about.
    """
    answers: list[Answer] | None = None
    async with database.read() as store:
        behind = await store.suppliers.behind()
        if not 0 < behind <= FEW:
            answers = await screen(store, questions, registry, now, await judged_in(store))
    if answers is None:
        await catch_up(database, if_at_most=FEW)
        async with database.read() as store:
            answers = await screen(store, questions, registry, now, await judged_in(store))
    # A transaction of its own: while somebody searches, whoever writes need not wait.
    async with database.write() as store:
        await store.trail.add(
            now, person, Event.SCREENED, "suppliers", asked=len(questions), positions=answers[0].positions
        )
    return answers
