"""Asking one broker again and again what is new, naming only what changed since: Kafka's fetch sessions.

Without one each question names every log, and so does each answer, however few have news: with 250 members a thousand
names a second at rest, at the node and at the broker.

Rules:
- The broker remembers what it was asked last. After any doubt (an error, an answer that did not come) all is named
  anew.
- A broker that has no room for a session grants none; it is asked for everything each time.

Source: KIP-227, "Incremental Fetch Requests".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.protocol.api import Request  # type: ignore[import-untyped]
from aiokafka.protocol.fetch import FetchRequest_v11  # type: ignore[import-untyped]

PARTITION: Final = 0
"""Every log is one partition: its order is the member's order."""

PARTITION_FETCH_BYTES: Final = 1 << 20
FETCH_BYTES: Final = 8 << 20

_NONE: Final = 0
_BEGINS: Final = 0
"""The epoch of a question that names everything, and asks for a session."""
_LAST_EPOCH: Final = 2**31 - 1
_NO_MATTER: Final = -1


class _Fetch(Request[FetchRequest_v11]):  # type: ignore[misc]
    """A fetch of one session: aiokafka's own knows none."""

    API_KEY = 1

    def __init__(self, wait_ms: int, session: tuple[int, int], named: Mapping[str, int], left: Sequence[str]) -> None:
        self._wait_ms, self._session, self._named, self._left = wait_ms, session, named, left

    def build(self, request_struct_class: type[FetchRequest_v11]) -> FetchRequest_v11:
        named = [
            (topic, [(PARTITION, _NO_MATTER, offset, _NO_MATTER, PARTITION_FETCH_BYTES)])
            for topic, offset in self._named.items()
        ]
        left = [(topic, [PARTITION]) for topic in self._left]
        # As a consumer, from one byte of news on, uncommitted records too; in no rack.
        return request_struct_class(-1, self._wait_ms, 1, FETCH_BYTES, 0, *self._session, named, left, "")


class Session:
    """What one broker remembers of what it was asked; one question at a time."""

    def __init__(self) -> None:
        self._id = 0
        self._epoch = _BEGINS
        self._known: Mapping[str, int] = {}
        self._asked: Mapping[str, int] = {}
        self._asked_in = _BEGINS

    def question(self, positions: Mapping[str, int], wait_s: float) -> Any:
        """Return the request for what stands from these positions on; a broker holds it back for news so long."""
        known = {} if self._epoch == _BEGINS else self._known
        named = {topic: offset for topic, offset in positions.items() if known.get(topic) != offset}
        left = [topic for topic in known if topic not in positions]
        request = _Fetch(int(wait_s * 1000), (self._id, self._epoch), named, left)
        self._asked, self._asked_in = dict(positions), self._epoch
        # Until the answer is here nobody knows what the broker remembers. It closes the session that is named then.
        self._epoch = _BEGINS
        return request

    def take(self, answer: Any) -> Mapping[str, tuple[int, bytes]] | None:
        """Return by topic the error code and the batches of an answer, of what was asked only.

        None when the broker no longer knows the session: ask again. Topics without news may be absent.
        """
        if answer.error_code != _NONE and self._asked_in != _BEGINS:
            return None
        if answer.error_code != _NONE:
            return dict.fromkeys(self._asked, (answer.error_code, b""))
        self._id = answer.session_id
        if self._id:
            self._known = self._asked
            self._epoch = 1 if self._asked_in == _LAST_EPOCH else self._asked_in + 1
        return {
            topic: (part[1], part[-1] or b"")
            for topic, parts in answer.topics or ()
            if topic in self._asked
            for part in parts
        }
