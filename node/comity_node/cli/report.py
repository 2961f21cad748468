"""`comity report`: sign offline; submit and follow at a running node."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.keys import load_signing_pair
from comity_federation.signed_reports import sign_report
from comity_node.cli.new_file import NewFile
from comity_node.cli.section import disclose
from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import InLanguage, say_reported
from comity_node.cli.words import TAKES_HASHES
from comity_node.domain.report_sheet import empty_workbook, read_workbook, workbook_of
from comity_node.domain.vocabulary import Language, Page
from comity_node.remote import Remote
from comity_schemas.errors import ComityError
from comity_schemas.report import MAX_REPORT_BYTES, Report
from comity_schemas.wire import misfits

app = typer.Typer(help="Sign audit reports offline; submit them and see what became of them.", no_args_is_help=True)
app.command(context_settings=TAKES_HASHES)(disclose)
MEDIA_TYPE = "application/vnd.comity.report+json"


class ReportUnreadable(ComityError):
    """The file is no report; the text says where it does not fit. Nothing was signed."""

    code: ClassVar[str] = "report.unreadable"


@app.command()
def sign(
    report: Annotated[Path, typer.Argument(help="The report, JSON as docs/report-format.md describes it.")],
    key: Annotated[Path, typer.Option(help="Your private key file; its name is DID#KEY of your audit firm.")],
    out: Annotated[Path | None, typer.Option(help="Where the signed report goes; else REPORT.signed.json.")] = None,
) -> None:
    """Sign a report. Works offline; the report goes nowhere."""
    target = out or report.with_suffix(".signed.json")
    with told_plainly():
        content = read_report(report)
        pair = load_signing_pair(key)
        signed = sign_report(
            content, iss=pair.kid.partition("#")[0], kid=pair.kid, key=pair.secret, now=datetime.now(UTC)
        )
        with NewFile(target) as file:
            file.write(signed)
    typer.echo(f"Signed {len(content.observations)} observations as {pair.kid}: {target}")
    typer.echo(f"Next: comity report submit {target}")


@app.command()
def template(
    scheme: Annotated[str, typer.Argument(help="As the registry authorises your firm for it, such as SMETA.")],
    version: Annotated[str | None, typer.Option(help="The scheme's version, such as 7.0.")] = None,
    filled_from: Annotated[Path | None, typer.Option("--from", help="Fill it from this report.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the workbook goes; else SCHEME.xlsx.")] = None,
) -> None:
    """Write a workbook (XLSX) to fill in where you do not write JSON."""
    target = out or Path(f"{scheme.replace('/', '-')}.xlsx")
    with told_plainly():
        made = empty_workbook(scheme, version) if filled_from is None else workbook_of(read_report(filled_from))
        with NewFile(target) as file:
            file.write(made)
    typer.echo(f"{target}: fill it in, then: comity report convert {target}")


@app.command()
def convert(
    workbook: Annotated[Path, typer.Argument(help="The workbook, filled in.")],
    out: Annotated[Path | None, typer.Option(help="Where the report goes; else WORKBOOK.json.")] = None,
) -> None:
    """Make a report of a filled-in workbook, or name every cell that does not fit. Works offline."""
    target = out or workbook.with_suffix(".json")
    with told_plainly():
        content = read_workbook(workbook.read_bytes())
        with NewFile(target) as file:
            file.write(json.dumps(content.to_parsed(), ensure_ascii=False, indent=2).encode())
    typer.echo(f"{target}: {len(content.observations)} observations")
    typer.echo(f"Next: comity report sign {target} --key YOUR.jwk")


@app.command()
def submit(file: Annotated[Path, typer.Argument(help="A signed report.")]) -> None:
    """Submit a signed report to the node at COMITY_URL, as the person of COMITY_TOKEN."""
    with told_plainly():
        receipt = Remote().post_bytes("/reports", file.read_bytes(), MEDIA_TYPE)
    again = "was here already" if receipt["repeated"] else "received whole, the signature is good"
    typer.echo(f"{receipt['id']}: {again}")
    for sentence in receipt["explained"]:
        typer.echo(f"  but {sentence}")
    typer.echo(f"Next: comity report show {receipt['id']}")


@app.command("list")
def list_reports() -> None:
    """List the reports you may see, newest first."""
    with told_plainly():
        found = list(Remote().every("/reports"))
    for item in found:
        marks = f"  ({', '.join(item['marks'])})" if item["marks"] else ""
        typer.echo(f"{item['id']}  {item['received_at'][:16]}  {item['firm'] or 'public register'}{marks}")
    if not found:
        typer.echo("No reports yet. An auditor submits one with: comity report submit FILE")


@app.command(context_settings=TAKES_HASHES)
def show(report: Annotated[str, typer.Argument(help="The report's id, from its receipt.")]) -> None:
    """Show what became of a report, observation by observation."""
    with told_plainly():
        status = Remote().get(f"/reports/{report}")
    for each in status["observations"]:
        where = f", statement {each['seq']} ({each['statement']})" if each["seq"] else ""
        typer.echo(f"{each['observation']}: {each['state']}{where}")


@app.command(context_settings=TAKES_HASHES)
def drafts(
    report: Annotated[str, typer.Argument(help="The report's id.")],
    language: InLanguage = Language.ENGLISH,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show exactly what would leave of a report, and for every field whether it leaves or stays and why."""
    with told_plainly():
        found = Remote().get(f"/reports/{report}/drafts")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    say_drafts(found, language)


def say_drafts(found: dict[str, Any], language: Language = Language.ENGLISH) -> None:
    """Print drafts and the account of every field."""
    for draft in found["drafts"]:
        typer.echo(f"observation {draft['observation']} would leave, TLP:{draft['handling']['tlp']}:")
        say_reported((i["indicator"] for i in draft["clear"]["indicators"]), language, Page.RELEASE)
        for part in ("clear", "disclosed"):
            for name, value in draft[part].items():
                typer.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
        typer.echo(f"  withheld, only a digest among decoys leaves: {', '.join(draft['withheld']) or 'nothing'}")
    for each in found["proposals"]:
        _say_proposal(each)
    typer.echo("every field of the report:")
    for fate in found["fates"]:
        becomes = f" as {fate['becomes']}" if fate["becomes"] else ""
        typer.echo(f"  {fate['fate']:8} {fate['path']}{becomes}: {fate['why']}")


def _say_proposal(each: dict[str, Any]) -> None:
    title = f" ({each['title']})" if each["title"] else ""
    typer.echo(f"observation {each['observation']}, clause {each['clause']}{title}:")
    if each["why_none"]:
        typer.echo(f"  the clause proposes nothing: {each['why_none']}")
    picked = ", ".join(f"{code} {basis}" for code, basis in each["picked"].items())
    typer.echo(f"  picked by a person: {picked or 'none, so it yields no finding'}")
    if each["not_assessed"]:
        typer.echo(f"  not assessed, though the clause proposes it: {', '.join(each['not_assessed'])}")


def read_report(path: Path) -> Report:
    """Return the report of a file.

    Raises:
        ReportUnreadable: too large, no strict JSON, or it does not fit.
    """
    raw = path.read_bytes()
    if len(raw) > MAX_REPORT_BYTES:
        raise ReportUnreadable(f"{path} has {len(raw)} bytes; a report has at most {MAX_REPORT_BYTES}")
    try:
        return Report.from_parsed(strict_json.loads(raw))
    except strict_json.NotStrict as error:
        raise ReportUnreadable(f"{path}: {error}") from error
    except ValidationError as error:
        raise ReportUnreadable(f"{path} does not fit the report format at {misfits(error, words=True)}") from error
