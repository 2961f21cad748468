"""Deaths, races and damage on the way of an evidence file: nothing half is kept, nothing is lost for good."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from comity_node.domain.errors import ReportExpired
from comity_node.services.evidence import scanning
from comity_node.services.evidence.keeping import (
    EvidenceNotHere,
    Rules,
)
from comity_node.services.evidence.kinds import EvidenceRefused
from comity_node.services.evidence.scanning import ScannerUnavailable
from comity_node.services.evidence.vault import EvidenceUnreadable, Vault
from comity_node.services.operating.retention import shred_expired
from evidence_archive import Archive, K, listed
from node_world import NOW


async def test_a_refusal_that_died_half_way_leaves_a_file_that_can_be_sent_again(archive: Archive) -> None:
    content = b"z" * K + b"end"
    stored = await archive.report(listed(content))
    await archive.send(stored, content[:K])
    async with archive.database.read() as store:
        file = await store.evidence.find(stored.id, "E1")
    assert file is not None
    archive.vault.shred(file.id)
    assert await archive.state(stored) == [("awaited", 0)]
    assert (await archive.send(stored, content)).state == "kept"
    assert await archive.read(stored) == content


@pytest.mark.parametrize("place", ["keys", "data"])
async def test_a_file_of_which_a_part_is_missing_from_the_backup_begins_anew(archive: Archive, place: str) -> None:
    content = b"z" * K + b"end"
    stored = await archive.report(listed(content))
    await archive.send(stored, content[:K])
    for path in (archive.place / place).iterdir():
        path.unlink()
    assert await archive.state(stored) == [("awaited", 0)]
    assert (await archive.send(stored, content)).state == "kept"
    assert len(archive.files()) == 2


async def test_what_the_disk_damaged_while_it_came_is_refused_and_sent_again(archive: Archive) -> None:
    content = b"z" * K + b"end"
    stored = await archive.report(listed(content))
    await archive.send(stored, content[:K])
    (data,) = (archive.place / "data").iterdir()
    raw = data.read_bytes()
    data.write_bytes(raw[:50] + bytes([raw[50] ^ 1]) + raw[51:])
    with pytest.raises(EvidenceRefused, match="damaged"):
        await archive.send(stored, content[K:], K)
    assert archive.files() == []
    assert (await archive.send(stored, content)).state == "kept"


async def test_two_who_ask_for_the_end_at_once_keep_it_once(archive: Archive) -> None:
    archive.rules = Rules(scanner=(sys.executable, "-c", "import sys, time; sys.stdin.read(); time.sleep(0.3)"))
    stored = await archive.report(listed(b"one"))
    first = asyncio.create_task(archive.send(stored, b"one"))
    while await archive.state(stored) != [("receiving", 3)]:
        await asyncio.sleep(0.01)
    again = await archive.send(stored, b"", 3)
    assert {again.state, (await first).state} == {"kept"}
    assert (await archive.events()).count("evidence.kept") == 1


async def test_what_is_shredded_while_the_scanner_looks_is_not_kept_after_all(archive: Archive) -> None:
    archive.rules = Rules(scanner=(sys.executable, "-c", "import sys, time; sys.stdin.read(); time.sleep(0.3)"))
    stored = await archive.report(listed(b"one", keep_until="2026-12-31"))
    sending = asyncio.create_task(archive.send(stored, b"one"))
    while await archive.state(stored) != [("receiving", 3)]:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert await shred_expired(archive.database, archive.vault, NOW + timedelta(days=100)) == 1
    with pytest.raises(EvidenceNotHere, match="shredded"):
        await sending
    assert await archive.state(stored) == [("shredded", 0)]
    with pytest.raises(EvidenceNotHere, match="shredded"):
        await archive.send(stored, b"one")


async def test_nothing_is_begun_of_a_report_that_was_destroyed_meanwhile(archive: Archive) -> None:
    stored = await archive.report(listed(b"one"))
    async with archive.database.write() as store:
        await store.reports.expire(stored.id, ("expired",), NOW)
    with pytest.raises(ReportExpired):
        await archive.send(stored, b"one")
    assert archive.files() == []


def test_a_piece_that_is_being_added_leaves_nothing_behind_a_shredding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path / "data", tmp_path / "keys")
    vault.begin("f")
    shredding = Thread(target=vault.shred, args=["f"])
    save = Vault._save

    def shred_before(self: Vault, *given: Any, **more: Any) -> None:
        shredding.start()
        shredding.join(0.2)
        save(self, *given, **more)

    monkeypatch.setattr(Vault, "_save", shred_before)
    vault.append("f", 0, b"x" * K, last=False)
    shredding.join()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(EvidenceUnreadable):
        vault.append("f", K, b"x", last=True)


def test_no_copy_of_the_ciphers_state_opens_a_file_whose_key_is_shredded(tmp_path: Path) -> None:
    """What one piece leaves for the next could open the whole file, and old ones lie on in the disk's free space."""
    vault = Vault(tmp_path / "data", tmp_path / "keys")
    vault.begin("f")
    vault.append("f", 0, b"x" * K, last=False)
    lying = (tmp_path / "keys" / "f.going-on").read_bytes()
    (tmp_path / "keys" / "f.fresh").write_bytes(lying)
    vault.append("f", K, b"x" * K, last=False)
    vault.shred("f")
    assert list((tmp_path / "keys").iterdir()) == []
    assert b"received" not in lying and b"state" not in lying
    (tmp_path / "keys" / "f").write_bytes(bytes(32))
    (tmp_path / "keys" / "f.going-on").write_bytes(lying)
    with pytest.raises(EvidenceUnreadable):
        vault.received("f")


@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", "import time; time.sleep(60)"), ("sh", "-c", "sleep 60; :")]
)
async def test_a_scanner_that_does_not_even_read_is_not_waited_for(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(scanning, "_SECONDS", 0.3)
    archive.rules = Rules(scanner=command)
    content = b"x" * 4 * K
    stored = await archive.report(listed(content))
    with pytest.raises(ScannerUnavailable):
        await asyncio.wait_for(archive.send(stored, content), 10)
    assert await archive.state(stored) == [("receiving", len(content))]
