"""The API's process looks for garbage between requests."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from comity_node.app.sweeping import AT_LATEST, EVERY, Sweeper


class Cycle:
    """Something that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def sweeper() -> Iterator[Sweeper]:
    before = gc.get_threshold()
    sweeper = Sweeper()
    sweeper.begin()
    yield sweeper
    gc.set_threshold(*before)
    gc.unfreeze()


def old_garbage() -> "weakref.ref[Cycle]":
    """Return what refers to something that has grown old and that nobody needs any more."""
    cycle = Cycle()
    gc.collect(0)
    gc.collect(1)
    return weakref.ref(cycle)


def test_garbage_is_looked_for_between_requests_and_what_stays_is_left_alone(sweeper: Sweeper) -> None:
    lost = old_garbage()
    assert not sweeper.look(EVERY - 1, 0) and not sweeper.look(EVERY, 1) and lost() is not None
    kept, frozen = [Cycle() for _ in range(100)], gc.get_freeze_count()
    assert sweeper.look(EVERY, 0)
    assert lost() is None and gc.get_freeze_count() >= frozen + len(kept)
    assert not sweeper.look(2 * EVERY - 1, 0), "of those since the last time"
    assert sweeper.look(2 * EVERY, 0)


def test_however_much_is_asked_garbage_does_not_pile_up(sweeper: Sweeper) -> None:
    lost = old_garbage()
    assert not sweeper.look(AT_LATEST - 1, 3) and lost() is not None
    assert sweeper.look(AT_LATEST, 3) and lost() is None


def test_what_is_old_is_never_looked_through_in_the_midst_of_a_request(sweeper: Sweeper) -> None:
    del sweeper
    before = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(200_000)]
    assert gc.get_stats()[2]["collections"] == before and kept
