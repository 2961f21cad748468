"""Evidence files: encrypted in pieces, given back only whole and unchanged, unreadable once their key is shredded."""

import sys
import tracemalloc
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from pydantic import ValidationError

from comity_node.cli.evidence import get
from comity_node.db.concerns import JointAct
from comity_node.domain.errors import NotFound
from comity_node.services.evidence.keeping import (
    EvidenceNotHere,
    Rules,
)
from comity_node.services.evidence.kinds import MAX_EVIDENCE_BYTES, EvidenceRefused, Looking, check_size, check_type
from comity_node.services.evidence.scanning import ScannerUnavailable
from comity_node.services.evidence.vault import EvidenceUnreadable, Vault, WrongOffset
from comity_node.services.operating.retention import shred_expired
from comity_node.services.review.concerns import HOLD, LET_GO, decide_act, propose_act
from evidence_archive import Archive, K, listed
from node_world import NOW, audit_report


async def test_a_file_comes_in_pieces_is_given_back_the_same_and_each_reading_is_on_the_trail(
    archive: Archive,
) -> None:
    content = b"a line of evidence\n" * 9_000
    stored = await archive.report(listed(content))
    assert await archive.state(stored) == [("awaited", 0)]
    assert (await archive.send(stored, content[:K])).received == K
    assert await archive.state(stored) == [("receiving", K)]
    with pytest.raises(EvidenceNotHere):
        await archive.read(stored)
    assert (await archive.send(stored, content[K:], K)).state == "kept"
    assert await archive.read(stored) == content
    assert (await archive.events())[-3:] == ["evidence.begun", "evidence.kept", "evidence.read"]


async def test_nothing_of_it_can_be_read_from_the_disk_and_data_and_key_lie_apart(archive: Archive) -> None:
    content = b"The passports are in the cabinet. " * 4_000
    await archive.send(await archive.report(listed(content)), content)
    kept = {path.parent.name: path.read_bytes() for path in archive.files()}
    assert set(kept) == {"data", "keys"} and len(kept["keys"]) == 32
    assert not [place for place, raw in kept.items() if b"passports" in raw]
    assert all(path.stat().st_mode & 0o077 == 0 for path in archive.files())


@pytest.mark.parametrize("cut", [K, 2 * K])
async def test_an_interrupted_upload_goes_on_where_it_was_also_after_a_restart_and_a_torn_write(
    archive: Archive, cut: int
) -> None:
    content = bytes(ord("a") + n % 26 for n in range(3 * K + 5))
    stored = await archive.report(listed(content))
    await archive.send(stored, content[:cut])
    (data,) = (archive.place / "data").iterdir()
    with data.open("ab") as file:
        file.write(b"what a crash left behind")
    archive.vault = Vault(archive.place / "data", archive.place / "keys")
    for wrong in (0, cut - K, cut + K):
        if wrong != cut:
            with pytest.raises(WrongOffset) as told:
                await archive.send(stored, content[wrong : wrong + K], wrong)
            assert told.value.received == cut
    assert (await archive.send(stored, content[cut:], cut)).state == "kept"
    assert await archive.read(stored) == content
    # The last answer was lost: asking again does nothing twice.
    assert (await archive.send(stored, b"", len(content))).state == "kept"


@pytest.mark.parametrize("size", [0, 1, K - 1, K, K + 1, 2 * K])
async def test_files_of_every_length_come_back(archive: Archive, size: int) -> None:
    content = b"x" * size
    stored = await archive.report(listed(content))
    await archive.send(stored, content)
    assert await archive.read(stored) == content


async def test_whose_key_or_file_is_gone_is_refused_before_anything_of_it_is_given(archive: Archive) -> None:
    stored = await archive.report(listed(b"evidence"))
    await archive.send(stored, b"evidence")
    for place in ("keys", "data"):
        (path,) = (archive.place / place).iterdir()
        whole = path.read_bytes()
        assert b"".join(archive.vault.read_begun(path.name)) == b"evidence"
        path.unlink()
        with pytest.raises(EvidenceUnreadable):
            archive.vault.read_begun(path.name)
        path.write_bytes(whole)


