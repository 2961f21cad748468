"""The exchange as a process: begins, ends on a signal or with its parent, and never takes long to end."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from comity_node.wiring import Node
from comity_node.workers.exchange import Exchange, Part

STOP_WITHIN_S = 5.0
"""After this the process ends as it is: every crash is survived, so this one is too."""

log = structlog.get_logger(__name__)


async def run_exchange(home: Path, parts: Collection[Part] = tuple(Part), *, ends_with_parent: bool = False) -> None:
    """Run these parts of a node's exchange until SIGTERM or SIGINT.

    Raises:
        ExchangeRuns: another process does one of them.
        SettingsRefused, KeyRefused, …: the home does not fit.
    """
    # Taking in a batch makes thousands of objects that live as long as it does, and no cycles: looking for some at
    # every 700th costs a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000)
    # The thread that writes to SQLite asks for the interpreter ten thousand times a batch: let it not wait 5 ms each.
    sys.setswitchinterval(0.0005)
    node = Node.open(home)
    task = asyncio.create_task(Exchange(node, node.bus(), parts).run())

    def stop() -> None:
        end_within(STOP_WITHIN_S)
        task.cancel()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    # When the parent dies its end of our stdin closes: an exchange never outlives its node.
    if ends_with_parent and not sys.stdin.closed and not sys.stdin.isatty():
        # A daemon thread: one of the loop's own would keep a process that has failed from ending.
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        await node.close()


def end_within(seconds: float) -> None:
    """End this process after so long, whatever a thread of it still waits for."""

    def end() -> None:
        log.warning("stopped.hard", after_s=seconds)
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # The bare descriptor: a thread that holds the lock of `sys.stdin` at the end crashes the interpreter.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop)
