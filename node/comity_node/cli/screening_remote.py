"""`comity screen` as an officer at a running node: judgements of own rows count, and a file is a job there."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import typer

from comity_node.cli.asked_together import to_ask
from comity_node.cli.new_file import NewFile
from comity_node.cli.screening_files import FileRun, bar, checked, console, open_and_say, say_account, say_moment
from comity_node.domain.screening import Question
from comity_node.domain.screening_files.asking import Problem
from comity_node.domain.tables.writing import form_of
from comity_node.remote import NodeUnreachable, Remote
from comity_node.services.screening_files.running import Account

_LOOK_EVERY_S: Final = 0.5
_SENDING_S: Final = 600
"""For a file of 64 MiB over a slow line."""


def screen_at_node(questions: Sequence[Question], row: str | None) -> dict[str, Any]:
    """Return what the running node answers; all are asked at one moment.

    Args:
        questions: up to 500.
        row: which row of the own list the first is.

    Raises:
        NodeUnreachable, NodeRefused: see there.
    """
    asked = [to_ask(question) for question in questions]
    asked[0]["row"] = row
    with Remote() as remote:
        given: dict[str, Any] = remote.post("/screenings", {"suppliers": asked})
    return given


def screen_file_at_node(run: FileRun) -> None:
    """Send a file to the running node, wait until it is screened, and write the result.

    Raises:
        NodeUnreachable, NodeRefused, TableRefused: see there.
    """
    checked(run)
    with run.file.open("rb") as stream:
        open_and_say(run, stream)
    told = [("column", f"{what}={heading}") for what, heading in run.told.columns.items()]
    asked = [("name", run.file.name[:200]), ("candidates", str(run.candidates).lower()), *told]
    if run.told.encoding is not None:
        asked.append(("encoding", run.told.encoding))
    with Remote(timeout_s=_SENDING_S) as remote:
        path = f"/screening-files?{urlencode(asked)}"
        begun = remote.post_bytes(path, run.file.read_bytes(), "application/octet-stream")
    # Whatever becomes of this command: the work goes on there.
    console.print(f"Begun as {begun['id']}; it is safe to leave this command.", markup=False)
    fetch_from_node(begun["id"], run.out)


def fetch_from_node(job: str, out: Path) -> None:
    """Wait until a file that was sent is screened, and write the result.

    Raises:
        NodeUnreachable, NodeRefused, TableRefused: see there.
    """
    form = form_of(out)
    with Remote(timeout_s=_SENDING_S) as remote:
        try:
            done = _ended(remote, job)
        except (KeyboardInterrupt, NodeUnreachable):
            console.print(f"It goes on at the node: comity screen --job {job} --out {out}", markup=False)
            raise
        if done["state"] != "done":
            console.print(f"This file is {done['state']}. Nothing was written. {done['why'] or ''}", markup=False)
            raise typer.Exit(1)
        with NewFile(out, replaces=True) as written:
            for piece in remote.stream(f"/screening-files/{job}/result?form={form}"):
                written.write(piece)
    problems = [Problem(each["row"], each["what"]) for each in done["problems"]]
    account = Account(done["done"], Counter(done["verdicts"]), done["not_asked"], problems, done["further_problems"])
    say_account(account, out)
    at = datetime.fromisoformat(done["as_of"])
    say_moment(done["positions"], done["registry_version"], at, done["coverage"]["in_words"])
    console.print(f"Kept for 30 days as {job}; on file: comity screening file REF --stage tender --job {job}")


def _ended(remote: Remote, job: str) -> dict[str, Any]:
    """Return the job once it is not under way any more."""
    with bar("screening", 0) as (progress, task):
        while True:
            found: dict[str, Any] = remote.get(f"/screening-files/{job}")
            progress.update(task, completed=found["done"], total=max(found["total"], found["done"]))
            if found["state"] != "running":
                return found
            time.sleep(_LOOK_EVERY_S)
