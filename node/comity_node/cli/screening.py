"""`comity screening`: screenings on file, asked under your own reference and answered again whenever you need proof."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from comity_node.cli.asked_together import PastedOption, read_file, read_pasted, to_ask
from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import read_country, read_identifier
from comity_node.cli.words import say_answer
from comity_node.domain.filing import Stage
from comity_node.domain.screening import Question
from comity_node.domain.vocabulary import Language
from comity_node.remote import Remote
from comity_schemas.errors import ComityError

app = typer.Typer(
    help="Screenings on file: what the network knew at one moment, kept as long as the procurement file.",
    no_args_is_help=True,
)

Which = Annotated[str, typer.Argument(metavar="REF", help="Your reference, or the id it was filed under.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="As `comity screening files` lists it.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]

_FILED = "/filed-screenings"
_ALL_ROWS_S = 1800
"""For asking all rows of what is on file again, up to 20,000, which takes as long as screening them did."""


class FilingUnknown(ComityError):
    """No screening is on file under this reference or id; nothing was done."""

    code: ClassVar[str] = "screening.unknown"


@app.command()
def file(
    reference: Annotated[str, typer.Argument(metavar="REF", help="Your own reference; each is used once.")],
    stage: Annotated[Stage, typer.Option(help="Of the procurement.")],
    name: Annotated[str | None, typer.Argument(help="The supplier's name, in any script.")] = None,
    country: Annotated[str | None, typer.Option(metavar="CC", help="Its country.")] = None,
    id_: Annotated[list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="Its number; repeat.")] = None,
    suppliers: Annotated[
        Path | None, typer.Option("--file", help="All bidders at once: CSV, XLSX or an OCDS package, 500 rows.")
    ] = None,
    names: PastedOption = None,
    job: Annotated[str | None, typer.Option(help="Your file that was screened as a job: as it was answered.")] = None,
) -> None:
    """Screen now and keep the answer on file."""
    if [suppliers, names, name or id_ or None, job].count(None) != 3:
        raise typer.BadParameter("give a NAME or --id, or --names, or a --file, or a --job")
    body: dict[str, Any] = {"reference": reference, "stage": stage}
    with told_plainly():
        if job is not None:
            with Remote(timeout_s=_ALL_ROWS_S) as remote:
                made = remote.post(f"/filed-screenings/of-file/{job}", body)
        else:
            if suppliers is not None:
                asked = read_file(suppliers)
            else:
                asked = [_one(name, country, id_)] if names is None else read_pasted(names)
            with Remote() as remote:
                made = remote.post("/filed-screenings", {**body, "suppliers": [to_ask(each) for each in asked]})
    typer.echo(
        f"Filed as {made['reference']} ({made['stage']}), {made['asked']} asked, kept until {made['keep_until']}."
    )
    _say_moment(made)


@app.command("list")
def list_filed(
    search: Annotated[str | None, typer.Argument(help="Part of a reference.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Only these.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what is on file, newest first."""
    with told_plainly(), Remote() as remote:
        found = list(remote.every(_FILED, reference=search, stage=None if stage is None else stage.value))
    if as_json:
        _say_json(found)
        return
    for each in found:
        typer.echo(
            f"{each['filed_at'][:16].replace('T', ' ')}  {each['reference']}  {each['stage']}  {each['asked']} asked  "
            f"{each['filed_by']}{_mark(each)}"
        )
    if not found:
        typer.echo("Nothing is on file: comity screening file REF --stage tender NAME")


