"""Numbers that names have in words, and that others write in figures."""

import pytest

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.figures import in_figures
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party


def verdict(one: str, other: str) -> Verdict:
    found = {compare(Party((a,)), Party((b,))).verdict for a, b in ((one, other), (other, one))}
    assert len(found) == 1, "whoever asks"
    return found.pop()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Brigade Forty-four", "Brigade 44"),
        ("Twenty One Textiles", "21 Textiles"),
        ("Seven Seven Eleven", "7 7 11"),
        ("Forty, Four Winds", "40, 4 Winds"),
        ("Forty Eleven", "40 11"),
        ("Tres Hermanos S.A.", "3 Hermanos S.A."),
        ("Beş Yıldız", "5 Yıldız"),
        ("100% Cotton", "100 percent Cotton"),
        ("3%ers", "3 percenters"),
        ("Exemplar Gloves", None),
        ("Oneida Tenants", None),
        ("%", None),
        ("", None),
    ],
)
def test_numbers_in_words_are_read_as_figures(text: str, read: str | None) -> None:
    assert in_figures(text) == read


@pytest.mark.parametrize(
    ("words", "figures"),
    [("Zuotian Forty-Four", "Zuotian 44"), ("Three Zuotians Ltd", "3 Zuotians Ltd"), ("Three Percenters", "3%ers")],
)
def test_a_name_is_found_whichever_way_its_number_is_written(words: str, figures: str) -> None:
    assert verdict(words, figures) is Verdict.REVIEW


def test_a_name_that_writes_its_number_in_words_is_no_site_of_another() -> None:
    assert verdict("Zuotian Kaixinda Seven", "Zuotian Kaixinda") is Verdict.REVIEW
    assert verdict("Zuotian Seven", "Zuotian Eight") is Verdict.NONE
    assert verdict("Zuotian 7", "Zuotian 8") is Verdict.OTHER_SITE


def test_the_name_is_told_as_it_is_written() -> None:
    found = compare(Party(("3 Zuotians",)), Party(("Three Zuotians",)))
    assert found.reason == "the name is equal: Three Zuotians"
