"""The suppliers that screening is measured on, and the names and pairs with which it is measured.

200,000 published names (`data/matching/suppliers_200k.tsv.gz`) are made to as many as are asked for: a real name of
the same country whose rarest word is another one, so that words stay as common as they are; names in other scripts are
put together from two. The seed is fixed and nothing else decides, so every machine has the same suppliers. They lie in
the user's cache, never in the checkout.

Queries and labelled pairs are split by a hash of their text: one half is for choosing thresholds, the other reports.
"""

import csv
import gzip
import random
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import servers
from bench.frame.progress import say

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))

from local_cache import cache_directory, locked

SEED = 62
GENERATOR = 1
"""Raised when the generator changes: a corpus of an older one is never taken."""

LATIN_KINDS = frozenset({"fd", "osh", "recomb", "zh_lat", "bn_lat", "ar_lat", "ru_lat"})
_WORD = re.compile(r"[^\W\d_]+")
_RARE = 3
"""Suppliers that have a word at most, for it to be taken as somebody's own."""


class Supplier(NamedTuple):
    """One supplier of the corpus."""

    number: int
    name: str
    country: str
    kind: str


class Query(NamedTuple):
    """A name somebody asks for, and who is meant; -1 where nobody is."""

    number: int
    kind: str
    name: str
    country: str


@dataclass(frozen=True)
class LabelledPair:
    """Two parties of whom a person has said whether they are the same."""

    dataset: str
    names: tuple[str, str]
    countries: tuple[str, str]
    addresses: tuple[str, str]
    same: bool
    category: str


def is_held_out(text: str) -> bool:
    """Return whether a query or pair reports; the other half is for choosing thresholds."""
    return zlib.crc32(text.encode()) % 2 == 1


def queries() -> list[Query]:
    """Return all queries, of both halves."""
    rows = (line.rstrip("\n").split("\t") for line in _lines("suppliers_200k_queries.tsv.gz"))
    return [Query(int(number), kind, name, country) for number, kind, name, country in rows]


def pairs() -> list[LabelledPair]:
    """Return all labelled pairs, of both halves."""
    with (_data() / "truth_pairs.csv").open(encoding="utf-8", newline="") as opened:
        return [
            LabelledPair(
                row["dataset"],
                (row["name1"], row["name2"]),
                (row["country1"], row["country2"]),
                (row["address1"], row["address2"]),
                row["match"] == "1",
                row["category"] or "",
            )
            for row in csv.DictReader(opened)
        ]


def suppliers(size: int) -> Iterator[Supplier]:
    """Yield so many suppliers, the published ones first; they are made if the cache has none."""
    place = cache_directory() / f"suppliers-{GENERATOR}-{SEED}" / f"{size}.tsv"
    with locked("suppliers"):
        if not place.exists():
            say(f"making {size:,} suppliers from the published names")
            place.parent.mkdir(parents=True, exist_ok=True)
            coming = place.with_suffix(".coming")
            with coming.open("w", encoding="utf-8") as opened:
                opened.writelines("\t".join(map(str, supplier)) + "\n" for supplier in _made(size))
            coming.rename(place)
    with place.open(encoding="utf-8") as opened:
        for line in opened:
            number, name, country, kind = line.rstrip("\n").split("\t")
            yield Supplier(int(number), name, country, kind)


def _made(size: int) -> Iterator[Supplier]:
    rows = [line.rstrip("\n").split("\t") for line in _lines("suppliers_200k.tsv.gz")]
    real = [Supplier(int(row[0]), *row[1:4]) for row in rows]
    yield from real[:size]
    mixer, seen, number = _Mixer(real), {supplier.name.lower() for supplier in real}, len(real)
    while number < size:
        like = mixer.random.choice(real)
        name = mixer.latin(like) if like.kind in LATIN_KINDS else mixer.native(like)
        if name and name.lower() not in seen:
            seen.add(name.lower())
            yield Supplier(number, name, like.country, like.kind)
            number += 1


class _Mixer:
    """Makes names that nobody has out of names that somebody has."""

    def __init__(self, real: list[Supplier]) -> None:
        self.random = random.Random(SEED)
        self._counts: Counter[str] = Counter()
        self._of_kind: dict[str, list[Supplier]] = defaultdict(list)
        for supplier in real:
            self._of_kind[supplier.kind].append(supplier)
            if supplier.kind in LATIN_KINDS:
                self._counts.update({word.lower() for word in _WORD.findall(supplier.name)})
        self._own = [w for w, n in self._counts.items() if n <= _RARE and w.isascii() and 4 <= len(w) <= 12]
        syllables = Counter(word[at : at + 3] for word in self._own for at in range(0, len(word) - 2, 3))
        self._syllables, self._weights = list(syllables), list(syllables.values())

    def latin(self, like: Supplier) -> str | None:
        """Return the name with another word in place of its rarest, sometimes of its two rarest."""
        words = [found for found in _WORD.finditer(like.name) if found[0].isascii()]
        words.sort(key=lambda found: (self._counts[found[0].lower()], found.start()))
        if not words:
            return None
        changed = words[: 2 if len(words) > 2 and self.random.random() < 0.25 else 1]
        name = like.name
        for found in sorted(changed, key=re.Match.start, reverse=True):
            word = self._word()
            word = word.upper() if found[0].isupper() else word.capitalize()
            name = name[: found.start()] + word + name[found.end() :]
        if self.random.random() < 0.03:
            name += f" {self.random.choice(['Unit', 'Plant', 'Factory', 'No.'])} {self.random.randint(1, 12)}"
        return name

    def native(self, like: Supplier) -> str | None:
        """Return the beginning of the name with the end of another one of its kind."""
        other = self.random.choice(self._of_kind[like.kind]).name
        if like.kind == "zh_han":
            at = self.random.choice([3, 4])
            return like.name[:at] + other[at:]
        words, others = like.name.split(), other.split()
        shorter = min(len(words), len(others))
        if shorter < 2:
            return None
        at = self.random.randrange(1, shorter)
        return " ".join(words[:at] + others[at:])

    def _word(self) -> str:
        if self.random.random() < 0.55:
            return self.random.choice(self._own)
        return "".join(self.random.choices(self._syllables, self._weights, k=self.random.choice([2, 2, 3])))


def _data() -> Path:
    place = servers.shared_data()
    if place is None:
        raise SystemExit(
            "comity: the example data is not there: put it at ../shared/data or name it in COMITY_SHARED_DATA"
        )
    return place / "matching"


def _lines(name: str) -> Iterator[str]:
    with gzip.open(_data() / name, "rt", encoding="utf-8") as opened:
        yield from opened
