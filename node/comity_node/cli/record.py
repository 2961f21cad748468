"""`comity record export` and `comity verify`: records and shown sections as files, checked by anyone, offline."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_federation.decision import Accepted, Decision, Forked, Refused, Repeated, Waiting
from comity_federation.lone_record import claimed_issuer, claimed_moment, decide_alone
from comity_federation.registry import Registry, RegistryError, read_registry
from comity_federation.shown_sections import is_shown_section
from comity_node.cli.new_file import NewFile
from comity_node.cli.section import describe_section, section_in_words, trusted_as
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.remote import Remote

app = typer.Typer(help="Records as files.", no_args_is_help=True)

GENUINE, NOT_GENUINE, REGISTRY_UNUSABLE = 0, 1, 2


@app.callback()
def group() -> None:
    """Records as files."""


@app.command(context_settings=TAKES_HASHES)
def export(
    statement: Annotated[list[str], typer.Argument(help="Hashes of statements this node holds.")],
    out: Annotated[Path, typer.Option(help="Directory for the files.")] = Path(),
) -> None:
    """Write records byte for byte, one file each, named by hash."""
    with told_plainly():
        remote = Remote()
        out.mkdir(parents=True, exist_ok=True)
        for name in statement:
            path = out / f"{name}.record.json"
            with NewFile(path, replaces=True) as file:
                file.write(remote.get_bytes(f"/records/{name}"))
            typer.echo(str(path))


def verify(
    record: Annotated[Path, typer.Argument(help="A record file, or a section that `report disclose` wrote.")],
    registry: Annotated[Path, typer.Option(help="A copy of the registry's directory.", file_okay=False)],
    root: Annotated[Path | None, typer.Option(help="The trusted root; else the first one in the directory.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="As of when (UTC); else now.", formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"])
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Check one record, or one section of a report, offline.

    Exit 0: genuine and unchanged. 1: not, with the step and reason. 2: the registry is unreadable or expired.
    """
    moment = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    try:
        members = read_registry(registry, None if root is None else root.read_bytes(), moment)
        raw = record.read_bytes()
    except (RegistryError, OSError) as error:
        typer.echo(f"cannot tell: {error}", err=True)
        raise typer.Exit(REGISTRY_UNUSABLE) from error
    if is_shown_section(raw):
        said = describe_section(raw, members)
        words = section_in_words(said)
    else:
        said = _describe(decide_alone(raw, members.by_did, claimed_issuer(raw)), members)
        words = _in_words(said)
    typer.echo(json.dumps(said, ensure_ascii=False, indent=2) if as_json else words)
    if not said["genuine"]:
        raise typer.Exit(NOT_GENUINE)


def _describe(decision: Decision, registry: Registry) -> dict[str, Any]:
    said: dict[str, Any] = {
        "genuine": isinstance(decision, Accepted),
        "registry_version": registry.version,
        "root_given": registry.root_given,
    }
    match decision:
        case Accepted(claims=claims, body=body):
            member = registry.by_did(claims.iss)
            said |= {
                "by": None if member is None else member.slug,
                "kind": claims.kind,
                "seq": claims.seq,
                "statement": decision.hash,
                "said_at": claimed_moment(claims.iat).isoformat(),
                "handling": claims.handling.to_parsed(),
                "body": None if body is None else body.to_parsed(),
                "missing_disclosures": len(decision.missing),
            }
        case Refused():
            said |= {"step": decision.step, "code": decision.code, "reason": decision.detail or decision.code}
        case Waiting():
            said |= {
                "step": 4 if decision.why == "unknown-key" else 7,
                "code": decision.why,
                "reason": _WAITING[decision.why],
            }
        case Repeated() | Forked():
            said |= {"step": 9, "code": "place", "reason": "the record has no place of its own"}
    return said


_WAITING = {
    "unknown-key": "the registry does not list the key that signed it",
    "pending": "its member has no rights yet",
    "suspended": "its member is suspended and this statement lies after the last that counts",
    "branch": "the registry names another history at this place, or one that this file cannot show",
    "gap": "it cannot be placed",
    "frozen": "its log is frozen",
}


def _in_words(said: dict[str, Any]) -> str:
    trust = trusted_as(said)
    if not said["genuine"]:
        return f"NOT GENUINE: step {said['step']} ({said['code']}): {said['reason']}; {trust}"
    missing = (
        f"\n{said['missing_disclosures']} disclosures were removed from this copy."
        if said["missing_disclosures"]
        else ""
    )
    return (
        f"GENUINE: {said['by']} said this {said['kind']} at {said['said_at']} by its own clock, {trust}.\n"
        f"Its place in the log is claimed to be {said['seq']}: a single file cannot prove it, nor that it was not "
        f"taken back since; a node that reads the log can.{missing}\n"
        f"{json.dumps(said['body'], ensure_ascii=False)}"
    )
