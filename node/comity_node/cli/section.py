"""`comity report disclose`, and what `comity verify` says of what it wrote."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_federation.lone_record import claimed_moment
from comity_federation.registry import Registry
from comity_federation.shown_sections import open_section, section_names, show_section
from comity_federation.signed_reports import ReportRefused
from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.remote import Remote


def disclose(
    report: Annotated[str, typer.Argument(help="The report's id at the node of COMITY_URL, or the signed file.")],
    section: Annotated[int | None, typer.Option(help="Which section, from 1; without it they are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the file goes; else REPORT.section-N.json.")] = None,
) -> None:
    """Write one section of a signed report as a file that proves that the auditor signed it.

    Whoever has it learns this section and nothing of the others. Sections that name people or tell who spoke are
    never written.
    """
    with told_plainly():
        file = Path(report)
        if section is None:
            names = section_names(file.read_bytes()) if file.exists() else _names_at_the_node(report)
            for number, name in enumerate(names, start=1):
                typer.echo(f"{number:>4}  {name}")
            return
        shown = (
            show_section(file.read_bytes(), section)
            if file.exists()
            else Remote().get_bytes(f"/reports/{report}/sections/{section}")
        )
        target = out or Path(f"{file.name.removesuffix('.json')}.section-{section}.json")
        with NewFile(target) as written:
            written.write(shown)
    typer.echo(
        f"{target}: section {section}, with proof. Anybody checks it: comity verify {target} --registry DIRECTORY"
    )


def _names_at_the_node(report: str) -> list[str]:
    return [item["name"] for item in Remote().get(f"/reports/{report}/sections")["sections"]]


def describe_section(raw: bytes, registry: Registry) -> dict[str, Any]:
    """Return what can be said of a file that shows a section."""
    said: dict[str, Any] = {"registry_version": registry.version, "root_given": registry.root_given}
    try:
        opened = open_section(raw, registry.members)
    except ReportRefused as error:
        return {"genuine": False, **said, "code": error.code, "reason": str(error)}
    return {
        "genuine": True,
        **said,
        "by": opened.firm.slug,
        "kid": opened.kid,
        "root": opened.root,
        "signed_at": claimed_moment(opened.signed_at).isoformat(),
        "section": opened.name,
        "number": opened.number,
        "of": opened.of,
        "value": opened.value,
    }


def section_in_words(said: dict[str, Any]) -> str:
    """Return the same for people."""
    if not said["genuine"]:
        return f"NOT GENUINE ({said['code']}): {said['reason']}; {trusted_as(said)}"
    return (
        f"GENUINE: section {said['number']} of {said['of']} ({said['section']}) of a report that an auditor of "
        f"{said['by']} signed at {said['signed_at']} by their own clock, {trusted_as(said)}.\n"
        "It says nothing of the other sections, nor whether another report stands in its place since.\n"
        f"{json.dumps(said['value'], ensure_ascii=False)}"
    )


def trusted_as(said: dict[str, Any]) -> str:
    """Return as of which registry something was found, and what that rests on."""
    trust = f"as of registry version {said['registry_version']}"
    if not said["root_given"]:
        trust += " (its root was taken from the same directory: give --root to be sure of the registry itself)"
    return trust
