"""Answers as people read them in a terminal. Never a percentage, never green."""

from typing import Any

import typer

from comity_schemas.indicators import Indicator
from comity_schemas.meanings import reported

TAKES_HASHES = {"ignore_unknown_options": True}
"""For commands whose arguments are hashes: one that begins with `-` is no option."""


def say_answer(given: dict[str, Any]) -> None:
    """Print answers that were given together."""
    for answer in given["answers"]:
        asked = answer["asked"]
        whom = asked["name"] or ", ".join(f"{i['scheme']}:{i['id']}" for i in asked["identifiers"])
        typer.echo(f"{whom}: {answer['state']}")
        for hit in answer["findings"]:
            say_finding(hit)
        if answer["unreadable"]:
            typer.echo(f"  ({answer['unreadable']} further findings name nobody this node may read)")
    typer.echo(f"As of {given['as_of'][:19].replace('T', ' ')} UTC, {given['coverage']['in_words']}.")
    places = ", ".join(f"{slug} {head}" for slug, head in given["positions"].items())
    typer.echo(f"Asked at log positions: {places or 'none'}; registry version {given['registry_version']}.")
    typer.echo("No finding shared is not a clearance: it says only what these members have shared.")


def say_finding(hit: dict[str, Any]) -> None:
    """Print one finding with why it was found."""
    finding = hit["finding"]
    if finding is None:
        typer.echo(f"  {hit['verdict']}: a finding of {hit['published_by']} that this node may not read")
        return
    names = " / ".join(name["text"] for name in finding.get("names", [])) or "(name withheld)"
    place = ", ".join(p for p in (finding.get("municipality"), finding.get("region"), finding["country"]) if p)
    typer.echo(f"  {hit['verdict']} ({hit['reason']})")
    typer.echo(f"    {names}, {place}; {hit['standing']}, valid until {finding['valid_until']}")
    for found in finding["indicators"]:
        typer.echo(f"    {reported(Indicator(found['indicator']))} ({found['basis']})")
    source = finding["source"]
    typer.echo(
        f"    severity {finding['severity']}, status {finding['status']}, {source['type']} "
        f"{source['scheme']} {source['when']}, published by {hit['published_by']}"
    )
    if hit["relayed"]:
        typer.echo("    relayed from a public register; its authority's own appeal procedure applies")
    if hit["credit"] is not None:
        _say_credit(hit["credit"])
    if hit["taken_back"]:
        typer.echo(f"    taken back: {hit['taken_back']}")


def _say_credit(credit: dict[str, Any]) -> None:
    done = ", ".join(credit["remedies"]) or "what was done is not stated"
    how = {
        "closed-claimed": "closed, as the supplier says",
        "closed-verified": f"closed and verified {str(credit['verified']).replace('-', ' ')}",
    }
    typer.echo(f"    credit: {how.get(credit['status'], 'on the way')}; {done}")
