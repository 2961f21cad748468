"""How much slower the honest are taken in while one member is hostile, in every way a member can be.

    ./comity bench hostile-member [--size 20k]

The hostile member sends what it could send in the time that the honest need: 1 MiB of junk a second, 10,000 skipped
batches a minute, a thousand unknown keys, gaps without end. Both times are processor seconds of the same receiver, the
best of some rounds, without what it takes to start and to end: that is the same however much comes, and would hide what
the hostile member costs.
"""

import asyncio
import logging
import multiprocessing
import random
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog

from bench.frame.results import Goal, arguments, report
from builders import Made
from comity_federation.bus import statements_topic
from comity_federation.local_log import LocalLog
from hostile_bus import HostileBus
from listening import Listener
from member_stories import AGENCY, BODY
from neighbourhood import MALLORY, OF_MALLORY
from node_world import registry_of

ROUNDS = 3

FIRST = 100
"""So many statements of each honest member start whatever a receiver starts."""

Attack = Callable[[float], list[bytes | None]]


def junk(seconds: float) -> list[bytes | None]:
    """Return a mebibyte a second in records of a kibibyte."""
    luck = random.Random(1)
    return [b'{"statement":"' + luck.randbytes(1_000) for _ in range(int(1_024 * seconds))]


def skipped(seconds: float) -> list[bytes | None]:
    """Return what stands for 10,000 compressed batches a minute."""
    return [None] * int(10_000 / 60 * seconds)


def unknown_keys(seconds: float) -> list[bytes | None]:
    """Return a thousand statements under keys that nobody lists, at once."""
    header = {"alg": "Ed25519", "typ": "comity-statement+sd-jwt"}
    return [MALLORY.finding(header={**header, "kid": f"{MALLORY.did}#key-x{n}"}).raw for n in range(1_000)]


def gaps(seconds: float) -> list[bytes | None]:
    """Return a thousand statements whose predecessors never come."""
    return [MALLORY.finding(seq=2 * n, prev="P" * 43).raw for n in range(1, 1_001)]


ATTACKS: dict[str, Attack] = {"junk": junk, "skipped batches": skipped, "unknown keys": unknown_keys, "gaps": gaps}


async def take_in(honest: dict[str, list[Made]], hostile: list[bytes | None]) -> float:
    """Let a new node take everything in; return the processor seconds it needed."""
    registry = registry_of(AGENCY.member(), BODY.member(), MALLORY.member())
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        log = LocalLog(Path(directory) / "log.db")
        await log.start()
        bus = HostileBus(log)
        for slug, chain in honest.items():
            for made in chain:
                bus.put(statements_topic(slug), made.raw)
        for raw in hostile:
            bus.put(OF_MALLORY, raw)
        node = Listener(Path(directory) / "node", bus, registry)
        began = _spent()
        await node.listen()
        # What processes that open records have used is told when they have ended: else it falls into another's time.
        while multiprocessing.active_children():
            await asyncio.sleep(0.05)
        spent = _spent() - began
        seen = await node.snapshot()
        assert all(seen[slug][0] == len(chain) for slug, chain in honest.items()), "something honest is missing"
        await log.stop()
    return spent


def _spent() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> int:
    """Measure and print."""
    asked = arguments(__doc__, size="20k").parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable(logging.WARNING)
    honest = {p.name: p.chain(FIRST + asked.size // 2) for p in (AGENCY, BODY)}
    first = {slug: chain[:FIRST] for slug, chain in honest.items()}
    start = min(asyncio.run(take_in(first, [])) for _ in range(ROUNDS))
    alone = asyncio.run(take_in(honest, []))
    hostile = {name: attack(alone - start) for name, attack in ATTACKS.items()}
    beside = dict.fromkeys(ATTACKS, float("inf"))
    # In turn, and each as often: a machine that gets busier slows all of them.
    for _ in range(ROUNDS):
        start = min(start, asyncio.run(take_in(first, [])))
        alone = min(alone, asyncio.run(take_in(honest, [])))
        for name, records in hostile.items():
            beside[name] = min(beside[name], asyncio.run(take_in(honest, records)))
    met = True
    for name, records in hostile.items():
        line = report(
            f"hostile-member: {name}",
            asked.size / (beside[name] - start),
            "honest statements/s",
            reference="the same without the hostile member",
            reference_value=asked.size / (alone - start),
            goal=Goal(ratio_at_least=0.9),
            hostile_records=len(records),
        )
        met = met and bool(line["met"])
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
