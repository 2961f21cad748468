"""One dialect, and one cache of compiled statements, for all databases of a kind that a test process opens.

Each test has databases of its own, and each of their engines would compile the same statements again: a sixth of the
processor's time. SQLAlchemy keeps what it compiled for an engine and its dialect, so both are given on. Served nodes
are other processes and do as they always do.
"""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from comity_node.db import database


def share_what_is_compiled(patching: pytest.MonkeyPatch) -> None:
    """Let every engine of this process from now on take what the first one of its kind compiled."""
    create = database.create_async_engine
    firsts: dict[str, Any] = {}

    def create_sharing(url: Any, **options: Any) -> AsyncEngine:
        made = create(url, **options)
        engine: Any = made.sync_engine
        first = firsts.setdefault(engine.dialect.name, engine)
        engine.dialect = engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
        return made

    patching.setattr(database, "create_async_engine", create_sharing)
