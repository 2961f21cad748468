"""`comity trail`: who did what, exported with proof, and checked by anybody, offline."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_federation.registry import RegistryError, read_registry
from comity_node.cli.network import trail as show
from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.domain.trail_export import MAX_LINE_BYTES
from comity_node.domain.trail_proof import Verdict, examine
from comity_node.remote import Remote

app = typer.Typer(help="Who did what: export it with proof, check an export offline.", no_args_is_help=True)
app.command("show")(show)

HOLDS, BROKEN, CANNOT_TELL, NOT_FIXED = 0, 1, 2, 3

_Moment = Annotated[datetime | None, typer.Option(help="UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Where the lines go; a file that is there is not overwritten.")],
    since: _Moment = None,
    until: _Moment = None,
    about: Annotated[str | None, typer.Option(help="An id: of a report, review, file, statement …")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Which events; may be given more than once.")] = None,
    by: Annotated[str | None, typer.Option(help="A person's id, or the name of a worker.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the checkpoint that fixes it.")] = 20.0,
) -> None:
    """Export the trail as JSON lines that `comity trail verify` checks anywhere. For administrators.

    All of what is given must hold. Of everything else in the stretch the digests are written, so that the chain can be
    followed. Exporting is on the trail too.
    """
    body = {"since": _iso(since), "until": _iso(until), "about": about, "events": event or [], "by": by}
    with told_plainly():
        remote = Remote()
        made = remote.post("/trail/exports", {key: value for key, value in body.items() if value is not None})
        until_s = time.monotonic() + wait
        while not made["fixed"] and time.monotonic() < until_s:
            time.sleep(0.2)
            made = remote.get(f"/trail/exports/{made['number']}")
        with NewFile(out) as file:
            for piece in remote.stream(f"/trail/exports/{made['number']}/lines"):
                file.write(piece)
    typer.echo(f"{out}: {made['entries']} entries of {made['first']} to {made['last']}, export {made['number']}")
    if not made["fixed"]:
        typer.echo(
            f"no checkpoint fixes it yet: is the exchange running? Nothing is lost. Take the lines again later: "
            f"GET /api/v1/trail/exports/{made['number']}/lines",
            err=True,
        )
    typer.echo(f"Anybody checks it: comity trail verify {out} --registry DIRECTORY")


@app.command()
def witness(
    member: Annotated[str, typer.Argument(help="Whose checkpoints.")],
    out: Annotated[Path, typer.Option(help="Where they go; a file that is there is not overwritten.")],
    since: Annotated[datetime | None, typer.Option(help="From which day on.", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Write what this node kept of another member's checkpoints: against them its trail cannot be rewritten."""
    count = 0
    with told_plainly(), NewFile(out) as file:
        remote, day = Remote(), None if since is None else since.date().isoformat()
        while items := remote.get(f"/witnesses/{member}", since=day)["items"]:
            new = [item for item in items if day is None or item["day"] > day or not count]
            for item in new:
                file.write(json.dumps(item).encode() + b"\n")
            count += len(new)
            if len(items) < 1_000:
                break
            day = items[-1]["day"]
    typer.echo(f"{out}: {count} checkpoints of {member}, one a day")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="What `comity trail export` wrote.", exists=True, dir_okay=False)],
    registry: Annotated[Path, typer.Option(help="A copy of the registry's directory.", file_okay=False)],
    root: Annotated[Path | None, typer.Option(help="The trusted root; else the first one in the directory.")] = None,
    witness: Annotated[
        Path | None, typer.Option(help="What `comity trail witness` wrote at another member's node.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check an export of a trail offline, without trusting the node it came from.

    Exit 0: it holds, and a checkpoint fixes all of it. 1: something was changed, taken out, put in, moved or cut off;
    each is named with its line. 2: the registry or a file is unreadable. 3: it holds, but no checkpoint fixes it yet.
    """
    try:
        members = read_registry(registry, None if root is None else root.read_bytes(), datetime.now(UTC))
        witnesses = [] if witness is None else _read_witnesses(witness)
        with file.open("rb") as opened:
            verdict = examine(_lines(opened), members.by_did, witnesses)
    except (RegistryError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        typer.echo(f"cannot tell: {error}", err=True)
        raise typer.Exit(CANNOT_TELL) from error
    said = _describe(verdict) | {"registry_version": members.version, "root_given": members.root_given}
    typer.echo(
        json.dumps(said, ensure_ascii=False, indent=2) if as_json else _in_words(verdict, witnessed=bool(witness))
    )
    if not verdict.holds:
        raise typer.Exit(BROKEN)
    if not verdict.closed:
        raise typer.Exit(NOT_FIXED)


def _lines(file: Any) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line


def _read_witnesses(path: Path) -> list[bytes]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["checkpoint"].encode("ascii") for line in file if line.strip()]


def _describe(verdict: Verdict) -> dict[str, Any]:
    return {
        "holds": verdict.holds,
        "fixed": verdict.closed,
        "member": verdict.member,
        "first": verdict.first,
        "last": verdict.last,
        "shown": verdict.shown,
        "left_out": verdict.left_out,
        "anchored_to": verdict.anchored_to,
        "anchored_at": None if verdict.anchored_at is None else verdict.anchored_at.isoformat(),
        "witnessed": verdict.witnessed,
        "witnessed_to": verdict.witnessed_to,
        "witnesses_outside": verdict.outside,
        "problems": [{"line": problem.line, "what": problem.what} for problem in verdict.problems],
        "more_problems": verdict.more_problems,
    }


def _in_words(verdict: Verdict, *, witnessed: bool) -> str:
    if not verdict.holds:
        named = [f"  line {problem.line}: {problem.what}" for problem in verdict.problems]
        more = [f"  and {verdict.more_problems} more"] if verdict.more_problems else []
        return "\n".join(["DOES NOT HOLD:", *named, *more])
    lines = [
        f"HOLDS: entries {verdict.first} to {verdict.last} of the trail of {verdict.member}, {verdict.shown} shown, "
        f"{verdict.left_out} as digests, each following the one before."
    ]
    if verdict.closed:
        lines.append(
            f"A checkpoint that {verdict.member} signed at {verdict.anchored_at:%Y-%m-%d %H:%M:%S} UTC fixes all up to "
            f"entry {verdict.anchored_to}: nobody took anything out of this file or put anything in."
        )
    else:
        upto = (
            f"Checkpoints fix it up to entry {verdict.anchored_to}" if verdict.anchored_to else "No checkpoint fixes it"
        )
        lines.append(f"{upto}; the rest, and that the file is whole, rest on whoever gave it to you.")
    if witnessed:
        lines.append(
            f"{verdict.witnessed} checkpoints that another member kept name it, the last at entry "
            f"{verdict.witnessed_to}; {verdict.outside} are older or younger than this file."
        )
    else:
        lines.append("Only checkpoints that others kept tell whether it was rewritten before: --witness.")
    lines.append("It does not show that everything that happened was written down, nor that a time is right.")
    return "\n".join(lines)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.replace(tzinfo=UTC).isoformat()
