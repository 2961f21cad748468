"""`comity quarantine`: records that do not count, why, and what next."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import newest
from comity_node.remote import Remote

app = typer.Typer(help="Records that do not count: why, and what next (administrators).", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
Number = Annotated[int, typer.Argument(metavar="RECORD", help="The record's number, from the list.")]


@app.command("list")
def list_refused(
    member: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this member's log.")] = None,
    step: Annotated[int | None, typer.Option(help="Only refused at this step, 1 to 13.")] = None,
    code: Annotated[str | None, typer.Option(help="Only refused with this code.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 200, newest first."""
    with told_plainly():
        found = newest(Remote().get("/quarantine", member=member, step=step, code=code, limit=200))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for item in found:
        typer.echo(f"{item['id']}  {item['received_at'][:16]}  log of {item['member']}, {item['bytes']} bytes")
        typer.echo(f"    step {item['step']} ({item['code']}): {item['what']}")
    typer.echo(f"Next: comity quarantine show {found[0]['id']}" if found else "Nothing of this kind is in quarantine.")


@app.command("skipped")
def list_skipped(
    member: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this member's topics.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what the bus held and nobody could read: compressed or broken batches, or what it no longer holds."""
    with told_plainly():
        found = newest(Remote().get("/quarantine/skipped", member=member, limit=200))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for item in found:
        among = "" if item["offsets"] == item["last"] - item["first"] + 1 else f", {item['offsets']} of these"
        typer.echo(f"{item['since'][:16]}  {item['topic']}, offsets {item['first']} to {item['last']}{among}")
        typer.echo(f"    {item['reason']}")
    typer.echo(
        "These were skipped unread. If a statement was among them, its place in the log stays open and is asked for."
        if found
        else "Nothing was skipped."
    )


@app.command()
def show(
    record: Number,
    raw_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write its exact bytes to a new file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why one record does not count, what that means, and what next."""
    with told_plainly():
        remote = Remote()
        found = remote.get(f"/quarantine/{record}")
        if raw_to is not None:
            with NewFile(raw_to) as file:
                file.write(remote.get_bytes(f"/quarantine/{record}/raw"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    _say(found)
    if raw_to is not None:
        typer.echo(f"Its bytes are in {raw_to}. Nobody vouches for them: open them with care.")


@app.command()
def retry(record: Number) -> None:
    """Let a record be decided anew, by the same steps as every other. Nothing is accepted by your word."""
    with told_plainly():
        found = Remote().post(f"/quarantine/{record}/retry")
    if found["state"] == "kept":
        typer.echo(f"Its place is used up, so the whole log of {found['member']} is decided anew with it.")
    else:
        typer.echo("It is decided anew within seconds.")
    typer.echo(f"Next: comity quarantine list --member {found['member']}: if it is not there any more, it counts,")
    typer.echo("waits for what comes before it, or was the same as a record that counts.")


def _say(item: dict[str, Any]) -> None:
    place = "" if item["seq"] is None else f", place {item['seq']}"
    typer.echo(f"record {item['id']} of the log of {item['member']}{place}, received {item['received_at'][:16]} UTC")
    if item["statement"] is not None:
        typer.echo(f"  statement  {item['statement']}")
    typer.echo(f"  refused    at step {item['step']} ({item['code']}): {item['what']}")
    if item["detail"]:
        typer.echo(f"  exactly    {item['detail']}")
    typer.echo(f"  means      {item['means']}")
    typer.echo(f"  do         {item['do']}")
    typer.echo(f"Once its cause is gone: comity quarantine retry {item['id']}")
