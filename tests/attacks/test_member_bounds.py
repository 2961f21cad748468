"""The bounds of what one member can fill: parked statements, quarantine, a daily budget. Others do not notice."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from comity_federation.local_log import LocalLog
from comity_schemas.statement import MAX_RECORD_BYTES
from hostile_bus import Shown
from neighbourhood import HONEST, MALLORY, MIB, OF_MALLORY, Neighbourhood


def junk(count: int, size: int) -> list[bytes]:
    luck = random.Random(7)
    shapes = [b"", b"{", b'{"statement":"', b'{"statement":"a.b.c~","sealed":[]}']
    return [luck.choice(shapes) + luck.randbytes(size) for _ in range(count)]


@pytest.mark.parametrize(("count", "size"), [(3_000, 200), (400, 60_000), (400, 200_000)])
async def test_junk_fills_no_more_than_the_bound_of_the_quarantine_and_the_rest_is_counted(
    count: int, size: int, log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log)
    await street.say_honestly(0, HONEST // 2)
    await street.flood(junk(count, size))
    await street.say_honestly(HONEST // 2)
    await street.node.listen()
    await street.others_are_whole()
    rows, held = await street.kept_of_mallory()
    # The record that reaches the bound is the last one kept.
    assert rows <= 1_000 and held <= 16 * MIB + MAX_RECORD_BYTES + 1
    assert street.disk_bytes() < 40 * MIB


def far_ahead(count: int, size: int = 0) -> list[bytes]:
    """Statements whose predecessor never comes, each with its own signature."""
    filler = {"boxes": ("Q" * size,)} if size else {}
    return [MALLORY.finding(seq=n, prev="P" * 43, **filler).raw for n in range(2, 2 + count)]


@pytest.mark.parametrize(("count", "size"), [(1_500, 0), (400, 60_000)])
async def test_gaps_without_end_park_no_more_than_the_bound_and_then_the_topic_is_paused(
    count: int, size: int, log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log)
    await street.flood(far_ahead(count, size))
    await street.say_honestly()
    await street.node.listen()
    await street.others_are_whole()
    rows, held = await street.kept_of_mallory()
    assert rows <= 1_000 + 500 and held <= 16 * MIB + 500 * 2_048 + size * 500
    words = " ".join((await street.node.conditions()).values())
    assert "mallory" in words, "a paused topic is said"


async def test_a_flood_beyond_the_daily_budget_pauses_that_log_and_goes_on_the_next_day(
    log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log, daily_statements=100)
    chain = MALLORY.chain(400)
    # What is there when the node connects is catching up, not flooding; the flood begins with its first read.
    await street.flood(made.raw for made in chain[:150])
    await street.say_honestly()
    first = street.chains["agency"][0].raw

    def begin(where: str, value: bytes) -> Iterable[Shown]:
        flood = [(OF_MALLORY, made.raw) for made in chain[150:]] if value == first else []
        return [(where, value), *flood]

    street.bus.cheat = begin
    await street.node.listen()
    await street.others_are_whole()
    head = (await street.node.snapshot())["mallory"][0]
    assert 150 <= head < 400, "a flood goes on without end"
    assert "mallory" in " ".join((await street.node.conditions()).values())
    street.node.clock.pass_time(days=1, minutes=1)
    await street.node.listen()
    assert (await street.node.snapshot())["mallory"][0] > head
