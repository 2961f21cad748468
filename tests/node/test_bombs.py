"""A real node beside a member that publishes bombs: it skips them, says so, and goes on with the others."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

import bombs
from builders import Publisher, key_of
from comity_federation.bus import statements_topic
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_schemas.member import MemberStatus, Role
from node_world import Remote, Town, comity, raws, served, until

pytestmark = pytest.mark.kafka

STATEMENTS = 60
SMALL = bombs.batch(bombs.gzip_of_zeros(100), codec=bombs.GZIP)


def greatest_size_mb(pid: int, *, forget: bool = False) -> float:
    """Return how large a process was at most since that was last forgotten."""
    if forget:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


async def test_a_node_skips_bombs_says_so_and_takes_in_what_the_others_say(kafka: str, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex[:8]
    settings = KafkaSettings(kafka)
    town = Town(tmp_path, f"kafka://{kafka}")
    house = await town.found(f"body-{mark}", Role.PROCUREMENT_BODY)
    honest, hostile = Publisher(f"agency-{mark}"), Publisher(f"hostile-{mark}", keys=(key_of("hostile 1"),))
    town.admit(*(each.member(status=MemberStatus.PENDING) for each in (honest, hostile)))
    await town.refresh()
    slugs = [house.slug, f"agency-{mark}", f"hostile-{mark}"]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    statements = raws(honest.chain(STATEMENTS))
    bus = KafkaBus(settings, "comity-test")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(town.close)
        stack.push_async_callback(bus.stop)
        node = stack.enter_context(served(house.home))
        async with Remote(node.url, house.admin.token) as admin:

            async def heard(slug: str, head: int) -> bool:
                return any(m["slug"] == slug and m["head"] >= head for m in (await admin.get("/network"))["members"])

            async def skipped(offsets: int) -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = await admin.all("/quarantine/skipped")
                return found if sum(each["offsets"] for each in found) >= offsets else []

            await bus.publish(statements_topic(slugs[2]), b"junk", {})
            for raw in statements[: STATEMENTS // 2]:
                await bus.publish(statements_topic(slugs[1]), raw, {})
            await until("the honest are heard", lambda: heard(slugs[1], STATEMENTS // 2))
            (child,) = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
            before = greatest_size_mb(int(child), forget=True)
            codes = await bombs.append(settings, statements_topic(slugs[2]), [*bombs.BOMBS.values(), *[SMALL] * 500])
            assert set(codes) == {0}
            for raw in statements[STATEMENTS // 2 :]:
                await bus.publish(statements_topic(slugs[1]), raw, {})
            await until("the honest are heard all the same", lambda: heard(slugs[1], STATEMENTS))
            found = await until("all is said to be skipped", lambda: skipped(len(bombs.BOMBS) + 500))
            assert greatest_size_mb(int(child)) - before < 16
            listed = await asyncio.to_thread(
                comity, "quarantine", "skipped", COMITY_URL=node.url, COMITY_TOKEN=house.admin.token
            )
    assert [(each["first"], each["last"], each["reason"]) for each in reversed(found)] == [
        (1, 1, "compressed batch (zstd)"),
        (2, 2, "compressed batch (gzip)"),
        (3, 3, "compressed batch (lz4)"),
        (4, 4, "compressed batch (snappy)"),
        (5, 504, "compressed batch (gzip)"),
    ]
    assert f"{statements_topic(slugs[2])}, offsets 5 to 504\n    compressed batch (gzip)\n" in listed.stdout, listed
