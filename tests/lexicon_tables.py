"""Writes the tables of docs/screening.md on the lexicon: its rows, and how much of published names it knows.

    python tests/lexicon_tables.py            writes
    python tests/lexicon_tables.py --check    exit 1 where the page differs

The second table needs the published example data (../shared/data).
"""

import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from comity_node.domain.matching.folding import fold, meaning_of
from comity_node.domain.matching.parting import part
from comity_node.lexicon import lexicon, read
from comity_node.lexicon.letters import script_of, spelled, words_of
from comity_node.lexicon.words import UNPARTED
from domain_tables import table, written
from servers import shared_data

PAGE = Path(__file__).resolve().parent.parent / "docs" / "screening.md"
EVERY = 20
"""Of the 200,000 generated names each twentieth is read."""


def rows() -> str:
    """Return the table of rows by script."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kind in ("legal", "trades", "places"):
        for row in read(kind):
            counts[script_of(words_of(spelled(row.written))[0])][kind] += 1
    ordered = sorted(counts.items(), key=lambda each: (-sum(each[1].values()), each[0]))
    return table(
        ("script", "legal forms", "trades", "places and house names"),
        ((script, *(by[kind] for kind in ("legal", "trades", "places"))) for script, by in ordered),
    )


def coverage(data: Path) -> str:
    """Return the table of how much of published names the lexicon knows."""
    lines = []
    for what, source, names in _sources(data):
        found = list(names)
        legal = sum(bool(fold(name).legal) for name in found)
        known, all_ = map(sum, zip(*map(_known, found), strict=True))
        lines.append((what, source, len(found), f"{100 * legal / len(found):.0f} %", f"{100 * known / all_:.0f} %"))
    return table(("names", "from", "names", "a legal form was found in", "of their letters beside it known"), lines)


def _known(name: str) -> tuple[int, int]:
    """Return how many letters beside the legal form stand in words that the lexicon knows, and how many there are."""
    legal = lexicon().legal
    words = words_of(spelled(name))
    japanese = any("\u3041" <= letter <= "\u30ff" for letter in name) or "会社" in "".join(words)
    table = lexicon().japanese if japanese else lexicon().trades
    known = total = at = 0
    while at < len(words):
        word, size = words[at], 1
        if script_of(word) in UNPARTED:
            for form in sorted(legal.inside, key=len, reverse=True):
                word = word.replace(form, "") if len(form) > 2 else word.removesuffix(form).removeprefix(form)
            total += len(word)
            known += sum(len(piece.letters) for piece in part(word, table) if piece.means)
        elif (word,) not in legal.sequences:
            fits = (n for n in range(4, 0, -1) if tuple(words[at : at + n]) in lexicon().trades.sequences)
            size = next(fits, 1)
            letters = sum(map(len, words[at : at + size]))
            total += letters
            known += letters if tuple(words[at : at + size]) in lexicon().trades.sequences or meaning_of(word) else 0
        at += size
    return known, total


def _sources(data: Path) -> Iterator[tuple[str, str, Iterable[str]]]:
    with (data / "mdb_debarment" / "native_script_names.csv").open(encoding="utf-8", newline="") as file:
        yield "Chinese", "debarments", [row["name_native"] for row in csv.DictReader(file)]
    with (data / "jp_mhlw" / "labor_law_publications_corporate.tsv").open(encoding="utf-8", newline="") as file:
        yield "Japanese", "labour-law cases", [row["company_name"] for row in csv.DictReader(file, delimiter="\t")]
    with (data / "osh" / "api_facilities.csv").open(encoding="utf-8", newline="") as file:
        yield "Latin", "factories", [row["name"] for row in csv.DictReader(file)]
    with (data / "br_lista_suja" / "employers_legal_entities.csv").open(encoding="utf-8", newline="") as file:
        yield "Portuguese", "Brazil's register", [row["name"] for row in csv.DictReader(file)]
    generated: dict[str, list[str]] = defaultdict(list)
    with gzip.open(data / "matching" / "suppliers_200k.tsv.gz", "rt", encoding="utf-8") as file:
        for line in file:
            native = line.rstrip("\n").split("\t")[-1]
            if native:
                generated[script_of(words_of(spelled(native))[0])].append(native)
    for script in ("Han", "Cyrillic", "Arabic", "Bengali"):
        yield f"{script}", "generated, not real", generated[script][::EVERY]


def tables(data: Path) -> dict[str, Callable[[], str]]:
    """Return name to what makes the table."""
    return {"lexicon": rows, "lexicon-coverage": partial(coverage, data)}


def main() -> int:
    data = shared_data()
    if data is None:
        print("lexicon_tables: the example data is not there; COMITY_SHARED_DATA names its place", file=sys.stderr)
        return 2
    page = PAGE.read_text("utf-8")
    now = written(page, tables(data))
    if "--check" in sys.argv[1:]:
        return int(now != page)
    PAGE.write_text(now, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
