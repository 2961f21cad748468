"""`comity status`: how a node of this machine is, whether it runs or not."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_federation.registry import Registry
from comity_node.cli import due
from comity_node.cli.node import HomeOption
from comity_node.cli.terminal import told_plainly
from comity_node.db import DatabaseUnavailable
from comity_node.db.migrate import DatabaseUnfit, require_tables
from comity_node.domain.advice import advise
from comity_node.domain.due_process import Outcome, Process, in_words, stage_of
from comity_node.domain.refusals import explain
from comity_node.services.operating.retention import retention_of
from comity_node.services.operating.room import disk_troubles
from comity_node.services.operating.status import RUNS, Heard, Status, Trouble, measure, weigh
from comity_node.services.remedy.contracts import due_soon
from comity_node.services.remedy.plans import late_items
from comity_node.wiring import Node
from comity_node.wiring.locks import is_held
from comity_node.wiring.node import utc_now
from comity_schemas.errors import ComityError


def status(home: HomeOption, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Say what is late, since when, what is safe and what to do; exit 1 when something needs you.

    Reads the home and its database; needs no token, and the node need not run.
    """
    with told_plainly():
        try:
            found = asyncio.run(_status(home))
        except (DatabaseUnavailable, DatabaseUnfit) as error:
            unread = Trouble("database", None, str(error), advise("database"))
            _say_unread([*disk_troubles(home), unread], as_json=as_json)
            raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_facts(found), ensure_ascii=False, indent=2))
    else:
        _say(found)
    if not found.healthy:
        raise typer.Exit(1)


def _say_unread(troubles: Sequence[Trouble], *, as_json: bool) -> None:
    """Say what is known without the database."""
    now = utc_now()
    if as_json:
        facts = {"as_of": now.isoformat(), "healthy": False, "needs_you": [_trouble(each) for each in troubles]}
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{now:%Y-%m-%d %H:%M} UTC: the database cannot be read, so this is all that is known")
    for trouble in troubles:
        _say_trouble(trouble, now)


async def _status(home: Path) -> Status:
    node = Node.open(home)
    running = {part: is_held(node.home.lock(part)) for part in RUNS}
    registry: Registry | str
    try:
        registry = node.trusted_registry()
    except ComityError as error:
        registry = str(error)
    try:
        await require_tables(node.settings.database)
        async with node.database.read() as store:
            measures = await measure(store, node.clock())
            plans = await late_items(store, node.clock())
            contracts = await due_soon(store, node.clock().date())
            retention = await retention_of(store, node.clock().date())
    finally:
        await node.close()
    found = weigh(measures, registry, running, node.settings.member, node.clock())
    troubles = [*disk_troubles(home), *found.troubles]
    return replace(
        found, troubles=troubles, windows=node.settings.windows, plans=plans, contracts=contracts, retention=retention
    )


def _say(found: Status) -> None:
    now = found.as_of
    count = len(found.troubles)
    needs = "all is well here" if found.healthy else f"{count} thing{'s need' if count > 1 else ' needs'} you"
    typer.echo(f"{now:%Y-%m-%d %H:%M} UTC: {needs}")
    for trouble in found.troubles:
        _say_trouble(trouble, now)
    if found.late:
        typer.echo("")
        typer.echo("late elsewhere:")
        for trouble in found.late:
            _say_trouble(trouble, now)
    if found.under_way:
        typer.echo("")
        typer.echo("under way here:")
        for trouble in found.under_way:
            _say_trouble(trouble, now)
    measures = found.measures
    typer.echo("")
    typer.echo("runs        " + ", ".join(f"{part} {'yes' if runs else 'no'}" for part, runs in found.running.items()))
    typer.echo(f"outbox      {_backlog(measures.outgoing.waiting, measures.outgoing.since, now, 'to be sent')}")
    typer.echo(f"inbox       {_backlog(measures.undecided.waiting, measures.undecided.since, now, 'to be decided')}")
    if found.registry is not None:
        ends = found.registry.expires
        typer.echo(f"registry    version {found.registry.version}, until {_when(ends)} ({_span(ends - now)} left)")
    _say_quarantine(found)
    _say_due_process(found)
    for line in due.lines(found.plans, found.contracts, found.retention, found.as_of.date()):
        typer.echo(line)
    if found.heard:
        typer.echo("")
        _say_logs(found.heard, now)


def _say_trouble(trouble: Trouble, now: datetime) -> None:
    since = "" if trouble.since is None else f", since {_when(trouble.since)} ({_span(now - trouble.since)})"
    typer.echo("")
    typer.echo(f"  {trouble.name}{since}")
    for label, text in (("what", trouble.what), ("safe", trouble.advice.safe), ("do", trouble.advice.do)):
        typer.echo(f"    {label:5} {text}")


