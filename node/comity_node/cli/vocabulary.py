"""`comity indicators`, `comity countries`: the words behind the codes, without any node."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from comity_node.domain.vocabulary import CountryName, Language
from comity_node.vocabulary import CodeText, describe_codes
from comity_node.vocabulary import countries as country_list


def indicators(
    code: Annotated[str | None, typer.Argument(help="One code, such as FL07, in full; else all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say what each code means, what to look for and what to ask."""
    found = [text for text in describe_codes() if code is None or text.code == code.upper()]
    if not found:
        known = ", ".join(text.code for text in describe_codes())
        raise typer.BadParameter(f"{code} is no code; there are {known}")
    if as_json:
        typer.echo(json.dumps([asdict(text) for text in found], ensure_ascii=False, indent=2))
        return
    for text in found:
        _say(text, in_full=code is not None)
    if code is None:
        typer.echo("What to look for and what to ask: comity indicators CODE")


def countries(
    country: Annotated[str | None, typer.Argument(help="A code, or a name as a source spells it; else all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say how countries and areas are named in the six UN languages."""
    listed = country_list().all()
    found = listed if country is None else [row for row in listed if row.code == read_country(country)]
    if as_json:
        typer.echo(json.dumps([_described(row) for row in found], ensure_ascii=False, indent=2))
        return
    for row in found:
        mark = "" if row.reviewed else "  (not yet reviewed)"
        typer.echo(f"{row.code}  {' · '.join(row.names.values())}{mark}")
        if country is not None:
            typer.echo(f"  source: {row.source}")


def read_country(spelling: str) -> str:
    """Return the code of a country as somebody wrote it.

    Raises:
        typer.BadParameter: nobody can tell which is meant.
    """
    code = country_list().read(spelling)
    if code is None:
        raise typer.BadParameter(f"{spelling} is no country that is listed: give the ISO code (comity countries)")
    return code


def _described(row: CountryName) -> dict[str, Any]:
    names = {language.value: row.names[language] for language in Language}
    return {"code": row.code, "names": names, "source": row.source, "reviewed": row.reviewed}


def _say(text: CodeText, *, in_full: bool) -> None:
    if not text.published:
        typer.echo(f"{text.code}  {text.name} (for the crosswalk only: never published)")
        return
    typer.echo(f"{text.code}  {text.name}: {text.sentence}")
    if in_full:
        typer.echo(f"  said of a supplier: {text.reported}")
        for title, lines in (("look for", text.look_for), ("ask", text.ask)):
            typer.echo(f"  {title}:")
            for line in lines:
                typer.echo(f"    - {line}")
        typer.echo(f"  source: {text.source}")