async def test_what_was_changed_cut_off_or_exchanged_on_the_disk_is_not_given_back(archive: Archive) -> None:
    content = b"y" * (2 * K + 7)
    stored = await archive.report(listed(content), listed(content, ref="E2"))
    await archive.send(stored, content)
    await archive.send(stored, content, ref="E2")
    one, other = sorted((archive.place / "data").iterdir())
    whole, another = one.read_bytes(), other.read_bytes()
    middle = len(whole) // 2
    changed = [
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        whole[: 24 + K + 17],
        whole[:24] + whole[24 + K + 17 :],
        whole + b"more",
        another,
        b"",
    ]
    for raw in changed:
        one.write_bytes(raw)
        with pytest.raises(EvidenceUnreadable):
            b"".join(archive.vault.read(one.name))
    one.write_bytes(whole)
    assert b"".join(archive.vault.read(one.name)) == content


# --- what is not taken


@pytest.mark.parametrize(
    ("entry", "content", "words"),
    [
        (listed(b"right"), b"wrong", "its SHA-256 differs"),
        (listed(b"right"), b"right and more", "longer than"),
        (listed(b"GIF89a", "image/png"), b"GIF89a", "not image/png"),
        (listed(b"MZ\x90\x00", "application/pdf"), b"MZ\x90\x00", "not application/pdf"),
        (listed(b"a\x00b", "text/plain"), b"a\x00b", "not text/plain"),
        (listed(b"\xff\xfe", "text/csv"), b"\xff\xfe", "not text/csv"),
    ],
)
async def test_what_is_not_what_the_auditor_signed_is_refused_and_nothing_of_it_is_kept(
    archive: Archive, entry: dict[str, Any], content: bytes, words: str
) -> None:
    stored = await archive.report(entry)
    with pytest.raises(EvidenceRefused, match=words):
        await archive.send(stored, content)
    assert archive.files() == []
    assert await archive.state(stored) == [("awaited", 0)]
    assert (await archive.events())[-1] == "evidence.refused"


@pytest.mark.parametrize("media_type", ["audio/mpeg", "video/mp4"])
async def test_recordings_are_refused_with_the_reason_unless_the_member_lets_them_in(
    archive: Archive, media_type: str
) -> None:
    stored = await archive.report(listed(b"ID3", media_type))
    with pytest.raises(EvidenceRefused, match="show and name people"):
        await archive.send(stored, b"ID3")
    archive.rules = Rules(more_types=frozenset({media_type}))
    assert (await archive.send(stored, b"ID3")).state == "kept"


async def test_other_types_and_files_beyond_the_limit_are_not_begun(archive: Archive) -> None:
    huge = {**listed(b"x"), "bytes": MAX_EVIDENCE_BYTES + 1}
    for entry in (huge, listed(b"x", "application/x-msdownload")):
        stored = await archive.report(entry)
        with pytest.raises(EvidenceRefused):
            await archive.send(stored, b"x")
    assert archive.files() == []
    check_size(MAX_EVIDENCE_BYTES)
    check_type("application/pdf", frozenset())


def test_two_files_of_one_name_are_no_report_since_only_one_could_ever_be_sent() -> None:
    with pytest.raises(ValidationError, match="two files have the same ref"):
        audit_report(evidence=[listed(b"one"), listed(b"two")])


async def test_a_file_that_the_report_does_not_list_is_not_taken(archive: Archive) -> None:
    with pytest.raises(NotFound):
        await archive.send(await archive.report(), b"x")


