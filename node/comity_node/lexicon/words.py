"""The lexicon as it is looked up: word sequences to what they mean, spelled as `letters` spells names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from comity_node.lexicon.letters import romanised, script_of, spelled, words_of
from comity_node.lexicon.reading import Row, read, read_single

Words = tuple[str, ...]
UNPARTED: Final = frozenset({"Han", "Kana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar"})
"""Scripts in which a known word is looked for inside a run of letters."""
_LEAST_LETTERS: Final = 4
"""A shorter Latin word means something in too many languages."""


@dataclass(frozen=True, slots=True)
class Known:
    """What some rows know."""

    sequences: Mapping[Words, str]
    """Of words with blanks between them."""
    longest: Mapping[str, int]
    """First word to how many words its longest sequence has."""
    inside: Mapping[str, str]
    """Of scripts without blanks: letters to meaning."""
    most_letters: int
    """How long the longest of them is."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All tables, ready to be looked up."""

    legal: Known
    trades: Known
    """Trades, and places whose name is no trade; without the Japanese ones."""
    japanese: Known
    """Trades, places and surnames as Japanese reads them: Chinese has the same letters."""
    short: Mapping[str, str]
    """Abbreviation to the word it stands for, both in ASCII."""
    meanings: Mapping[str, str]
    """A word in ASCII, of any language, to the English word of its trade or the usual spelling of its place."""
    places: frozenset[str]
    """Places whose usual spelling is one word, in ASCII."""
    plain: frozenset[str]
    """Words in ASCII that tell no firm apart: trades, places, and what many names have."""


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Return the lexicon of this package, read once.

    Raises:
        BrokenFile: a file of it breaks a rule.
    """
    trades, places = read("trades"), read("places")
    short = {_one(row.written): row.means for row in read_single("short.tsv")}
    meanings = _meanings([row for row in (*places, *trades) if row.language != "ja-names"])
    plain = {word for row in read_single("plain-words.tsv") for word in words_of(spelled(row.written))}
    plain |= {word for row in trades for word in row.means.split()}
    # Not the words of Rahim Yar Khan: they are names.
    names = frozenset(row.means for row in places if row.language != "ja-names" and " " not in row.means)
    both = [*trades, *places]
    return Lexicon(
        legal=_known(read("legal")),
        trades=_known(row for row in both if not row.language.startswith("ja")),
        japanese=_known(row for row in both if row.language.startswith("ja")),
        short=short,
        meanings=meanings,
        places=names,
        plain=frozenset(plain | names | set(meanings)),
    )


def _one(text: str) -> str:
    return "".join(words_of(spelled(text)))


def _known(rows: Iterable[Row]) -> Known:
    sequences: dict[Words, str] = {}
    inside: dict[str, str] = {}
    for row in rows:
        words = tuple(words_of(spelled(row.written)))
        if len(words) == 1 and script_of(words[0]) in UNPARTED:
            inside.setdefault(words[0], row.means)
        elif words:
            sequences.setdefault(words, row.means)
    longest: dict[str, int] = {}
    for words in sequences:
        longest[words[0]] = max(len(words), longest.get(words[0], 0))
    return Known(sequences, longest, inside, max(map(len, inside), default=0))


def _meanings(rows: Sequence[Row]) -> dict[str, str]:
    """Return romanised word to English word; of two that are written alike the first file in the alphabet counts."""
    found: dict[str, str] = {}
    for row in rows:
        words = words_of(spelled(row.written))
        is_short = row.written.isascii() and len(row.written) < _LEAST_LETTERS and row.language != "en"
        if len(words) == 1 and " " not in row.means and not is_short:
            found.setdefault(romanised(words[0]), row.means)
    # What another language's row means may be one of several English words for one thing.
    english = {row.written: row.means for row in rows if row.language == "en"}
    return {word: english.get(means, means) for word, means in found.items()}
