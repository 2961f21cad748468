"""A row of a register that changes: its newest content stands alone, whatever became of those between."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api_world import Office, furnish
from comity_node.mappings import mapping_text
from heard import open_sample
from node_world import Town

TABLES = {
    "br_lista_suja": (
        "documentFormatted,name,year,state,address,workersAffected,cnae,inclusionDate",
        '00.000.000/0001-91,CERAMICA EXEMPLO LTDA,2024,PE,"RUA A, IPOJUCA/PE",{},4120-4/00,06/10/2025',
        ("7", "70", "700", "7000"),
    ),
    "mdb_debarment": (
        "list,name,other_name,address,country,from_date,to_date,grounds,origin",
        "WB,EXEMPLAR WORKS LTD,,STREET 7,Georgia,2024-12-10,{},Fraudulent Practices,World Bank Group",
        ("2026-12-09", "2028-12-09", "2030-12-09", "2032-12-09"),
    ),
}


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("rows"))
    yield await furnish(town)
    await town.close()


async def take(office: Office, register: str, content: int) -> dict[str, Any]:
    head, line, contents = TABLES[register]
    raw = f"{head}\n{line.format(contents[content])}\n".encode()
    given = {"mapping": mapping_text(register), "table": base64.b64encode(raw).decode("ascii")}
    job = await office.made("reviewer", "POST", "imports", json=given)
    assert job["state"] == "done", job
    return dict(job["result"])


async def proposed(office: Office, batch: str) -> Any:
    async with office.house.node.database.read() as store:
        (review,) = await store.reviews.of_batch(batch)
    return review


async def release(office: Office, batch: str) -> None:
    for who in ("reviewer", "reviewer 2"):
        await open_sample(lambda path, who=who: office.made(who, "GET", path), batch)  # type: ignore[misc]
    assert (await office.made("reviewer 2", "POST", f"batches/{batch}/approve"))["result"]["decided"] == 1


@pytest.mark.parametrize("register", list(TABLES))
async def test_a_changed_row_never_stands_beside_what_was_published_of_it(office: Office, register: str) -> None:
    first = await take(office, register, 0)
    assert (first["added"], first["proposed"]) == (1, 1), first
    for published in (False, True):
        waits = await take(office, register, 1)
        assert (waits["proposed"], len(waits["problems"])) == (0, 1), "nobody knows yet what comes of the first"
        assert "both would stand side by side" in waits["problems"][0]["reason"]
        if not published:
            await release(office, first["batch"])
    await office.sign()
    statement = (await office.made("reviewer", "GET", "published?limit=1"))["items"][0]["statement"]
    second = await take(office, register, 1)
    review = await proposed(office, second["batch"])
    assert (second["proposed"], review.target) == (1, statement)
    await office.made("reviewer 2", "POST", f"reviews/{review.id}/reject")
    third = await take(office, register, 2)
    assert third["proposed"] == 1, third
    assert (await proposed(office, third["batch"])).target == statement, "though the content between was rejected"
    await office.made("reviewer 2", "POST", f"reviews/{(await proposed(office, third['batch'])).id}/reject")
    taken_back = {"statement": statement, "reason": "factual-error"}
    withdrawal = await office.made("reviewer", "POST", "withdrawals", json=taken_back)
    await office.made("reviewer 2", "POST", f"reviews/{withdrawal['id']}/approve")
    fourth = await take(office, register, 3)
    assert fourth["proposed"] == 1, "what was withdrawn ends no import"
    assert (await proposed(office, fourth["batch"])).target is None
