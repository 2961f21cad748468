"""`comity indicators`: the words behind the codes, without any node."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from comity_node.vocabulary import CodeText, describe_codes


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
