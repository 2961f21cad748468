"""`comity risk`: what a state's list says of goods from a country. Local, and attributed on every line."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.domain.register.mapping import FileForm
from comity_node.domain.register.table import Cells, RegisterUnreadable, RowProblem, open_table
from comity_node.remote import Remote

_COLUMNS = ("row", "country", "goods")


def risk(
    good: Annotated[str | None, typer.Argument(help="Words of the good's name.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code.")] = None,
    rows: Annotated[
        Path | None,
        typer.Option(help="Rank the rows of a CSV (row,country,goods; goods apart by a semicolon)", exists=True),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """List inherent risks of goods by country, if this member has set a list; never about a supplier."""
    if rows is not None:
        _rank(rows, as_json=as_json)
        return
    with told_plainly():
        found = Remote().get("/risks", good=good, country=country)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in found["risks"]:
        said = ", ".join(line["says"])
        typer.echo(f"{line['good']}, {line['country']}: {said} (according to: {line['according_to']})")
    typer.echo(f"{len(found['risks'])} lines; {found['words']}.")


def _rank(file: Path, *, as_json: bool) -> None:
    with told_plainly():
        found = Remote().post("/risks/rank", {"rows": _read(file)})
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for row in found["rows"]:
        named = "; ".join(f"{line['good']}: {', '.join(line['says'])}" for line in row["lines"][:3])
        typer.echo(
            f"{row['rank']}. {row['row']} ({row['country'] or 'no country'}): {row['because']}. {named}".rstrip()
        )
    typer.echo(f"{len(found['rows'])} rows; {found['words']}.")


def _read(file: Path) -> list[dict[str, Any]]:
    with file.open("rb") as opened:
        return [
            _row(place, cells) for place, cells in enumerate(open_table(opened, FileForm(delimiter=","), _COLUMNS), 1)
        ]


def _row(place: int, read: Cells | RowProblem) -> dict[str, Any]:
    if isinstance(read, RowProblem):
        raise RegisterUnreadable(f"line {read.line}: {read.reason}. Nothing was ranked")
    cells = read.by_column
    return {
        "row": cells["row"] or str(place),
        "country": cells["country"].upper() or None,
        "goods": [good.strip() for good in cells["goods"].split(";") if good.strip()],
    }
