"""The served node: the web application, and the processes that `comity serve` runs."""

from comity_node.app.application import create_app
from comity_node.app.serving import serve

__all__ = ["create_app", "serve"]
