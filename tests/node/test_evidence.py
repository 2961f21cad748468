"""Evidence files: encrypted in pieces, given back only whole and unchanged, unreadable once their key is shredded."""

import asyncio
import hashlib
import io
import sys
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pikepdf
import pytest
import pytest_asyncio
import typer
from PIL import Image
from pydantic import ValidationError

from builders import AuditFirm
from comity_federation.encoding import b64encode
from comity_federation.signed_reports import sign_report
from comity_node.cli.evidence import get
from comity_node.db import Database
from comity_node.db.concerns import JointAct
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import NotFound, ReportExpired
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person, new_id
from comity_node.services.evidence import scanning
from comity_node.services.evidence.jpeg import bare_jpeg
from comity_node.services.evidence.keeping import (
    EvidenceNotHere,
    Progress,
    Rules,
    evidence_of,
    note_reading,
    take_piece,
)
from comity_node.services.evidence.kinds import MAX_EVIDENCE_BYTES, EvidenceRefused, Looking, check_size, check_type
from comity_node.services.evidence.scanning import ScannerUnavailable
from comity_node.services.evidence.stripping import strip
from comity_node.services.evidence.vault import MESSAGE_BYTES, EvidenceUnreadable, Vault, WrongOffset
from comity_node.services.operating.retention import shred_expired
from comity_node.services.review.concerns import HOLD, LET_GO, decide_act, propose_act
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


@pytest_asyncio.fixture
async def archive(sqlite: Database, tmp_path: Path) -> AsyncIterator[Archive]:
    people = []
    for name, role in (("greta", PersonRole.AUDITOR), ("ana", PersonRole.REVIEWER)):
        async with sqlite.write() as store:
            people.append(
                await add_person(store, name=name, roles=[role], firm="firm", password_hash=None, by="t", now=NOW)
            )
    place = tmp_path / "vault"
    place.mkdir()
    yield Archive(sqlite, Vault(place / "data", place / "keys"), people[0], people[1], place)


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


# --- deaths, races and damage


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


# --- copies for release


def picture(**saved: Any) -> bytes:
    drawn = io.BytesIO()
    image = Image.new("RGB", (40, 20), "navy")
    image.putpixel((0, 0), (255, 255, 255))
    image.save(drawn, **saved)
    return drawn.getvalue()


def stripped(media_type: str, raw: bytes) -> bytes:
    copy = io.BytesIO()
    strip(media_type, io.BytesIO(raw), copy)
    return copy.getvalue()


def test_a_photograph_loses_camera_place_and_time_and_keeps_what_it_shows() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0132], exif[0x0112] = "CanaryCam", "2026:09:14 10:00:00", 6
    exif.get_ifd(0x8825)[1] = "N"
    raw = picture(format="JPEG", exif=exif, comment=b"CanaryComment", icc_profile=b"CanaryProfile")
    assert b"CanaryCam" in raw and b"CanaryComment" in raw
    copy = stripped("image/jpeg", raw + b"CanaryTail")
    assert b"Canary" not in copy and b"Exif" not in copy
    with Image.open(io.BytesIO(copy)) as opened:
        assert (opened.size, len(opened.getexif())) == ((20, 40), 0)


def test_a_png_loses_its_texts() -> None:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    texts = PngInfo()
    texts.add_text("Author", "Canary Author")
    copy = stripped("image/png", picture(format="PNG", pnginfo=texts))
    assert b"Canary" not in copy
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_pdf_loses_author_xmp_attachments_scripts_and_comments_and_keeps_its_pages() -> None:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(2):
            made.add_blank_page()
        made.docinfo["/Author"] = "Canary Author"
        with made.open_metadata() as xmp:
            xmp["dc:creator"] = ["Canary Creator"]
        made.attachments["canary.txt"] = pikepdf.AttachedFileSpec(made, b"CanaryAttachment")
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="CanaryScript")
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Contents="CanaryComment")
        made.pages[0].obj["/Annots"] = made.make_indirect(pikepdf.Array([note]))
        made.pages[1].obj["/Metadata"] = made.make_stream(b"CanaryPage")
        made.save(raw, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert raw.getvalue().count(b"Canary") >= 4
    copy = stripped("application/pdf", raw.getvalue())
    with pikepdf.open(io.BytesIO(copy)) as opened:
        assert len(opened.pages) == 2
        written = io.BytesIO()
        opened.save(written, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"Canary" not in written.getvalue()


@pytest.mark.parametrize(
    ("media_type", "raw"),
    [
        ("text/plain", b"words"),
        ("image/png", b"\x89PNG\r\n\x1a\nbroken"),
        ("image/jpeg", b"GIF89a"),
        ("application/pdf", b"%PDF-1.7 broken"),
    ],
)
def test_what_cannot_be_rid_of_its_metadata_is_not_released(media_type: str, raw: bytes) -> None:
    with pytest.raises(EvidenceRefused):
        stripped(media_type, raw)


def test_what_was_made_transparent_in_a_png_is_not_given_away_under_it() -> None:
    drawn = Image.new("RGBA", (2, 1), (250, 1, 2, 255))
    drawn.putpixel((1, 0), (9, 200, 3, 0))
    raw = io.BytesIO()
    drawn.save(raw, "PNG")
    with Image.open(io.BytesIO(stripped("image/png", raw.getvalue()))) as opened:
        copy = opened.convert("RGBA")
    assert [copy.getpixel((n, 0)) for n in (0, 1)] == [(250, 1, 2, 255), (255, 255, 255, 255)]


def photograph() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0132] = "CanaryCam", "2026:09:14 10:00:00"
    exif.get_ifd(0x8825)[29] = "Canary place"
    return picture(format="JPEG", exif=exif, comment=b"CanaryComment", icc_profile=b"CanaryProfile") + b"CanaryTail"


def pdf_with(photo: bytes, **more: Any) -> bytes:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        shown = pikepdf.Stream(made, photo)
        for name, value in {
            "Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "Width": 40, "Height": 20,
            "ColorSpace": pikepdf.Name.DeviceRGB, "BitsPerComponent": 8, "Filter": pikepdf.Name.DCTDecode, **more,
        }.items():  # fmt: skip
            shown[f"/{name}"] = value
        page = made.pages[0]
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=shown))
        page.obj.Contents = made.make_stream(b"q 40 0 0 20 0 0 cm /Im0 Do Q")
        made.save(raw)
    return raw.getvalue()


