"""`comity decision`: an authority's exclusion, suspension or condition, proposed for release."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.encoding import b64encode
from comity_node.cli.terminal import told_plainly
from comity_node.remote import Remote
from comity_schemas.decision import Decision
from comity_schemas.errors import ComityError
from comity_schemas.wire import misfits

app = typer.Typer(help="Decisions of authorities: orders, never findings.", no_args_is_help=True)


class DecisionUnreadable(ComityError):
    """The file is no decision; the text says where it does not fit. Nothing was proposed."""

    code: ClassVar[str] = "decision.unreadable"


@app.callback()
def _group() -> None:
    """Keep `propose` a command of its own however many there are."""


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(help="The decision, JSON as docs/decisions.md describes it.")],
    revises: Annotated[
        str | None, typer.Option(help="Hash of the own published decision that this corrects or lifts.")
    ] = None,
) -> None:
    """Propose that a decision is released. Nothing leaves yet."""
    with told_plainly():
        decision = _read(file)
        body = {"decision": decision.to_parsed(), "revises": revises}
        review = Remote().post("/decisions", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


def _read(file: Path) -> Decision:
    try:
        said: Any = strict_json.loads(file.read_bytes())
        if isinstance(said, dict):
            # A new decision gets a new name; one that is corrected keeps the name it was given.
            said.setdefault("reference", b64encode(secrets.token_bytes(32)))
        return Decision.from_parsed(said)
    except (strict_json.NotStrict, ValidationError, json.JSONDecodeError) as error:
        reason = misfits(error) if isinstance(error, ValidationError) else str(error)
        raise DecisionUnreadable(f"{file} is no decision: {reason}. Nothing was proposed") from error
