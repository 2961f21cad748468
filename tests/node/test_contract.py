"""The contract is true: what a served node answers to requests made from it, right and wrong ones, stands in it."""

from collections.abc import Iterator

import pytest

from api_cases import Site, Tally, exercise, site

CASES = 20
"""An operation; `./comity bench api` asks 200."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tally, Site]]:
    with site(tmp_path_factory.mktemp("contract"), often=4) as given:
        yield exercise(given, CASES), given


def test_no_answer_is_a_server_error_or_other_than_the_contract_says(asked: tuple[Tally, Site]) -> None:
    found, given = asked
    assert found.faults == []
    assert found.server_errors == 0
    assert found.operations == given.operations
    assert found.asked > CASES * (given.operations - 2)


def test_the_requests_reach_nearly_every_operation_of_people_with_success(asked: tuple[Tally, Site]) -> None:
    found, given = asked
    for_others = 4 + 5  # other members' nodes, and suppliers with a link of their own
    assert len(found.reached) >= 0.85 * (given.operations - for_others), f"never with success: {sorted(found.missed)}"
