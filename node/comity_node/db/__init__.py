"""The node's own database: rows, repositories and migrations. Rows never leave this package.

`Database.read()` and `Database.write()` give a `Store`; a write is one transaction, committed at its end and nowhere
else. One writer at a time on both databases, so that a read-modify-write is safe without further thought.
"""

from comity_node.db.database import Database
from comity_node.db.outages import DatabaseUnavailable
from comity_node.db.store import Store

__all__ = ["Database", "DatabaseUnavailable", "Store"]
