"""`comity serve`: the API in this process, the exchange in a child that alone reads the signing key."""

import asyncio
import contextlib
import socket
import sys
from pathlib import Path

import structlog
import uvicorn

from comity_node.app.application import create_app
from comity_node.db import DatabaseUnavailable
from comity_node.db.migrate import migrate_async
from comity_node.wiring import Node

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_S = 30.0


async def serve(home: Path) -> None:
    """Serve a node until stopped by a signal; the exchange is started again whenever it ends."""
    node = Node.open(home)
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
    server = _AnnouncingServer(config)
    server.member = node.settings.member
    exchange = asyncio.create_task(_keep_exchange(home, node))
    try:
        await server.serve()
    finally:
        exchange.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await exchange


class _AnnouncingServer(uvicorn.Server):
    """Says on stdout, in one line with the word `ready`, where it answers."""

    member: str

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"ready: {self.member} on http://{host}:{port}", flush=True)


async def _keep_exchange(home: Path, node: Node) -> None:
    pause_s = 1.0
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "comity_node.workers", str(home), stdin=asyncio.subprocess.PIPE
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
            if process.returncode is None:
                process.kill()
            raise
        log.error("exchange.ended", code=code, again_in_s=pause_s)
        with contextlib.suppress(DatabaseUnavailable):
            async with node.database.write() as store:
                await store.conditions.set(
                    "exchange", f"the exchange process ended with {code}; started again", node.clock()
                )
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
