"""What the bus holds and nobody can read is kept with its reason, merged, and never more than a bounded list."""

from builders import Publisher
from comity_federation.bus import Delivered, Skipped, checkpoints_topic, statements_topic
from comity_node.db import Database
from comity_node.db.skipped import MOST_RANGES, SEVERAL, SkippedRange
from comity_node.services.receiving.intake import take_in
from node_world import NOW, registry_of

AGENCY = Publisher("agency").member()
TOPIC = statements_topic("agency")
GZIP, ZSTD = "compressed batch (gzip)", "compressed batch (zstd)"


async def deliver(database: Database, *items: Delivered | Skipped) -> None:
    await take_in(database, items, registry_of(AGENCY), "bus", NOW)


async def kept(database: Database) -> list[tuple[str, int, int, int, str]]:
    async with database.read() as store:
        found: list[SkippedRange] = await store.skipped.page("agency", before=None, most=1_000)
        counted = (await store.logs.of("agency")).skipped
    assert counted == sum(each.offsets for each in found)
    return [(each.topic, each.first, each.last, each.offsets, each.reason) for each in reversed(found)]


async def test_ranges_that_touch_and_have_one_reason_become_one(database: Database) -> None:
    await deliver(database, Skipped(TOPIC, 3, 3, GZIP), Skipped(TOPIC, 4, 9, GZIP), Delivered(TOPIC, 10, b"x"))
    await deliver(database, Skipped(TOPIC, 11, 11, GZIP), Skipped(TOPIC, 12, 12, ZSTD))
    await deliver(database, Skipped(TOPIC, 13, 20, ZSTD), Skipped(checkpoints_topic("agency"), 21, 21, ZSTD))
    assert await kept(database) == [
        (TOPIC, 3, 9, 7, GZIP),
        (TOPIC, 11, 11, 1, GZIP),
        (TOPIC, 12, 20, 9, ZSTD),
        (checkpoints_topic("agency"), 21, 21, 1, ZSTD),
    ]


async def test_what_is_read_again_is_not_counted_twice(database: Database) -> None:
    await deliver(database, Skipped(TOPIC, 0, 4, GZIP), Skipped(TOPIC, 7, 9, ZSTD))
    await deliver(database, Skipped(TOPIC, 0, 4, GZIP), Skipped(TOPIC, 7, 12, ZSTD))
    assert await kept(database) == [(TOPIC, 0, 4, 5, GZIP), (TOPIC, 7, 12, 6, ZSTD)]


async def test_a_member_that_scatters_hostile_batches_fills_no_more_than_its_list(database: Database) -> None:
    scattered = [Skipped(TOPIC, 2 * n, 2 * n, (GZIP, ZSTD)[n % 2]) for n in range(3 * MOST_RANGES)]
    await deliver(database, *scattered[: 2 * MOST_RANGES])
    await deliver(database, *scattered[2 * MOST_RANGES :])
    found = await kept(database)
    assert len(found) == MOST_RANGES
    assert found[0] == (TOPIC, 0, 0, 1, GZIP)
    first = 2 * (MOST_RANGES - 1)
    assert found[-1] == (TOPIC, first, scattered[-1].last, 2 * MOST_RANGES + 1, SEVERAL)


async def test_what_is_told_after_later_offsets_is_noted_too_and_only_once(database: Database) -> None:
    await deliver(database, Skipped(TOPIC, 10, 14, GZIP))
    await deliver(database, Skipped(TOPIC, 3, 3, ZSTD), Skipped(TOPIC, 8, 20, ZSTD))
    await deliver(database, Skipped(TOPIC, 0, 30, ZSTD), Skipped(TOPIC, 10, 14, GZIP))
    everything = (3, 3), (8, 30), (0, 2), (4, 7)
    assert await kept(database) == [(TOPIC, 10, 14, 5, GZIP)] + [
        (TOPIC, first, last, last - first + 1, ZSTD) for first, last in everything
    ]


async def test_a_full_list_is_widened_downwards_too(database: Database) -> None:
    await deliver(database, *[Skipped(TOPIC, 100 + 2 * n, 100 + 2 * n, GZIP) for n in range(MOST_RANGES)])
    for _ in range(2):
        await deliver(database, Skipped(TOPIC, 7, 9, ZSTD))
    last = 100 + 2 * (MOST_RANGES - 1)
    assert (await kept(database))[-1] == (TOPIC, 7, last, 4, SEVERAL)
    assert len(await kept(database)) == MOST_RANGES
