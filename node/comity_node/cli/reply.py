"""`comity reply`: what suppliers answer and dispute."""

from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.remote import Remote
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode

app = typer.Typer(help="What suppliers answer and dispute: written down, let out by two, decided by a third.",
                  no_args_is_help=True)  # fmt: skip
WordId = Annotated[str, typer.Argument(metavar="REPLY", help="The reply's id.")]


@app.command(context_settings=TAKES_HASHES)
def write(
    codes: Annotated[list[ReplyCode], typer.Option("--code", help="What it says; may be repeated.")],
    act: Annotated[ReplyAct, typer.Option(help="A reply, or a dispute that a third person decides.")] = ReplyAct.REPLY,
    review: Annotated[str | None, typer.Option(help="The own proposal that it is about.")] = None,
    about: Annotated[str | None, typer.Option(help="Or the hash of a published statement, of any member.")] = None,
    text: Annotated[str | None, typer.Option(help="Its own words; checked before anything is kept.")] = None,
) -> None:
    """Write down what a supplier said. Nothing leaves yet."""
    body = {"act": act, "codes": codes, "review": review, "about": about, "text": text}
    with told_plainly():
        word = Remote().post("/replies", {k: v for k, v in body.items() if v is not None})
    late = " It came late, and says so." if word["late"] else ""
    typer.echo(f"Kept as {word['id']}.{late} To let it leave: comity reply release {word['id']}")


@app.command("list")
def list_replies() -> None:
    """List what suppliers said, newest first, and which disputes wait for a third person."""
    with told_plainly():
        found = list(Remote().every("/replies"))
    for word in found:
        typer.echo(f"{word['id']}  {word['act']:8}  {', '.join(word['codes'])}{_standing(word)}")
    if not found:
        typer.echo("No supplier has said anything.")


@app.command()
def release(word: WordId) -> None:
    """Propose that it leaves, with what was decided of it; a second person approves."""
    with told_plainly():
        review = Remote().post(f"/replies/{word}/release")
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


@app.command()
def decide(word: WordId, outcome: Annotated[DisputeOutcome, typer.Option(help="What you decide.")]) -> None:
    """Decide a dispute as a third person."""
    with told_plainly():
        Remote().post(f"/replies/{word}/decide", {"outcome": outcome})
    typer.echo(f"Decided: {outcome}. To let others see it: comity reply release {word}")


def _standing(word: dict[str, Any]) -> str:
    if word["outcome"] is not None:
        return f", {word['outcome']}"
    if word["decide_by"] is None:
        return ", late" if word["late"] else ""
    return f", to be decided by {word['decide_by'][:10]}" + (", OVERDUE" if word["overdue"] else "")
