"""`comity serve`: apart from the other commands on a node, which need no web server and start without it."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from comity_node.app import serve as serve_node
from comity_node.cli.node import HomeOption
from comity_node.cli.terminal import told_plainly
from comity_node.wiring.logs import set_up_logs


class Alone(StrEnum):
    """What can be served alone."""

    API = "api"


def serve(
    home: HomeOption,
    only: Annotated[
        Alone | None, typer.Option(help="Leave the exchange to `comity exchange`, as a service of its own.")
    ] = None,
) -> None:
    """Serve the node: its API here, and in a second process the exchange with the network."""
    set_up_logs()
    with told_plainly():
        asyncio.run(serve_node(home, exchange=only is None))
