"""`python -m comity_node.workers HOME`: the exchange process that `comity serve` starts."""

import asyncio
import signal
import sys
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
        loop.run_in_executor(None, _wait_for_parent, loop, task)
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
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(task.cancel)


if __name__ == "__main__":
    set_up_logs()
    sys.exit(asyncio.run(_main(Path(sys.argv[1]))))