@app.command()
def show(
    ref: Which,
    as_json: AsJson = False,
    as_csv: Annotated[Path | None, typer.Option("--csv", metavar="OUT", help="Write it as a table.")] = None,
) -> None:
    """Show a screening exactly as it was filed; plain text, to be printed."""
    with told_plainly(), Remote() as remote:
        filed = _find(remote, ref)
        if as_csv is not None:
            with NewFile(as_csv, replaces=True) as file:
                file.write(remote.get_bytes(f"/filed-screenings/{filed['id']}/csv"))
            typer.echo(f"Written to {as_csv}.")
            return
        answers = [] if filed["destroyed_at"] else _answers(remote, filed["id"])
    if as_json:
        _say_json({**filed, "answers": answers})
        return
    typer.echo(
        f"Screening {filed['reference']} ({filed['stage']}), filed by {filed['filed_by']} on "
        f"{filed['filed_at'][:16].replace('T', ' ')} UTC, kept until {filed['keep_until']}"
    )
    if filed["taken_back"]:
        typer.echo(f"FILED IN ERROR: taken back {filed['taken_back']}")
    if filed["destroyed_at"]:
        typer.echo(f"What was asked and answered was destroyed on {filed['destroyed_at'][:10]}: its time was over.")
        return
    typer.echo("")
    say_answer({**filed, "answers": answers}, numbered=True)
    typer.echo(f"  heard: {', '.join(filed['coverage']['heard']) or 'nobody'}")
    for one in filed["coverage"]["not_heard"]:
        since = "never" if one["since"] is None else f"since {one['since'][:16].replace('T', ' ')} UTC"
        typer.echo(f"  not heard: {one['member']}, {since}")


@app.command()
def verify(ref: Which, as_json: AsJson = False) -> None:
    """Answer it again, at its own positions and now: exit 1 where the same answer does not follow."""
    with told_plainly(), Remote(timeout_s=_ALL_ROWS_S) as remote:
        told = remote.post(f"/filed-screenings/{_find(remote, ref)['id']}/verify")
    if as_json:
        _say_json(told)
    else:
        _say_verified(told)
    if not told["same"]:
        raise typer.Exit(1)


@app.command()
def keep(ref: Which, until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day.")]) -> None:
    """Keep it longer, as while the procurement is disputed."""
    with told_plainly(), Remote() as remote:
        done = remote.post(f"/filed-screenings/{_find(remote, ref)['id']}/keep", {"until": until.date().isoformat()})
    typer.echo(f"{done['reference']} is kept until {done['keep_until']}.")


@app.command("take-back")
def take_back(ref: Which, why: Annotated[str, typer.Option(help="In words that stay at the node.")]) -> None:
    """Say that it was filed in error. It can still be read, and says so."""
    with told_plainly(), Remote() as remote:
        done = remote.post(f"/filed-screenings/{_find(remote, ref)['id']}/take-back", {"why": why})
    typer.echo(f"{done['reference']} is taken back {done['taken_back']}.")


@app.command()
def letter(
    ref: Which,
    row: Annotated[int, typer.Option(help="Which of the suppliers asked about.")] = 1,
    language: Annotated[Language, typer.Option(help="Beside the English original.")] = Language.ENGLISH,
    answer_by: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until when the supplier should answer.")
    ] = None,
    spoken_to: Annotated[
        list[str] | None, typer.Option(metavar="MEMBER", help="Who asks to be spoken to first, and was; repeat.")
    ] = None,
) -> None:
    """Write a letter that asks a supplier for its explanation, of what may be raised with it. Nothing is sent."""
    body = {
        "row": row,
        "language": language,
        "spoken_to": spoken_to or [],
        "answer_by": None if answer_by is None else answer_by.date().isoformat(),
    }
    with told_plainly(), Remote() as remote:
        written = remote.post(f"/filed-screenings/{_find(remote, ref)['id']}/letter", body)
    typer.echo(written["text"])
    for statement, why in written["left_out"].items():
        typer.echo(f"left out: {statement}: {'; '.join(why)}", err=True)


def _one(name: str | None, country: str | None, ids: list[str] | None) -> Question:
    identifiers = tuple(read_identifier(text) for text in ids or [])
    return Question(name, None if country is None else read_country(country), identifiers)


