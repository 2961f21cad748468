"""`comity corroboration`: what the own evidence says of another member's finding."""

from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.remote import Remote
from comity_schemas.corroboration import Says

app = typer.Typer(help="Own evidence beside another member's finding.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `propose` a command of its own however many there are."""


@app.command(context_settings=TAKES_HASHES)
def propose(
    statement: Annotated[str, typer.Argument(help="Hash of the finding, in its newest form.")],
    report: Annotated[str, typer.Argument(help="The own report's id.")],
    says: Annotated[Says, typer.Option(help="Whether the report supports the finding or contradicts it.")],
    observation: Annotated[str | None, typer.Option(help="Which of its observations supports the finding.")] = None,
    same_subject: Annotated[
        bool, typer.Option("--same-subject", help="You made sure that both are about the same one.")
    ] = False,
    revises: Annotated[str | None, typer.Option(help="Hash of the own corroboration that this corrects.")] = None,
) -> None:
    """Propose that your own evidence is told beside another member's finding. Nothing leaves yet.

    Refused, with the reason, where it is no source of its own: the same audit, your own finding, a relayed register.
    """
    body = {"about": statement, "report": report, "says": says, "observation": observation, "revises": revises}
    with told_plainly():
        given = {"same_subject": same_subject, **{k: v for k, v in body.items() if v is not None}}
        review = Remote().post("/corroborations", given)
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")
