"""`comity watch`, `comity alerts`, `comity changes`: be told what changes, and about whom."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.cli.words import TAKES_HASHES, newest
from comity_node.domain.changing import News
from comity_node.domain.export import csv_of
from comity_node.domain.watching.watches import Timing
from comity_node.remote import Remote
from comity_schemas.finding import Severity

app = typer.Typer(help="Be told when something changes that concerns you.", no_args_is_help=True)
WatchId = Annotated[str, typer.Argument(metavar="WATCH", help="The watch's id.")]
Many = list[str] | None
DELIVERY = ("id", "made_at", "test", "alerts", "state", "tries", "next_at", "ended_at", "said")
"""The columns of the log of what was sent."""


@app.command()
def add(
    title: Annotated[str, typer.Argument(help="What you call it.")],
    row: Annotated[str | None, typer.Option(help="Only this row of yours, by the id of `comity vendors list`.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Not only what concerns your rows.")] = False,
    supplier: Annotated[int | None, typer.Option(help="Only this supplier, by its number.")] = None,
    country: Annotated[Many, typer.Option(metavar="CC", help="May be repeated, as all that follow.")] = None,
    sector: Annotated[Many, typer.Option(metavar="SCHEME:CODE", help="Codes that begin so, as ISIC4:13.")] = None,
    indicator: Annotated[Many, typer.Option(metavar="CODE")] = None,
    member: Annotated[Many, typer.Option(help="Only what this member publishes.")] = None,
    news: Annotated[list[News] | None, typer.Option(help="Only news of this kind.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="At least so grave.")] = None,
    mail: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Your own address.")] = None,
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="Called with what the feed says, signed.")] = None,
    timing: Annotated[Timing, typer.Option(help="At once, or as a digest.")] = Timing.AT_ONCE,
) -> None:
    """Watch from now on: what concerns your rows, unless you say otherwise."""
    body = {
        "title": title,
        "vendors": not everybody and supplier is None,
        "vendor": row,
        "supplier": supplier,
        "countries": country or [],
        "sectors": sector or [],
        "indicators": indicator or [],
        "members": member or [],
        "news": [each.value for each in news or []],
        "least_severity": None if severity is None else severity.value,
        "mail": mail,
        "webhook": webhook,
        "timing": timing.value,
    }
    with told_plainly(), Remote() as remote:
        made = remote.post("/watches", body)
    typer.echo(f"Watching as {made['id']}.")
    if made["secret"]:
        typer.echo(f"Its calls are signed with {made['secret']}: shown this once, keep it where the webhook is.")
    if made["channel"] != "feed":
        typer.echo(f"Try it: comity watch test {made['id']}")


@app.command("list")
def list_watches() -> None:
    """List your watches."""
    with told_plainly(), Remote() as remote:
        found = remote.get("/watches")
    for each in found:
        asks = {name: value for name, value in each["interest"].items() if value}
        typer.echo(f"{each['id']}  {each['title']}: {each['channel']} {each['target'] or ''}, {each['timing']}")
        typer.echo(f"    {json.dumps(asks, ensure_ascii=False)}")
    if not found:
        typer.echo("You watch nothing yet: comity watch add TITLE")


@app.command(context_settings=TAKES_HASHES)
def end(watch: WatchId) -> None:
    """End a watch; what it was told stays."""
    with told_plainly(), Remote() as remote:
        remote.delete(f"/watches/{watch}")
    typer.echo("Ended: nothing more is told or sent.")


@app.command(context_settings=TAKES_HASHES)
def test(watch: WatchId) -> None:
    """Send a test now, and say what came of it."""
    with told_plainly(), Remote() as remote:
        made = remote.post(f"/watches/{watch}/test")
    typer.echo(f"{made['state']}: {made['said']}")
    if made["state"] != "sent":
        raise typer.Exit(1)


@app.command(context_settings=TAKES_HASHES)
def log(
    watch: WatchId,
    out: Annotated[Path | None, typer.Option("--csv", metavar="OUT", help="Write all of it as a table.")] = None,
) -> None:
    """Show what a watch sent: when, how often it was tried, what came of it."""
    with told_plainly(), Remote() as remote:
        if out is not None:
            rows = [[_cell(each[name]) for name in DELIVERY] for each in remote.every(f"/watches/{watch}/deliveries")]
            with NewFile(out, replaces=True) as file:
                file.write(csv_of([DELIVERY, *rows], [f"What the watch {watch} sent, the newest first."]))
            typer.echo(f"{len(rows)} deliveries are in {out}")
            return
        found = newest(remote.get(f"/watches/{watch}/deliveries", limit=100))
    for each in found:
        what = "test" if each["test"] else f"{each['alerts']} alerts"
        later = f", next {each['next_at']}" if each["next_at"] else ""
        typer.echo(f"{each['made_at']}  {each['id']}  {what}: {each['state']}, tried {each['tries']}{later}")
        typer.echo(f"    {each['said'] or 'not tried yet'}")
    if not found:
        typer.echo("It has sent nothing yet.")


def _cell(value: Any) -> str | int | None:
    return ("yes" if value else "no") if isinstance(value, bool) else value


alerts = typer.Typer(help="What your watches were told.", no_args_is_help=False, invoke_without_command=True)


@alerts.callback()
def list_alerts(
    context: typer.Context,
    unseen: Annotated[bool, typer.Option("--unseen", help="Only those you have not seen.")] = False,
    watch: Annotated[str | None, typer.Option(help="Only of this watch.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """List your alerts, newest first, each with what its statement says now."""
    if context.invoked_subcommand is not None:
        return
    with told_plainly(), Remote() as remote:
        # All of them: whoever says that they were seen must have been shown the oldest too.
        found = list(remote.every("/alerts", unseen=unseen, watch=watch))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(_in_words(each))
    if not found:
        typer.echo("No alerts. That is no clearance.")
    elif watch is None:
        # Of one watch it would mark those of the others too, which were not shown.
        typer.echo(f"Seen all of them: comity alerts seen {found[0]['number']}")


@alerts.command()
def seen(number: Annotated[int, typer.Argument(help="Up to this alert.")]) -> None:
    """Say that you have seen your alerts up to one."""
    with told_plainly(), Remote() as remote:
        done = remote.post("/alerts/seen", {"number": number})["seen"]
    typer.echo(f"{done} marked as seen.")


def _in_words(alert: dict[str, Any]) -> str:
    change = alert["change"] or {}
    says = change.get("says") or {}
    names = " / ".join(name["text"] for name in says.get("names") or [])
    row = f"your row {alert['row']} [{alert['verdict']}: {alert['why']}]" if alert["row"] else alert["why"]
    lines = [f"{alert['number']}  {alert['at'][:16]}  {alert['what']} {change.get('kind') or ''}: {row}"]
    if change.get("published_by"):
        grave = f", {says['severity']}" if says.get("severity") else ""
        lines.append(f"    {names or 'no name'}{grave}, by {change['published_by']}; now {change['standing']}")
        lines.append(f"    statement {change['statement']}")
    return "\n".join(lines)


def changes(
    after: Annotated[str | None, typer.Option(help="The cursor of the last time; `now` begins behind all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 100,
) -> None:
    """Print a page of the feed of changes as JSON, with the cursor to come back with."""
    with told_plainly(), Remote() as remote:
        found = remote.get("/changes", after=after, limit=limit)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