def _say_quarantine(found: Status) -> None:
    by_step: dict[int, int] = {}
    for (_, step), count in found.measures.refused.items():
        by_step[step] = by_step.get(step, 0) + count
    if not by_step:
        typer.echo("quarantine  empty")
        return
    typer.echo(f"quarantine  {sum(by_step.values())} records: comity quarantine list")
    for step, count in sorted(by_step.items()):
        typer.echo(f"            {count} at step {step}: {explain(step, None).what}")


def _say_due_process(found: Status) -> None:
    for difference in found.windows.differences():
        typer.echo(f"for trying  {difference}: production refuses this")
    waiting = [p for p in found.measures.process if p.check.outcome is Outcome.POSTPONE or p.window_ends is not None]
    contacts, past = found.measures.contacts
    if past:
        typer.echo(f"contacts    {past} of {contacts} local contacts are past their review date: comity contact list")
    for process in waiting:
        typer.echo(f"supplier    review {process.review_id}: {in_words(process, None, found.as_of)}")
    for word in found.measures.disputes:
        decide_by = word.made_at + found.windows.dispute
        overdue = ", OVERDUE" if decide_by < found.as_of else ""
        typer.echo(f"dispute     {word.id}: a third person decides by {_when(decide_by)}{overdue}")


def _say_logs(heard: Sequence[Heard], now: datetime) -> None:
    rows = [("member", "status", "has", "announced", "heard", "")]
    for log in heard:
        when = "not yet" if log.heard_at is None else f"{_span(now - log.heard_at)} ago"
        notes = []
        if log.frozen_from is not None:
            notes.append(f"frozen from {log.frozen_from}")
        if log.missing:
            notes.append(f"{log.missing} missing")
        if log.waiting:
            notes.append(f"{log.waiting} waiting")
        if log.refused:
            notes.append(f"{log.refused} in quarantine")
        announced = "-" if log.announced is None else str(log.announced)
        rows.append((log.slug, log.status, str(log.head), announced, when, ", ".join(notes)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _backlog(waiting: int, since: datetime | None, now: datetime, what: str) -> str:
    if not waiting:
        return "empty"
    return f"{waiting} {what}" + ("" if since is None else f", the oldest since {_when(since)} ({_span(now - since)})")


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _span(span: timedelta) -> str:
    """Return a length of time as people say it."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{_span(-span)}"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _facts(found: Status) -> dict[str, Any]:
    measures, registry = found.measures, found.registry
    return {
        "as_of": found.as_of.isoformat(),
        "healthy": found.healthy,
        "needs_you": [_trouble(trouble) for trouble in found.troubles],
        "late_elsewhere": [_trouble(trouble) for trouble in found.late],
        "under_way": [_trouble(trouble) for trouble in found.under_way],
        "running": dict(found.running),
        "outbox": {"waiting": measures.outgoing.waiting, "since": _iso(measures.outgoing.since)},
        "inbox": {"waiting": measures.undecided.waiting, "since": _iso(measures.undecided.since)},
        "registry": None
        if registry is None
        else {"version": registry.version, "hash": registry.hash, "expires": registry.expires.isoformat()},
        "quarantine": [
            {"member": member, "step": step, "records": count}
            for (member, step), count in sorted(measures.refused.items())
        ],
        "focal_point_needed": found.measures.unreviewed.passed_on > 0,
        "contacts": {"kept": found.measures.contacts[0], "overdue": found.measures.contacts[1]},
        "due_process": {
            "shortened": found.windows.differences(),
            "proposals": [_process(process, found.as_of) for process in measures.process],
            "disputes": [
                {
                    "reply": word.id,
                    "decide_by": (word.made_at + found.windows.dispute).isoformat(),
                    "overdue": word.made_at + found.windows.dispute < found.as_of,
                }
                for word in measures.disputes
            ],
        },
        **due.facts(found.plans, found.contracts, found.retention, found.as_of.date()),
        "logs": [
            {
                "member": log.slug,
                "status": log.status,
                "head": log.head,
                "announced": log.announced,
                "missing": log.missing,
                "heard_at": _iso(log.heard_at),
                "frozen_from": log.frozen_from,
                "waiting": log.waiting,
                "refused": log.refused,
            }
            for log in found.heard
        ],
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "name": trouble.name,
        "since": _iso(trouble.since),
        "what": trouble.what,
        "safe": trouble.advice.safe,
        "do": trouble.advice.do,
    }


def _process(process: Process, now: datetime) -> dict[str, Any]:
    return {
        "review": process.review_id,
        "in_words": in_words(process, None, now),
        "stage": stage_of(process, None, now).value,
        "window_ends": _iso(process.window_ends),
        "review_by": None if process.check.review_by is None else process.check.review_by.isoformat(),
        "overdue": process.overdue(now),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
