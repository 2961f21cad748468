"""The trail: an entry fits its catalogue."""

from typing import Any

import pytest

from comity_node.db import Database
from comity_node.domain.trail import Event
from comity_node.domain.trail_catalogue import CATALOGUE, NotInCatalogue, check_detail
from node_world import NOW

WRONG: dict[str, dict[str, Any]] = {
    "a field is missing": {},
    "a field is unknown": {"act": "release", "because": "x"},
    "a field is of another type": {"act": 5},
    "a flag is no number": {"act": True},
}


def test_every_event_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) == set(Event)
    for described in CATALOGUE.values():
        names = [field.name for field in described.fields]
        assert len(set(names)) == len(names) and described.actor and described.subject


@pytest.mark.parametrize("what", WRONG)
def test_a_detail_that_the_catalogue_does_not_know_is_refused(what: str) -> None:
    check_detail(Event.REVIEW_APPROVED, {"act": "release"})
    with pytest.raises(NotInCatalogue, match=r"review\.approved"):
        check_detail(Event.REVIEW_APPROVED, WRONG[what])


async def test_nothing_is_written_that_does_not_fit(database: Database) -> None:
    with pytest.raises(NotInCatalogue):
        async with database.write() as store:
            await store.trail.add(NOW, "ana", Event.LINK_REVOKED, "x", name="Canary")
    async with database.read() as store:
        assert await store.trail.page(before=None, most=5) == []
