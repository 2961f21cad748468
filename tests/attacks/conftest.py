"""What the attacks stand on: a log of honest members, and a database that was migrated before an event loop runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import node_world
from comity_federation.local_log import LocalLog


@pytest.fixture(scope="session", autouse=True)
def _migrated_once() -> None:
    node_world.warm_up()


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[LocalLog]:
    """An empty log that a test fills."""
    opened = LocalLog(tmp_path / "log.db")
    await opened.start()
    yield opened
    await opened.stop()
