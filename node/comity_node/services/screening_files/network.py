"""Rows asked of what the network shares, all at one moment, and what is written beside each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from comity_node.db import Database, Store
from comity_node.db.suppliers import Known
from comity_node.domain.inherent_risk import RiskList, read_goods_risks
from comity_node.domain.matching.likeness import Likeness
from comity_node.domain.screening import (
    DecisionHit,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
)
from comity_node.domain.screening_files.asking import Asked
from comity_node.domain.screening_files.results import (
    MOST_CANDIDATES,
    Candidate,
    Result,
    likest_first,
    not_asked,
    reason_with,
)
from comity_node.domain.screening_files.words import NOTHING_FOUND, next_step
from comity_node.domain.supplier_view import DecisionStanding, Standing
from comity_node.domain.suppliers.mentions import Role
from comity_node.domain.trail import Event
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Moment
from comity_node.services.answering.screen import Answer, screen_at
from comity_node.services.screening_files.running import Account, Asker, Once
from comity_node.services.screening_files.spreading import processes_for, spread
from comity_node.services.watching.judging import judged_of_rows
from comity_node.vocabulary import countries

AnyHit = Hit | DecisionHit | PointerHit | NoticeHit
Ranked = tuple[Known | None, Likeness]
"""A supplier, where this node knows it as one, and how like it is."""

_CLOSED = frozenset({Standing.CLOSED, Standing.EXPIRED})
_GONE = frozenset({DecisionStanding.WITHDRAWN, DecisionStanding.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class NetworkAsker:
    """Asks as of one moment, within one view of the database: every row is asked at the same log positions."""

    store: Store
    moment: Moment
    risks: RiskList | None = None
    """None: inherent risk is switched off, and the column stays empty."""
    whole: bool = False
    """Whether each result comes with the whole answer. Findings of one event are tied within rows asked together."""
    at_once: int = 1
    owner: str | None = None
    """The officer whose judgements of rows count for rows of the same names; nobody's where it is None."""

    async def ask(self, rows: Sequence[Asked]) -> list[Result]:
        """Return what is said of each row, in their order."""
        asking = [row for row in rows if row.refused is None]
        questions = [question_of_row(row) for row in asking]
        judged = await judged_of_rows(self.store, self.owner, [(r.key, r.party) for r in asking]) if self.owner else []
        answers = await screen_at(self.store, questions, self.moment, judged) if questions else []
        suppliers = await self._suppliers(answers)
        told = {id(row): self._result(row, answer, suppliers) for row, answer in zip(asking, answers, strict=True)}
        if self.whole and asking:
            said = zip(asking, describe(answers)["answers"], strict=True)
            told = {id(row): replace(told[id(row)], whole=whole) for row, whole in said}
        return [told[id(row)] if row.refused is None else not_asked(row.refused, self.moment.at) for row in rows]

    async def _suppliers(self, answers: Sequence[Answer]) -> dict[str, Known]:
        """Return statement to the supplier it is about, as this node knows it."""
        told = (each for a in answers for each in (a.hits, a.decisions, a.pointers, a.audits))
        hashes = {hit.entry.hash for each in told for hit in each}
        numbers = await self.store.view.numbers(sorted(hashes))
        mentions = await self.store.mentions.by(sorted(numbers.values()))
        subject = {mention.entry: mention.supplier for mention in mentions if mention.role is Role.SUBJECT}
        known = await self.store.suppliers.find(sorted(set(subject.values())))
        return {name: known[subject[n]] for name, n in numbers.items() if subject.get(n) in known}

    def _result(self, row: Asked, answer: Answer, suppliers: dict[str, Known]) -> Result:
        ranked = _ranked(answer, suppliers)
        known, likeness = ranked[0] if ranked else (None, None)
        verdict = answer.verdict if likeness is None else likeness.verdict
        reason = "no name and no number like it is shared" if likeness is None else likeness.reason
        if answer.set_aside:
            reason = ("nobody else like it is shared" if likeness is None else reason) + _aside(answer)
        return Result(
            verdict=verdict,
            reason=reason_with(reason, row.notes),
            state=_state(answer),
            next_step=next_step(
                verdict,
                answer.state,
                answer.decision_state,
                complete=answer.coverage.complete,
                speak_to=answer.pointers[0].entry.member if answer.pointers else None,
            ),
            as_of=self.moment.at,
            score=0 if likeness is None else likeness.score,
            supplier_id="" if known is None else str(known.number),
            supplier_name="" if known is None else known.name,
            findings_current=answer.findings.get(Standing.CURRENT, 0),
            findings_closed=sum(count for standing, count in answer.findings.items() if standing in _CLOSED),
            decisions=sum(count for standing, count in answer.orders.items() if standing not in _GONE),
            risk=self._risk(row),
            candidates=_candidates(ranked),
        )

    def _risk(self, row: Asked) -> str:
        """Return what a state's list says of the good from the country; nothing about the supplier."""
        if self.risks is None or row.country is None:
            return ""
        found = self.risks.find(row.country, row.good or None)
        if not found:
            return ""
        said = [f"{risk.good}: {', '.join(what.value for what in risk.says)}" for risk in found[:10]]
        more = f" and {len(found) - 10} further goods" if len(found) > 10 else ""
        return f"{found[0].according_to}, of goods from this country, not of the supplier: {'; '.join(said)}{more}"


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What it takes to ask the network's suppliers from another process."""

    url: str
    keys: Path | None
    moment: Moment
    risks: RiskList | None
    whole: bool = False
    owner: str | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[NetworkAsker]:
        """Give who answers, from one view of the database."""
        database = Database(self.url, self.keys)
        try:
            async with database.read() as store:
                # A view begins with the first that is read in it.
                await store.behind.names()
                yield NetworkAsker(store, self.moment, self.risks, self.whole, owner=self.owner)
        finally:
            await database.close()


