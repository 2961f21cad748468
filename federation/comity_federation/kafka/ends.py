"""Where a log ends and what stands last in it, as its leader says at the time of the call.

Rules: an answer is fresh or there is none. Nobody may sign on the basis of a guess, so everything short of the
leader's own word is `BusUnavailable`; only a topic that surely does not exist is empty.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from comity_federation.bus import BusUnavailable, Delivered
from comity_federation.kafka.batches import Damaged, open_batches
from comity_federation.kafka.cluster import (
    ANSWER_WITHIN_S,
    Absent,
    Cluster,
    Code,
    Place,
    list_topics,
    name_code,
    only_led,
)
from comity_federation.kafka.connections import Lane

RETRY_S = 0.2

TRIES_AT_MISSING = 3
"""So often in a row a topic must be unknown before it counts as empty: a broker that has just started may not know it
yet, and whoever signs on top of a log that only seems empty forks itself."""


async def find_ends(cluster: Cluster, topics: Sequence[str]) -> dict[str, int]:
    """Return for each topic the offset after its last record; 0 for an empty or missing one.

    Raises:
        BusUnavailable: not every leader answers, or a topic may not be seen.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return (await _find(cluster, topics, Place.END))[1]
    except TimeoutError as why:
        raise BusUnavailable(f"no broker answers for {list_topics(topics)}") from why


async def find_bounds(cluster: Cluster, topic: str) -> tuple[int, int]:
    """Return the first offset a topic still holds and the offset after its last.

    Raises:
        BusUnavailable: its leader does not answer.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            _, first = await _find(cluster, [topic], Place.BEGINNING)
            _, end = await _find(cluster, [topic], Place.END)
    except TimeoutError as why:
        raise BusUnavailable(f"no broker answers for {topic}") from why
    return first[topic], end[topic]


async def read_tail(cluster: Cluster, topic: str, most: int) -> list[Delivered]:
    """Return the last `most` records of a topic, oldest first.

    Raises:
        BusUnavailable: its leader does not answer.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            leaders, ends = await _find(cluster, [topic], Place.END)
            if most <= 0 or ends[topic] == 0:
                return []
            _, firsts = await _find(cluster, [topic], Place.BEGINNING)
            return await _walk_back(cluster, leaders[topic], topic, most, firsts[topic], ends[topic])
    except TimeoutError as why:
        raise BusUnavailable(f"no broker answers for {topic}") from why


async def _find(cluster: Cluster, topics: Sequence[str], place: Place) -> tuple[dict[str, int], dict[str, int]]:
    """Return leaders and offsets, asking again while a leader is being elected; the caller sets the deadline."""
    missing = 0
    while True:
        led, absent = only_led(await cluster.leaders(topics))
        if hidden := [topic for topic, why in absent.items() if why is Absent.FORBIDDEN]:
            raise BusUnavailable(f"no right to see {list_topics(hidden)}")
        missing = missing + 1 if absent else 0
        if Absent.LEADERLESS not in absent.values() and (not absent or missing >= TRIES_AT_MISSING):
            found = await cluster.offsets(led, place)
            known = {topic: offset for topic, offset in found.items() if offset is not None}
            if len(known) == len(led):
                return led, known | dict.fromkeys(absent, 0)
        if absent:
            cluster.ask_another()
        await asyncio.sleep(RETRY_S)


async def _walk_back(cluster: Cluster, node: int, topic: str, most: int, first: int, end: int) -> list[Delivered]:
    """Read windows that grow towards the beginning: offsets have holes, so `most` records may lie further back."""
    window = most
    while True:
        begin = max(first, end - window)
        last: deque[Delivered] = deque(maxlen=most)
        position = begin
        while position < end:
            fetched = await cluster.fetch(node, {topic: position}, 0, Lane.ASK)
            if topic not in fetched:
                raise BusUnavailable(f"{topic}: its leader answers something else")
            code, raw = fetched[topic]
            if code != Code.NONE:
                raise BusUnavailable(f"{topic} does not answer: {name_code(code)}")
            before = position
            for item in open_batches(topic, raw, position):
                if isinstance(item, Damaged):
                    raise BusUnavailable(f"{topic} is damaged at {item.first}")
                position = (item.offset if isinstance(item, Delivered) else item.last) + 1
                if isinstance(item, Delivered):
                    last.append(item)
            if position == before:
                raise BusUnavailable(f"{topic} says it ends at {end} and gives nothing at {position}")
        if len(last) == most or begin == first:
            return list(last)
        window *= 4
