"""On an honest bus nothing ever raises an alarm; on a hostile one that repents, nothing it did is left.

Here a sample; `./comity bench honest` lives through a thousand honest runs.
"""

import random
import shutil
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity_federation.local_log import LocalLog
from hostile_bus import HostileBus
from lies import liar
from schedules import Days, honest_run


@pytest.mark.parametrize("seed", range(30))
async def test_honest_days_with_delays_restarts_and_registry_changes_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    assert await honest_run(tmp_path, random.Random(seed)) == []


@given(luck=st.randoms(use_true_random=False), events=st.integers(1, 14))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_hostile_schedule_followed_by_honest_delivery_ends_with_the_view_of_an_honest_run(
    luck: random.Random, events: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.getbasetemp() / uuid.uuid4().hex
    place.mkdir()
    log = LocalLog(place / "log.db")
    await log.start()
    try:
        bus = HostileBus(log)
        days = Days(place, luck, bus)
        bus.cheat = liar(days.story, luck)
        await days.live(events)
        bus.repent()
        await days.end()
        assert await days.held_places() == days.honest_places(), days.told
        assert await days.listener.snapshot() == await days.late_joiner(), days.told
        assert await days.listener.check() == []
        assert (await days.listener.coverage()).complete
    finally:
        await log.stop()
        shutil.rmtree(place)
