"""`comity pointer`: ask other members to speak to us before they contact a supplier."""

from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import read_country, read_identifier
from comity_node.cli.words import TAKES_HASHES
from comity_node.remote import Remote
from comity_schemas.statement import WithdrawalReason

app = typer.Typer(help="Ask others to speak to us before contacting a supplier; it says nothing else.",
                  no_args_is_help=True)  # fmt: skip


@app.command()
def propose(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The supplier's names, in any script.")],
    country: Annotated[str, typer.Option(metavar="CC", help="Its country: ISO code or name.")],
    id_: Annotated[list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="May be repeated.")] = None,
    revises: Annotated[str | None, typer.Option(help="Hash of an own pointer that this one prolongs.")] = None,
) -> None:
    """Propose a pointer: for talks as for anything else, since nobody can tell them apart. Nothing leaves yet."""
    numbers = [read_identifier(text).to_parsed() for text in id_ or []]
    body = {"names": names, "country": read_country(country), "identifiers": numbers}
    with told_plainly():
        review = Remote().post("/pointers", body if revises is None else {**body, "revises": revises})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


@app.command("list")
def list_pointers() -> None:
    """List our pointers, newest first."""
    with told_plainly():
        found = list(Remote().every("/pointers"))
    for item in found:
        typer.echo(f"{item['review']}  {item['state']:9}  until {item['valid_until']}  {item['statement'] or ''}")
        typer.echo(f"    {' / '.join(item['names'])}, {item['country']}")
    if not found:
        typer.echo("No pointer was proposed yet.")


@app.command(context_settings=TAKES_HASHES)
def end(statement: Annotated[str, typer.Argument(help="Hash of the pointer.")]) -> None:
    """Propose that a pointer ends. It stands until a second person approves."""
    with told_plainly():
        review = Remote().post("/withdrawals", {"statement": statement, "reason": WithdrawalReason.NO_LONGER_NEEDED})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")
