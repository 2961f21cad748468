"""A list as somebody pastes it: every line is somebody, the first one too."""

import pytest

from comity_node.domain.tables.pasted import MOST_BYTES
from comity_node.domain.tables.pasted import open_pasted as opened
from comity_node.domain.tables.table import Table, TableRefused
from comity_node.vocabulary import countries


def open_pasted(raw: bytes) -> Table:
    return opened(raw, countries().read)


def cells(raw: bytes) -> list[tuple[object, ...]]:
    return [row.cells for row in open_pasted(raw).rows]


def test_the_first_line_is_somebody_and_commas_and_quotes_are_letters() -> None:
    assert cells(b'Acme, Inc.\n"Best" Gloves; Sons | Co') == [("Acme, Inc.", ""), ('"Best" Gloves; Sons | Co', "")]


def test_a_country_stands_behind_a_tab_and_lines_keep_their_numbers() -> None:
    table = open_pasted("\ufeffAcme\tBrazil \r\n\r\n  泰达手套有限公司\r\nBest\tMY\tKlang\n".encode())
    assert table.expected == 3
    first, second, third = table.rows
    assert (first.number, first.cells) == (1, ("Acme", "Brazil"))
    assert (second.number, second.cells) == (3, ("泰达手套有限公司", ""))
    assert third.number == 4 and third.reason is not None and "3 cells" in third.reason


@pytest.mark.parametrize("marks", ["- {}", "• {}", "* {}", "1. {}", "12) {}", "2、{}", "3){}", "(4) {}", "\u200f١. {}"])
def test_what_stands_before_every_line_is_no_part_of_a_name(marks: str) -> None:
    assert cells("\n".join(map(marks.format, ("Acme", "3M Company"))).encode()) == [("Acme", ""), ("3M Company", "")]


def test_what_stands_before_some_lines_may_be_a_part_of_a_name() -> None:
    assert cells(b"1. FC Gloves\nAcme") == [("1. FC Gloves", ""), ("Acme", "")]
    assert cells(b"1. FC Gloves") == [("1. FC Gloves", "")]
    # Whether it is one or not, whoever is meant is asked about.
    further = [row.beyond for row in open_pasted("Bidders:\n1. Acme\tBrazil\n2、Best; Sons\n3M\n4.".encode()).rows]
    assert further == [(), ("Acme",), ("Best; Sons",), (), ()]
    further = [row.beyond for row in open_pasted(b"Acme, Inc., Malaysia\n1. Best; MY\nAcme, Inc.\n, MY").rows]
    assert further == [("Acme, Inc.",), ("Best",), (), ()]


def test_a_line_that_is_broken_in_a_paragraph_is_two_and_one_that_shows_nothing_is_none() -> None:
    assert cells("Acme\u2028Best\x0bMore\u0085Last\r\n\u200b\r\n".encode()) == [
        (n, "") for n in ("Acme", "Best", "More", "Last")
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1\tAcme", "behind its tab stands no country"),
        ("Brazil\tAcme", "behind its tab stands no country"),
        ('"Acme', "its quote is not closed"),
    ],
)
def test_a_line_in_which_the_name_stands_elsewhere_is_refused(line: str, why: str) -> None:
    first, second = open_pasted(f"{line}\nBest\tMY".encode()).rows
    assert first.reason is not None and why in first.reason
    assert second.reason is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b" \n\t\n", "the list is empty"),
        (b"Acme\nCaf\xe9\n", "line 2 of the list is not written in UTF-8"),
        (b"A" * (MOST_BYTES + 1), "more than"),
        ("Acme".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_what_is_no_list_is_refused_in_words(raw: bytes, why: str) -> None:
    with pytest.raises(TableRefused, match=why):
        open_pasted(raw)
