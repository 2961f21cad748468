"""`comity network`: who is connected, is anything stuck, who did what."""

import json
from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import newest
from comity_node.remote import Remote

app = typer.Typer(help="Who is connected, who did what.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show every member, how far its log was read (SEQ:HASH), when it was heard, and what is stuck."""
    with told_plainly():
        found = Remote().get("/network")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for member in found["members"]:
        heard = f"heard {member['heard_at'][:16]}" if member["heard_at"] else "not heard yet"
        frozen = f", frozen from {member['frozen_from']}" if member["frozen_from"] else ""
        typer.echo(f"{member['slug']}  {member['role']}, {member['status']}, {heard}{frozen}")
        counts = ", ".join(f"{count} {state}" for state, count in sorted(member["records"].items())) or "no records"
        typer.echo(
            f"    last statement {member['head']}:{member['head_hash']}  ({counts}, {member['repeats']} repeats)"
        )
    typer.echo(f"registry version {found['registry_version']}, valid until {found['registry_expires'][:16]} UTC")
    typer.echo(found["coverage"]["in_words"])


@app.command()
def trail(as_json: AsJson = False) -> None:
    """List who did what, newest first."""
    with told_plainly():
        found = newest(Remote().get("/trail", limit=200))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for item in found:
        what = f"{item['event']}  {item['subject']}  {item['detail']}"
        typer.echo(f"{item['number']}  {item['at'][:19]}  {item['actor']}  {what}")
