"""`comity risk`: what a state's list says of goods from a country. Local, and attributed on every line."""

import json
from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.remote import Remote


def risk(
    good: Annotated[str | None, typer.Argument(help="Words of the good's name.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """List inherent risks of goods by country, if this member has set a list; never about a supplier."""
    with told_plainly():
        found = Remote().get("/risks", good=good, country=country)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in found["risks"]:
        said = ", ".join(line["says"])
        typer.echo(f"{line['good']}, {line['country']}: {said} (according to: {line['according_to']})")
    typer.echo(f"{len(found['risks'])} lines; {found['words']}.")
