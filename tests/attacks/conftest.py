"""What the attacks need that must be there before an event loop runs."""

import pytest

import node_world


@pytest.fixture(scope="session", autouse=True)
def _migrated_once() -> None:
    node_world.warm_up()
