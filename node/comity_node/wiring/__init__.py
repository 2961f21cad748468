"""Putting a node together from its home: settings, keys, database, registry, bus."""

from comity_node.wiring.home import Home
from comity_node.wiring.node import Node
from comity_node.wiring.settings import Settings

__all__ = ["Home", "Node", "Settings"]
