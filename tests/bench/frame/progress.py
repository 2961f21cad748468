"""Progress of what takes long, on stderr: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY_S = 10.0
"""How often a line is written where there is no terminal."""


class Bar(Protocol):
    """What shows how far something is."""

    def at(self, done: float) -> None:
        """Show that so much is done in all."""


class _Lines:
    def __init__(self, title: str, total: float) -> None:
        self._title, self._total, self._next = title, total, time.monotonic() + EVERY_S

    def at(self, done: float) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            say(f"{self._title}: {done:,.0f} of {self._total:,.0f}")


class _Drawn:
    def __init__(self, progress: Progress, title: str, total: float) -> None:
        self._progress, self._task = progress, progress.add_task(title, total=total)

    def at(self, done: float) -> None:
        self._progress.update(self._task, completed=done)


def say(text: str) -> None:
    """Write a line to stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)


@contextmanager
def progress(title: str, total: float) -> Iterator[Bar]:
    """Show how far something is while the block lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as drawn:
        yield _Drawn(drawn, title, total)