@asynccontextmanager
async def asking_network(
    database: Database,
    moment: Moment,
    risks: RiskList | None,
    rows: int,
    *,
    whole: bool = False,
    owner: str | None = None,
) -> AsyncIterator[Asker]:
    """Give who answers for a file of about so many rows, all from one view of the database as of one moment.

    Args:
        database: of this node.
        moment: at which all are asked.
        risks: where inherent risk is switched on.
        rows: about so many.
        whole: whether the results come with the whole answers.
        owner: the officer whose judgements of rows count for rows of the same names.

    Raises:
        ProcessEnded: a process that answered is gone.
    """
    count = processes_for(rows)
    if count == 1:
        async with database.read() as store:
            asker = NetworkAsker(store, moment, risks, whole, owner=owner)
            yield asker if whole else Once(asker, await _judged_rows(store, owner))
        return
    apart: set[str] = set()

    @asynccontextmanager
    async def nobody_writes() -> AsyncIterator[None]:
        # Which rows were judged is read from the view that the processes begin with.
        async with database.write() as store:
            apart.update(await _judged_rows(store, owner))
            yield

    view = NetworkView(database.url, database.keys, moment, risks, whole, owner)
    async with spread(view, count, "spawn", nobody_writes()) as several:
        yield several if whole else Once(several, frozenset(apart))


async def _judged_rows(store: Store, owner: str | None) -> frozenset[str]:
    return frozenset() if owner is None else frozenset(await store.vendors.judged_rows(owner))


async def note_screening(store: Store, person: str, account: Account, moment: Moment) -> None:
    """Put on the trail that somebody screened a file, how much and at which positions; never whom."""
    detail = {"asked": account.rows, "positions": moment.positions}
    await store.trail.add(moment.at, person, Event.SCREENED, "suppliers", **detail)


def risks_in(path: Path | None) -> RiskList | None:
    """Return the list of goods by country that this member has set; None where it has not."""
    if path is None:
        return None
    with path.open("rb") as stream:
        return read_goods_risks(stream, countries().read)


def question_of_row(row: Asked) -> Question:
    """Return what a row asks."""
    return Question(
        name=row.names[0] if row.names else None,
        country=row.country,
        identifiers=row.identifiers,
        addresses=() if row.address is None else (row.address,),
        other_names=row.names[1:],
    )


def _ranked(answer: Answer, suppliers: dict[str, Known]) -> list[Ranked]:
    """Return who may be meant, the likest first: by each statement, and by what this node knows of the supplier."""
    hits: list[AnyHit] = [*answer.hits, *answer.decisions, *answer.pointers, *answer.audits]
    found: list[Ranked] = [(suppliers.get(hit.entry.hash), hit.likeness) for hit in hits]
    found += [(like.known, like.likeness) for like in answer.suppliers]
    return sorted(found, key=lambda each: likest_first(each[1]))


def _candidates(ranked: Sequence[Ranked]) -> list[Candidate]:
    found: dict[int, Candidate] = {}
    for known, likeness in ranked:
        if known is not None and known.number not in found:
            found[known.number] = Candidate(str(known.number), known.name, likeness.score, likeness.verdict)
    return list(found.values())[:MOST_CANDIDATES]


def _aside(answer: Answer) -> str:
    said = [each.judgement for each in answer.set_aside]
    return "".join(f"; judged not to be supplier {each.supplier} on {each.at:%Y-%m-%d}" for each in said)


def _state(answer: Answer) -> str:
    """Return the state in words; where nothing is found and not everybody was heard, that stands beside it."""
    if answer.coverage.complete or answer.state not in NOTHING_FOUND:
        return answer.state.value
    return f"{answer.state.value}; {answer.coverage.in_words()}"
