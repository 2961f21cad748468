"""`comity demo`: watch one finding cross a network of three nodes on this machine."""

import contextlib
import json
import logging
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from comity_node.demo import Stage, Story, tell
from comity_node.demo.stage import AGENCY, BODY, local_broker
from comity_node.demo.story import Chapter
from comity_schemas.errors import ComityError

_STYLES = {"title": "bold", "answer": "cyan", "text": "", "failed": "bold red"}


def demo(
    kafka: Annotated[bool, typer.Option("--kafka", help="On a real Apache Kafka that is started here.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the nodes running and say what to try.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one JSON object at the end.")] = False,
    directory: Annotated[
        Path | None, typer.Option(help="Keep everything there; else a temporary directory, removed at the end.")
    ] = None,
) -> None:
    """Watch an auditor's signed report become a finding that another organisation's node verified and found.

    Three invented organisations, three real node processes on this machine. Ends with exit 0 when every step came out
    as it must.
    """
    # The story says itself which bus it uses.
    logging.getLogger("comity_federation.local_log").setLevel(logging.ERROR)
    place = directory or Path(tempfile.mkdtemp(prefix="comity-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True, quiet=as_json)
    began = time.monotonic()
    failed: ComityError | None = None
    chapters: list[Chapter] = []
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(local_broker()) if kafka else None
            stage = stack.enter_context(Stage(place, kafka=address))
            story = Story(stage, lambda kind, line: _show(console, kind, line))
            chapters = story.chapters
            tell(story)
        except ComityError as error:
            failed = error
            _show(console, "failed", f"failed: {error} [{error.code}]")
            _show(console, "text", f"the nodes' logs are kept in {place}")
        seconds = round(time.monotonic() - began, 1)
        if as_json:
            typer.echo(json.dumps(_facts(chapters, failed, seconds), ensure_ascii=False, indent=2))
        elif failed is None:
            console.print(f"\nAll {len(chapters)} chapters came out as they must, in {seconds} s.")
        if serve and failed is None:
            _stay_up(stage, console)
    if directory is None and failed is None:
        shutil.rmtree(place, ignore_errors=True)
    if failed is not None:
        raise typer.Exit(1)


def _show(console: Console, kind: str, line: str) -> None:
    indent = "\n" if kind == "title" else "   "
    console.print(f"{indent}{line}", style=_STYLES[kind], markup=False)


def _facts(told: list[Chapter], failed: ComityError | None, seconds: float) -> dict[str, object]:
    chapters = [{"title": c.title, "seconds": c.seconds, "lines": c.lines, **c.facts} for c in told]
    return {"ok": failed is None, "seconds": seconds, "failed": str(failed) if failed else None, "chapters": chapters}


def _stay_up(stage: Stage, console: Console) -> None:
    agency, body = stage.nodes[AGENCY], stage.nodes[BODY]
    reviewer, officer = agency.tokens["Ana (reviewer)"], body.tokens["Sanna (officer)"]
    lines = [
        "ready: the three nodes stay up until Ctrl-C. To try, in another terminal:",
        f'  ./comity screen "Exemplar Gloves" --country MY --home {body.home}',
        f"  COMITY_URL={agency.url} COMITY_TOKEN={reviewer} ./comity review published",
        f"  COMITY_URL={body.url} COMITY_TOKEN={officer} ./comity record export STATEMENT",
        f"  ./comity check --home {body.home}",
        f"  the API's contract: {body.url}/api/v1/openapi.json",
    ]
    for line in lines:
        console.print(line, markup=False)
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.pause()
