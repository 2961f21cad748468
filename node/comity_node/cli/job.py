"""`comity job`: imports and releases of many: how far they are, cancel them, go on with them."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from comity_node.cli.terminal import told_plainly
from comity_node.remote import Remote

app = typer.Typer(help="Imports and releases of many: how far they are.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]

_LOOK_EVERY_S = 0.3


@app.command("list")
def list_jobs(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """List imports and releases, newest first."""
    with told_plainly():
        found = list(Remote().every("/jobs"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for job in found:
        typer.echo(_in_words(job))
    if not found:
        typer.echo("Nothing was imported or released in batches yet.")


@app.command()
def wait(job: JobId) -> None:
    """Wait until it is at its end. Leaving off does not stop it."""
    with told_plainly():
        remote = Remote()
        found = watch(remote, remote.get(f"/jobs/{job}"))
    typer.echo(_in_words(found))
    end_as(found)


@app.command()
def cancel(job: JobId) -> None:
    """End it where it is. What it did stays."""
    with told_plainly():
        found = Remote().post(f"/jobs/{job}/cancel")
    typer.echo(f"{_in_words(found)}. What was done stays; go on: comity job resume {job}")


@app.command()
def resume(job: JobId) -> None:
    """Go on with what you began, and what was cancelled or failed."""
    with told_plainly():
        remote = Remote()
        found = watch(remote, remote.post(f"/jobs/{job}/resume"))
    typer.echo(_in_words(found))
    end_as(found)


def watch(remote: Remote, job: dict[str, Any]) -> dict[str, Any]:
    """Show how far a job is until it is at its end, on stderr; whoever leaves off does not stop it."""
    if job["state"] != "running":
        return job
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(job["kind"], total=job["total"], completed=job["done"])
            while job["state"] == "running":
                time.sleep(_LOOK_EVERY_S)
                job = dict(remote.get(f"/jobs/{job['id']}"))
                progress.update(task, total=job["total"], completed=job["done"])
    except KeyboardInterrupt:
        console.print(f"It goes on at the node: comity job wait {job['id']}, or comity job cancel {job['id']}")
        raise typer.Exit(130) from None
    return job


def end_as(job: dict[str, Any]) -> None:
    """End with 1 where a job was cancelled or failed, and say so."""
    if job["state"] != "done":
        typer.echo(_in_words(job), err=True)
        raise typer.Exit(1)


def _in_words(job: dict[str, Any]) -> str:
    why = f": {job['why']}" if job["why"] else ""
    return f"{job['id']}  {job['kind']} of batch {job['batch']}, {job['state']}, {job['done']} of {job['total']}{why}"
