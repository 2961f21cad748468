"""`comity crosswalk`: which indicators a scheme's clauses propose; checks a member's own file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.domain.vocabulary import Crosswalk, CrosswalkRefused, Crosswalks
from comity_node.vocabulary import crosswalks_with, describe_clause, describe_crosswalk, read_crosswalk
from comity_node.wiring.home import Home

app = typer.Typer(help="Say which indicators the clauses of a scheme propose.", no_args_is_help=True)

AnyHome = Annotated[
    Path | None,
    typer.Option("--home", envvar="COMITY_HOME", metavar="DIR", help="A node's home, for crosswalks of its own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command("list")
def list_crosswalks(home: AnyHome = None, as_json: AsJson = False) -> None:
    """List the schemes and versions whose clauses propose indicators, and the files that were refused."""
    found = _crosswalks(home)
    listed = [describe_crosswalk(name, each) for name, each in found.files]
    if as_json:
        refused = [{"file": r.file, "line": r.line, "reason": r.reason} for r in found.refused]
        typer.echo(json.dumps({"crosswalks": listed, "refused": refused}, ensure_ascii=False, indent=2))
        return
    for each in listed:
        marks = [] if each["reviewed"] else ["not yet reviewed"]
        marks += [f"superseded by {each['superseded_by']}"] if each["superseded_by"] else []
        marks += [f"incomplete: {each['incomplete']}"] if each["incomplete"] else []
        marks += [each["origin"]] if each["origin"] != "comity" else []
        said = f"  ({'; '.join(marks)})" if marks else ""
        typer.echo(f"{each['scheme']} {', '.join(each['versions'])}: {each['clauses']} clauses{said}")
    _say_refused(found)


@app.command()
def show(
    scheme: Annotated[str, typer.Argument(help="Such as SMETA.")],
    version: Annotated[str, typer.Argument(help="Such as 7.0; part of the key.")],
    clause: Annotated[str | None, typer.Argument(help="Such as 1A; else all of them.")] = None,
    home: AnyHome = None,
    as_json: AsJson = False,
) -> None:
    """Show what the clauses of a scheme propose. A person picks; the rest is not assessed."""
    with told_plainly():
        found = _crosswalks(home)
        crosswalk = found.scheme(scheme, version)
        rows = [found.find(scheme, version, clause)] if clause is not None else list(crosswalk.clause)
    described = [describe_clause(crosswalk, row) for row in rows]
    if as_json:
        typer.echo(json.dumps(described, ensure_ascii=False, indent=2))
        return
    _say_head(crosswalk)
    for each in described:
        _say_clause(each)
    typer.echo("A clause only proposes: a person picks what the observation supports, the rest is not assessed.")


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Crosswalk files; else all that a node with this home uses.")
    ] = None,
    home: AnyHome = None,
    as_json: AsJson = False,
) -> None:
    """Check crosswalk files as a node would read them; exit 1 where one is refused, with line and reason."""
    found = _check_files(files) if files else _crosswalks(home)
    if as_json:
        refused = [{"file": r.file, "line": r.line, "reason": r.reason} for r in found.refused]
        typer.echo(json.dumps({"good": [name for name, _ in found.files], "refused": refused}, ensure_ascii=False))
    else:
        for name, each in found.files:
            typer.echo(f"{name}: {each.scheme} {', '.join(each.versions)}, {len(each.clause)} clauses, fits")
        _say_refused(found)
    if found.refused:
        raise typer.Exit(1)


def _crosswalks(home: Path | None) -> Crosswalks:
    return crosswalks_with(None if home is None else Home(home).crosswalks)


def _check_files(paths: list[Path]) -> Crosswalks:
    good: list[tuple[str, Crosswalk]] = []
    refused: list[CrosswalkRefused] = []
    for path in paths:
        try:
            good.append((str(path), read_crosswalk(path)))
        except CrosswalkRefused as error:
            refused.append(error)
    return Crosswalks.of(good, refused)


def _say_head(crosswalk: Crosswalk) -> None:
    state = "reviewed" if crosswalk.reviewed else "not yet reviewed by a person who knows the scheme"
    typer.echo(f"{crosswalk.title} ({crosswalk.publisher}); {state}")
    if crosswalk.superseded_by:
        typer.echo(f"Superseded by {crosswalk.superseded_by}.")


def _say_clause(each: dict[str, Any]) -> None:
    typer.echo(f"{each['clause']}  {each['title']}")
    for how in ("stated", "inferred", "not assessed"):
        codes = [code for code, said in each["indicators"].items() if said == how]
        if codes:
            typer.echo(f"  {how}: {', '.join(codes)}")
    if not each["indicators"]:
        typer.echo("  proposes nothing")
    if each["note"]:
        typer.echo(f"  {each['note']}")
    typer.echo(f"  source: {each['source']}")


def _say_refused(found: Crosswalks) -> None:
    for refused in found.refused:
        typer.echo(f"Refused: {refused} [{refused.code}]", err=True)
