"""What of a screening on file may be raised with the supplier, and the letter that raises it."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api_place import problem
from builders import POINTER_HANDLING
from comity_node.domain.raising import may_raise
from comity_node.domain.trail import Event
from comity_node.domain.vocabulary import Language
from comity_node.services.filing.letters import RULE, compose
from filing_desk import ENGAGE, PUBLIC, Desk, filing_house
from node_world import House


@pytest_asyncio.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async for made in filing_house(tmp_path_factory.mktemp("letters")):
        yield made


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def _hit(handling: dict[str, Any] = ENGAGE, **changes: Any) -> dict[str, Any]:
    told = {"statement": "S" * 43, "handling": handling, "finding": {}, "standing": "current", "verdict": "match"}
    return {**told, "disputed": None, **changes}


@pytest.mark.parametrize(
    ("hit", "why"),
    [
        (_hit({**ENGAGE, "contact": "none"}), "contact: none"),
        (_hit({**ENGAGE, "contact": "desk"}), "contact: desk"),
        (_hit({**ENGAGE, "permitted_use": ["due-diligence"]}), "not shared for talking"),
        (_hit({**ENGAGE, "onward": "nobody"}), "passed on to nobody"),
        (_hit(standing="withdrawn"), "it is withdrawn"),
        (_hit(verdict="review"), "look first"),
        (_hit(finding=None), "may not read"),
    ],
)
def test_nothing_is_raised_that_may_not_be(hit: dict[str, Any], why: str) -> None:
    raising = may_raise(hit, [])
    assert not raising.may and any(why in each for each in raising.why)


def test_what_members_only_may_read_is_raised_as_a_question_and_what_all_may_read_in_detail() -> None:
    among_members, public = may_raise(_hit(), []), may_raise(_hit(PUBLIC), [])
    assert (among_members.may, among_members.in_detail) == (True, False)
    assert (public.may, public.in_detail) == (True, True)


def test_whom_to_speak_to_first_is_named_before_everything() -> None:
    assert may_raise(_hit(), [{"speak_to": "workers"}, {"speak_to": "workers"}]).first == ("workers",)


async def test_a_letter_asks_about_the_subject_only_and_names_nobody(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    letter = await desk.post(f"/{filed['id']}/letter", language="fr", answer_by="2026-12-01")
    original, translation = letter["text"].split(RULE)
    assert original.startswith(f"Request for clarification, procurement {filed['reference']}\n\nTo {desk.name}\n")
    assert "Please answer by 2026-12-01." in original and original.rstrip().endswith("Agency")
    assert "machine" in translation and "2026-12-01" in translation
    for kept in (desk.body.name, "2026-03", "SMETA", desk.said[0].hash, "reported", "Estrada"):
        assert not re.search(rf"\b{kept}\b", letter["text"]), kept
    (entry,) = await desk.trail(Event.LETTER_WRITTEN, filed)
    assert json.loads(entry.detail) == {"statements": [desk.said[0].hash], "language": "fr"}


async def test_a_letter_says_source_and_month_of_what_all_may_know_and_that_it_is_disputed(desk: Desk) -> None:
    await desk.hears(desk.finding(PUBLIC))
    await desk.hears(desk.body.reply(desk.said[0].hash, more={"made": "2026-10-31"}, **desk.after))
    letter = await desk.post(f"/{(await desk.file())['id']}/letter")
    assert "It is said publicly: Audit, 2026-03." in letter["text"] and "You have disputed this." in letter["text"]


async def test_no_letter_is_written_before_whoever_points_to_itself_was_spoken_to(desk: Desk) -> None:
    pointing = desk.body.pointer(handling=POINTER_HANDLING, disclosed={"names": [{"text": desk.name}]})
    await desk.hears(pointing, desk.finding(**desk.body.after(pointing)))
    filed = await desk.file()
    refused = problem(await desk.ask("POST", f"/{filed['id']}/letter"), 409, "screening.nothing-to-raise")
    assert f"speak to {desk.body.name}" in refused["detail"]
    assert (await desk.post(f"/{filed['id']}/letter", spoken_to=[desk.body.name]))["statements"]


async def test_no_letter_is_written_from_what_was_filed_in_error_or_with_a_day_that_is_past(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    for day in ("2024-12-01", desk.house.node.clock().date().isoformat()):
        refused = await desk.ask("POST", f"/{filed['id']}/letter", answer_by=day)
        assert f"cannot answer by {day}" in problem(refused, 409, "screening.may-not")["detail"]
    await desk.post(f"/{filed['id']}/take-back", why="another bidder")
    refused = problem(await desk.ask("POST", f"/{filed['id']}/letter"), 409, "screening.may-not")
    assert "no letter is written from it" in refused["detail"]
    assert not await desk.trail(Event.LETTER_WRITTEN, filed)


async def test_what_was_taken_back_since_is_raised_no_more(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    await desk.hears(desk.body.withdrawal(desk.said[0].hash, **desk.after))
    refused = problem(await desk.ask("POST", f"/{filed['id']}/letter"), 409, "screening.nothing-to-raise")
    assert "it is withdrawn" in refused["detail"]
    problem(await desk.ask("POST", f"/{filed['id']}/letter", row=3), 404, "not-found")


def test_a_name_with_braces_is_a_name() -> None:
    written = compose(
        [], {"supplier": "{member} {reference}", "reference": "R-1", "member": "Agency", "day": ""}, Language.ENGLISH
    )
    assert "To {member} {reference}\n" in written
