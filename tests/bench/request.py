"""The slowest of a hundred screening requests while 2,000 statements a second come in, against an idle node.

    ./comity bench request [--size 20k] [--seconds 15]

The node runs as `comity serve` on SQLite, has `--size` findings and has done all that they left it to do; statements
come over Kafka on the same machine. One officer asks for one supplier after another, by name and number, with a pause
between; p99 of all requests. The statements must be settled as fast as they come, or the goal is not met.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from bench.frame.buses import KafkaFeed, kafka
from bench.frame.corpus import MEMBERS, Corpus, corpus_of, finding
from bench.frame.progress import say
from bench.frame.receiver import fill, founded, looking_at, receive, served, settled
from bench.frame.results import Goal, arguments, report
from comity_node.services.watching.feed import SUPPLIERS
from comity_node.services.watching.noticing import ALERTS
from node_world import House

A_SECOND = 2_000
EVERY_S = 0.05
"""How often statements are put on the bus."""
PAUSE_S = 0.02
"""Between an answer and the next request."""


def questions(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield requests for one supplier each: such as are there, by name and number."""
    for number in count():
        about = finding(number % MEMBERS, 1 + number % corpus.length).to_parsed()
        yield {"name": about["names"][0]["text"], "country": about["country"], "identifiers": about["identifiers"]}


async def ask(client: httpx2.AsyncClient, asked: Iterator[dict[str, Any]], until: float) -> list[float]:
    """Return how long each request took, in milliseconds."""
    took = []
    while time.perf_counter() < until:
        supplier = next(asked)
        began = time.perf_counter()
        answer = await client.post("/screenings", json={"suppliers": [supplier]})
        took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, answer.text
        assert answer.json()["answers"][0]["verdict"] == "match", answer.text
        await asyncio.sleep(PAUSE_S)
    return took


def p99(took: Sequence[float]) -> float:
    """Return what one request in a hundred took longer than."""
    return statistics.quantiles(took, n=100, method="inclusive")[-1]


async def feed(bootstrap: str, corpus: Corpus, seconds: float) -> int:
    """Put statements on the bus at an even pace; return how many."""
    async with KafkaFeed(bootstrap, corpus) as feeding:
        began, sent = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            due = int((time.perf_counter() - began) * A_SECOND)
            sent += await feeding.put(due - sent)
            await asyncio.sleep(EVERY_S)
    return sent


async def at_rest(house: House) -> None:
    """Wait until what came in leaves nothing to do: suppliers are followed, their names indexed, people alerted."""
    while True:
        async with house.node.database.read() as store:
            newest = await store.changes.newest()
            followed = min([await store.changes.followed(who) for who in (SUPPLIERS, ALERTS)])
            reach = await store.search.reach()
        if followed == newest and reach.built.built == reach.newest and not reach.waits:
            return
        await asyncio.sleep(0.5)


async def measure(bootstrap: str, house: House, url: str, size: int, seconds: float) -> None:
    """Ask an idle node, then one that takes in, and print."""
    base, whole = corpus_of(size), corpus_of(size + int(seconds * A_SECOND * 1.2))
    officer = await house.hire("officer", "officer")
    await fill(f"kafka://{bootstrap}", base)
    await receive(house, base, "taking in what is there before")
    headers = {"Authorization": f"Bearer {officer.token}"}
    async with httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60) as client:
        asked = questions(base)
        await at_rest(house)
        await ask(client, asked, time.perf_counter() + 1)
        idle = await ask(client, asked, time.perf_counter() + seconds)
        async with looking_at(house) as looking:
            before = await settled(looking)
        sent, busy = await asyncio.gather(
            feed(bootstrap, whole, seconds), ask(client, asked, time.perf_counter() + seconds)
        )
    async with looking_at(house) as looking:
        taken_in = await settled(looking) - before
    say(f"{sent} statements sent, {taken_in} settled in {seconds:.0f} s; {len(idle)} and {len(busy)} requests")
    kept_up = taken_in >= 0.95 * sent
    report(
        "request",
        p99(busy),
        "ms, p99",
        goal=Goal(ratio_at_most=3),
        holds=kept_up,
        reference="the same while idle, ms, p99",
        reference_value=p99(idle),
        findings=base.size,
        requests=len(busy),
        median=round(statistics.median(busy), 1),
        idle_median=round(statistics.median(idle), 1),
        statements_per_s=round(taken_in / seconds),
        kept_up=kept_up,
    )


async def run(size: int, seconds: float) -> None:
    """Found the node and measure."""
    with kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        async with founded(Path(directory), f"kafka://{bootstrap}") as house:
            with served(house) as running:
                await measure(bootstrap, house, running.url, size, seconds)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="20k")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each of the two times (15)")
    asked = parser.parse_args()
    asyncio.run(run(asked.size, asked.seconds))


if __name__ == "__main__":
    main()