@pytest.mark.parametrize("size", [1, K - 1, K // 2])
async def test_a_piece_that_is_no_multiple_of_a_message_is_not_stored(archive: Archive, size: int) -> None:
    stored = await archive.report(listed(b"x" * K * 2))
    with pytest.raises(WrongOffset):
        await archive.send(stored, b"x" * size)
    assert await archive.state(stored) == [("receiving", 0)]


def test_a_character_that_is_cut_by_a_piece_is_no_fault() -> None:
    looking = Looking("text/plain")
    for byte in "čaj, 茶, ☕".encode():
        looking.look(bytes([byte]))
    assert looking.is_what_it_says()
    looking.look(b"\xe2\x98")
    assert not looking.is_what_it_says()


# --- the scanner


def scanner(exit_code: int) -> tuple[str, ...]:
    found = f"import sys; raw = sys.stdin.buffer.read(); sys.exit({exit_code} if b'EICAR' in raw else 0)"
    return (sys.executable, "-c", found)


async def test_the_scanner_sees_the_whole_file_and_what_it_finds_is_not_kept(archive: Archive) -> None:
    archive.rules = Rules(scanner=scanner(1))
    bad = b"x" * 3 * K + b"EICAR"
    with pytest.raises(EvidenceRefused, match="malware"):
        await archive.send(await archive.report(listed(bad)), bad)
    assert archive.files() == []
    clean = b"x" * 3 * K
    progress = await archive.send(await archive.report(listed(clean)), clean)
    assert (progress.state, progress.scanned) == ("kept", True)


@pytest.mark.parametrize("command", [scanner(2), ("/nowhere/scanner",)], ids=["ends with 2", "does not run"])
async def test_without_the_scanners_word_a_file_waits_and_is_given_to_nobody(
    archive: Archive, command: tuple[str, ...]
) -> None:
    content = b"EICAR"
    stored = await archive.report(listed(content))
    archive.rules = Rules(scanner=command)
    with pytest.raises(ScannerUnavailable):
        await archive.send(stored, content)
    with pytest.raises(EvidenceNotHere):
        await archive.read(stored)
    archive.rules = Rules(scanner=scanner(0))
    assert (await archive.send(stored, b"", len(content))).state == "kept"


# --- time, and two people


async def test_expiry_shreds_the_key_and_the_soonest_stated_date_counts(archive: Archive) -> None:
    own = listed(b"one", keep_until="2026-12-31")
    stored = await archive.report(own, listed(b"two", ref="E2"), keep_until="2027-06-30")
    await archive.send(stored, b"one")
    await archive.send(stored, b"two", ref="E2")
    key = next(iter((archive.place / "keys").iterdir()))
    backup = {path: path.read_bytes() for path in (archive.place / "data").iterdir()}
    assert await shred_expired(archive.database, archive.vault, NOW) == 0
    in_2027 = NOW + timedelta(days=100)
    assert await shred_expired(archive.database, archive.vault, in_2027) == 1
    assert await archive.state(stored) == [("shredded", 0), ("kept", 3)]
    assert await shred_expired(archive.database, archive.vault, NOW + timedelta(days=400)) == 1
    assert not key.exists() and archive.files() == []
    for path, raw in backup.items():
        path.write_bytes(raw)
        with pytest.raises(EvidenceUnreadable):
            b"".join(archive.vault.read(path.name))
    with pytest.raises(EvidenceNotHere, match="shredded"):
        await archive.read(stored)
    assert (await archive.events())[-1] == "evidence.shredded"


async def test_without_a_stated_date_the_setting_counts_and_what_is_over_is_not_begun(archive: Archive) -> None:
    archive.rules = Rules(keep_months=1)
    progress = await archive.send(await archive.report(listed(b"x")), b"x")
    assert str(progress.keep_until) == "2026-11-30"
    with pytest.raises(EvidenceRefused, match="which is over"):
        await archive.send(await archive.report(listed(b"x", keep_until="2026-09-30")), b"x")


async def test_a_legal_hold_of_two_people_keeps_what_is_past_its_date_until_two_let_it_go(archive: Archive) -> None:
    stored = await archive.report(listed(b"x", keep_until="2026-12-31"))
    await archive.send(stored, b"x")
    later = NOW + timedelta(days=200)

    async def together(act: str) -> JointAct:
        async with archive.database.write() as store:
            proposed = await propose_act(store, archive.person, act, stored.id, None, "a court asks", NOW)
        async with archive.database.write() as store:
            return await decide_act(store, archive.second, proposed.id, NOW, confirm=True)

    await together(HOLD)
    assert await shred_expired(archive.database, archive.vault, later) == 0
    assert await archive.read(stored) == b"x"
    await together(LET_GO)
    assert await shred_expired(archive.database, archive.vault, later) == 1


# --- by command


class _BreaksOff(BaseHTTPRequestHandler):
    """A node that answers with a whole file, or dies within one."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"what was " if "whole" in self.path else b"what")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_of_a_file_that_breaks_off_on_its_way_nothing_stays_that_looks_like_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), _BreaksOff) as node:
        serving = Thread(target=node.serve_forever, daemon=True)
        serving.start()
        monkeypatch.setenv("COMITY_URL", f"http://127.0.0.1:{node.server_port}")
        out = tmp_path / "E1"
        with pytest.raises(typer.Exit):
            get("R", "broken", out)
        assert not out.exists()
        get("R", "whole", out)
        node.shutdown()
        serving.join()
    assert (out.read_bytes(), out.stat().st_mode & 0o077) == (b"what was ", 0)


# --- memory


def test_a_large_file_passes_through_in_bounded_memory(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "data", tmp_path / "keys")
    piece, count = b"z" * (16 * K), 24
    vault.begin("large")
    tracemalloc.start()
    try:
        for number in range(count):
            vault.append("large", number * len(piece), piece, last=number == count - 1)
        total = sum(len(part) for part in vault.read("large"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == count * len(piece)
    assert peak < 2 * len(piece), f"{peak} bytes for a file of {total}"
