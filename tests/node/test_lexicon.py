"""The lexicon's files: each says its source, and one that is broken is refused with its line."""

import hashlib
from pathlib import Path

import pytest

from comity_node.domain.names import FOLDING, fold_name
from comity_node.lexicon import BrokenFile, check, read
from comity_node.lexicon.reading import COLUMNS, KINDS, rows_of
from comity_node.lexicon.words import lexicon
from domain_tables import written
from lexicon_tables import PAGE, tables

GOOD = "# source: by hand\nwritten\tmeans\nGarn\tyarn\n"


def test_every_file_of_the_lexicon_can_be_used() -> None:
    counts = check()
    assert sum(counts.values()) > 8_000
    assert all(counts.values())


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD.replace("# source: by hand\n", ""), 1, "source"),
        (GOOD.replace("means", "meaning"), 2, "columns"),
        ("# source: by hand\n", 2, "columns"),
        (GOOD + "Tuch\n", 4, "cells"),
        (GOOD + "Tuch\tcloth\tweaver\n", 4, "cells"),
        (GOOD + "\tcloth\n", 4, "empty"),
        (GOOD + "Tuch \tcloth\n", 4, "blanks"),
        (GOOD + "Tu\u0308ch\tcloth\n", 4, "composed"),
        (GOOD + "Garn\tthread\n", 4, "line 3"),
        (GOOD + "Tuch\tCloth\n", 4, "lower-case"),
        (GOOD + "x" * 101 + "\tcloth\n", 4, "100"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(BrokenFile, match=reason) as refused:
        list(rows_of("trades/de.tsv", text, COLUMNS))
    assert (refused.value.file, refused.value.line) == ("trades/de.tsv", line)


def test_no_single_letter_and_no_common_english_word_is_a_legal_form_that_falls_away() -> None:
    legal = lexicon().legal.sequences
    assert not [words for words in legal if sum(map(len, words)) < 2]
    assert not {
        ("star",),
        ("trading",),
        ("group",),
        ("union",),
        ("bank",),
        ("trust",),
        ("mei",),
        ("cooperative",),
    } & set(legal)


def test_the_page_says_what_the_lexicon_holds_and_how_much_of_published_names_it_knows(shared_data: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert written(page, tables(shared_data)) == page, "run: python tests/lexicon_tables.py"
    assert page.count("<!-- generated: lexicon") == len(tables(shared_data))


FOLDED_WITH = (3, "ec82de9a4d77")
"""`FOLDING`, and the digest of names as it folds them."""


def test_whoever_changes_how_names_fold_raises_the_number_that_is_stored_with_them() -> None:
    names = [row.written for kind in KINDS for row in read(kind)]
    folded = "\n".join(fold_name(f"{one} {two}") for one, two in zip(names, reversed(names), strict=True))
    now = (FOLDING, hashlib.sha256(folded.encode()).hexdigest()[:12])
    assert now == FOLDED_WITH, "raise FOLDING, so that what nodes have stored is folded anew, and write both here"
