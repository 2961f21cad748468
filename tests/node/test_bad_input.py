"""What names nobody is refused in words at every door: an empty answer would read as "nothing found"."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner

from comity_node.api.misfits import in_words, without_followers
from comity_node.cli.node import screen
from comity_node.domain.asked_names import AskedName, read_name
from comity_node.services.screening_files.opening import open_given
from comity_node.services.screening_files.portfolio import read_portfolio
from comity_node.vocabulary import countries
from node_world import Town

NOBODY = {
    "": ("is empty", "an empty question"),
    "   ": ("without a letter or digit", "an empty question"),
    "...": ("without a letter or digit", "without a letter or digit"),
    "\U0001f9e4": ("without a letter or digit", "without a letter or digit"),
    "Ltd": ("nothing but a legal form", "nothing but a legal form"),
    "有限公司": ("nothing but a legal form", "nothing but a legal form"),
    "x" * 10_000: ("more than 300 characters", "more than 300 characters"),
    "Exemplar\x00 Gloves": ("control characters", "control, direction"),
    "Exemplar \u202eGloves": ("change the direction", "control, direction"),
    "Exemplar \ud800": ("", "cannot be seen"),
}
"""A name to what our own API says of it, and what others' clients are told."""

JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    town = Town(tmp_path_factory.mktemp("bad"))
    house = await town.found("agency")
    await town.refresh()
    async with house.api(await house.hire("officer", "officer")) as client:
        yield client
    await town.close()


def sent(body: Any) -> dict[str, Any]:
    return {"content": json.dumps(body).encode(), "headers": JSON}


@pytest.mark.parametrize("name", NOBODY, ids=lambda name: ascii(name[:20]))
async def test_a_name_of_nobody_is_refused_in_words_by_the_api_and_to_others_clients(
    api: httpx2.AsyncClient, name: str
) -> None:
    ours, theirs = NOBODY[name]
    asked, row = {"suppliers": [{"name": name}]}, {"rows": [{"row": "V1", "name": name}]}
    filed = {**asked, "reference": "R", "stage": "tender"}
    for path, body in (("screenings", asked), ("filed-screenings", filed), ("vendors", row)):
        refused = await api.post(f"/api/v1/{path}", **sent(body))
        assert refused.status_code == 422, path
        said = refused.json()["detail"]
        assert ours in said and said.endswith("Nothing was changed"), said
        assert "too_short" not in {e["type"] for e in refused.json()["errors"]}
        assert "Gloves" not in refused.text, "what was sent is not repeated"
    query = {"queries": {"q": {"schema": "Company", "properties": {"name": [name]}}}}
    for path, given in (
        ("yente/match/default", sent(query)),
        (
            "reconcile/default",
            {"data": {"queries": json.dumps({"q0": {"query": name}}, ensure_ascii="\ud800" in name)}},
        ),
    ):
        refused = await api.post(f"/{path}", **given)
        assert refused.status_code == 400, path
        if path.startswith("yente"):
            assert theirs in refused.json()["detail"]


async def test_a_body_that_is_no_utf8_and_one_that_is_no_json_say_so(api: httpx2.AsyncClient) -> None:
    latin = '{"suppliers": [{"name": "Société"}]}'.encode("windows-1252")
    for raw, words in ((latin, "the body is no JSON in UTF-8; nothing was changed"), (b"{", "it is no JSON")):
        refused = await api.post("/api/v1/screenings", content=raw, headers=JSON)
        assert words in refused.json()["detail"], refused.text


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_a_limit_of_nothing_is_refused_and_says_what_it_may_be(api: httpx2.AsyncClient, limit: int) -> None:
    for path in ("vendors", "changes", "alerts"):
        refused = await api.get(f"/api/v1/{path}", params={"limit": limit})
        assert "limit is " in refused.json()["detail"], refused.text
    for path in ("yente/match/default", "yente/search/default"):
        method = "POST" if "match" in path else "GET"
        refused = await api.request(method, f"/{path}", params={"limit": limit, "q": "a"}, **sent({"queries": {}}))
        assert "limit is 1 to 500" in refused.json()["detail"], refused.text


@pytest.mark.parametrize("name", [name for name in NOBODY if "\x00" not in name and "\u202e" not in name])
def test_the_command_asks_nothing_of_a_name_of_nobody(name: str) -> None:
    command = typer.Typer()
    command.command()(screen)
    ran = CliRunner().invoke(command, [name], env={"COMITY_HOME": "/nowhere", "COLUMNS": "200"})
    assert ran.exit_code == 2, ran.output
    assert "Nothing was asked" in ran.output


def test_what_cannot_be_seen_is_left_out_and_told() -> None:
    said = "a name holds control or direction-changing characters; it was read without them"
    assert read_name("Exemplar \u202eGloves\x07") == AskedName("Exemplar Gloves", notes=(said,))
    assert read_name("Pure\u0441ast").notes == ("a word of the name mixes letters of two alphabets that look alike",)
    assert read_name(" 深圳\t华为 ") == AskedName("深圳 华为")


def test_only_plain_names_of_fields_stand_in_the_words_and_a_list_is_not_blamed_for_its_entry() -> None:
    entry = {"loc": ("body", "rows", 0, "name of somebody"), "type": "extra_forbidden"}
    errors = [entry, {"loc": ("body", "rows"), "type": "too_short", "ctx": {"min_length": 1}}]
    assert without_followers(errors) == [entry]
    assert in_words([entry]) == (
        "the request does not fit: rows.0.… is nothing that is asked for here. Nothing was changed"
    )
    assert without_followers(errors[1:]) == errors[1:]
    missing = [{"loc": ("body", str(n)), "type": "missing"} for n in range(5)]
    assert in_words(missing).endswith("2 is missing; and 2 more. Nothing was changed")


def test_a_row_whose_id_stands_twice_is_kept_once_and_the_text_does_not_say_both() -> None:
    found = read_portfolio(open_given(io.BytesIO(b"id,name\n1,\n1,A Works\n1,B Works\n")), countries().read)
    assert [(key, party.names) for key, party in found.rows] == [("1", ("A Works",))]
    assert [(p.number, p.what) for p in found.problems] == [
        (2, "it has no name and no number"),
        (4, "its id stands in row 3 too; this row was not kept"),
    ]
