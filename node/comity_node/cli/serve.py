"""`comity serve`: apart from the other commands on a node, which need no web server and start without it."""

import asyncio

from comity_node.app import serve as serve_node
from comity_node.cli.node import HomeOption
from comity_node.cli.terminal import told_plainly
from comity_node.wiring.logs import set_up_logs


def serve(home: HomeOption) -> None:
    """Serve the node: its API here, and in a second process the exchange with the network."""
    set_up_logs()
    with told_plainly():
        asyncio.run(serve_node(home))
