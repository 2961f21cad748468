"""`comity evidence`: list a report's files, send them to a node and go on after an interruption, read, and shred."""

import asyncio
import hashlib
import json
import mimetypes
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from comity_federation.encoding import b64encode
from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.db.migrate import require_tables
from comity_node.remote import Remote
from comity_node.services.operating.retention import Destroyed, expire
from comity_node.wiring import Node
from comity_schemas.errors import ComityError

app = typer.Typer(help="Files beside a report: they stay at the node, encrypted.", no_args_is_help=True)
ReportId = Annotated[str, typer.Argument(metavar="REPORT", help="The report's id, from its receipt.")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="The file's ref in the report.")]

PIECE_BYTES = 2 * 1024 * 1024
"""Sent at once: many messages of 64 KiB, and less than a request may hold."""


class NotTheFile(ComityError):
    """The file is not the one the report lists under this ref; nothing was sent."""

    code: ClassVar[str] = "evidence.not-the-file"


@app.command()
def describe(files: Annotated[list[Path], typer.Argument(help="Files to be listed in a report.")]) -> None:
    """Print the entries of files for a report's `evidence`. Works offline; nothing is sent."""
    with told_plainly():
        entries = [_entry(number, file) for number, file in enumerate(files, start=1)]
    typer.echo(json.dumps(entries, ensure_ascii=False, indent=2))


@app.command("list", context_settings=TAKES_HASHES)
def list_files(report: ReportId) -> None:
    """List a report's files and how far each is."""
    with told_plainly():
        found = Remote().get(f"/reports/{report}/evidence")["items"]
    for item in found:
        until = f", until {item['keep_until']}" if item["keep_until"] else ""
        scanned = "" if item["state"] != "kept" or item["scanned"] else ", not scanned for malware"
        typer.echo(f"{item['ref']}  {item['state']}  {item['received']} of {item['bytes']} bytes{until}{scanned}")
    if not found:
        typer.echo("The report lists no files.")


@app.command(context_settings=TAKES_HASHES)
def send(
    report: ReportId,
    ref: Ref,
    file: Annotated[Path, typer.Argument(help="The file, as it was when the report was signed.")],
) -> None:
    """Send a file that the report lists. After an interruption the same command goes on where it was."""
    with told_plainly():
        remote = Remote()
        found = remote.get(f"/reports/{report}/evidence")["items"]
        listed = next((item for item in found if item["ref"] == ref), None)
        if listed is None or _digest(file) != listed["sha256"]:
            raise NotTheFile(f"{file} is not what the report lists as {ref}: nothing was sent")
        done = _send(remote, f"/reports/{report}/evidence/{ref}", file, listed)
    typer.echo(f"{ref}: {done['state']}, until {done['keep_until']}")


@app.command(context_settings=TAKES_HASHES)
def get(
    report: ReportId,
    ref: Ref,
    out: Annotated[Path, typer.Option(help="Where it goes; it lies there unencrypted.")],
    release_copy: Annotated[
        bool, typer.Option("--release-copy", help="Without metadata: the only form to give to anybody outside.")
    ] = False,
) -> None:
    """Read a file. It is on the trail."""
    path = f"/reports/{report}/evidence/{ref}" + ("/release-copy" if release_copy else "")
    with told_plainly(), NewFile(out) as written:
        for piece in Remote().stream(path):
            written.write(piece)
    typer.echo(f"{out}: {out.stat().st_size} bytes")


@app.command()
def shred(home: Annotated[Path, typer.Option(envvar="COMITY_HOME", help="The node's home.")]) -> None:
    """Destroy now what is past its last day, reports with their files; a running node does so by itself every minute.

    Not what is held by two people, nor what an open proposal or dispute rests on: `comity status` names it. It goes by
    this machine's clock, also when the registry has expired: look at it first.
    """
    with told_plainly():
        done = asyncio.run(_shred(home))
    typer.echo(f"Destroyed {done.reports} reports and {done.files} files.")


async def _shred(home: Path) -> Destroyed:
    node = Node.open(home)
    try:
        await require_tables(node.settings.database)
        return await expire(node.database, node.vault, node.settings.keep_months, node.clock())
    finally:
        await node.close()


def _send(remote: Remote, path: str, file: Path, listed: dict[str, Any]) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with file.open("rb") as opened, Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(listed["ref"], total=listed["bytes"], completed=listed["received"])
        done, offset = listed, listed["received"]
        while done["state"] != "kept":
            opened.seek(offset)
            done = remote.patch_bytes(path, opened.read(PIECE_BYTES), offset=offset)
            offset = done["received"]
            progress.update(task, completed=offset)
    return done


def _entry(number: int, file: Path) -> dict[str, Any]:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"ref": f"E-{number}", "media_type": media_type, "bytes": file.stat().st_size, "sha256": _digest(file)}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return b64encode(hashlib.file_digest(opened, "sha256").digest())
