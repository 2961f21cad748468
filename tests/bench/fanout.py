"""From one approval until the finding shows in the answers of twenty other nodes, over Kafka on one machine.

    ./comity bench fanout [--size 25] [--nodes 20]

`--size` approvals one after the other, each by an HTTP request to a node that runs as `comity serve`, as do the others.
A node counts when it has answered a screening request with the finding; it is asked as soon as its database has it.
p99 over all approvals and nodes.
"""

import asyncio
import json
import secrets
import sqlite3
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2

from bench.frame.buses import kafka
from bench.frame.corpus import finding
from bench.frame.progress import progress
from bench.frame.receiver import AS_FOUNDED
from bench.frame.results import Goal, arguments, report
from builders import HANDLING
from comity_federation.kafka_bus import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.db.reviews import Review
from comity_node.services.review.release import RELEASE
from comity_schemas.finding import Finding
from comity_schemas.member import Role
from heard import hear
from node_world import House, Remote, Town, served, until

LOOK_S = 0.01
WITHIN_S = 60.0


def content(number: int) -> Finding:
    """Return a finding about a supplier that no other one is about, and that is kept from no member: not severe."""
    return Finding.from_parsed({**finding(0, 1 + 10 * number).to_parsed(), "severity": "S2"})


async def propose(house: House, approvals: int) -> None:
    """Let one person have proposed so many findings."""
    reviewer = house.people["Ana"].person.id
    async with house.node.database.write() as store:
        for number in range(approvals):
            terms = {"finding": content(number).to_parsed(), "handling": HANDLING}
            review = Review(f"review-{number}", RELEASE, "proposed", json.dumps(terms), reviewer, datetime.now(UTC))
            await store.reviews.add(review)
            await hear(store, house.people["Ana"].person, review.id, datetime.now(UTC))


async def seen(house: House, officer: Remote, slug: str, number: int) -> float:
    """Return when this node's answer has held the finding."""
    asked = {"suppliers": [{"identifiers": content(number).to_parsed()["identifiers"]}]}
    give_up = time.perf_counter() + WITHIN_S
    with closing(sqlite3.connect(house.node.home.database_file)) as database:
        while time.perf_counter() < give_up:
            row = database.execute("select head from log where member = ?", [slug]).fetchone()
            if row is not None and row[0] > number:
                answer = await officer.ask("/screenings", asked)
                # While forty processes share a processor, a node may say that it is to be asked again in a moment.
                if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    continue
                if officer.ok(answer).json()["answers"][0]["verdict"] == "match":
                    return time.perf_counter()
            await asyncio.sleep(LOOK_S)
    raise AssertionError(f"{house.slug} did not show finding {number} within {WITHIN_S:.0f} s")


async def _is_ready(url: str) -> None:
    """Wait until a node answers that it is ready: twenty that start at once keep each other from it."""

    async def ready() -> bool:
        async with httpx2.AsyncClient() as client:
            return (await client.get(f"{url}/readyz", timeout=60)).status_code == HTTPStatus.OK

    await until(f"{url} is ready", ready, seconds=300)


async def measure(bootstrap: str, directory: Path, approvals: int, others: int) -> list[float]:
    """Return the seconds from each approval to each node."""
    town = Town(directory, f"kafka://{bootstrap}")
    mark = secrets.token_hex(3)
    agency = await town.found(f"agency-{mark}", more=AS_FOUNDED)
    houses = [await town.found(f"body-{mark}-{n:02d}", Role.PROCUREMENT_BODY, more=AS_FOUNDED) for n in range(others)]
    await asyncio.to_thread(prepare_topics, KafkaSettings(bootstrap), list(town.houses))
    for name in ("Ana", "Bakari"):
        await agency.hire(name, "reviewer", "focal-point")
    officers = [await house.hire("officer", "officer") for house in houses]
    await propose(agency, approvals)
    took: list[float] = []
    with ExitStack() as stack, progress("starting nodes", others + 1) as bar:
        at: dict[str, Any] = {}
        for done, house in enumerate([agency, *houses], 1):
            at[house.slug] = stack.enter_context(served(house.home))
            bar.at(done)
        await asyncio.gather(*(_is_ready(node.url) for node in at.values()))
        remotes = [Remote(at[house.slug].url, o.token) for house, o in zip(houses, officers, strict=True)]
        second = Remote(at[agency.slug].url, agency.people["Bakari"].token)
        for number in range(approvals):
            began = time.perf_counter()
            await second.post(f"/reviews/review-{number}/approve")
            ends = await asyncio.gather(
                *(seen(house, remote, agency.slug, number) for house, remote in zip(houses, remotes, strict=True))
            )
            # The first finds the nodes still starting.
            took += [end - began for end in ends] if number or approvals == 1 else []
        for remote in [second, *remotes]:
            await remote.__aexit__()
    await town.close()
    return took


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="25")
    parser.add_argument("--nodes", type=int, default=20, help="how many nodes read (20)")
    asked = parser.parse_args()
    with kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        took = asyncio.run(measure(bootstrap, Path(directory), asked.size, asked.nodes))
    report(
        "fanout",
        statistics.quantiles(took, n=100, method="inclusive")[-1] if len(took) > 1 else took[0],
        "s, p99",
        goal=Goal(value_at_most=2),
        nodes=asked.nodes,
        approvals=asked.size,
        median=round(statistics.median(took), 2),
        longest=round(max(took), 2),
    )


if __name__ == "__main__":
    main()
