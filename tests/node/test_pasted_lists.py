"""A list as somebody pastes it: every line is somebody, the first one too."""

import pytest

from comity_node.domain.tables.pasted import MOST_BYTES, open_pasted
from comity_node.domain.tables.table import TableRefused


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


@pytest.mark.parametrize("marks", ["- {}", "• {}", "* {}", "1. {}", "12) {}"])
def test_what_stands_before_every_line_is_no_part_of_a_name(marks: str) -> None:
    assert cells("\n".join(map(marks.format, ("Acme", "3M Company"))).encode()) == [("Acme", ""), ("3M Company", "")]


def test_what_stands_before_some_lines_may_be_a_part_of_a_name() -> None:
    assert cells(b"1. FC Gloves\nAcme") == [("1. FC Gloves", ""), ("Acme", "")]
    assert cells(b"1. FC Gloves") == [("1. FC Gloves", "")]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b" \n\t\n", "the list is empty"),
        (b"Acme\nCaf\xe9\n", "line 2 of the list is not written in UTF-8"),
        (b"A" * (MOST_BYTES + 1), "more than"),
    ],
)
def test_what_is_no_list_is_refused_in_words(raw: bytes, why: str) -> None:
    with pytest.raises(TableRefused, match=why):
        open_pasted(raw)
