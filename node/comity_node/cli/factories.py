"""`comity factories`: lists of factories, taken in row by row and taken back as a whole."""

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.domain.suppliers.factory_list import Column, Outcome
from comity_node.remote import Remote

app = typer.Typer(help="Lists of factories: taken in row by row, taken back as a whole.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
ListId = Annotated[str, typer.Argument(metavar="LIST", help="Its id.")]


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or an XLSX workbook: its first sheet.")],
    title: Annotated[
        str | None, typer.Option(help="What the list is called here; the file's name if not said.")
    ] = None,
    owner: Annotated[int | None, typer.Option(metavar="SUPPLIER", help="Whose sites these are.")] = None,
    tier: Annotated[int | None, typer.Option(min=1, max=9, help="Of rows that say none.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="WHAT=HEADING", help="name, country, address, sector, os_id or tier.")
    ] = None,
    delimiter: Annotated[str, typer.Option(help="Between cells of a CSV.")] = ",",
    encoding: Annotated[str, typer.Option(help="Of a CSV.")] = "utf-8",
) -> None:
    """Take in a list: each row becomes a site or stays with the reason why not. Nothing is published."""
    columns = dict(each.split("=", 1) for each in column or () if "=" in each)
    unknown = sorted(columns.keys() - {c.value for c in Column})
    if unknown or len(columns) < len(column or ()):
        raise typer.BadParameter(f"a column is given as WHAT=HEADING, WHAT one of {', '.join(Column)}")
    with told_plainly():
        body = {
            "title": title or file.stem,
            "table": base64.b64encode(file.read_bytes()).decode("ascii"),
            "owner": owner,
            "tier": tier,
            "columns": columns,
            "delimiter": delimiter,
            "encoding": encoding,
        }
        made = Remote().post("/factory-lists", {k: v for k, v in body.items() if v is not None})
    _say(made)
    if made["rows"].get("refused"):
        typer.echo(f"Why, row by row: comity factories show {made['id']} --outcome refused")
    typer.echo(f"To take it back: comity factories take-back {made['id']}")


@app.command("list")
def list_lists(as_json: AsJson = False) -> None:
    """List the newest 200 lists, those that were taken back too."""
    with told_plainly():
        found = list(Remote().every("/factory-lists"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for made in found:
        _say(made)
    if not found:
        typer.echo("No list is here yet: comity factories import FILE")


@app.command()
def show(
    factory_list: ListId,
    outcome: Annotated[Outcome | None, typer.Option(help="Only rows of which this became.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only below this line.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the rows of a list as they were written, 200 at a time, with what became of each."""
    chosen = None if outcome is None else outcome.value
    with told_plainly():
        found = Remote().get(f"/factory-lists/{factory_list}", outcome=chosen, after=after, limit=200)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    _say(found["factory_list"])
    for row in found["items"]:
        became = f"site {row['supplier']}" if row["supplier"] is not None else "REFUSED"
        why = f": {row['reason']}" if row["reason"] else ""
        tier = "" if row["tier"] is None else f", tier {row['tier']}"
        typer.echo(f"  line {row['line']}: {became}{tier}{why}")
        typer.echo(f"    {', '.join(row['cells'].values())}")
    if found["next_after"] is not None:
        typer.echo(f"Further rows: --after {found['next_after']}")


@app.command("take-back")
def take_back(factory_list: ListId) -> None:
    """Let a list count no more: its sites stand under nobody by its word. Its rows stay."""
    with told_plainly():
        Remote().post_for_nothing(f"/factory-lists/{factory_list}/take-back")
    typer.echo("Taken back. Its rows stay: comity factories list")


def _say(made: dict[str, Any]) -> None:
    rows = ", ".join(f"{count} {outcome}" for outcome, count in sorted(made["rows"].items())) or "no rows"
    owner = "" if made["owner"] is None else f", of supplier {made['owner']}"
    typer.echo(f"{made['id']}  {made['title']}{owner}: {rows}; by {made['by']} on {made['at'][:10]}")
    if made["unread"]:
        typer.echo(f"  columns that were not read: {', '.join(made['unread'])}")
    if made["taken_back"] is not None:
        typer.echo(f"  TAKEN BACK by {made['taken_back']['by']} on {made['taken_back']['at'][:10]}")
