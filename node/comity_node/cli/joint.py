"""`comity objection` and `comity joint`: an auditor objects to a release; two people overrule it, hold, or let go."""

from typing import Annotated, Literal

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.remote import Remote

objections = typer.Typer(help="An auditor's objections to what would leave of a report.", no_args_is_help=True)
acts = typer.Typer(
    help="What two people decide about a report: to overrule an objection, hold it for legal use, let it go, "
    "record that consent to sharing was withdrawn or holds again.",
    no_args_is_help=True,
)
ReportId = Annotated[str, typer.Argument(metavar="REPORT", help="The report's id.")]
Reason = Annotated[str, typer.Option(help="Why, in words; it stays at the node.")]


@objections.command(context_settings=TAKES_HASHES)
def make(
    report: ReportId,
    reason: Reason,
    observation: Annotated[str | None, typer.Option(help="Only to this observation's release.")] = None,
) -> None:
    """Object before the release: it waits until you withdraw this, or two people overrule it."""
    body = {"reason": reason} if observation is None else {"reason": reason, "observation": observation}
    with told_plainly():
        made = Remote().post(f"/reports/{report}/objections", body)
    typer.echo(f"Objected as {made['id']}. To withdraw it: comity objection withdraw {made['id']}")


@objections.command("list", context_settings=TAKES_HASHES)
def list_objections(report: ReportId) -> None:
    """List the objections to a report."""
    with told_plainly():
        found = Remote().get(f"/reports/{report}/objections")["items"]
    for item in found:
        typer.echo(f"{item['id']}  {item['state']:9}  {item['observation'] or 'the whole report'}: {item['reason']}")
    if not found:
        typer.echo("Nobody objects.")


@objections.command()
def withdraw(objection: Annotated[str, typer.Argument(help="The objection's id.")]) -> None:
    """Withdraw an objection of your firm: the release may go on."""
    with told_plainly():
        Remote().post(f"/objections/{objection}/withdraw")
    typer.echo("Withdrawn.")


@acts.command(context_settings=TAKES_HASHES)
def propose(
    report: ReportId,
    act: Annotated[
        Literal["overrule", "hold", "let-go", "withdraw-basis", "restore-basis"], typer.Argument(help="What to do.")
    ],
    reason: Reason,
    objection: Annotated[str | None, typer.Option(help="Which objection to overrule.")] = None,
) -> None:
    """Propose it. Nothing changes before a second person confirms."""
    body = {"act": act, "reason": reason} | ({} if objection is None else {"objection": objection})
    with told_plainly():
        made = Remote().post(f"/reports/{report}/joint-acts", body)
    typer.echo(f"Proposed as {made['id']}. A second person decides: comity joint confirm {made['id']}")


@acts.command("list", context_settings=TAKES_HASHES)
def list_acts(report: ReportId) -> None:
    """List what was proposed about a report, and say whether it is held."""
    with told_plainly():
        found = Remote().get(f"/reports/{report}/joint-acts")
    for item in found["items"]:
        typer.echo(f"{item['id']}  {item['act']:8}  {item['state']:9}  {item['reason']}")
    typer.echo("Held for legal use: nothing of it is shredded." if found["held"] else "Not held.")


@acts.command()
def confirm(act: Annotated[str, typer.Argument(help="The proposal's id.")]) -> None:
    """Confirm as the second person: it takes effect now."""
    with told_plainly():
        done = Remote().post(f"/joint-acts/{act}/confirm")
    typer.echo(f"{done['act']}: confirmed.")


@acts.command()
def decline(act: Annotated[str, typer.Argument(help="The proposal's id.")]) -> None:
    """Decline as the second person; it may be proposed again."""
    with told_plainly():
        Remote().post(f"/joint-acts/{act}/decline")
    typer.echo("Declined. Nothing was changed.")
