"""`comity vendors`: your own list of firms, and whom each row of it means. It stays at your node."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.screening_files import read_columns
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.judging import VendorJudged
from comity_node.domain.watching.vendors import party_to_parsed
from comity_node.remote import Remote
from comity_node.services.screening_files.opening import Told, open_given
from comity_node.services.screening_files.portfolio import read_portfolio
from comity_node.vocabulary import countries

app = typer.Typer(help="Your own list of firms: kept here, watched, judged row by row.", no_args_is_help=True)
Row = Annotated[str, typer.Argument(metavar="ROW", help="The row's own id, or the id of `vendors list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]

_SHOWN_PROBLEMS = 20


@app.command()
def keep(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: a row's own id, name, other names, country, numbers …")],
    replace: Annotated[bool, typer.Option("--replace", help="Remove the rows that are not in it.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(metavar="WHAT=HEADING", help="Which column holds what, where it is not guessed.")
    ] = None,
) -> None:
    """Keep the rows of a file: new ones are added, those with a known id changed. It does not screen them."""
    with told_plainly():
        rows, problems = _read(file, Told(read_columns(column)), whole=replace)
        for problem in problems[:_SHOWN_PROBLEMS]:
            typer.echo(problem, err=True)
        if len(problems) > _SHOWN_PROBLEMS:
            typer.echo(f"… and {len(problems) - _SHOWN_PROBLEMS} more like these", err=True)
        if not rows:
            typer.echo("No row can be kept; nothing was changed.", err=True)
            raise typer.Exit(1)
        with Remote() as remote:
            kept = remote.post("/vendors", {"rows": rows, "replace": replace})
    typer.echo(
        f"{kept['added']} added, {kept['changed']} changed, {kept['unchanged']} as they were, {kept['removed']} "
        f"removed; you keep {kept['rows']} rows. What is known of them now: comity screen --file {file} --out OUT"
    )


def _read(file: Path, told: Told, *, whole: bool) -> tuple[list[dict[str, Any]], list[str]]:
    with file.open("rb") as stream:
        found = read_portfolio(open_given(stream, told), countries().read, whole=whole)
    return [_body(*row) for row in found.rows], [f"row {p.number}: {p.what}" for p in found.problems]


def _body(row: str, party: Party) -> dict[str, Any]:
    said = party_to_parsed(party)
    names = said.pop("names")
    return {"row": row, "name": names[0], "other_names": names[1:], **said}


@app.command("list")
def list_rows(as_json: AsJson = False) -> None:
    """List your rows."""
    with told_plainly():
        found = list(Remote().every("/vendors"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for each in found:
        numbers = ", ".join(f"{i['scheme']}:{i['id']}" for i in each["identifiers"])
        typer.echo(f"{each['id']}  {each['row']}  {' / '.join(each['names'])}, {each['country'] or '?'}  {numbers}")
    if not found:
        typer.echo("You keep no rows yet: comity vendors keep FILE")


@app.command(context_settings=TAKES_HASHES)
def remove(row: Row) -> None:
    """Remove a row, with its alerts, what was judged of it, and watches of it alone."""
    with told_plainly():
        remote = Remote()
        remote.delete(f"/vendors/{_id(remote, row)}")
    typer.echo("Removed.")


@app.command(context_settings=TAKES_HASHES)
def touched(statement: Annotated[str, typer.Argument(help="Hash of a statement.")]) -> None:
    """Say which of your rows a statement may concern."""
    with told_plainly():
        found = Remote().get("/vendors/touched", statement=statement)["rows"]
    for each in found:
        typer.echo(f"{each['row']}  {each['verdict']} ({each['why']}); supplier {each['supplier']}")
    if not found:
        typer.echo("None of your rows.")


@app.command()
def suppliers(row: Row, as_json: AsJson = False) -> None:
    """Show which suppliers a row may mean: recognised, to be judged, already decided."""
    with told_plainly():
        remote = Remote()
        found = remote.get(f"/vendors/{_id(remote, row)}/suppliers")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for part, words in (("recognised", "recognised"), ("to_judge", "to be judged"), ("already_decided", "decided")):
        for each in found[part]:
            typer.echo(f"{words:12}  {each['supplier']}  {each['name']}, {each['country'] or '?'}  {each['verdict']}")
            typer.echo(f"    {each['why']}{_judged(each['judged'])}")
    if not any(found.values()):
        typer.echo("No supplier by this name or number. That is no clearance: see comity screen.")


@app.command()
def judge(
    row: Row,
    supplier: Annotated[int, typer.Argument(help="The supplier's number.")],
    judged: Annotated[VendorJudged, typer.Argument(help="Whether the row means it.")],
    words: Annotated[str | None, typer.Option(help="Why; stays at your node.")] = None,
) -> None:
    """Judge whether a row means a supplier. It outlives screenings, joins and splits, and can be undone."""
    with told_plainly():
        remote = Remote()
        body = {"supplier": supplier, "judged": judged.value, "words": words}
        made = remote.post(f"/vendors/{_id(remote, row)}/judgements", body)
    typer.echo(f"Judged as {made['id']}: {made['judged']}, {made['holds']}{_why(made)}")
    typer.echo(f"To undo it: comity vendors undo {made['id']}")


@app.command()
def judgements(row: Row) -> None:
    """List all that was judged of a row, undone judgements too."""
    with told_plainly():
        remote = Remote()
        found = remote.get(f"/vendors/{_id(remote, row)}/judgements")
    for each in found:
        typer.echo(f"{each['id']}  supplier {each['supplier']}: {each['judged']}, {each['holds']}{_why(each)}")
    if not found:
        typer.echo("Nothing was judged of it yet.")


@app.command(context_settings=TAKES_HASHES)
def undo(judgement: Annotated[str, typer.Argument(help="The judgement's id.")]) -> None:
    """Undo a judgement of a row of yours."""
    with told_plainly():
        Remote().post(f"/vendor-judgements/{judgement}/undo")
    typer.echo("Undone: the supplier stands to be judged again.")


@app.command()
def waiting() -> None:
    """List what another officer judged not to be the same, and a second person has to say too."""
    with told_plainly():
        found = Remote().get("/vendor-judgements/waiting")
    for each in found:
        typer.echo(f"{each['id']}  row {' / '.join(each['row']['names'])} is not supplier {each['supplier']}, "
                   f"{each['name']}: {each['words'] or 'no words'}")  # fmt: skip
    if not found:
        typer.echo("Nothing waits for a second person.")


@app.command(context_settings=TAKES_HASHES)
def confirm(judgement: Annotated[str, typer.Argument(help="The judgement's id.")]) -> None:
    """Say as a second person that a row does not mean a supplier."""
    with told_plainly():
        made = Remote().post(f"/vendor-judgements/{judgement}/confirm")
    typer.echo(f"Confirmed: {made['judged']}, {made['holds']}{_why(made)}")


def _id(remote: Remote, row: str) -> str:
    return next((str(each["id"]) for each in remote.every("/vendors") if row in (each["row"], each["id"])), row)


def _why(judged: dict[str, Any]) -> str:
    return f" ({judged['why']})" if judged["why"] else ""


def _judged(judged: dict[str, Any] | None) -> str:
    return "" if judged is None else f"; judged {judged['judged']}: {judged['holds']}{_why(judged)}"