def test_a_photograph_in_a_pdf_loses_what_its_camera_wrote_and_no_pixel_of_it() -> None:
    photo = photograph()
    copy = stripped("application/pdf", pdf_with(photo))
    with pikepdf.open(io.BytesIO(copy)) as opened:
        shown = opened.pages[0].obj.Resources.XObject.Im0.read_raw_bytes()
    assert photo.count(b"Canary") >= 4 and b"Canary" not in copy + shown and b"Exif" not in shown
    with Image.open(io.BytesIO(photo)) as before, Image.open(io.BytesIO(shown)) as after:
        assert (after.tobytes(), len(after.getexif())) == (before.tobytes(), 0)


def test_every_kind_of_jpeg_keeps_its_scans_and_one_without_an_end_is_ended() -> None:
    noise = Image.effect_noise((64, 48), 90).convert("RGB")
    for more in ({"progressive": True}, {"restart_marker_blocks": 2}, {"qtables": "web_low"}):
        raw = io.BytesIO()
        noise.save(raw, "JPEG", comment=b"Canary", **more)
        bare = bare_jpeg(raw.getvalue())
        with Image.open(io.BytesIO(raw.getvalue())) as before, Image.open(io.BytesIO(bare)) as after:
            assert after.tobytes() == before.tobytes() and b"Canary" not in bare
        assert bare_jpeg(raw.getvalue()[:-2]) == bare
    for broken in (b"", b"GIF89a", b"\xff\xd8xx", b"\xff\xd8\xff\xe1\x00\x10Exif"):
        with pytest.raises(ValueError, match=r"JPEG|marker"):
            bare_jpeg(broken)


def test_a_pdf_loses_what_its_pages_and_objects_carry_besides_what_they_show() -> None:
    raw = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        page = made.pages[0].obj
        attached = pikepdf.AttachedFileSpec(made, b"CanaryAttachment", filename="canary.txt").obj
        told = pikepdf.Dictionary(Type=pikepdf.Name.Measure, Bounds="CanaryPlace")
        page.AF = pikepdf.Array([attached])
        page.VP = pikepdf.Array([pikepdf.Dictionary(Type=pikepdf.Name.Viewport, Name="CanaryMap", Measure=told)])
        form = made.make_stream(b"q Q")
        form.Type, form.Subtype, form.AF = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([attached])
        form.BBox = pikepdf.Array([0, 0, 9, 9])
        form.OC = made.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="CanaryLayer"))
        spoken = pikepdf.Dictionary(ActualText="CanaryWords", Metadata=made.make_stream(b"CanaryXmp"))
        page.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(Fm0=form),
            Properties=pikepdf.Dictionary(P0=spoken),
            ExtGState=pikepdf.Dictionary(G0=pikepdf.Dictionary(PieceInfo=pikepdf.Dictionary(Who="CanaryAuthor"))),
        )
        page.Contents = made.make_stream(b"/Span /P0 BDC /Fm0 Do EMC")
        made.save(raw, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert raw.getvalue().count(b"Canary") == 7
    copy = stripped("application/pdf", raw.getvalue())
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(copy)) as opened:
        assert opened.pages[0].obj.Resources.XObject.Fm0.BBox == [0, 0, 9, 9]
        opened.save(written, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"Canary" not in written.getvalue()


@pytest.mark.parametrize(
    "how", [pikepdf.Name.JPXDecode, pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.DCTDecode])]
)
def test_a_picture_in_a_pdf_that_cannot_be_looked_into_is_not_released(how: Any) -> None:
    with pytest.raises(EvidenceRefused):
        stripped("application/pdf", pdf_with(b"\x00\x00\x00\x0cjP  \r\n\x87\nCanary", Filter=how))
