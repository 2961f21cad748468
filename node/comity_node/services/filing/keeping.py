"""Putting screenings on file, keeping them longer, taking them back, and destroying them when their time is over."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from comity_federation.encoding import digest
from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.domain.errors import NotFound
from comity_node.domain.filing import Filing, FilingMayNot, ReferenceInUse, Stage
from comity_node.domain.matching import thresholds
from comity_node.domain.matching.folding import FOLDING
from comity_node.domain.people import Person
from comity_node.domain.retention import months_after
from comity_node.domain.screening import Question
from comity_node.domain.trail import Event
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Moment, this_moment
from comity_node.services.answering.screen import screen_at
from comity_node.services.suppliers.following import catch_up

SHREDDER = "retention"
_AT_ONCE = 20
"""Destroyed in one round; the next one goes on."""

_NUMBERS = {name: value for name, value in vars(thresholds).items() if name.isupper()}
ENGINE = f"folding {FOLDING}, thresholds {digest(repr(sorted(_NUMBERS.items())))[:8]}"
"""By what names are compared here. A screening on file says by what it was made."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What is put on file: a moment, and what was asked and answered at it."""

    moment: Moment
    asked: int
    parts: Iterable[Sequence[dict[str, Any]]]
    """The answers in the order of the questions, some at a time, so that thousands need not be in memory together."""


async def answer(database: Database, questions: Sequence[Question], registry: Registry, now: datetime) -> Answered:
    """Screen now, all at one moment."""
    await catch_up(database)
    async with database.read() as store:
        moment = await this_moment(store, registry, now)
        answers = describe(await screen_at(store, questions, moment))["answers"]
        return Answered(moment, len(answers), [answers])


async def put_on_file(
    store: Store, person: Person, reference: str, stage: Stage, answered: Answered, keep_months: int, now: datetime
) -> Filing:
    """Keep a screening as it was answered.

    Args:
        store: the open transaction.
        person: who files.
        reference: the officer's own; unique here.
        stage: of the procurement.
        answered: what is kept.
        keep_months: how long, by the member's setting.
        now: the time.

    Raises:
        ReferenceInUse: see there.
    """
    if await store.filings.by_reference(reference) is not None:
        raise ReferenceInUse(
            "another screening is on file under this reference; nothing was filed. Give it another one"
        )
    filing = await store.filings.add(
        Filing(
            number=0,
            id=secrets.token_urlsafe(12),
            reference=reference,
            stage=stage,
            by=person.id,
            at=now,
            keep_until=months_after(now.date(), keep_months).isoformat(),
            moment=answered.moment.to_parsed(),
            engine=ENGINE,
            asked=answered.asked,
        )
    )
    first = 1
    for part in answered.parts:
        await store.filings.add_answers(filing, first, part)
        first += len(part)
    await store.trail.add(
        now, person.id, Event.SCREENING_FILED, filing.id,
        stage=stage.value, asked=filing.asked, positions=answered.moment.positions,
    )  # fmt: skip
    return filing


async def find(store: Store, filing_id: str) -> Filing:
    """Return a screening on file.

    Raises:
        NotFound: there is none of this id.
    """
    filing = await store.filings.find(filing_id)
    if filing is None:
        raise NotFound("no such screening is on file")
    return filing


async def find_whole(store: Store, filing_id: str) -> Filing:
    """Return a screening on file that can still be read.

    Raises:
        NotFound: there is none of this id, or its time is over.
    """
    filing = await find(store, filing_id)
    if filing.destroyed_at is not None:
        raise NotFound(f"what was filed was destroyed on {filing.destroyed_at:%Y-%m-%d}: its time was over")
    return filing


async def keep_longer(store: Store, person: Person, filing_id: str, until: date, now: datetime) -> Filing:
    """Keep a screening longer, as while a procurement is disputed; never shorter.

    Raises:
        NotFound, FilingMayNot: see there.
    """
    filing = await find_whole(store, filing_id)
    if until.isoformat() <= filing.keep_until:
        raise FilingMayNot(f"it is kept until {filing.keep_until} as it is; it may be kept longer, never shorter")
    await store.filings.keep_until(filing, until.isoformat())
    await store.trail.add(now, person.id, Event.SCREENING_KEPT_LONGER, filing.id, until=until.isoformat())
    return replace(filing, keep_until=until.isoformat())


async def take_back(store: Store, person: Person, filing_id: str, why: str, now: datetime) -> Filing:
    """Note that a screening was filed in error. It stays to be read: what was filed is never changed.

    Raises:
        NotFound, FilingMayNot: see there.
    """
    filing = await find(store, filing_id)
    if filing.taken_back_at is not None:
        raise FilingMayNot("it is taken back already; nothing was changed")
    await store.filings.take_back(filing, person.id, now, why)
    await store.trail.add(now, person.id, Event.SCREENING_TAKEN_BACK, filing.id)
    return replace(filing, taken_back_by=person.id, taken_back_at=now, taken_back_why=why)


async def destroy_past(database: Database, now: datetime) -> int:
    """Destroy what is past its last day; return how many screenings. That they were on file stays."""
    async with database.read() as store:
        past = await store.filings.past(now.date().isoformat(), most=_AT_ONCE)
    done = 0
    for each in past:
        async with database.write() as store:
            # Since it was read, somebody may have kept it longer.
            filing = await find(store, each.id)
            if filing.destroyed_at is None and filing.keep_until < now.date().isoformat():
                await store.filings.destroy(filing, now)
                await store.trail.add(now, SHREDDER, Event.SCREENING_DESTROYED, filing.id)
                done += 1
    return done