@app.command("files")
def list_files() -> None:
    """List the files you had screened as jobs, newest first: how far each is. Each is forgotten after 30 days."""
    with told_plainly(), Remote() as remote:
        found = list(remote.every("/screening-files"))
    for each in found:
        why = f": {each['why']}" if each["why"] else ""
        typer.echo(f"{each['id']}  {each['started_at'][:16].replace('T', ' ')}  {each['name']}: {each['state']}{why}, "
                   f"{each['done']} of {each['total']} rows")  # fmt: skip
    if not found:
        typer.echo("No file of yours is here: comity screen --file FILE --out OUT")


@app.command()
def cancel(job: Job) -> None:
    """End the screening of a file of yours where it is; it can be gone on with."""
    with told_plainly(), Remote() as remote:
        remote.post(f"/screening-files/{job}/cancel")
    typer.echo(f"Cancelled. Nothing of it is given out; go on with it: comity screening resume {job}")


@app.command()
def resume(job: Job) -> None:
    """Go on with a file that was cancelled or failed: all of its rows, at the moment it was begun."""
    with told_plainly(), Remote() as remote:
        remote.post(f"/screening-files/{job}/resume")
    typer.echo(f"It goes on: comity screen --job {job} --out OUT")


@app.command()
def forget(job: Job) -> None:
    """Forget a file of yours with its result, now. What was put on file of it stays."""
    with told_plainly(), Remote() as remote:
        remote.delete(f"/screening-files/{job}")
    typer.echo("Forgotten.")


def _find(remote: Remote, ref: str) -> dict[str, Any]:
    for each in remote.every(_FILED, reference=ref):
        if each["reference"] == ref:
            found: dict[str, Any] = each
            return found
    if (by_id := next((each for each in remote.every(_FILED) if each["id"] == ref), None)) is not None:
        return dict(by_id)
    raise FilingUnknown(f"no screening is on file as {ref}; comity screening list shows what is")


def _answers(remote: Remote, filing_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        given = remote.get(f"/filed-screenings/{filing_id}/answers", after=after)
        found += given["answers"]
        after = given["next_after"]
    return found


def _say_verified(told: dict[str, Any]) -> None:
    if told["same"]:
        typer.echo(f"{told['reference']}: the same answer follows from the same log positions.")
    else:
        typer.echo(f"{told['reference']}: the same answer does NOT follow from the same log positions.")
    for member, what in told["logs"].items():
        typer.echo(f"  the log of {member} {what}")
    for each in told["at_the_same_positions"]:
        typer.echo(f"  {_difference(each)}" + (f"\n    {each['cause']}" if each["cause"] else ""))
    _say_further(told["further_at_the_same_positions"])
    for note in told["notes"]:
        typer.echo(f"  {note}")
    if not told["since"]:
        typer.echo("Nothing has changed since.")
        return
    typer.echo("What has changed since:")
    for each in told["since"]:
        typer.echo(f"  {_difference(each)}")
    _say_further(told["further_since"])


def _difference(each: dict[str, Any]) -> str:
    about = "" if each["statement"] is None else f"{each['kind']} of {each['published_by']} {each['statement']}: "
    return f"row {each['row']}: {about}{each['what']}"


def _say_further(count: int) -> None:
    if count:
        typer.echo(f"  and {count} further")


def _mark(each: dict[str, Any]) -> str:
    if each["destroyed_at"]:
        return "  destroyed, its time was over"
    return "  FILED IN ERROR" if each["taken_back"] else ""


def _say_moment(filed: dict[str, Any]) -> None:
    places = ", ".join(f"{slug} {head}" for slug, head in filed["positions"].items())
    typer.echo(f"As of {filed['as_of'][:19].replace('T', ' ')} UTC, {filed['coverage']['in_words']}.")
    typer.echo(f"At log positions: {places or 'none'}; registry version {filed['registry_version']}.")
    typer.echo("No finding or decision shared is no clearance: it says only what these members have shared.")


def _say_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
