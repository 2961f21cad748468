"""`python -m comity_node.workers HOME`: the exchange process that `comity serve` starts."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from comity_node.wiring import Node
from comity_node.wiring.logs import set_up_logs
from comity_node.workers.exchange import Exchange, ExchangeRuns


async def _main(home: Path) -> int:
    node = Node.open(home)
    task = asyncio.create_task(Exchange(node, node.bus()).run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    # When the parent dies its end of our stdin closes: an exchange never outlives its node.
    if not sys.stdin.closed and not sys.stdin.isatty():
        # A daemon thread: one of the loop's own would keep a process that has failed from ending.
        threading.Thread(target=_wait_for_parent, args=(loop, task), daemon=True).start()
    try:
        await task
    except asyncio.CancelledError:
        return 0
    except ExchangeRuns as error:
        print(error, file=sys.stderr)
        return 3
    finally:
        await node.close()
    return 0


def _wait_for_parent(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    # The bare descriptor: a thread that holds the lock of `sys.stdin` at the end crashes the interpreter.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(task.cancel)


if __name__ == "__main__":
    set_up_logs()
    sys.exit(asyncio.run(_main(Path(sys.argv[1]))))
