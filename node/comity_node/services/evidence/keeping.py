"""Receiving an evidence file in pieces, and giving it back by name."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from comity_federation.encoding import b64encode
from comity_node.db import Database, Store
from comity_node.db.evidence import StoredEvidence
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.retention import USUAL_MONTHS, last_day
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.evidence.kinds import EvidenceRefused, Looking, check_size, check_type
from comity_node.services.evidence.scanning import is_clean
from comity_node.services.evidence.vault import MESSAGE_BYTES, EvidenceUnreadable, Vault, WrongOffset
from comity_node.services.reports.stored import open_stored
from comity_schemas.errors import ComityError
from comity_schemas.report import Evidence, Report

_SHREDDED = "this file is shredded; the report tells what it was and its hash"


class EvidenceNotHere(ComityError):
    """The report lists this file, and the node does not have it: not sent yet, not finished, or shredded."""

    code: ClassVar[str] = "evidence.not-here"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a member's settings say of evidence."""

    more_types: frozenset[str] = frozenset()
    scanner: tuple[str, ...] = ()
    keep_months: int = USUAL_MONTHS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file is."""

    listed: Evidence
    state: str
    """`awaited`, `receiving`, `kept` or `shredded`."""
    received: int
    scanned: bool = False
    keep_until: date | None = None


async def evidence_of(store: Store, vault: Vault, stored: StoredReport) -> list[Progress]:
    """Return how far each file is that a report lists."""
    files = await store.evidence.of_report(stored.id)
    return [_progress(listed, files.get(listed.ref), vault) for listed in open_stored(stored).evidence]


async def take_piece(
    database: Database,
    vault: Vault,
    rules: Rules,
    person: Person,
    stored: StoredReport,
    ref: str,
    *,
    offset: int,
    piece: bytes,
    now: datetime,
) -> Progress:
    """Store the next piece of a file; with the last one, look whether it is what the auditor signed.

    Raises:
        NotFound: the report lists no such file.
        EvidenceRefused: its type or size is not taken, or it is not what the report says; nothing of it is kept.
        EvidenceNotHere: it was shredded, perhaps just now.
        WrongOffset: it does not begin where the file ends so far.
        ScannerUnavailable: the file waits; ask again with nothing to add.
    """
    report = open_stored(stored)
    listed = _listed(report, ref)
    check_type(listed.media_type, rules.more_types)
    check_size(listed.bytes)
    file = await _begun(database, vault, rules, person, stored, report, listed, now)
    if file.state != "receiving":
        return _at_its_end(listed, file, offset, piece)
    end = offset + len(piece)
    if end > listed.bytes:
        await _refuse(database, vault, person, file, now)
        raise EvidenceRefused(f"the file is longer than the {listed.bytes} bytes that the report says; nothing is kept")
    if end < listed.bytes and (not piece or len(piece) % MESSAGE_BYTES):
        raise WrongOffset(await asyncio.to_thread(vault.received, file.id))
    try:
        await asyncio.to_thread(vault.append, file.id, offset, piece, last=end == listed.bytes)
    except EvidenceUnreadable:
        # Somebody else who asked may have brought it to its end meanwhile.
        async with database.read() as store:
            there = await store.evidence.find(stored.id, ref)
        if there is None or there.id != file.id or there.state == "receiving":
            raise
        return _at_its_end(listed, there, offset, piece)
    if end < listed.bytes:
        return Progress(listed, "receiving", end, keep_until=file.keep_until)
    why = await asyncio.to_thread(_what_is_wrong, vault, file.id, listed, rules)
    if why is not None:
        await _refuse(database, vault, person, file, now)
        raise EvidenceRefused(f"{why}; nothing of it is kept")
    await _keep(database, person, file, now, scanned=bool(rules.scanner))
    await asyncio.to_thread(vault.finish, file.id)
    return Progress(listed, "kept", end, bool(rules.scanner), file.keep_until)


def _at_its_end(listed: Evidence, file: StoredEvidence, offset: int, piece: bytes) -> Progress:
    if file.state == "shredded":
        raise EvidenceNotHere(_SHREDDED)
    if piece or offset != listed.bytes:
        raise WrongOffset(listed.bytes)
    return Progress(listed, "kept", listed.bytes, file.scanned, file.keep_until)


async def note_reading(
    store: Store, person: Person, stored: StoredReport, ref: str, now: datetime, *, copy: str
) -> tuple[StoredEvidence, Evidence]:
    """Put a reading on the trail; return the file to be read.

    Raises:
        NotFound: the report lists no such file.
        EvidenceNotHere: it is not here whole.
    """
    listed = _listed(open_stored(stored), ref)
    file = await store.evidence.find(stored.id, ref)
    if file is None or file.state != "kept":
        if file is not None and file.state == "shredded":
            raise EvidenceNotHere(_SHREDDED)
        state = "not sent yet" if file is None else "not finished yet"
        raise EvidenceNotHere(f"this file is {state}; the report tells what it was and its hash")
    await store.trail.add(now, person.id, Event.EVIDENCE_READ, file.id, report=stored.id, copy=copy)
    return file, listed


async def _begun(
    database: Database,
    vault: Vault,
    rules: Rules,
    person: Person,
    stored: StoredReport,
    report: Report,
    listed: Evidence,
    now: datetime,
) -> StoredEvidence:
    async with database.read() as store:
        found = await store.evidence.find(stored.id, listed.ref)
    lost = found is not None and found.state == "receiving" and not await asyncio.to_thread(vault.is_begun, found.id)
    if found is not None and not lost:
        return found
    until = last_day(report, now.date(), rules.keep_months, listed)
    if until < now.date():
        raise EvidenceRefused(f"the file was to be kept until {until} only, which is over; nothing was stored")
    file = StoredEvidence(new_id(), stored.id, listed.ref, "receiving", False, until, person.id, now)
    await asyncio.to_thread(vault.begin, file.id)
    there = None
    try:
        async with database.write() as store:
            # Somebody may have begun it meanwhile: theirs goes on. So may the report have been destroyed.
            open_stored(await store.reports.find(stored.id) or stored)
            there = await store.evidence.find(stored.id, listed.ref)
            if there is not None and lost and there == found:
                # Its key went in a refusal that did not come to its end, or it was not in the backup.
                await asyncio.to_thread(vault.shred, there.id)
                await store.evidence.remove(there.id)
                there = None
            if there is None:
                await store.evidence.add(file)
                await store.trail.add(now, person.id, Event.EVIDENCE_BEGUN, file.id, report=stored.id)
                there = file
    finally:
        if there is not file:
            await asyncio.to_thread(vault.shred, file.id)
    return there


async def _keep(database: Database, person: Person, file: StoredEvidence, now: datetime, *, scanned: bool) -> None:
    async with database.write() as store:
        # While it was looked at it may have been shredded, refused, or found good for somebody else who asked.
        there = await store.evidence.find(file.report_id, file.ref)
        if there is None or there.id != file.id or there.state == "shredded":
            raise EvidenceNotHere(_SHREDDED)
        if there.state == "receiving":
            await store.evidence.keep(file.id, now, scanned=scanned)
            detail = {"report": file.report_id, "scanned": scanned}
            await store.trail.add(now, person.id, Event.EVIDENCE_KEPT, file.id, **detail)


async def _refuse(database: Database, vault: Vault, person: Person, file: StoredEvidence, now: datetime) -> None:
    async with database.write() as store:
        there = await store.evidence.find(file.report_id, file.ref)
        if there is None or there.id != file.id or there.state == "shredded":
            return
        await asyncio.to_thread(vault.shred, file.id)
        await store.evidence.remove(file.id)
        await store.trail.add(now, person.id, Event.EVIDENCE_REFUSED, file.id, report=file.report_id)


def _what_is_wrong(vault: Vault, name: str, listed: Evidence, rules: Rules) -> str | None:
    hashed, looking = hashlib.sha256(), Looking(listed.media_type)
    try:
        for piece in vault.read(name):
            hashed.update(piece)
            looking.look(piece)
    except EvidenceUnreadable:
        return "what was received of the file was damaged on this node's disk: send it again"
    if b64encode(hashed.digest()) != listed.sha256:
        return "this is another file than the auditor signed: its SHA-256 differs"
    if not looking.is_what_it_says():
        return f"the file is not {listed.media_type}, whatever the report says"
    if rules.scanner and not is_clean(rules.scanner, _pieces(vault, name)):
        return "the malware scanner found something in it"
    return None


def _pieces(vault: Vault, name: str) -> Iterator[bytes]:
    return vault.read(name)


def _listed(report: Report, ref: str) -> Evidence:
    for listed in report.evidence:
        if listed.ref == ref:
            return listed
    raise NotFound("the report lists no such file")


def _progress(listed: Evidence, file: StoredEvidence | None, vault: Vault) -> Progress:
    if file is None:
        return Progress(listed, "awaited", 0)
    state, received = file.state, {"kept": listed.bytes}.get(file.state, 0)
    if state == "receiving":
        try:
            received = vault.received(file.id)
        except EvidenceUnreadable:
            # Whoever sends it begins anew.
            state = "awaited"
    return Progress(listed, state, received, file.scanned, file.keep_until)
