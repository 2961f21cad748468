"""`comity plan`: what was agreed to be put right, by when, what is late, and what others read of it."""

from typing import Annotated, Any

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.domain.plan import EscalationStep, ItemState
from comity_node.remote import Remote
from comity_schemas.finding import Remedy, Verified

app = typer.Typer(
    help="Corrective-action plans: remedies, due months, verification, escalation. Notes stay at the node.",
    no_args_is_help=True,
)
ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id.")]
Statement = Annotated[str | None, typer.Option(help="The published finding, by the hash of any of its forms.")]
Report = Annotated[str | None, typer.Option(help="Or the report, with --observation.")]
Observation = Annotated[str | None, typer.Option(help="Which of the report's observations.")]


@app.command(context_settings=TAKES_HASHES)
def add(
    remedy: Annotated[Remedy, typer.Argument(help="What is to be done for the people concerned.")],
    due: Annotated[str, typer.Option(help="By which month, YYYY-MM.")],
    statement: Statement = None,
    report: Report = None,
    observation: Observation = None,
    note: Annotated[str | None, typer.Option(help="In your words; stays at the node.")] = None,
    contract: Annotated[str | None, typer.Option(help="Id of the contract in your register that asks for it.")] = None,
) -> None:
    """Agree on one item. Nothing leaves: `comity plan say` proposes what others read."""
    body = {"remedy": remedy, "due": due, "note": note, "contract": contract, **_about(statement, report, observation)}
    with told_plainly():
        made = Remote().post("/plan-items", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Agreed as {made['id']}: {made['remedy']}, {made['in_words']}.")


@app.command(context_settings=TAKES_HASHES)
def show(statement: Statement = None, report: Report = None, observation: Observation = None) -> None:
    """Show a plan, what others read of it now, and what they would read next."""
    with told_plainly():
        plan = Remote().get("/plan", **_about(statement, report, observation))
    for item in plan["items"]:
        _say_item(item)
        if item["note"]:
            typer.echo(f"    {item['note']}")
    if not plan["items"]:
        typer.echo("Nothing was agreed yet: comity plan add")
    if plan["held_up"]:
        typer.echo(f"others: {plan['held_up']}")
        return
    typer.echo(f"others read     {_step(plan['reads'])}")
    if plan["next"]:
        typer.echo(f"the plan says   {_step(plan['next'])}: comity plan say -- {plan['statement']}")


@app.command("list")
def list_items(
    state: Annotated[ItemState | None, typer.Option(help="Only these; by default all that are not finished.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
) -> None:
    """List the items of all plans in the order of their months, and say what is overdue."""
    with told_plainly():
        found = list(Remote().every("/plan-items", state=state))
    shown = sorted((i for i in found if i["overdue"] or not overdue), key=lambda i: (i["due"], i["made_at"]))
    for item in shown:
        _say_item(item)
    if not shown:
        typer.echo("Nothing is overdue." if overdue else "No plan has such an item.")


@app.command()
def history(item: ItemId) -> None:
    """Show who did what to an item, and what stood there before."""
    with told_plainly():
        found = Remote().get(f"/plan-items/{item}")
    _say_item(found)
    typer.echo(f"  {found['made_at'][:16]}  {found['made_by']}  agreed")
    for act in found["history"]:
        why = f": {act['reason']}" if act["reason"] else ""
        before = "; ".join(f"{name} was {value or 'not said'}" for name, value in act["before"].items())
        typer.echo(f"  {act['at'][:16]}  {act['by']}  {act['act']}{why}" + (f" ({before})" if before else ""))
    for step in found["escalated"]:
        typer.echo(f"  {step['at'][:16]}  {step['by']}  escalated: {step['step']}")


@app.command()
def move(
    item: ItemId,
    to: Annotated[ItemState, typer.Argument(help="Where it stands now; also back, with a reason.")],
    reason: Annotated[str | None, typer.Option(help="Why it is dropped or taken back; stays at the node.")] = None,
    verified: Annotated[Verified | None, typer.Option(help="How it was verified.")] = None,
    verifier: Annotated[str | None, typer.Option(help="Who verified it, in words; stays at the node.")] = None,
    follow_up: Annotated[str | None, typer.Option(help="The report that verified it on site.")] = None,
) -> None:
    """Note where an item stands: under-way, done, verified, dropped. Each can be taken back."""
    body = {"to": to, "reason": reason, "verified": verified, "verifier": verifier, "follow_up": follow_up}
    with told_plainly():
        moved = Remote().post(f"/plan-items/{item}/move", {k: v for k, v in body.items() if v is not None})
    _say_item(moved)


@app.command()
def correct(
    item: ItemId,
    reason: Annotated[str, typer.Option(help="Why; stays at the node.")],
    remedy: Annotated[Remedy | None, typer.Option(help="What is to be done.")] = None,
    due: Annotated[str | None, typer.Option(help="By which month, YYYY-MM.")] = None,
    note: Annotated[str | None, typer.Option(help="In your words.")] = None,
    contract: Annotated[str | None, typer.Option(help="Id of the contract that asks for it.")] = None,
) -> None:
    """Correct an item that is not done yet. Its history keeps what stood there."""
    body = {"remedy": remedy, "due": due, "note": note, "contract": contract, "reason": reason}
    with told_plainly():
        corrected = Remote().patch(f"/plan-items/{item}", {k: v for k, v in body.items() if v is not None})
    _say_item(corrected)


@app.command()
def escalate(item: ItemId, step: Annotated[EscalationStep, typer.Argument(help="What was done about it.")]) -> None:
    """Note what was done about an overdue item: the next step is due a month later."""
    with told_plainly():
        escalated = Remote().post(f"/plan-items/{item}/escalate", {"step": step})
    _say_item(escalated)


@app.command(context_settings=TAKES_HASHES)
def say(statement: Annotated[str, typer.Argument(help="The published finding, by the hash of any form.")]) -> None:
    """Propose that others read where the plan stands: coded remedies, month, how verified; never a word of yours."""
    with told_plainly():
        review = Remote().post("/plan/say", {"statement": statement})
    typer.echo(f"Proposed as {review['id']}: {review['clear']['status']}. A second person decides: "
               f"comity review approve {review['id']}")  # fmt: skip


def _about(statement: str | None, report: str | None, observation: str | None) -> dict[str, str]:
    given = {"statement": statement, "report": report, "observation": observation}
    return {name: value for name, value in given.items() if value is not None}


def _say_item(item: dict[str, Any]) -> None:
    about = item["finding"] or f"{item['report']} {item['observation']}"
    typer.echo(f"{item['id']}  {item['remedy']:20}  {item['in_words']}  ({about})")


def _step(step: dict[str, Any]) -> str:
    parts = [step["status"]]
    if step["verified"]:
        parts.append(f"verified {step['verified']}")
    parts.append("done: " + (", ".join(step["remedies"]) or "nothing yet"))
    if step["remedy_due"]:
        parts.append(f"due {step['remedy_due']}")
    return "; ".join(parts)
