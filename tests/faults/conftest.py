"""A town for tests of what happens when something under a node fails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from node_world import Town


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A registry signed 2 of 3 and no node yet."""
    made = Town(tmp_path)
    yield made
    await made.close()
