"""An audit outside its firm's authorisations yields a finding only when two reviewers say why."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from comity_node.db import Database
from comity_node.domain.allowing import AllowanceCode
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    CannotPropose,
    Contradictory,
    NotFound,
    SamePerson,
)
from comity_node.services.reports.submit import is_authorised
from comity_node.services.review.allowances import decide_allowance, propose_allowance
from comity_schemas.member import Authorisation, Basis
from node_world import NOW, SMETA, audit_report
from review_office import Office

MARK = "scheme-not-authorised"
URGENT = AllowanceCode.URGENT


@pytest_asyncio.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    made = Office(database)
    await made.open()
    await made.store_report(marks=(MARK,))
    yield made


async def propose(office: Office, who: str = "ana", report: str = "R" * 43) -> Any:
    async def act(store: Any) -> Any:
        stored = await store.reports.find(report)
        return await propose_allowance(store, office.people[who], stored, URGENT, "nobody else could go", NOW)

    return await office.write(act)


async def decide(office: Office, allowance: str, who: str, *, allow: bool = True) -> Any:
    words = (AllowanceCode.SEEN_BY_OTHERS, "the inspectorate saw it too", NOW)
    return await office.write(lambda store: decide_allowance(store, office.people[who], allowance, *words, allow=allow))


async def test_two_reviewers_say_why_and_then_it_may_be_proposed(office: Office) -> None:
    with pytest.raises(CannotPropose, match="two reviewers say why"):
        await office.propose("ana")
    made = await propose(office)
    with pytest.raises(AlreadyProposed):
        await propose(office, "ben")
    with pytest.raises(SamePerson):
        await decide(office, made.id, "ana")
    with pytest.raises(CannotPropose):
        await office.propose("ana")
    done = await decide(office, made.id, "ben")
    assert (done.state, done.first.code, done.second.code) == ("allowed", URGENT, AllowanceCode.SEEN_BY_OTHERS)
    assert done.second.words == "the inspectorate saw it too"
    with pytest.raises(AlreadyDecided):
        await decide(office, made.id, "cy")
    assert (await office.propose("ana")).state == "proposed"
    async with office.database.read() as store:
        said = [(e.event, e.detail) for _, e in await store.trail.page(before=None, most=9)]
        stored = await store.reports.find("R" * 43)
    # The words stay beside it, and the mark stays on it.
    assert not any("inspectorate" in detail or "nobody else" in detail for _, detail in said)
    assert stored is not None and stored.marks == (MARK,)


async def test_what_was_declined_may_be_proposed_again(office: Office) -> None:
    made = await propose(office)
    assert (await decide(office, made.id, "ben", allow=False)).state == "declined"
    with pytest.raises(CannotPropose):
        await office.propose("ana")
    await decide(office, (await propose(office)).id, "cy")
    await office.propose("ana")
    with pytest.raises(NotFound):
        await decide(office, "nothing", "ben")


async def test_no_other_mark_is_lifted_by_it(office: Office) -> None:
    await office.store_report("S" * 43, marks=(MARK, "no-sharing-basis"))
    await decide(office, (await propose(office, report="S" * 43)).id, "ben")
    with pytest.raises(CannotPropose, match="sharing basis"):
        await office.propose("ana", "S" * 43)
    await office.store_report("T" * 43)
    with pytest.raises(Contradictory, match="nothing to allow"):
        await propose(office, report="T" * 43)


async def test_the_database_itself_refuses_one_reviewer_twice(office: Office) -> None:
    await propose(office)
    async with office.database.write() as store:
        connection = await store._session.connection()
        with pytest.raises(IntegrityError):
            await connection.exec_driver_sql(
                "update audit_allowance set state = 'allowed', second_by = first_by, second_code = first_code"
            )


@pytest.mark.parametrize(
    ("change", "at", "fits"),
    [
        ({}, "agency", True),
        ({"scheme": "SA8000"}, "agency", False),
        ({"valid_until": date(2026, 3, 13)}, "agency", False),
        ({"valid_from": date(2026, 3, 15)}, "agency", False),
        ({"valid_from": date(2026, 3, 14), "valid_until": date(2026, 3, 14)}, "agency", True),
        ({"basis": Basis.SCHEME_APPROVED}, "agency", True),
        ({"basis": Basis.REGISTERED}, "agency", True),
        ({"basis": Basis.APPOINTED, "appointed_by": "agency"}, "agency", True),
        ({"basis": Basis.APPOINTED, "appointed_by": "agency"}, "city", False),
        ({"basis": Basis.APPOINTED, "appointed_by": "agency"}, None, False),
    ],
)
def test_an_authorisation_has_a_basis_a_scheme_and_a_time_and_an_appointment_counts_for_who_made_it(
    sqlite: Database, change: dict[str, Any], at: str | None, fits: bool
) -> None:
    authorisation = Authorisation(**{**SMETA.model_dump(), **change})
    firm = Office(sqlite).member.model_copy(update={"authorisations": (authorisation,)})
    assert is_authorised(audit_report(), firm, at) is fits


@pytest.mark.parametrize("change", [{"basis": Basis.APPOINTED}, {"appointed_by": "agency"}])
def test_an_appointment_names_the_member_that_made_it_and_nothing_else_does(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="an appointment names"):
        Authorisation(**{**SMETA.model_dump(), **change})
