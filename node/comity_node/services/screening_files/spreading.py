"""A file's rows answered by as many processes as there are processors, each with the same view of the database, or of
none.

Rules:
- What is said of a row is the same as when one process answers all: each answers for whole rows, by the same code.
- All open their view while nobody writes, so that what people here judge counts for all rows or for none. That needs
  nothing of the database but that writers take turns, and is the same for SQLite and PostgreSQL.
- They give way to whoever else works here, and end with the process that started them, however it ends.
"""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, ClassVar, Final, Generic, Literal, Protocol

from comity_node.services.screening_files.running import A, Answering, Q, Q_contra
from comity_schemas.errors import ComityError

FEWEST_ROWS: Final = 300
"""Of fewer rows one process has said everything before others have begun."""
MOST_PROCESSES: Final = 4
"""Each takes some 200 MB, and a node has other things to do."""
NICE: Final = 5
_END_S: Final = 5.0

Start = Literal["spawn", "fork"]
"""`fork` shares what is in memory, and is for processes without threads only."""


class ProcessEnded(ComityError):
    """A process that answered for rows is gone: the machine has no memory for it, or somebody ended it."""

    code: ClassVar[str] = "screening-file.process-ended"


class Opener(Protocol[Q_contra, A]):
    """What each process opens for itself."""

    def open(self) -> AbstractAsyncContextManager[Answering[Q_contra, A]]:
        """Give who answers; its view of the database does not change from here on."""


def processes_for(rows: int) -> int:
    """Return how many processes answer for so many rows; 1: this one alone."""
    if rows < FEWEST_ROWS:
        return 1
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, MOST_PROCESSES)


def forked_for(rows: int) -> int:
    """Return how many processes are forked for so many rows, so that what is in memory is there once; 1: none.

    A process that has threads cannot be forked, and on macOS none.
    """
    return 1 if threading.active_count() > 1 or sys.platform == "darwin" else processes_for(rows)


@asynccontextmanager
async def spread(
    opener: Opener[Q, A], count: int, start: Start, while_opening: AbstractAsyncContextManager[Any]
) -> AsyncIterator["Spread[Q, A]"]:
    """Give who answers by several processes; they end with the block.

    Args:
        opener: what each of them opens.
        count: how many processes.
        start: how they begin.
        while_opening: held while they open their views.

    Raises:
        ProcessEnded: one of them is gone.
    """
    with _started(opener, count, start) as lines:
        await asyncio.gather(*(asyncio.to_thread(_received, line) for line in lines))
        async with while_opening:
            await asyncio.gather(*(asyncio.to_thread(_exchanged, line, None) for line in lines))
        yield Spread(lines)


class Spread(Generic[Q, A]):
    """Asks whichever process is free."""

    def __init__(self, lines: Sequence[Connection]) -> None:
        self.at_once = 2 * len(lines)
        """Parts that may wait for their answers: while one is answered for the next is there already."""
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)

    async def ask(self, rows: Sequence[Q]) -> list[A]:
        """Return what is said of each, in their order.

        Raises:
            ProcessEnded: who answered is gone.
        """
        line = await self._free.get()
        said: list[A] = await asyncio.to_thread(_exchanged, line, rows)
        self._free.put_nowait(line)
        return said


def _exchanged(line: Connection, what: Any) -> Any:
    try:
        line.send(what)
    except OSError as error:
        raise _ended() from error
    return _received(line)


def _received(line: Connection) -> Any:
    try:
        said = line.recv()
    except (EOFError, OSError) as error:
        raise _ended() from error
    if isinstance(said, BaseException):
        raise said
    return said


def _ended() -> ProcessEnded:
    return ProcessEnded(
        "a process that screened rows of this file is gone, as when the machine has no memory left. Nothing of the "
        "file is given out; screen it again, if need be in parts"
    )


@contextmanager
def _started(opener: Opener[Any, Any], count: int, start: Start) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("fork") if start == "fork" else multiprocessing.get_context("spawn")
    lines: list[Connection] = []
    started: list[BaseProcess] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            lines.append(ours)
            # A forked process has our ends too; with one open it would not see that we are gone.
            of_others = list(lines) if start == "fork" else []
            given = (theirs, of_others, opener)
            started.append(context.Process(target=_answer_for_rows, args=given, daemon=True))
            started[-1].start()
            theirs.close()
        yield lines
    finally:
        begun = [process for process in started if process.pid is not None]
        for process in begun:
            process.terminate()
        for process in begun:
            process.join(_END_S)
        for line in lines:
            line.close()


def _answer_for_rows(line: Connection, of_others: Sequence[Connection], opener: Opener[Any, Any]) -> None:
    begin_process()
    for other in of_others:
        other.close()
    with contextlib.suppress(EOFError, OSError):
        asyncio.run(_answering(line, opener))


def begin_process() -> None:
    """Let this process give way to others, and end when whoever started it says so."""
    # Ctrl-C reaches all processes of a terminal, and who started us ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    # Rows leave much in caches and hardly a cycle: walking through all that stays took a twentieth of the time.
    gc.freeze()
    gc.set_threshold(50_000)


async def _answering(line: Connection, opener: Opener[Any, Any]) -> None:
    line.send(None)
    line.recv()
    try:
        async with opener.open() as asker:
            line.send(None)
            while True:
                rows = line.recv()
                line.send(await asker.ask(rows))
    except Exception as error:
        line.send(_sendable(error))


def _sendable(error: Exception) -> Exception:
    """Return an error that the other process can read; of ours it gets the words, of others only the kind."""
    if isinstance(error, ComityError):
        with contextlib.suppress(Exception):
            pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
            return error
    return RuntimeError(type(error).__name__)
