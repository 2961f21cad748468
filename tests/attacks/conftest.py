"""What the attacks stand on: a log of honest members."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from comity_federation.local_log import LocalLog


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[LocalLog]:
    """An empty log that a test fills."""
    opened = LocalLog(tmp_path / "log.db")
    await opened.start()
    yield opened
    await opened.stop()
