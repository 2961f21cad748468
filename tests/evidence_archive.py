"""A node's reports with their evidence, for the tests of keeping it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import AuditFirm
from comity_federation.encoding import b64encode
from comity_federation.signed_reports import sign_report
from comity_node.db import Database
from comity_node.db.reports import StoredReport
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person, new_id
from comity_node.services.evidence.keeping import (
    Progress,
    Rules,
    evidence_of,
    note_reading,
    take_piece,
)
from comity_node.services.evidence.vault import MESSAGE_BYTES, Vault
from node_world import NOW, audit_report

FIRM = AuditFirm("firm")
K = MESSAGE_BYTES


def listed(content: bytes, media_type: str = "text/plain", ref: str = "E1", **more: Any) -> dict[str, Any]:
    sha256 = b64encode(hashlib.sha256(content).digest())
    return {"ref": ref, "media_type": media_type, "bytes": len(content), "sha256": sha256, **more}


@dataclass
class Archive:
    """A node's reports with their evidence."""

    database: Database
    vault: Vault
    person: Person
    second: Person
    place: Path
    rules: Rules = field(default_factory=Rules)

    async def report(self, *evidence: dict[str, Any], **changes: Any) -> StoredReport:
        content = audit_report(evidence=list(evidence), auditor=FIRM.did, **changes)
        raw = sign_report(content, iss=FIRM.did, kid=FIRM.kid, key=FIRM.key, now=NOW)
        stored = StoredReport(
            new_id(), "signed", raw, "firm", FIRM.kid, "r", "s", None, (), self.person.id, NOW
        )  # fmt: skip
        async with self.database.write() as store:
            await store.reports.add(stored)
        return stored

    async def send(self, stored: StoredReport, piece: bytes, offset: int = 0, ref: str = "E1") -> Progress:
        return await take_piece(
            self.database, self.vault, self.rules, self.person, stored, ref, offset=offset, piece=piece, now=NOW
        )

    async def read(self, stored: StoredReport, ref: str = "E1") -> bytes:
        async with self.database.write() as store:
            file, _ = await note_reading(store, self.person, stored, ref, NOW, copy="original")
        return b"".join(self.vault.read(file.id))

    async def state(self, stored: StoredReport) -> list[tuple[str, int]]:
        async with self.database.read() as store:
            return [(p.state, p.received) for p in await evidence_of(store, self.vault, stored)]

    async def events(self) -> list[str]:
        async with self.database.read() as store:
            return [e.event.value for _, e in reversed(await store.trail.page(before=None, most=50))]

    def files(self) -> list[Path]:
        return [path for path in self.place.rglob("*") if path.is_file() and path.suffix != ".db"]


async def archive_at(database: Database, place: Path) -> Archive:
    """Furnish an archive with an auditor and a reviewer."""
    people = []
    for name, role in (("greta", PersonRole.AUDITOR), ("ana", PersonRole.REVIEWER)):
        async with database.write() as store:
            people.append(
                await add_person(store, name=name, roles=[role], firm="firm", password_hash=None, by="t", now=NOW)
            )
    place.mkdir()
    return Archive(database, Vault(place / "data", place / "keys"), people[0], people[1], place)
