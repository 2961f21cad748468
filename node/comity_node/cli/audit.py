"""`comity audit`: which audits are planned and done, and telling others of one's own."""

from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES, audit_in_words
from comity_node.remote import Remote
from comity_schemas.indicators import Indicator
from comity_schemas.subject import SubjectType

app = typer.Typer(help="Audits of all members, planned and done: who already looks at this site?",
                  no_args_is_help=True)  # fmt: skip
Revises = Annotated[str | None, typer.Option(help="Hash of the own notice that this one stands in place of.")]


@app.command("list")
def list_audits(
    planned: Annotated[bool, typer.Option("--planned", help="Only what is still to come.")] = False,
) -> None:
    """List what members plan and have done, newest first."""
    with told_plainly():
        found = list(Remote().every("/audits"))
    shown = [each for each in found if not planned or each["stage"] == "planned"]
    for each in shown:
        typer.echo(f"{each['statement']}  {each['published_by']}")
        typer.echo(f"    {audit_in_words(each)}")
    if not shown:
        typer.echo("No audit was told of. That nobody told of one is not to say that there was none.")


@app.command()
def plan(
    name: Annotated[str, typer.Argument(help="The site's name.")],
    country: Annotated[str, typer.Option(help="ISO code.")],
    scheme: Annotated[str, typer.Option(help="By which scheme, such as SMETA.")],
    month: Annotated[str, typer.Option(help="YYYY-MM.")],
    assesses: Annotated[list[Indicator], typer.Option(help="What will be looked for; may be repeated.")],
    identifier: Annotated[list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="Its numbers.")] = None,
    kind: Annotated[SubjectType, typer.Option(help="What it is.")] = SubjectType.SITE,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although another member's audit covers it.")] = False,
    revises: Revises = None,
) -> None:
    """Propose to tell that an audit is planned. Nothing leaves yet."""
    numbers = [dict(zip(("scheme", "id"), each.split(":", 1), strict=False)) for each in identifier or ()]
    body: dict[str, Any] = {"subject": kind, "names": [name], "country": country, "scheme": scheme, "month": month}
    body |= {"assessed": assesses, "identifiers": numbers, "anyway": anyway, "revises": revises}
    with told_plainly():
        review = Remote().post("/audits/planned", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


@app.command(context_settings=TAKES_HASHES)
def done(
    report: Annotated[str, typer.Argument(help="The report's id.")],
    about: Annotated[str | None, typer.Option(help="Which further site of it.")] = None,
    with_result: Annotated[
        bool, typer.Option("--with-result", help="Tell how many observations are open, in bands.")
    ] = False,
    revises: Revises = None,
) -> None:
    """Propose to tell that an audit is done, by its report. Nothing leaves yet."""
    body = {"report": report, "about": about, "with_result": with_result, "revises": revises}
    with told_plainly():
        review = Remote().post("/audits/done", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")
