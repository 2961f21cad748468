"""Asking a broker again names only what changed, and everything after any doubt."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from comity_federation.bus import BusUnavailable, OutcomeUnknown
from comity_federation.kafka.cluster import Absent, Cluster, Code, Place, only_led
from comity_federation.kafka.ends import _walk_back
from comity_federation.kafka.sessions import FETCH_BYTES, PARTITION, PARTITION_FETCH_BYTES, FetchRequest_v11, Session
from comity_federation.kafka.writer import Writer
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from kafka_world import CLIENT, new_topics

SEEN = {"a": 0, "b": 5}


def told(request: Any) -> tuple[tuple[int, int], dict[str, int], list[str]]:
    """What a question tells the broker: session and epoch, topics with their positions, topics it may forget."""
    sent = request.build(FetchRequest_v11).to_object()
    assert (sent["replica_id"], sent["min_bytes"], sent["max_bytes"]) == (-1, 1, FETCH_BYTES)
    positions = {}
    for topic in sent["topics"]:
        (part,) = topic["partitions"]
        assert (part["partition"], part["max_bytes"]) == (PARTITION, PARTITION_FETCH_BYTES)
        positions[topic["topic"]] = part["fetch_offset"]
    assert all(each["partitions"] == [PARTITION] for each in sent["forgotten_topics_data"])
    session = (sent["session_id"], sent["session_epoch"])
    return session, positions, [each["topic"] for each in sent["forgotten_topics_data"]]


def answer(session: int, topics: dict[str, bytes] | None = None, error: int = 0) -> Any:
    parts = [(topic, [(0, 0, 9, 9, 0, None, -1, raw)]) for topic, raw in (topics or {}).items()]
    return SimpleNamespace(error_code=error, session_id=session, topics=parts)


def begun(session: Session, number: int = 7) -> None:
    assert told(session.question(SEEN, 0.5)) == ((0, 0), SEEN, [])
    assert session.take(answer(number, {"a": b"news"})) == {"a": (0, b"news")}


def test_a_question_names_what_changed_since_the_last() -> None:
    session = Session()
    begun(session)
    assert told(session.question({"a": 1, "b": 5}, 0.5)) == ((7, 1), {"a": 1}, [])
    assert session.take(answer(7)) == {}
    assert told(session.question({"a": 1, "b": 5}, 0.5)) == ((7, 2), {}, [])
    assert session.take(answer(7)) == {}
    assert told(session.question({"b": 5, "c": 0}, 0.5)) == ((7, 3), {"c": 0}, ["a"])
    assert session.take(answer(7)) == {}
    assert told(session.question({"a": 1, "b": 5, "c": 0}, 0.5)) == ((7, 4), {"a": 1}, [])


def test_what_an_answer_brings_in_vain_is_asked_for_again() -> None:
    """The broker goes on from the position that it was told, not from what it gave."""
    session = Session()
    begun(session)
    assert told(session.question(SEEN, 0.5))[1] == {}
    assert session.take(answer(7, {"a": b"news"})) == {"a": (0, b"news")}


def test_after_a_question_without_an_answer_all_is_named_anew() -> None:
    session = Session()
    begun(session)
    session.question({"a": 1, "b": 5}, 0.5)
    # The connection broke, or the caller gave up: what the broker remembers is not known.
    assert told(session.question({"a": 1, "b": 5}, 0.5)) == ((7, 0), {"a": 1, "b": 5}, [])
    assert session.take(answer(8)) == {}
    assert told(session.question({"a": 1, "b": 6}, 0.5)) == ((8, 1), {"b": 6}, [])


def test_a_session_that_the_broker_has_forgotten_begins_anew() -> None:
    session = Session()
    begun(session)
    session.question(SEEN, 0.5)
    assert session.take(answer(0, error=70)) is None
    assert told(session.question(SEEN, 0.5)) == ((7, 0), SEEN, [])
    assert session.take(answer(9, {"b": b"more"})) == {"b": (0, b"more")}


def test_a_broker_that_grants_no_session_is_asked_for_all_each_time() -> None:
    session = Session()
    for _ in range(3):
        begun(session, number=0)


def test_a_broker_that_refuses_even_then_is_no_endless_loop() -> None:
    session = Session()
    session.question(SEEN, 0.5)
    assert session.take(answer(0, error=71)) == {"a": (71, b""), "b": (71, b"")}


def test_a_broker_that_gives_what_nobody_asked_for_is_not_heard() -> None:
    session = Session()
    session.question(SEEN, 0.5)
    assert session.take(answer(7, {"c": b"unasked", "b": b"asked"})) == {"b": (0, b"asked")}
    session.question(SEEN, 0.5)
    assert session.take(SimpleNamespace(error_code=0, session_id=7, topics=None)) == {}


class Answering(Cluster):
    """Brokers that answer one question as a test says."""

    def __init__(self, topics: list[Any]) -> None:
        super().__init__(KafkaSettings("127.0.0.1:1"), CLIENT)
        self._said = SimpleNamespace(topics=topics)

    async def _ask_anyone(self, request: Any) -> Any:
        return self._said

    async def ask(self, node: int, request: Any, lane: Any) -> Any:
        return self._said


async def test_brokers_that_tell_of_other_topics_than_they_were_asked_are_heard_on_those_alone() -> None:
    listed = [(0, topic, False, [(0, 0, 3, [3], [3])]) for topic in ("a", None, "of nobody")]
    assert await Answering(listed).leaders(["a", "b"]) == {"a": 3, "b": Absent.MISSING}
    ends = [(topic, [(0, 0, -1, 5)]) for topic in ("a", None, "of nobody")]
    assert await Answering(ends).offsets({"a": 3, "b": 3}, Place.END) == {"a": 5, "b": None}
    for offset in (-1, 2**53 + 1, 2**63 - 1):
        assert await Answering([("a", [(0, 0, -1, offset)])]).offsets({"a": 3}, Place.END) == {"a": None}


@pytest.mark.parametrize("topics", [[], [("of nobody", [(0, 0, 7)])], [("a", [])]])
async def test_a_leader_that_answers_something_else_ends_no_process(topics: list[Any]) -> None:
    elsewhere = Answering(topics)
    with pytest.raises(OutcomeUnknown):
        await Writer(elsewhere)._append(3, "a", SimpleNamespace())
    with pytest.raises(BusUnavailable):
        await _walk_back(elsewhere, 3, "a", 1, 0, 1)


@pytest.mark.kafka
@pytest.mark.every_kafka
async def test_a_real_broker_brings_only_news_and_a_lost_session_loses_nothing(
    settings: KafkaSettings, bus: KafkaBus
) -> None:
    topics = await new_topics(settings, 5)
    positions = dict.fromkeys(topics, 0)
    cluster = Cluster(settings, CLIENT)
    led, _ = only_led(await cluster.leaders(topics))
    (node,) = set(led.values())
    assert set(await cluster.follow(node, positions, 0)) == set(topics)
    async with asyncio.timeout(20):
        # A broker that has just made a topic does not lead it for a moment, and says when it does.
        while await cluster.follow(node, positions, 0):
            await asyncio.sleep(0.05)
    waiting = asyncio.create_task(cluster.follow(node, positions, 5))
    await bus.publish(topics[3], b"news", {})
    assert {topic for topic, (_, raw) in (await waiting).items() if raw} == {topics[3]}
    # Nobody said that it was read.
    assert {topic for topic, (_, raw) in (await cluster.follow(node, positions, 0)).items() if raw} == {topics[3]}
    positions[topics[3]] = 1
    assert await cluster.follow(node, positions, 0) == {}
    # As after a restart of the broker, which knows none of the sessions of before.
    cluster._sessions[node]._id += 1
    await bus.publish(topics[1], b"more", {})
    again = await cluster.follow(node, positions, 0)
    assert set(again) == set(topics)
    assert {topic for topic, (_, raw) in again.items() if raw} == {topics[1]}
    assert {code for code, _ in again.values()} == {Code.NONE}
    await cluster.close()
