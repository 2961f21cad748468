"""`comity allow`: an audit outside its firm's authorisations yields findings only when two reviewers say why."""

from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.domain.allowing import AllowanceCode
from comity_node.remote import Remote

app = typer.Typer(help="Audits outside their firms' authorisations: two reviewers say why.", no_args_is_help=True)
ReportId = Annotated[str, typer.Argument(metavar="REPORT", help="The report's id.")]
Code = Annotated[AllowanceCode, typer.Option(help="Why, as a code.")]
Words = Annotated[str, typer.Option(help="Why, in words; they stay at the node.")]


@app.command(context_settings=TAKES_HASHES)
def propose(report: ReportId, code: Code, words: Words) -> None:
    """Propose that a marked audit may yield findings all the same."""
    with told_plainly():
        made = Remote().post(f"/reports/{report}/allowances", {"code": code, "words": words})
    typer.echo(f"Proposed as {made['id']}. A second reviewer says why: comity allow decide {made['id']}")


@app.command("list", context_settings=TAKES_HASHES)
def list_allowances(report: ReportId) -> None:
    """List what reviewers said to a report."""
    with told_plainly():
        found = Remote().get(f"/reports/{report}/allowances")["items"]
    for item in found:
        typer.echo(f"{item['id']}  {item['state']}")
        for why in (item["first"], item["second"]):
            if why is not None:
                typer.echo(f"    {why['by']}: {why['code']}: {why['words']}")
    if not found:
        typer.echo("Nobody has said anything to it.")


@app.command()
def decide(
    allowance: Annotated[str, typer.Argument(help="The allowance's id.")],
    code: Code,
    words: Words,
    decline: Annotated[bool, typer.Option("--decline", help="It may not.")] = False,
) -> None:
    """Allow or decline it as the second reviewer, and say why."""
    with told_plainly():
        body = {"code": code, "words": words, "allow": not decline}
        done = Remote().post(f"/allowances/{allowance}/decide", body)
    typer.echo(f"{done['state']}.")
