"""`comity review`: two people release, and two people take back."""

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.job import end_as, watch
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES
from comity_node.domain.due_process import AtRisk, Outcome, PostponeReason
from comity_node.domain.vocabulary import Language
from comity_node.mappings import mapping_text
from comity_node.remote import Remote
from comity_schemas.finding import Remedy, Status, Verified
from comity_schemas.handling import Contact
from comity_schemas.statement import WithdrawalReason

app = typer.Typer(help="Propose, decide, take back: always two people.", no_args_is_help=True)
ReviewId = Annotated[str, typer.Argument(metavar="REVIEW", help="The proposal's id.")]


@app.command(context_settings=TAKES_HASHES)
def propose(
    report: Annotated[str, typer.Argument(help="The report's id.")],
    observation: Annotated[str, typer.Argument(help="Which of its observations.")],
    revises: Annotated[str | None, typer.Option(help="Hash of the published finding that this corrects.")] = None,
    starts_as: Annotated[
        Status | None, typer.Option(help="How it starts, where the report says that the matter is further by now.")
    ] = None,
) -> None:
    """Propose that an observation is released as a finding. Nothing leaves yet."""
    body = {"report": report, "observation": observation, "revises": revises, "starts_as": starts_as}
    with told_plainly():
        review = Remote().post("/reviews", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Proposed as {review['id']}. Now {review['process']['in_words']}: comity review check {review['id']}")


@app.command(context_settings=TAKES_HASHES)
def revise(
    statement: Annotated[str, typer.Argument(help="Hash of the published finding, in its newest form.")],
    status: Annotated[Status, typer.Option(help="Where the matter stands now.")],
    verified: Annotated[Verified | None, typer.Option(help="How a closure was verified.")] = None,
    remedy: Annotated[list[Remedy] | None, typer.Option(help="What was done; may be repeated.")] = None,
    due: Annotated[str | None, typer.Option(help="By which month it is to be done, YYYY-MM.")] = None,
) -> None:
    """Propose where a published finding stands now. The earlier form stands until a second person approves."""
    body = {"statement": statement, "status": status, "verified": verified, "remedies": remedy, "remedy_due": due}
    with told_plainly():
        review = Remote().post("/revisions", {k: v for k, v in body.items() if v})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


@app.command(context_settings=TAKES_HASHES)
def withdraw(
    statement: Annotated[str, typer.Argument(help="Hash of the published finding or decision.")],
    reason: Annotated[WithdrawalReason, typer.Option(help="Why it is taken back.")],
) -> None:
    """Propose that a published finding is taken back. It stands until a second person approves."""
    with told_plainly():
        review = Remote().post("/withdrawals", {"statement": statement, "reason": reason.value})
    typer.echo(f"Proposed as {review['id']}. A second person decides: comity review approve {review['id']}")


@app.command("list")
def list_reviews(
    state: Annotated[str | None, typer.Option(help="proposed, approved or rejected.")] = "proposed",
) -> None:
    """List proposals, newest first."""
    with told_plainly():
        found = Remote().get("/reviews", state=state, limit=200)
    for item in found["items"]:
        of_report = f"{item['report']} {item['observation']}"
        what = item["target"] if item["act"] == "withdraw" else item["ruling"] or of_report
        typer.echo(f"{item['id']}  {item['act']:8}  {item['state']:8}  {what}")
        if item["state"] == "proposed":
            typer.echo(f"    {item['process']['in_words']}")
    _say_older(found, "/reviews")
    if not found["items"]:
        typer.echo(f"Nothing is {state or 'here'}.")


@app.command()
def show(review: ReviewId) -> None:
    """Show exactly what a proposal lets leave."""
    with told_plainly():
        found = Remote().get(f"/reviews/{review}")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def check(
    review: ReviewId,
    blamed: Annotated[list[AtRisk], typer.Option(help="Who could be blamed for it; may be repeated.")],
    outcome: Annotated[Outcome, typer.Option(help="Tell the supplier now, or postpone.")],
    contact: Annotated[Contact | None, typer.Option(help="May the supplier notice that somebody asks?")] = None,
    reason: Annotated[PostponeReason | None, typer.Option(help="Why it is postponed.")] = None,
    review_by: Annotated[str | None, typer.Option(help="By when somebody looks again, YYYY-MM-DD.")] = None,
) -> None:
    """Make the retaliation check: who could be blamed, and is the supplier told now? Nothing leaves."""
    body = {"blamed": blamed, "outcome": outcome, "contact": contact, "reason": reason, "review_by": review_by}
    with told_plainly():
        found = Remote().post(f"/reviews/{review}/check", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Recorded: {found['process']['in_words']}.")


@app.command()
def readers(review: ReviewId) -> None:
    """List who would read it, those who should not first."""
    with told_plainly():
        found = Remote().get(f"/reviews/{review}/readers")
    for item in found["readers"]:
        typer.echo(f"{item['slug']}  {item['name']}, {item['country']}, {item['role']}")
        if item["excluded"]:
            typer.echo(f"    should not read it: {item['excluded']}")
    given = found["consent"]
    if given is not None:
        typer.echo(f"A focal point ({given['given_by']}) has consented to members of the site's own country.")
    elif found["waits"]:
        typer.echo(f"Held back: members {found['why']}. A focal point decides: comity review consent {review}")


@app.command()
def consent(
    review: ReviewId,
    take_back: Annotated[bool, typer.Option("--take-back", help="Take it back before the release.")] = False,
) -> None:
    """Consent, as a focal point, that members of the site's own country read it."""
    with told_plainly():
        Remote().post(f"/reviews/{review}/consent" + ("/take-back" if take_back else ""))
    typer.echo("Taken back: it waits again." if take_back else "Recorded. It does not wait for you any more.")


@app.command()
def notify(review: ReviewId) -> None:
    """Record that the supplier was told: its reply window begins."""
    with told_plainly():
        found = Remote().post(f"/reviews/{review}/notify")
    typer.echo(f"Recorded: {found['process']['in_words']}.")


@app.command()
def link(
    review: ReviewId,
    mail: Annotated[str | None, typer.Option(help="The address to which the node mails the code.")] = None,
    on_file: Annotated[
        bool, typer.Option("--on-file", help="Mail it to the contact in the list of vendors' contacts.")
    ] = False,
    language: Annotated[
        Language | None, typer.Option(help="A translation beside the English mail; else the one on file.")
    ] = None,
) -> None:
    """Make a personal link for the supplier, once it was told: hand its code on, or let the node mail it."""
    with told_plainly():
        body = None
        if mail is not None or on_file:
            body = {"mail_to": mail, "contact_on_file": on_file, "language": language}
        made = Remote().post(f"/reviews/{review}/link", body)
    if made["mailed"]:
        typer.echo(f"Link {made['id']}: its code was mailed.")
        return
    if made["not_mailed"]:
        typer.echo(f"Not mailed: {made['not_mailed']}", err=True)
    typer.echo(f"Link {made['id']}, shown this once: {made['secret']}")


@app.command()
def approve(review: ReviewId) -> None:
    """Approve as the second person: this is the release."""
    with told_plainly():
        found = Remote().post(f"/reviews/{review}/approve")
    typer.echo(f"{found['act']} approved. It leaves as soon as the bus takes it: comity review published")


@app.command()
def reject(review: ReviewId) -> None:
    """Reject as the second person."""
    with told_plainly():
        Remote().post(f"/reviews/{review}/reject")
    typer.echo("Rejected. Nothing was published; it may be proposed again.")


@app.command("approve-batch")
def approve_batch(batch: Annotated[str, typer.Argument(help="The batch that an import named.")]) -> None:
    """Release everything of one import as the second person; what cannot be released stays proposed.

    Both people open a sample of it before: `comity review batch`.
    """
    with told_plainly():
        remote = Remote()
        job = watch(remote, remote.post(f"/batches/{batch}/approve"))
    result = job["result"]
    for problem in result["problems"]:
        typer.echo(f"{problem['review']}: {problem['reason']} ({problem['code']})", err=True)
    typer.echo(f"Released {result['decided']} statements.")
    end_as(job)


@app.command("batch")
def show_batch(
    batch: Annotated[str, typer.Argument(help="The batch that an import named.")],
    open_them: Annotated[bool, typer.Option("--open", help="Open those of your sample that you have not.")] = False,
) -> None:
    """Show a batch before its release: how many of what severity, and the sample that you must open.

    That you opened one is recorded. Read them: you answer for the whole batch.
    """
    with told_plainly():
        remote = Remote()
        found = remote.get(f"/batches/{batch}")
        unopened = [review for review in found["sample"] if review not in found["opened"]]
        shown = [remote.get(f"/reviews/{review}") for review in unopened] if open_them else []
    typer.echo(", ".join(f"{count} {what}" for what, count in found["counts"].items()))
    typer.echo(", ".join(f"{count} {state}" for state, count in sorted(found["states"].items())))
    opened = len(found["opened"]) + len(shown)
    typer.echo(f"Your sample: {len(found['sample'])}, of which you have opened {opened}.")
    for review in shown:
        typer.echo(json.dumps(review, ensure_ascii=False, indent=2))
    for review in [] if open_them else unopened:
        typer.echo(f"  comity review show {review}")
    typer.echo(f"Who proposed it has {found['proposer_left']} of the own sample left.")


@app.command()
def published() -> None:
    """List what we have told others, newest first."""
    with told_plainly():
        found = Remote().get("/published", limit=200)
    for item in found["items"]:
        typer.echo(
            f"{item['seq'] or '-':>6}  {item['state']:7}  {item['act']:8}  {item['kind']:8}  {item['statement'] or ''}"
        )
    _say_older(found, "/published")
    if not found["items"]:
        typer.echo("Nothing was published yet.")


def _say_older(found: dict[str, Any], path: str) -> None:
    if found["next"] is not None:
        typer.echo(f"Older ones are not shown here: GET /api/v1{path}, page by page.")


@app.command(context_settings=TAKES_HASHES)
def applied(
    statement: Annotated[str, typer.Argument(help="Hash of a published statement, or of what took it back.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say who has applied it, by the members' own word; of what was taken back or corrected, who has applied that."""
    with told_plainly():
        found = Remote().get(f"/published/{statement}/applied")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{found['kind']} at place {found['seq']}, {found['statement']}")
    for each in found["members"]:
        when = (
            f"applied, it says since {each['since'][:16].replace('T', ' ')} UTC"
            if each["since"]
            else (
                f"not yet; it has told of place {each['told_of']}"
                if each["told_of"]
                else "not yet; it has told of nothing"
            )
        )
        typer.echo(f"  {each['member']}: {when}")
    if not found["members"]:
        typer.echo("  there is no other active member")


def import_register(
    file: Annotated[Path, typer.Argument(help="A CSV or TSV of published inspection results.")],
    mapping: Annotated[str, typer.Option(help="A mapping's name, such as br_lista_suja, or its file.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Import a public register: each row becomes a proposal; two people release them together."""
    with told_plainly():
        body = {
            "mapping": mapping_text(mapping),
            "table": base64.b64encode(file.read_bytes()).decode("ascii"),
        }
        remote = Remote()
        job = watch(remote, remote.post("/imports", body))
    if as_json:
        typer.echo(json.dumps(job["result"], ensure_ascii=False, indent=2))
    else:
        _say_imported(job["result"])
    end_as(job)


def _say_imported(done: dict[str, Any]) -> None:
    for problem in done["problems"]:
        typer.echo(f"line {problem['line']}: {problem['reason']}", err=True)
    typer.echo(
        f"{done['rows']} rows: {done['added']} added, {done['changed']} changed, {done['unchanged']} already here, "
        f"{len(done['problems'])} left out; {done['proposed']} {done['kind']}s proposed."
    )
    for kind, count in sorted(done["left_out"].items()):
        typer.echo(f"  left out, {kind}: {count}")
    if done["proposed"]:
        typer.echo(
            f"Both people open a sample (comity review batch {done['batch']}), and a second person releases them: "
            f"comity review approve-batch {done['batch']}"
        )
