"""`comity vendor-contacts`: the list of vendors' contacts, to which suppliers' codes may be mailed."""

import base64
import json
from pathlib import Path
from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.remote import Remote

app = typer.Typer(help="The list of vendors' contacts, to which suppliers' codes are mailed.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command("import")
def import_list(file: Annotated[Path, typer.Argument(help="CSV or XLSX with the columns vendor and mail.")]) -> None:
    """Take in the list in place of the one before. identifier_scheme, identifier and language are read too."""
    with told_plainly():
        table = base64.b64encode(file.read_bytes()).decode("ascii")
        made = Remote().post("/vendor-contacts", {"table": table})
    typer.echo(f"{made['vendors']} vendors; kept until {made['keep_until']}, then destroyed by itself.")
    if made["unread"]:
        typer.echo(f"Not read and not kept: {', '.join(made['unread'])}")


@app.command()
def show(as_json: AsJson = False) -> None:
    """Say whose list is here and until when; no address is shown."""
    with told_plainly():
        listed = Remote().get("/vendor-contacts")
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{listed['vendors']} vendors, by {listed['by']} on {listed['at'][:10]}; until {listed['keep_until']}")


@app.command()
def find(
    review: Annotated[str, typer.Argument(metavar="REVIEW", help="A proposal's id.")], as_json: AsJson = False
) -> None:
    """Show the contacts that may be of the supplier of a proposal. It is on the trail."""
    with told_plainly():
        found = Remote().get(f"/vendor-contacts/{review}")["contacts"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for each in found:
        how = "the same number" if each["found_by"] == "identifier" else "an EQUAL NAME ONLY: make sure it is the same"
        typer.echo(f"{each['vendor']}  {each['mail']}  {each['language'] or ''}  [{how}]")
    if not found:
        typer.echo("The list has no contact of this supplier; hand the code on yourself.")


@app.command()
def delete() -> None:
    """Delete the list; its key is destroyed, so that no copy can be read."""
    with told_plainly():
        Remote().delete("/vendor-contacts")
    typer.echo("Deleted. Codes are handed on until there is a list again.")
