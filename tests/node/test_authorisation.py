"""Who may do what: every operation of the contract, for every role, with what is one's own and what is another's.

`authorisation.txt` is what must be. An operation without a row, a row without an operation, and a cell that comes out
otherwise fail. So nobody adds an operation without saying who may ask for it.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import asked_of_release
import asked_of_remedy
import asked_of_screening
from api_world import (
    Office,
    furnish,
)
from asked_for import Asked, Make
from comity_node.app import create_app
from node_world import Town

PEOPLE = (None, "auditor", "reviewer", "focal", "officer", "admin")

TABLE = Path(__file__).with_name("authorisation.txt").read_text("utf-8")

MAKE: dict[str, Make] = {**asked_of_release.MAKE, **asked_of_remedy.MAKE, **asked_of_screening.MAKE}
"""What an operation is asked about; nothing for those that are not here."""

IN_NO_PATH = ("json", "content", "headers", "params")


def rows() -> dict[str, list[str]]:
    lines = [line.split() for line in TABLE.splitlines() if line.strip() and not line.startswith("#")][1:]
    return {name: cells for name, *cells in lines}


def operations(office: Office) -> dict[str, tuple[str, str, set[int]]]:
    """Operation to its method, path and the statuses that the contract names."""
    return {
        operation["operationId"]: (method.upper(), path, {int(status) for status in operation["responses"]})
        for path, item in office.app.openapi()["paths"].items()
        for method, operation in item.items()
    }


async def _nothing(office: Office, who: str, own: bool) -> Asked:
    return {}


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("authorisation"))
    yield await furnish(town)
    await town.close()


async def test_every_operation_of_the_contract_has_a_row_and_every_row_an_operation(office: Office) -> None:
    assert set(rows()) == set(operations(office))
    assert {len(cells) for cells in rows().values()} == {len(PEOPLE)}


async def test_an_operation_that_somebody_adds_without_a_row_is_noticed(office: Office) -> None:
    app = create_app(office.house.node)

    @app.get("/api/v1/unforeseen")
    async def unforeseen() -> None:
        """Anybody may."""

    added = {operation["operationId"] for item in app.openapi()["paths"].values() for operation in item.values()}
    assert added - set(rows()) == {"unforeseen"}


@pytest.mark.parametrize("operation", rows())
async def test_who_may_do_it_and_with_what(office: Office, operation: str) -> None:
    method, path, documented = operations(office)[operation]
    wrong = []
    for who, cell in zip(PEOPLE, rows()[operation], strict=True):
        for own, expected in zip((True, False), cell.split("/"), strict=False):
            if expected == "-":
                continue
            asked = await MAKE.get(operation, _nothing)(office, who or "officer", own)
            given = {name: asked.pop(name) for name in list(asked) if name not in IN_NO_PATH}
            # Whoever closes the own account is a second administrator, who is not needed any more.
            asker = await _expendable(office) if operation == "close_person" and own and who == "admin" else who
            if asker != who:
                given = {"person_id": office.person(str(asker)).person.id}
            answer = await office.ask(asker, method, path.format(**given), **asked)
            if answer.status_code != int(expected):
                wrong.append(f"{who}, {'own' if own else 'another'}: {answer.status_code}, not {expected}")
            assert answer.status_code in documented, f"the contract of {operation} does not name {answer.status_code}"
            if answer.is_error:
                assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []


READS = re.compile(r"/(reports|evidence|reviews)\b")
"""In the path of an operation that shows reports, evidence, or what was made from them."""


async def test_every_reading_of_a_report_or_evidence_is_on_the_trail(office: Office) -> None:
    me = office.person("reviewer").person.id
    silent, readings = [], 0
    for operation, (method, path, _) in operations(office).items():
        if method != "GET" or not READS.search(path):
            continue
        readings += 1
        asked = await MAKE.get(operation, _nothing)(office, "reviewer", True)
        given = {name: asked.pop(name) for name in list(asked) if name not in IN_NO_PATH}
        before = await _newest_entry(office)
        answer = await office.ask("reviewer", method, path.format(**given), **asked)
        noted = await _newest_entry(office)
        is_noted = noted["number"] == before["number"] + 1 and noted["actor"] == me
        if not is_noted or noted["event"].partition(".")[0] not in ("report", "reports", "evidence"):
            silent.append(operation)
        assert answer.status_code == 200
        # Who may not read has read nothing.
        assert (await office.ask("officer", method, path.format(**given))).status_code == 403
        assert await _newest_entry(office) == noted
    assert silent == []
    assert readings >= 11


async def _newest_entry(office: Office) -> dict[str, Any]:
    return dict((await office.made("admin", "GET", "trail?limit=1"))["items"][0])


async def _expendable(office: Office) -> str:
    await office.house.hire("leaving", "admin")
    return "leaving"


async def test_a_list_of_reports_holds_an_auditors_own_firms_only(office: Office) -> None:
    ours, theirs = await office.report("firm"), await office.report("rival")
    seen = {
        who: {item["id"] for item in (await office.made(who, "GET", "reports?limit=200"))["items"]}
        for who in ("auditor", "auditor 2", "reviewer", "focal")
    }
    assert (ours in seen["auditor"], theirs in seen["auditor"]) == (True, False)
    assert (ours in seen["auditor 2"], theirs in seen["auditor 2"]) == (False, True)
    assert {ours, theirs} <= seen["reviewer"] and {ours, theirs} <= seen["focal"]


async def test_a_list_of_tokens_holds_ones_own_only(office: Office) -> None:
    mine, anothers = await office.token("officer"), await office.token("officer 2")
    listed = {token["id"] for token in await office.made("officer", "GET", "tokens")}
    assert mine in listed and anothers not in listed
