"""Asking for names, and counting who is found and who is hit by mistake."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.frame.in_memory import InMemory
from bench.frame.peer_matcher import DEFAULT_THRESHOLD, Peer
from bench.frame.progress import progress
from bench.frame.suppliers import Query
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.folding import fold
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.matching.party import Party

GROUPS = {
    "Latin": "format typo1 typo2 legal swap drop extra abbr space combo2".split(),
    "cross-script": [f"{s}_{w}" for s in ("zh", "ru", "ar", "bn") for w in ("native<-latin", "latin<-native")],
    "native": ["zh_native_edit"],
    "unlisted": ["negative"],
}
"""Group to the kinds of change of its queries."""

GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}


@dataclass(frozen=True)
class Asked:
    """A query with its candidates, the likest first, and what comparing says of each."""

    query: Query
    places: tuple[int, ...]
    """Of the candidates in the index."""
    found: tuple[Likeness, ...]


@dataclass
class Tally:
    """What became of the queries of one group."""

    asked: int = 0
    found: int = 0
    false: int = 0
    """Wrong suppliers among the hits, each folded name once."""
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def rate(self) -> float:
        """Return per cent found."""
        return 100 * self.found / max(1, self.asked)

    def false_each(self) -> float:
        """Return wrong hits a query."""
        return self.false / max(1, self.asked)


def ask_all(index: InMemory, queries: Sequence[Query]) -> list[Asked]:
    """Return every query with its candidates compared."""
    asked = []
    with progress(f"asking for {len(queries):,} names", len(queries)) as bar:
        for done, query in enumerate(queries, 1):
            party = Party((query.name,), query.country or None)
            places = tuple(index.candidates(query.name))
            parties = [Party((index.known[p].name,), index.known[p].country or None) for p in places]
            asked.append(Asked(query, places, tuple(compare(party, known, index.rarity) for known in parties)))
            bar.at(done)
    return asked


def tallies(
    index: InMemory,
    asked: Sequence[Asked],
    peer: Peer | None = None,
    *,
    by_kind: bool = False,
    least: int | None = None,
) -> dict[str, Tally]:
    """Return group, or kind of change, to what became of its queries.

    Args:
        index: Where they were looked for.
        asked: With their candidates.
        peer: Who compares instead of us.
        by_kind: By kind of change instead of by group.
        least: The points from which a candidate is a hit, where that is not left to the verdict.
    """
    hits = _hits_of_peer(index, asked, peer) if peer is not None else [_hits(each, least) for each in asked]
    found: dict[str, Tally] = defaultdict(Tally)
    for each, places in zip(asked, hits, strict=True):
        _count(found[each.query.kind if by_kind else GROUP_OF[each.query.kind]], each.query, places, index)
    return dict(found)


def _hits(asked: Asked, least: int | None) -> list[int]:
    return [
        place
        for place, likeness in zip(asked.places, asked.found, strict=True)
        if likeness.verdict is Verdict.OTHER_SITE
        or (likeness.verdict is not Verdict.NONE if least is None else likeness.score >= least)
    ]


def _hits_of_peer(index: InMemory, asked: Sequence[Asked], peer: Peer) -> list[list[int]]:
    pairs = [
        (a.query.name, a.query.country, index.known[p].name, index.known[p].country) for a in asked for p in a.places
    ]
    scores = iter(peer.scores(pairs))
    return [[place for place in each.places if next(scores) >= DEFAULT_THRESHOLD] for each in asked]


def _count(tally: Tally, query: Query, places: Iterable[int], index: InMemory) -> None:
    right = None if query.number < 0 else fold(index.known[query.number].name).joined
    names = {place: fold(index.known[place].name).joined for place in places}
    wrong = {name for place, name in names.items() if place != query.number and name != right}
    is_found = right is not None and any(place == query.number or name == right for place, name in names.items())
    tally.asked += 1
    tally.found += is_found
    tally.false += len(wrong)
    if right is not None and not is_found:
        tally.missed.append(f"{query.kind}: {query.name} | {index.known[query.number].name}")
    tally.wrong += [f"{query.name} | {index.known[p].name}" for p, name in names.items() if name in wrong][:1]
