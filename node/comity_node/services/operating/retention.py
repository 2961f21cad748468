"""Retention: reports and files past their last day are destroyed, key first; the trail and all hashes stay."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime

from comity_node.db import Database, Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import ReportKeyGone
from comity_node.domain.retention import last_day, months_after
from comity_node.domain.trail import Event
from comity_node.services.evidence.vault import Vault
from comity_node.services.reports.stored import open_stored
from comity_node.services.reports.submit import EXPIRED
from comity_node.services.review import vendor_contacts
from comity_node.services.review.concerns import HOLD

SHREDDER = "comity evidence"
"""Who stands on the trail for what was shredded because its time was over."""

_AT_ONCE = 100
"""Reports in one round; the next one goes on."""


UNDECIDED = "something that is not decided yet rests on it"
"""And never what: it may be a case of people at risk, of which nobody can be told that it exists."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What one round destroyed."""

    reports: int
    files: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What was destroyed so far, what is next, and what is kept although its time is over."""

    reports: int = 0
    files: int = 0
    next_report: str | None = None
    kept: tuple[tuple[str, str], ...] = ()
    """Report and why, in words."""


NOTHING_DESTROYED = Retention()


async def expire(database: Database, vault: Vault, months: int, now: datetime) -> Destroyed:
    """Destroy what is past its last day, but for what is held or still needed.

    Args:
        database: the node's.
        vault: where evidence lies.
        months: the member's setting, for reports that state no date.
        now: the time; who calls makes sure that the clock can be trusted, since nothing of this can be undone.
    """
    await prepare(database, months)
    files = await shred_expired(database, vault, now)
    reports = 0
    past = list[StoredReport]()
    async with database.read() as store:
        async for stored, why in _past(store, now.date()):
            past += [stored] if why is None else []
            if len(past) == _AT_ONCE:
                break
    for stored in past:
        async with database.write() as store:
            if await why_kept(store, stored.id) is None:
                files += await _destroy(store, vault, stored, now)
                reports += 1
    async with database.write() as store:
        listed = await store.vendor_contacts.find()
        if listed is not None and listed.keep_until < now.date():
            await vendor_contacts.delete(store, SHREDDER, now)
    return Destroyed(reports, files)


async def _past(store: Store, today: date) -> AsyncIterator[tuple[StoredReport, str | None]]:
    """Yield reports past their last day, with why each is kept; however many are, they stand in nobody's way."""
    skip = 0
    while past := await store.reports.past(today, most=_AT_ONCE, skip=skip):
        for stored in past:
            yield stored, await why_kept(store, stored.id)
        skip += len(past)


async def shred_expired(database: Database, vault: Vault, now: datetime) -> int:
    """Shred every file past its date, but for those of reports that something keeps; return how many."""
    shredded = 0
    async with database.read() as store:
        expired = [f for f in await store.evidence.expired(now.date()) if await why_kept(store, f.report_id) is None]
    for file in expired:
        async with database.write() as store:
            if await why_kept(store, file.report_id) is not None:
                continue
            # The key first: a crash between the two shreds again what is gone, and never forgets what is not.
            await asyncio.to_thread(vault.shred, file.id)
            await store.evidence.shred(file.id)
            await store.trail.add(now, SHREDDER, Event.EVIDENCE_SHREDDED, file.id, report=file.report_id)
            shredded += 1
    return shredded


async def prepare(database: Database, months: int) -> None:
    """Enter the last day of reports that have none yet, and seal what came before reports were sealed."""
    async with database.read() as store:
        lacking = await store.reports.unprepared(most=_AT_ONCE)
    for stored in lacking:
        try:
            until = last_day(open_stored(stored), stored.received_at.date(), months)
        except ReportKeyGone:
            # What it says of itself is lost with its key; the setting counts.
            until = months_after(stored.received_at.date(), months)
        async with database.write() as store:
            await store.reports.prepare(stored.id, until)


async def why_kept(store: Store, report_id: str) -> str | None:
    """Return in words why a report past its last day is kept with its files; None where nothing keeps it."""
    if await store.concerns.is_held(report_id):
        return "held for legal use: two people let it go (comity joint propose)"
    for act in await store.concerns.acts(report_id):
        if act.act == HOLD and act.state == "proposed":
            return f"{UNDECIDED} (to be held for legal use: {act.id})"
    if any(not case.is_closed for case in await store.cases.of_report(report_id)):
        return UNDECIDED
    for review in await store.reviews.of_report(report_id):
        if review.state == "proposed":
            return UNDECIDED
        if any(word.open for word in await store.words.of_review(review.id)):
            return UNDECIDED
    return None


async def retention_of(store: Store, today: date) -> Retention:
    """Return how retention stands."""
    reports, soonest = await store.reports.retention()
    kept = tuple([(stored.id, why) async for stored, why in _past(store, today) if why is not None])
    return Retention(reports, await store.evidence.shredded(), soonest, kept)


async def _destroy(store: Store, vault: Vault, stored: StoredReport, now: datetime) -> int:
    """Destroy a report with all its files; return how many files."""
    files = [file for file in (await store.evidence.of_report(stored.id)).values() if file.state != "shredded"]
    for file in files:
        await asyncio.to_thread(vault.shred, file.id)
        await store.evidence.shred(file.id)
        await store.trail.add(now, SHREDDER, Event.EVIDENCE_SHREDDED, file.id, report=stored.id)
    await store.reports.expire(stored.id, (*stored.marks, EXPIRED), now)
    await store.trail.add(now, SHREDDER, Event.REPORT_EXPIRED, stored.id, files=len(files))
    return len(files)
