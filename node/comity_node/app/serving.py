"""`comity serve`: the API in this process, the exchange in a child that alone reads the signing key."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import structlog
import uvicorn

from comity_node.app.application import create_app
from comity_node.app.sweeping import Sweeper
from comity_node.db.migrate import migrate_async, require_tables
from comity_node.wiring import Node
from comity_node.wiring.locks import take
from comity_node.workers.running import STOP_WITHIN_S, end_within

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_S = 30.0


async def serve(home: Path, *, exchange: bool = True) -> None:
    """Serve a node until stopped by a signal.

    Args:
        home: the node's home.
        exchange: also run its exchange, in a child that is started again whenever it ends.

    Raises:
        SettingsRefused, DatabaseUnfit, DatabaseUnavailable: it cannot begin.
    """
    node = Node.open(home)
    # Read anew with every request, so that it can be replaced; here so that a wrong one is said at once.
    node.settings.metrics_token()
    # An empty database is one that was lost: a node that began anew on it would contradict what it has said.
    await require_tables(node.settings.database, of_this_release=False)
    # A newer release may bring new tables; nothing happens when they are there.
    await migrate_async(node.settings.database)
    config = uvicorn.Config(
        create_app(node),
        host=node.settings.host,
        port=node.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    child = asyncio.create_task(_keep_exchange(home, node)) if exchange else None
    server = _AnnouncingServer(config, node.settings.member, child)
    # At its end uvicorn raises the signal again that stopped it; by then we are stopping, and want to finish.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)
    try:
        with take(node.home.lock("api"), shared=True):
            await server.serve()
    finally:
        if child is not None:
            # A second cancel would cut short what the first has begun.
            if not child.cancelling():
                child.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await child


class _AnnouncingServer(uvicorn.Server):
    """Says on stdout, in one line with the word `ready`, where it answers; stops together with the exchange."""

    def __init__(self, config: uvicorn.Config, member: str, exchange: asyncio.Task[None] | None) -> None:
        super().__init__(config)
        self._member = member
        self._exchange = exchange
        self._sweeper = Sweeper()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._sweeper.begin()
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"ready: {self._member} on http://{host}:{port}", flush=True)

    async def on_tick(self, counter: int) -> bool:
        self._sweeper.look(self.server_state.total_requests, len(self.server_state.tasks))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_within(STOP_WITHIN_S + 1)
        # Both at once: each may wait for somebody, and together they have ten seconds.
        if self._exchange is not None:
            self._exchange.cancel()
        await super().shutdown(sockets)


async def _keep_exchange(home: Path, node: Node) -> None:
    """Run the exchange, and again whenever it ends or cannot be started: an API without one answers from yesterday."""
    pause_s = 1.0
    while True:
        try:
            code = await _run_exchange(home)
            log.error("exchange.ended", code=code, again_in_s=pause_s)
            ended = f"ended with {code}"
        except OSError as error:
            log.error("exchange.not_started", errno=error.errno, again_in_s=pause_s)
            ended = f"could not be started: {os.strerror(error.errno or 0)}"
        # Whatever the database says to it: the next try must come.
        try:
            async with node.database.write() as store:
                await store.conditions.set("exchange", f"the exchange process {ended}; started again", node.clock())
        except Exception as error:
            log.error("exchange.not_noted", error=type(error).__name__)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


async def _run_exchange(home: Path) -> int:
    """Return with what the exchange ended; cancelled, end it.

    Raises:
        OSError: it cannot be started, as when there is no memory or no process left.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "comity_node.workers", str(home), stdin=asyncio.subprocess.PIPE
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S + 0.5)
        if process.returncode is None:
            process.kill()
        raise
