"""A case that nobody has reviewed goes on to the deputies, in their order, also while no broker answers."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import IDENTIFIERS
from comity_node.db import Database
from comity_node.domain.due_process import FIXED
from comity_node.domain.errors import Contradictory, NotFound
from comity_node.domain.protection import Step
from comity_node.services.operating.status import measure, weigh
from comity_node.services.protection import duty
from node_world import NOW, Town, exchanging, registry_of, until
from review_office import Office
from risk_office import furnished, open_case, step, trail


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    yield await furnished(sqlite)


async def pass_on(office: Office, hours: float) -> int:
    now = NOW + timedelta(hours=hours)
    return await office.write(lambda store: duty.pass_on(store, FIXED.escalation, now))


async def test_unreviewed_for_four_hours_it_goes_on_to_the_next_deputy_in_order(database: Database) -> None:
    office = await furnished(database)
    case = await open_case(office)
    assert FIXED.escalation == timedelta(hours=4)

    async def names() -> set[str]:
        async with office.database.read() as store:
            found = await store.cases.find(case.id)
        assert found is not None
        return {name for name, person in office.people.items() if person.id in found.staff}

    assert await pass_on(office, 3.9) == 0
    assert await pass_on(office, 4) == 1
    assert await names() == {"ana", "fay", "flo"}
    assert await pass_on(office, 7.9) == 0
    assert await pass_on(office, 8) == 1
    assert await names() == {"ana", "fay", "flo", "fox"}
    # All were told: the clock goes on, and status says so.
    assert await pass_on(office, 12) == 1
    passed = [json.loads(e.detail) for e in await trail(office) if e.event == "case.passed-on"]
    assert passed == [{}, {"person": office.people["fox"].id}, {"person": office.people["flo"].id}]
    await step(office, case, Step.REVIEWED, "flo")
    assert await pass_on(office, 400) == 0


async def test_without_named_deputies_or_with_one_who_left_nobody_is_skipped(office: Office) -> None:
    async with office.database.write() as store:
        await store.accounts.close_person(office.people["fay"].id, NOW)
        assert await duty.on_duty(store) == [office.people["flo"].id, office.people["fox"].id]
        await store.referrals.put_duty([])
        assert set(await duty.on_duty(store)) == {office.people["flo"].id, office.people["fox"].id}
    case = await open_case(office)
    assert len(case.staff) == 2


async def test_the_exchange_passes_it_on_by_itself_while_no_broker_answers(tmp_path: Any) -> None:
    town = Town(tmp_path, bus="kafka://127.0.0.1:9")
    try:
        house = await town.found("agency", more={"pass_on_after_s": 0.2})
        for name in ("fay", "flo"):
            await house.hire(name, "focal-point")
        reviewer = await house.hire("ana", "reviewer")
        async with house.api(reviewer) as api:
            opened = await api.post("/api/v1/cases", json={"names": ["Exemplo"], "country": "BR"})
        assert opened.status_code == 201 and len(opened.json()["staff"]) == 2

        async def passed_on() -> bool:
            async with house.node.database.read() as store:
                found = await store.cases.find(opened.json()["id"])
            return found is not None and len(found.staff) == 3

        async with exchanging(house):
            await until("the next deputy is assigned", passed_on, 20)
    finally:
        await town.close()


@pytest.mark.parametrize(("names", "said"), [(["fay", "fay"], "twice"), (["ana"], "focal point"), (["zoe"], "focal")])
async def test_only_focal_points_are_named_and_each_once(office: Office, names: list[str], said: str) -> None:
    with pytest.raises((Contradictory, NotFound), match=said):
        await office.write(lambda store: duty.name_duty(store, office.people["ana"], names, NOW))


async def test_status_says_that_a_focal_point_is_needed_and_nothing_of_what_for(office: Office) -> None:
    case = await open_case(office, reference="ABC-7")

    async def troubles(hours: float) -> list[Any]:
        now = NOW + timedelta(hours=hours)
        async with office.database.read() as store:
            measures = await measure(store, now)
        running = dict.fromkeys(("api", "receiver", "relay"), True)
        return [t for t in weigh(measures, registry_of(office.member), running, "agency", now).troubles if t.advice]

    assert not [t for t in await troubles(3.9) if t.name == "focal-point"]
    await pass_on(office, 4)
    (told,) = [t for t in await troubles(4.1) if t.name == "focal-point"]
    said = f"{told.what} {told.advice.safe} {told.advice.do}"
    assert "none of them has looked" in said and "passed on once" in said
    for hidden in (case.id, "Fazenda", "BR", "ABC-7", *office.people, IDENTIFIERS[0]["id"]):
        assert hidden not in said
    await step(office, case, Step.REVIEWED)
    assert not [t for t in await troubles(9) if t.name == "focal-point"]
