"""`comity exchange`: what `comity serve` runs beside the API, as a service of its own."""

import asyncio
from typing import Annotated

import typer

from comity_node.cli.node import HomeOption
from comity_node.cli.terminal import told_plainly
from comity_node.wiring.logs import set_up_logs
from comity_node.workers.exchange import Part
from comity_node.workers.running import run_exchange


def exchange(
    home: HomeOption,
    only: Annotated[
        Part | None,
        typer.Option(help="receiver: registry, receiving, settling. relay: signing and sending. Else both."),
    ] = None,
) -> None:
    """Exchange with the network, without the API: receive and settle, sign and send."""
    set_up_logs()
    with told_plainly():
        asyncio.run(run_exchange(home, tuple(Part) if only is None else (only,)))
