"""Opening what came: which records are ordinary, and of which nothing in their log could change what they are worth,
before any database is asked.

Verifying a signature is most of the work, so a batch worth it goes to processes of their own; they start with the
first such batch and end when there is none for a while. What they tell rests on the bytes and the registry's entry
alone. A process that dies is replaced, and its records are opened again.
"""

import asyncio
import fcntl
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from comity_federation import strict_json
from comity_federation.decide import decide
from comity_federation.decision import Refused, Seen, Trust, Waiting
from comity_federation.log_state import peek
from comity_federation.ordinary import Ordinary, Signers, open_ordinary
from comity_schemas.member import Member

FOREIGN_STEPS = 5
"""What is refused up to here is refused whatever is known of the log: nobody with the member's key made it."""

WORTH_PROCESSES = 128
"""From so many records on a batch is worth processes of their own."""

_AT_ONCE = 250
"""Records a process opens at once."""

_PIPE_BYTES = 1 << 20
"""The most that Linux grants without asking."""

_TRIES = 3


class Opened(NamedTuple):
    """An ordinary statement, as it will be stored once its place and what it refers to are checked."""

    seq: int
    prev: str
    hash: str
    key: int
    iat: int
    kind: str
    handling: str
    """JSON text."""
    body: str
    """JSON text: fields in clear and disclosed ones."""
    refers_to: str | None
    """The earlier statement that it revises or takes back."""
    named: bool
    """Whether anybody can find it by name."""


class Judged(NamedTuple):
    """What a record is worth whatever is known of its log: somebody else's junk, or signed by a key not listed yet."""

    state: str
    """`refused` or `waiting`."""
    seq: int | None
    """What it claims to be, like the next two, as far as that can be read."""
    hash: str | None
    prev: str | None
    step: int | None
    code: str
    detail: str | None


Opening = Opened | Judged | None
"""None: to be decided with all that is known of its log."""

Arrived = tuple[bytes, bytes]
"""The registry's entry of the member whose log it is, and a record."""


def open_records(arrived: Sequence[Arrived]) -> list[Opening]:
    """Return for each record what can be told from its bytes and the registry's entry alone."""
    ordinary = open_ordinary([(raw, _known(entry)[1]) for entry, raw in arrived])
    stored = [None if each is None else _stored_form(each) for each in ordinary]
    return [
        _judged(raw, _known(entry)[0]) if form is None else form
        for (entry, raw), form in zip(arrived, stored, strict=True)
    ]


@lru_cache(maxsize=1_000)
def _known(entry: bytes) -> tuple[Member, Signers]:
    member = Member.from_parsed(strict_json.loads(entry))
    return member, Signers.of(member)


def _judged(raw: bytes, member: Member) -> Judged | None:
    match decide(raw, Trust(member), Seen()):
        case Refused(step=step, code=code, detail=detail) if step <= FOREIGN_STEPS:
            return Judged("refused", *_claimed(raw), step, code, detail or None)
        case Waiting(why="unknown-key" as code):
            return Judged("waiting", *_claimed(raw), None, code, None)
    return None


def _claimed(raw: bytes) -> tuple[int | None, str | None, str | None]:
    claimed = peek(raw)
    return (None, None, None) if claimed is None else (claimed.seq, claimed.hash, claimed.prev)


def _stored_form(ordinary: Ordinary) -> Opened | None:
    body = ordinary.body
    taken_back, revised = body.get("statement"), body.get("replaces")
    if taken_back and revised:
        return None
    return Opened(*ordinary[:8], taken_back or revised, bool(body.get("names")))


class Openers:
    """Opens batches, in processes when they are worth it."""

    def __init__(self, processes: int | None = None, idle: timedelta = timedelta(seconds=20)) -> None:
        """Starts nothing yet.

        Args:
            processes: how many to use; by default one for each core.
            idle: after so long without a batch worth them they end.
        """
        self._processes = (os.cpu_count() or 1) if processes is None else processes
        self._idle = idle
        self._pool: ProcessPoolExecutor | None = None
        self._at_work = 0
        self._used = 0.0
        self._ending: asyncio.Task[None] | None = None

    async def open(self, arrived: Sequence[Arrived]) -> list[Opening]:
        """Return for each record what can be told of it by itself."""
        if self._processes == 0 or len(arrived) < WORTH_PROCESSES:
            return open_records(arrived)
        for _ in range(_TRIES):
            pool = self._started()
            try:
                return await self._open_in_processes(pool, arrived)
            except BrokenExecutor:
                # One died, and with it the whole pool: begin again with new ones, or those of another batch that did.
                if self._pool is pool:
                    self.close()
        return open_records(arrived)

    def close(self) -> None:
        """End the processes; what they were doing is lost, and was not stored."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _open_in_processes(self, pool: ProcessPoolExecutor, arrived: Sequence[Arrived]) -> list[Opening]:
        loop = asyncio.get_running_loop()
        shares = (arrived[start : start + _AT_ONCE] for start in range(0, len(arrived), _AT_ONCE))
        self._at_work += 1
        try:
            opened = await asyncio.gather(*(loop.run_in_executor(pool, open_records, share) for share in shares))
        finally:
            self._at_work -= 1
            self._used = time.monotonic()
        return [one for share in opened for one in share]

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: this process has threads and a bus.
            self._pool = ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn"), _prepare_process)
            _widen(self._pool)
        if self._ending is None or self._ending.done():
            self._ending = asyncio.get_running_loop().create_task(self._end_when_idle())
        return self._pool

    async def _end_when_idle(self) -> None:
        while self._pool is not None:
            left = self._used + self._idle.total_seconds() - time.monotonic()
            if left <= 0 and not self._at_work:
                self.close()
                return
            await asyncio.sleep(max(left, self._idle.total_seconds() / 2))


def _widen(pool: ProcessPoolExecutor) -> None:
    """Let a whole share lie in the pipes to and from the processes, where the system can.

    A pipe of 64 kB takes ten turns for a share: meanwhile the process that would open it waits for this one's turns.
    """
    size = getattr(fcntl, "F_SETPIPE_SZ", None)
    for end in (pool._call_queue._writer, pool._result_queue._reader):  # type: ignore[attr-defined]
        with suppress(OSError):
            if size is not None:
                fcntl.fcntl(end.fileno(), size, _PIPE_BYTES)


def _prepare_process() -> None:
    # Told to stop by closing the pool, not by the terminal's Ctrl-C, which reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Opening leaves no cycles behind; looking for them at every 700th object costs a tenth of the time.
    gc.freeze()
    gc.set_threshold(100_000)


def _end_with_parent() -> None:
    # A pool's process waits for work on a pipe that its brothers hold open too: a parent that is killed would leave
    # it waiting for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
