"""`comity indicators`, `comity countries`: the words behind the codes, without any node."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from comity_node.domain.vocabulary import CountryName, Language, Page, Translated, worded
from comity_node.vocabulary import CodeText, TranslatedCode, describe_answers, describe_codes, describe_said, texts
from comity_node.vocabulary import countries as country_list
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import Indicator
from comity_schemas.meanings import reported

InLanguage = Annotated[
    Language, typer.Option(help="A UN language to stand beside the English original; machine-written texts say so.")
]


def indicators(
    code: Annotated[str | None, typer.Argument(help="One code, such as FL07, in full; else all of them.")] = None,
    language: InLanguage = Language.ENGLISH,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say what each code means, what to look for and what to ask."""
    found = [text for text in describe_codes(language) if code is None or text.code == code.upper()]
    if not found:
        known = ", ".join(text.code for text in describe_codes())
        raise typer.BadParameter(f"{code} is no code; there are {known}")
    if as_json:
        typer.echo(json.dumps([asdict(text) for text in found], ensure_ascii=False, indent=2))
        return
    for mark in dict.fromkeys(text.translation.mark for text in found if text.translation):
        if mark:
            typer.echo(f"[{mark}]")
    for text in found:
        _say(text, in_full=code is not None)
    if code is None:
        typer.echo("What to look for and what to ask: comity indicators CODE")


def say_reported(codes: Iterable[str], language: Language, page: Page) -> None:
    """Print how indicators are said of a supplier; on a release, a reply or a decision the English original leads."""
    known = texts(language)
    for code in map(Indicator, codes):
        shown = worded(reported(code), None if known is None else known.reported(code), page)
        typer.echo(f"  {shown.leads}")
        if shown.beside is not None and shown.translated is not None:
            mark = "" if shown.translated.reviewed or known is None else f" [{known.phrases.machine_written}]"
            typer.echo(f"    {shown.beside}{mark}")


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


def read_identifier(text: str) -> Identifier:
    """Return an identifier written as SCHEME:VALUE, in its normal form.

    Raises:
        typer.BadParameter: it is none.
    """
    scheme, _, value = text.partition(":")
    try:
        return Identifier.of(scheme, value)
    except ValidationError as error:
        reason = error.errors(include_input=False)[0]["msg"]
        raise typer.BadParameter(f"{text}: {reason}") from error


def _described(row: CountryName) -> dict[str, Any]:
    names = {language.value: row.names[language] for language in Language}
    return {"code": row.code, "names": names, "source": row.source, "reviewed": row.reviewed}


def _say(text: CodeText, *, in_full: bool) -> None:
    if not text.published:
        typer.echo(f"{text.code}  {text.name} (for the crosswalk only: never published)")
        return
    other = text.translation
    if other is not None:
        typer.echo(f"{text.code}  {_guidance(text.name, other, other.name)}: {other.sentence}")
        typer.echo(f"      {text.name}: {text.sentence}")
    else:
        typer.echo(f"{text.code}  {text.name}: {text.sentence}")
    if not in_full:
        return
    typer.echo(f"  said of a supplier: {text.reported}")
    for title, lines, beside in (
        ("look for", text.look_for, other.look_for if other else ()),
        ("ask", text.ask, other.ask if other else ()),
    ):
        typer.echo(f"  {title}:")
        for number, line in enumerate(lines):
            typer.echo(f"    - {line}")
            if beside:
                typer.echo(f"      {beside[number]}")
    typer.echo(f"  source: {text.source}")


def _guidance(original: str, other: TranslatedCode, text: str) -> str:
    return worded(original, Translated(text, Language(other.language), other.reviewed), Page.GUIDANCE).leads


def answers(
    language: Annotated[Language, typer.Option(help="A translation beside the English original.")] = Language.ENGLISH,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say in words the codes that suppliers and reviewers answer with. The English original counts."""
    _say_words(describe_answers(language), as_json=as_json)


def codes(
    language: Annotated[Language, typer.Option(help="A translation beside the English original.")] = Language.ENGLISH,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say in words what findings and decisions say as codes. The English original counts."""
    _say_words(describe_said(language), as_json=as_json)


def _say_words(found: list[dict[str, str | None]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(f"{each['kind']:<11}{each['code']:<30}{each['says']}")
        if each["beside"]:
            typer.echo(f"{'':41}{each['beside']}")
    if found[0]["mark"]:
        typer.echo(found[0]["mark"])
