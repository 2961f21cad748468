"""Whether two parties are the same: what decides, what only speaks for it, and that every line is shown."""

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party
from comity_schemas.identifiers import Identifier

ONE = Identifier(scheme="UNGM", id="1111")
OTHER = Identifier(scheme="UNGM", id="2222")
ELSEWHERE = Identifier(scheme="BR-CNPJ", id="00000000000191")


def named(name: str, *identifiers: Identifier, **more: Any) -> Party:
    return Party((name,), identifiers=identifiers, **more)


# --- identifiers


@given(st.text(max_size=20), st.booleans())
def test_an_equal_identifier_is_a_match_whatever_the_name(name: str, contradicted: bool) -> None:
    known = named("A", OTHER, ELSEWHERE) if contradicted else named("A", ELSEWHERE)
    assert compare(named(name, ONE, ELSEWHERE), known).verdict is Verdict.MATCH


def test_the_same_scheme_with_another_number_is_for_review_and_never_a_match() -> None:
    name = "Fazenda Exemplo"
    found = compare(named(name, ONE), named(name, OTHER, ELSEWHERE))
    assert found.verdict is Verdict.REVIEW
    assert "another UNGM: 2222" in found.reason
    assert found.score < compare(named(name, ONE), named(name, ELSEWHERE)).score


def test_numbers_of_different_schemes_say_nothing_about_each_other() -> None:
    name = "Fazenda Exemplo"
    assert compare(named(name, ONE), named(name, ELSEWHERE)) == compare(named(name), named(name))


# --- names


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(string.ascii_letters + " ", min_size=1, max_size=12), min_size=1, max_size=4), st.booleans())
def test_a_name_alone_never_gives_a_match(names: list[str], abroad: bool) -> None:
    found = compare(Party((names[0],), "MY" if abroad else "BR"), Party(tuple(names), "BR"))
    assert found.verdict is not Verdict.MATCH


def test_a_name_in_another_country_has_less_points_and_says_where() -> None:
    at_home, abroad = (
        compare(named("Exemplo", country=country), named("Exemplo", country="BR")) for country in ("BR", "PT")
    )
    assert abroad.verdict is at_home.verdict is Verdict.REVIEW
    assert abroad.score < at_home.score
    assert "in BR, you asked for PT" in abroad.reason


@given(st.permutations(["Fazenda Exemplo", "Fazenda Exemplos", "Fazenda Exenplo"]))
def test_the_best_of_several_names_counts_in_whatever_order_they_come(names: list[str]) -> None:
    assert compare(named("Fazenda Exemplo"), Party(tuple(names))) == compare(
        named("Fazenda Exemplo"), named("Fazenda Exemplo")
    )


def test_nobody_is_like_somebody_without_a_name_and_a_number() -> None:
    assert compare(Party(()), named("Exemplo", ONE)).verdict is Verdict.NONE
