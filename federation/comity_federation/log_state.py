"""The state of one member's log while records are decided: what `decide` has seen, carried from record to record.

The same object serves the live path and the replay after a registry change, so both end in the same state. The
caller loads the places and earlier statements that the records at hand concern; nothing here does I/O.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comity_federation import strict_json
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Decision, Earlier, Forked, Place, Refused, Seen, Trust
from comity_federation.encoding import NotCanonical, b64decode, digest
from comity_schemas.member import Last


@dataclass(frozen=True, slots=True)
class Peek:
    """What a record claims to be, before anything of it is checked. Only good for finding what to load.

    `hash` is sound all the same: it names exactly these bytes.
    """

    seq: int
    hash: str
    prev: str
    refers_to: tuple[str, ...]
    kind: str = ""


def peek(raw: bytes) -> Peek | None:
    """Return what a record claims to be, or None if that cannot be read."""
    try:
        jwt = strict_json.loads(raw)["statement"].partition("~")[0]
        claims = strict_json.loads(b64decode(jwt.split(".")[1]))
        body = claims["body"]
        refers_to = tuple(r for r in (body.get("replaces"), body.get("statement")) if isinstance(r, str))
        seq, prev = claims["seq"], claims["prev"]
        if not isinstance(seq, int) or isinstance(seq, bool) or not isinstance(prev, str) or len(prev) != 43 or seq < 1:
            return None
        return Peek(seq, digest(jwt), prev, refers_to, str(claims["kind"]))
    except (strict_json.NotStrict, NotCanonical, KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None


def trace_branch(lasts: Iterable[Last], find: Callable[[str], Peek | None]) -> dict[int, str]:
    """Return position to hash of the history that the registry demands, as far back as records are known.

    Args:
        lasts: the furthest first, as `decide.demanded` gives them.
        find: the record of one hash.
    """
    branch: dict[int, str] = {}
    for last in lasts:
        seq, wanted = last.seq, last.hash
        while seq >= 1 and seq not in branch:
            branch[seq] = wanted
            found = find(wanted)
            if found is None or found.seq != seq:
                break
            seq, wanted = seq - 1, found.prev
    return branch


@dataclass(slots=True)
class LogState:
    """One log, from the caller's loaded part of it."""

    head: int = 0
    places: dict[int, Place] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)
    branch: Mapping[int, str] = field(default_factory=dict)
    other_branch: set[str] = field(default_factory=set)
    frozen_from: int | None = None

    def decide(self, raw: bytes, trust: Trust) -> Decision:
        """Return the decision about one record, and take it into the state."""
        decision = decide(raw, trust, self._seen())
        match decision:
            case Accepted(claims=claims):
                self._place(claims.seq, decision.hash, decision.key, claims.kind)
            case Refused(seq=int(seq), hash=str(name), key=int(key), kind=str(kind)) if decision.uses_place:
                self._place(seq, name, key, kind)
            case Refused(code="other-branch", hash=str(name)):
                self.other_branch.add(name)
            case Forked(at=at):
                self._freeze(at)
        return decision

    def _seen(self) -> Seen:
        return Seen(self.head, self.places, self.earlier, self.branch, self.other_branch, self.frozen_from)

    def _freeze(self, at: int) -> None:
        self.frozen_from = at if self.frozen_from is None else min(at, self.frozen_from)
        self.head = min(self.head, self.frozen_from - 1)
        self.places = {seq: place for seq, place in self.places.items() if seq < self.frozen_from}

    def _place(self, seq: int, name: str, key: int, kind: str) -> None:
        self.head = seq
        self.places[seq] = Place(name, key)
        self.earlier[name] = Earlier(seq, kind)


def in_log_order(claimed: Iterable[tuple[Peek | None, Any]]) -> list[Any]:
    """Return items by claimed position, keeping the order of arrival within one: the order of every replay."""
    ranked = enumerate(claimed)
    return [item for _, (_, item) in sorted(ranked, key=lambda r: (r[1][0].seq if r[1][0] else 0, r[0]))]
