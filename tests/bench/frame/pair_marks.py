"""Labelled pairs, compared: precision, recall, F1."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from bench.frame.peer_matcher import DEFAULT_THRESHOLD, Peer
from bench.frame.suppliers import LabelledPair
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.matching.party import Party, Rarity
from comity_node.vocabulary.countries import countries

FACILITIES = frozenset({"osh_facility"})
"""Pairs of sites, labelled as sites: another site of the same company is not the same."""

SITES = FACILITIES | {"osh_train"}


@dataclass(frozen=True)
class Marked:
    """A labelled pair and what comparing says of it."""

    pair: LabelledPair
    likeness: Likeness

    @property
    def is_positive(self) -> bool:
        """Whether it counts as found to be the same."""
        verdict = self.likeness.verdict
        return verdict is not Verdict.NONE and not (verdict is Verdict.OTHER_SITE and self.pair.dataset in SITES)

    @property
    def is_wrong(self) -> bool:
        """Whether the label says otherwise."""
        return self.is_positive != self.pair.same

    @property
    def score(self) -> int:
        """The points, to put the pairs in an order."""
        return self.likeness.score

    def in_words(self) -> str:
        """Return the pair, and what is wrong with it."""
        return f"{'missed' if self.pair.same else 'wrong'}: {' | '.join(self.pair.names)} ({self.likeness.reason})"


@dataclass(frozen=True)
class Found:
    """How well pairs are told apart."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of the two; 0 where either is."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def mark_pairs(pairs: Iterable[LabelledPair], rarity: Rarity) -> dict[str, list[Marked]]:
    """Return data set to its pairs, compared."""
    marked: dict[str, list[Marked]] = defaultdict(list)
    for pair in pairs:
        one, other = (_party(pair, side) for side in (0, 1))
        marked[pair.dataset].append(Marked(pair, compare(one, other, rarity)))
    return dict(marked)


def _party(pair: LabelledPair, side: int) -> Party:
    addresses = (pair.addresses[side],) if pair.addresses[side] else ()
    return Party((pair.names[side],), _country(pair.countries[side]), addresses)


@lru_cache
def _country(written: str) -> str | None:
    return countries().read(written) if written.strip() else None


def found_with(positives: Sequence[bool], same: Sequence[bool]) -> Found:
    """Return how well these positives fit the labels."""
    right = sum(p and s for p, s in zip(positives, same, strict=True))
    return Found(right / max(1, sum(positives)), right / max(1, sum(same)))


def f1(marked: Sequence[Marked]) -> Found:
    """Return how well the verdicts tell the pairs apart."""
    return found_with([m.is_positive for m in marked], [m.pair.same for m in marked])


def peer_f1(marked: Sequence[Marked], peer: Peer) -> float:
    """Return how well the peer does at its default threshold."""
    sides = [(m.pair.names, [_country(written) or "" for written in m.pair.countries]) for m in marked]
    asked = [(names[0], countries[0], names[1], countries[1]) for names, countries in sides]
    scores = peer.scores(asked)
    return found_with([score >= DEFAULT_THRESHOLD for score in scores], [m.pair.same for m in marked]).f1


def recall_at(marked: Sequence[Marked], precision: float) -> float:
    """Return the greatest recall of any threshold that keeps the precision."""
    total, right, wrong, best = sum(m.pair.same for m in marked), 0, 0, 0.0
    for _, equal in groupby(sorted(marked, key=attrgetter("score"), reverse=True), key=attrgetter("score")):
        same = [m.pair.same for m in equal]
        right, wrong = right + sum(same), wrong + len(same) - sum(same)
        if right / (right + wrong) >= precision:
            best = max(best, right / max(1, total))
    return best
