"""The largest evidence file through a served node: how long it takes, and what the node holds in memory for it.

    ./comity bench evidence [--size 200]

Sent in pieces over HTTP, encrypted, looked through, and read back; the size is in MB. Peak RSS is of the process that
answers, before and after; the file never lies in it whole. Not part of CI.
"""

import asyncio
import hashlib
import re
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from api_world import MEDIA_TYPE, furnish
from bench.frame.results import Goal, arguments, report
from comity_federation.encoding import b64encode
from comity_federation.signed_reports import sign_report
from node_world import Town, audit_report, served

PIECE = 2 * 1024 * 1024
MB = 1_000_000


def main() -> None:
    """Measure and print."""
    size = int(arguments(__doc__, size="200").parse_args().size) * MB
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        asyncio.run(_measure(Path(directory), size))


async def _measure(directory: Path, size: int) -> None:
    file = directory / "file"
    sha256 = _write(file, size)
    town = Town(directory)
    office = await furnish(town)
    listed = {"ref": "E1", "media_type": "text/plain", "bytes": size, "sha256": sha256}
    content = audit_report(auditor="did:web:firm.example", ref="large", evidence=[listed])
    pair = town.auditor
    raw = sign_report(content, iss="did:web:firm.example", kid=pair.kid, key=pair.secret, now=datetime.now(UTC))
    home, token = office.house.home, office.person("auditor").token
    await town.close()
    with served(home) as node:
        api = httpx2.Client(base_url=f"{node.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=300)
        made = api.post("/reports", content=raw, headers=MEDIA_TYPE).raise_for_status().json()["id"]
        before = _peak_mb(node.process.pid)
        began = time.monotonic()
        _send(api, f"/reports/{made}/evidence/E1", file)
        sent = time.monotonic()
        _require_same(api, f"/reports/{made}/evidence/E1", sha256)
        read = time.monotonic()
        after = _peak_mb(node.process.pid)
    mb = size // MB
    report("evidence-sent", sent - began, "s", megabytes=mb)
    report("evidence-read", read - sent, "s", megabytes=mb)
    report("evidence-memory", after - before, "MB more", goal=Goal(value_at_most=64), megabytes=mb, peak=round(after))


def _write(file: Path, size: int) -> str:
    hashed = hashlib.sha256()
    with file.open("wb") as written:
        for _ in range(size // MB):
            piece = secrets.token_hex(MB // 2).encode()
            written.write(piece)
            hashed.update(piece)
    return b64encode(hashed.digest())


def _send(api: httpx2.Client, path: str, file: Path) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    offset, state = 0, "receiving"
    with file.open("rb") as opened:
        while state != "kept":
            done = api.patch(path, params={"offset": offset}, content=opened.read(PIECE), headers=headers)
            offset, state = done.raise_for_status().json()["received"], done.json()["state"]


def _require_same(api: httpx2.Client, path: str, sha256: str) -> None:
    hashed = hashlib.sha256()
    with api.stream("GET", path) as answer:
        for piece in answer.iter_bytes():
            hashed.update(piece)
    assert b64encode(hashed.digest()) == sha256, "the file came back changed"


def _peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
