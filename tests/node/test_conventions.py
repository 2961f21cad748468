"""Others' clients at a node: yente's and OpenRefine's shapes, and what they are told that is ours."""

import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from builders import FINDING_IN_CLEAR, Publisher
from comity_node.domain.people import PersonRole
from comity_node.wiring import Node
from comity_schemas.member import MemberStatus
from node_world import House, Town, new_sqlite
from supplier_desk import CNPJ, LEI, Desk, desk_at

GRAVE = {"severity": "S3", "status": "confirmed"}
GLOVES = "Exemplar Gloves Sdn Bhd"


class At:
    """A node that received statements, and an officer's client."""

    def __init__(self, desk: Desk, api: httpx2.AsyncClient) -> None:
        self.desk, self.api = desk, api

    async def match(self, *queries: Any, dataset: str = "default", **params: Any) -> httpx2.Response:
        body = {"queries": {f"q{number}": query for number, query in enumerate(queries)}}
        return await self.api.post(f"/yente/match/{dataset}", json=body, params=params)

    async def first(self, *queries: Any, **params: Any) -> dict[str, Any]:
        answer = await self.match(*queries, **params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["responses"]["q0"])

    async def topics(self, name: str) -> list[str]:
        (found,) = (await self.first(named(name)))["results"]
        return list(found["properties"].get("topics", []))


@pytest_asyncio.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One node for all tests here: founding costs more than all they do."""
    town = Town(tmp_path_factory.mktemp("yente"))
    house = await town.found("agency")
    town.admit(Publisher("city-hall").member(status=MemberStatus.PENDING))
    await town.refresh()
    yield house
    await town.close()


@pytest_asyncio.fixture
async def at(house: House) -> AsyncIterator[At]:
    """The node with an empty database."""
    await house.node.close()
    new_sqlite(house.home)
    house.node = Node.open(house.home)
    officer = await house.hire("officer", PersonRole.OFFICER.value)
    async with house.api(None, Authorization=f"ApiKey {officer.token}") as api:
        yield At(await desk_at(house.node.database), api)


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"schema": "Company", "properties": {"name": [name], **more}}


async def test_everybody_who_may_be_meant_is_there_however_much_is_said_of_others(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.domain.screening.MOST_CANDIDATES", 2)
    for name in (GLOVES, "Exemplar Glovs Sdn Bhd", "Exemplr Gloves Sdn Bhd"):
        for _ in range(2):
            await at.desk.say(name, "agency", country="MY")
    found = await at.first(named(GLOVES), limit=10)
    assert found["total"]["value"] == len(found["results"]) == 3


async def test_nobody_is_left_out_since_much_is_said_of_others_in_the_batch(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.conventions.profiles.MOST_SAID", 2)
    source = {**FINDING_IN_CLEAR["source"], "when": "2025-01"}
    await at.desk.say("Rubber Works", "agency", CNPJ, source=source, **GRAVE)
    for town in ("Klang", "Ipoh", "Kajang"):
        await at.desk.say(GLOVES, "agency", LEI)
        await at.desk.say("Rubber Works", "agency", CNPJ, source=source, subject="site", municipality=town)
    answer = (await at.match(named(GLOVES), named("Rubber Works", registrationNumber=[f"BR-CNPJ:{CNPJ['id']}"]))).json()
    (found,) = [each for each in answer["responses"]["q1"]["results"] if each["schema"] == "Company"]
    assert found["properties"]["topics"] == ["forced.labor"]


async def test_a_number_matches_and_an_equal_name_alone_never_does(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI, country="MY")
    (by_name,) = (await at.first(named(GLOVES), threshold=0.1))["results"]
    (by_number,) = (await at.first(named("Quite Other", leiCode=[LEI["id"]])))["results"]
    assert (by_name["match"], by_name["verdict"]) == (False, "review")
    assert (by_number["match"], by_number["verdict"]) == (True, "match")
    assert by_name["id"] == by_number["id"]
    for each in (by_name, by_number):
        assert 0 < each["score"] <= 1
        assert sum(line["score"] for line in each["explanations"].values()) == pytest.approx(each["score"])
    assert by_number["properties"] == {"name": [GLOVES], "country": ["my"], "leiCode": [LEI["id"]]}
    assert (by_number["schema"], by_number["datasets"], by_number["caption"]) == ("Company", ["agency"], GLOVES)


async def test_a_batch_is_answered_key_by_key_and_what_cannot_be_asked_says_so(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI)
    body = {
        "queries": {
            "a row": named(GLOVES, birthDate=["1970"]),
            "another": {"schema": "Company", "properties": {"name": [" "]}},
            "no person": {"schema": "Person", "properties": {"name": ["Somebody"]}},
        }
    }
    answer = await at.api.post("/yente/match/comity", json=body)
    said = answer.json()["responses"]
    assert answer.headers["x-batch-size"] == "3"
    assert {key: (each["status"], len(each["results"])) for key, each in said.items()} == {
        "a row": (200, 1),
        "another": (400, 0),
        "no person": (400, 0),
    }
    # An empty list must not read as "nothing found" where nothing was asked.
    assert said["another"]["detail"].startswith("not asked: give a name or a number")
    assert said["a row"]["warnings"] == ["1 properties are not compared: birthDate"]
    assert said["a row"]["query"] == {"id": None, "schema": "Company", "properties": {"name": [GLOVES]}}
    assert said["a row"]["comity"]["state"] == "findings shared under a like name, identity not confirmed"
    assert answer.json()["comity"]["coverage"]["complete"] is False


REFUSED: list[tuple[str, dict[str, Any], list[Any], int, str]] = [
    ("nowhere", {}, [named(GLOVES)], 404, "no such dataset"),
    ("default", {"limit": 0}, [named(GLOVES)], 400, "would look like nothing found"),
    ("default", {"limit": 501}, [named(GLOVES)], 400, "limit is 1 to 500"),
    ("default", {"algorithm": "neural-net"}, [named(GLOVES)], 400, "Invalid algorithm"),
    ("default", {}, [], 400, "No queries provided."),
    ("default", {}, [named(GLOVES)] * 101, 400, "Too many queries in one batch (limit: 100)"),
    ("default", {}, [{"schema": "Company", "properties": {}}], 400, "an empty question finds nobody"),
    ("default", {}, [named("Sdn. Bhd.")], 400, "nothing but a legal form names nobody: give the whole name"),
    ("default", {}, [named("x" * 301)], 400, "more than 300 characters"),
    ("default", {}, [named("Gloves\u202egnitrapmI")], 400, "cannot be seen"),
    ("default", {}, [{"schema": "Vessel", "properties": {"name": "Gloves"}}], 400, "Organization"),
    ("default", {"exclude_entity_ids": ["x"] * 51}, [named(GLOVES)], 400, "at most 50"),
    ("default", {"include_dataset": ["nowhere"]}, [named(GLOVES)], 400, "no such dataset to include"),
    ("default", {"exclude_dataset": ["nowhere"]}, [named(GLOVES)], 400, "no such dataset to include or exclude"),
    ("default", {"topics": ["sanction"]}, [named(GLOVES)], 400, "topics are forced.labor and debarment"),
]


async def test_what_cannot_be_answered_is_refused_in_words(at: At) -> None:
    for dataset, params, queries, status, words in REFUSED:
        answer = await at.match(*queries, dataset=dataset, **params)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


async def test_half_a_character_is_refused_wherever_it_stands(at: At) -> None:
    for query in (named(GLOVES, country="\ud800"), named(GLOVES, idNumber="\ud800"), {**named(GLOVES), "id": "\ud800"}):
        # As JSON may write it: no client's own encoder sends it.
        sent = json.dumps({"queries": {"q0": query}})
        answer = await at.api.post("/yente/match/default", content=sent, headers={"content-type": "application/json"})
        assert (answer.status_code, "halves of a surrogate pair" in answer.json()["detail"]) == (400, True)


async def test_whoever_is_excluded_uses_up_no_limit_and_joined_ids_exclude_too(at: At) -> None:
    first, second = await at.desk.say(GLOVES, "agency", LEI), await at.desk.say(GLOVES, "city-hall", CNPJ)
    numbers = [await at.desk.number(made) for made in (first, second)]
    ids = [f"supplier-{number}" for number in sorted(numbers)]
    found = await at.first(named(GLOVES), limit=1)
    assert (len(found["results"]), found["total"]["value"]) == (1, 2)
    left = await at.first(named(GLOVES), limit=1, exclude_entity_ids=[ids[0]])
    assert [each["id"] for each in left["results"]] == [ids[1]]
    own = await at.first({**named(GLOVES), "options": {"exclude_ids": ids, "limit": 1}})
    assert (own["results"], own["total"]["value"], own["comity"]["state"] != "no supplier by this name") == (
        [],
        0,
        True,
    )
    await at.desk.join(*numbers)
    (one,) = (await at.first(named(GLOVES)))["results"]
    assert (one["id"], one["referents"]) == (ids[0], [ids[1]])
    assert (await at.first(named(GLOVES), exclude_entity_ids=[ids[1]]))["results"] == []
    moved = await at.api.get(f"/yente/entities/{ids[1]}")
    assert (moved.status_code, moved.headers["location"]) == (308, ids[0])


async def test_datasets_are_members_and_topics_filter(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI, **GRAVE)
    await at.desk.say("Exemplar Glove Sdn Bhd", "city-hall", CNPJ)
    for_all = {"limit": 500}
    for params, found in (
        ({"dataset": "default"}, 2),
        ({"dataset": "agency"}, 1),
        ({"dataset": "city_hall"}, 1),
        ({"include_dataset": ["city_hall"]}, 1),
        ({"exclude_dataset": ["agency"]}, 1),
        ({"exclude_dataset": ["agency", "city_hall"]}, 0),
        ({"topics": ["forced.labor"]}, 1),
        ({"topics": ["debarment"]}, 0),
        ({"exclude_schema": ["Company"]}, 0),
        ({"cutoff": 1.0, "threshold": 1.0}, 1),
    ):
        got = await at.first(named(GLOVES), **for_all, **params)
        assert len(got["results"]) == found, params
    listed = (await at.api.get("/yente/catalog")).json()
    assert [each["name"] for each in listed["datasets"]] == ["comity", "default", "agency", "city_hall"]
    assert set(listed["current"]) >= {"default", "agency", "city_hall"}


async def test_a_search_finds_by_name_and_lists_without_one(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI, country="MY", **GRAVE)
    await at.desk.say("Northern Textile Works", "city-hall", country="BR")
    found = (await at.api.get("/yente/search/default", params={"q": "exemplar gloves"})).json()
    assert [each["caption"] for each in found["results"]] == [GLOVES]
    assert {name: [v["name"] for v in facet["values"]] for name, facet in found["facets"].items()} == {
        "countries": ["my"],
        "topics": ["forced.labor"],
        "datasets": ["agency"],
    }
    every = (await at.api.get("/yente/search/default", params={"limit": 1})).json()
    assert (len(every["results"]), every["total"]) == (1, {"value": 2, "relation": "gte"})
    second = (await at.api.get("/yente/search/default", params={"limit": 1, "offset": 1})).json()
    assert (second["total"], second["results"] != every["results"]) == ({"value": 2, "relation": "eq"}, True)
    abroad = await at.api.get("/yente/search/default", params={"q": GLOVES, "countries": "br", "sort": "name:asc"})
    assert (abroad.json()["results"], abroad.json()["warnings"]) == ([], ["the parameter sort is not followed"])


async def test_whoever_is_not_asked_for_takes_no_place_in_a_list(at: At) -> None:
    for number in range(5):
        await at.desk.say(f"Aardvark Works {number}", "agency", country="MY")
    await at.desk.say("Zebra Works", "city-hall", country="BR")
    (only,) = (found := (await at.api.get("/yente/search/city_hall", params={"limit": 2})).json())["results"]
    assert (only["caption"], found["total"], found["warnings"]) == (
        "Zebra Works",
        {"value": 1, "relation": "eq"},
        [],
    )
    pages = [
        (await at.api.get("/yente/search/agency", params={"limit": 2, "offset": skip})).json() for skip in (0, 2, 4)
    ]
    assert [len(page["results"]) for page in pages] == [2, 2, 1]
    assert [page["total"]["relation"] for page in pages] == ["gte", "gte", "eq"]
    suggested = (await at.api.get("/reconcile/city_hall/suggest/entity")).json()["result"]
    assert [each["name"] for each in suggested] == ["Zebra Works"]
    both = (await at.api.get("/yente/search/default", params={"countries": ["br", "my"]})).json()
    assert ([each["caption"] for each in both["results"]], len(both["warnings"])) == (["Zebra Works"], 1)


async def test_an_entity_tells_findings_as_risks_and_decisions_as_sanctions(at: At) -> None:
    found = await at.desk.say(GLOVES, "agency", LEI, **GRAVE)
    await at.desk.say(GLOVES, "agency", LEI, kind="decision")
    entity = f"supplier-{await at.desk.number(found)}"
    nested = (await at.api.get(f"/yente/entities/{entity}")).json()
    (risk,), (sanction,) = nested["properties"]["risks"], nested["properties"]["sanctions"]
    assert (risk["schema"], risk["properties"]["reason"]) == ("Risk", ["FL08 reported (stated)"])
    assert (risk["properties"]["topics"], risk["properties"]["entity"]) == (["forced.labor"], [entity])
    assert (sanction["schema"], sanction["properties"]["authority"]) == ("Sanction", ["WBG"])
    # FollowTheMoney's Sanction has no topics: its entity has them.
    assert (sanction["properties"]["status"], "topics" in sanction["properties"]) == (["in force"], False)
    assert nested["properties"]["topics"] == ["forced.labor", "debarment"]
    plain = (await at.api.get(f"/yente/entities/{entity}", params={"nested": "false"})).json()
    assert set(nested["properties"]) - set(plain["properties"]) == {"risks", "sanctions"}
    for nobody in ("supplier-999", "supplier-x", "NK-7", "supplier-" + "9" * 40):
        assert (await at.api.get(f"/yente/entities/{nobody}")).status_code == 404


async def test_a_dispute_takes_the_topic_away_until_it_is_dismissed(at: At) -> None:
    made = await at.desk.say(GLOVES, "agency", LEI, **GRAVE)
    publisher, last = at.desk.publishers["agency"], at.desk.last["agency"]
    await at.desk.arrive("agency", publisher.reply(made.hash, **publisher.after(last)))
    assert await at.topics(GLOVES) == []
    dismissed = publisher.reply(
        made.hash,
        more={"outcome": "dismissed", "decided": "2026-09-20", "replaces": at.desk.last["agency"].hash},
        **publisher.after(at.desk.last["agency"]),
    )
    await at.desk.arrive("agency", dismissed)
    assert await at.topics(GLOVES) == ["forced.labor"]
    await at.desk.withdraw("agency", made)
    assert await at.topics(GLOVES) == []


async def test_what_a_labour_provider_did_is_no_topic_of_its_client(at: At) -> None:
    client = {"supplies_to": [{"names": [{"text": GLOVES}], "identifiers": [LEI]}]}
    await at.desk.say("Quick Hands Agency", "agency", CNPJ, subject="labour-provider", more=client, **GRAVE)
    found = await at.first(named("Nobody", leiCode=[LEI["id"]]))
    assert found["results"] == []
    (provider,) = (await at.first(named("Quick Hands Agency")))["results"]
    assert found["comity"]["through_labour_providers"] == [provider["id"]]
    assert provider["properties"]["topics"] == ["forced.labor"]


async def test_their_words_for_algorithms_and_weights_change_nothing_and_are_told(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI)
    body = {"queries": {"q": named(GLOVES)}, "weights": {"name_literal": 0.1}}
    asked = {"algorithm": "logic-v2", "changed_since": "2026-01-01", "fuzzy": "false"}
    answer = (await at.api.post("/yente/match/default", json=body, params=asked)).json()
    assert len(answer["responses"]["q"]["results"]) == 1
    assert [words.split(":")[0] for words in answer["warnings"]] == [
        "there is one algorithm here, comity; it was used",
        "the parameter changed_since is not followed",
        "weights and config are not applied",
    ]
    said = (await at.api.get("/yente/algorithms")).json()
    assert (said["best"], [each["name"] for each in said["algorithms"]]) == ("comity", ["comity"])
    assert (await at.api.get("/yente/healthz")).json() == {"status": "ok"}


async def test_a_number_without_scheme_is_found_under_the_list_somebody_stands_on(at: At) -> None:
    await at.desk.say(GLOVES, "agency", {"scheme": "MY-SSM", "id": "1234567A"}, country="MY")
    (found,) = (await at.first(named("Quite Other", registrationNumber=["1234567-A"], country=["my"])))["results"]
    assert (found["match"], found["identifiers"]) == (True, ["MY-SSM:1234567A"])
    # Another number of no certain scheme speaks against nobody.
    (named_so,) = (await at.first(named(GLOVES, registrationNumber=["7654321"], country=["my"])))["results"]
    assert "another" not in named_so["reason"]


@pytest.mark.parametrize(
    ("identifier", "asked", "verdict"),
    [
        (("CA_ON-ONT", "1234567"), {"registrationNumber": "123 4567", "country": "ca"}, "match"),
        (("PL-NIP", "5252344078"), {"vatCode": "PL5252344078", "country": "pl"}, "match"),
        (("EE-KMKR", "EE100594102"), {"vatCode": "EE100594102", "country": "ee"}, "match"),
        (("FR-RCS", "55210055400013"), {"idNumber": "552 100 554", "country": "fr"}, "same company, other site"),
        (("GLN", "4012345000009"), {"registrationNumber": "4012345000009"}, "match"),
        # Any register's number may fit a location's check digit: it speaks against no other location.
        (("GLN", "4012345000009"), {"taxNumber": "4012345000016", "country": "th"}, "review"),
        (("GLN", "4012345000009"), {"taxNumber": "GLN:4012345000016"}, "same company, other site"),
    ],
)
async def test_a_number_without_scheme_is_looked_for_wherever_it_may_stand_and_speaks_against_nobody(
    at: At, identifier: tuple[str, str], asked: dict[str, str], verdict: str
) -> None:
    await at.desk.say(GLOVES, "agency", dict(zip(("scheme", "id"), identifier, strict=True)))
    (found,) = (await at.first(named(GLOVES, **asked)))["results"]
    assert found["verdict"] == verdict


# --- OpenRefine


SCHEMAS = Path(__file__).parents[1] / "reconciliation_schemas"


@cache
def schema(name: str) -> Draft7Validator:
    types = {"https://reconciliation-api.github.io/specs/0.2/schemas/type.json": json.loads(read_schema("type"))}
    # The security scheme stands in the specification of another standard; its form is asserted where it is used.
    types["http://swagger.io/v2/schema.json"] = {
        "definitions": {"securityDefinitions": {"additionalProperties": {"type": "object", "required": ["type"]}}}
    }
    known = Registry().with_resources([(uri, Resource.from_contents(said, DRAFT7)) for uri, said in types.items()])
    return Draft7Validator(json.loads(read_schema(name)), registry=known)


def read_schema(name: str) -> str:
    return (SCHEMAS / f"{name}.json").read_text()


async def reconcile(at: At, queries: dict[str, Any], **params: str) -> Any:
    form = {"queries": json.dumps(queries)}
    schema("reconciliation-query-batch").validate(queries)
    answer = await at.api.post("/reconcile/default", data=form, params=params)
    assert answer.status_code == 200, answer.text
    schema("reconciliation-result-batch").validate(answer.json())
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.json()


async def test_openrefine_reconciles_cells_and_an_equal_name_alone_is_no_match(at: At) -> None:
    await at.desk.say(GLOVES, "agency", LEI, country="MY")
    row = {
        "query": "Quite Other",
        "type": "Company",
        "properties": [{"pid": "LegalEntity:leiCode", "v": LEI["id"]}, {"pid": "country", "v": {"id": "my"}}],
    }
    said = await reconcile(at, {"q0": {"query": GLOVES}, "q1": row, "q2": {"query": "Nobody At All"}})
    (by_name,), (by_number,) = said["q0"]["result"], said["q1"]["result"]
    assert (by_name["match"], by_number["match"], said["q2"]["result"]) == (False, True, [])
    assert by_number["score"] == sum(feature["value"] for feature in by_number["features"]) == 100
    assert (by_name["name"], by_name["type"]) == (GLOVES, [{"id": "Company", "name": "Companies"}])
    assert by_name["description"] == f"supplier, MY, XI-LEI:{LEI['id']}"
    assert said["q2"]["comity"]["state"] == "no supplier by this name"


async def test_a_cell_that_cannot_be_asked_says_so_and_the_others_are_answered(at: At) -> None:
    await at.desk.say(GLOVES)
    said = await reconcile(at, {"good": {"query": GLOVES}, "bad": {"query": " "}})
    assert (len(said["good"]["result"]), said["bad"]["status"], said["bad"]["result"]) == (1, 400, [])
    for form, words in (
        ({"queries": json.dumps({"bad": {"query": " "}})}, "an empty question finds nobody"),
        ({"queries": json.dumps({"q0": {"query": GLOVES, "limit": 0}})}, "a limit is 1 or more"),
        ({"queries": "[]"}, "no JSON object"),
        ({"queries": json.dumps({"\ud800": {"query": GLOVES}})}, "no JSON object"),
        ({"queries": json.dumps({f"q{n}": {"query": GLOVES} for n in range(101)})}, "1 to 100 queries"),
        ({"extend": json.dumps({"ids": ["supplier-1"], "properties": [{"id": "passport"}]})}, "a property is none of"),
        ({"else": "x"}, "give `queries` or `extend`"),
    ):
        refused = await at.api.post("/reconcile/default", data=form)
        assert (refused.status_code, words in refused.json()["detail"]) == (400, True), refused.text
    refused = await at.api.post("/reconcile/default", json={"queries": {}})
    assert (refused.status_code, "a field of a form" in refused.json()["detail"]) == (400, True)


async def test_its_manifest_hands_the_token_on_and_everything_it_names_answers(at: At) -> None:
    made = await at.desk.say(f"<b>{GLOVES}</b>", "agency", LEI, country="MY", **GRAVE)
    await at.desk.say(f"<b>{GLOVES}</b>", "agency", LEI, kind="decision", terms=[{"end": "not-stated"}])
    entity = f"supplier-{await at.desk.number(made)}"
    token = at.api.headers["authorization"].removeprefix("ApiKey ")
    # As OpenRefine asks: without a header, the token in the address of the service.
    async with httpx2.AsyncClient(transport=at.api._transport, base_url="http://node") as openrefine:
        assert (await openrefine.get("/reconcile/default")).status_code == 401
        assert (await openrefine.get("/yente/catalog", params={"api_key": token})).status_code == 401
        answer = await openrefine.get("/reconcile/default", params={"api_key": token})
        manifest = answer.json()
        schema("manifest").validate(manifest)
        assert manifest["authentication"] == {"type": "apiKey", "name": "api_key", "in": "query"}
        assert manifest["batchSize"] == 100
        found: dict[str, Any] = {}
        for what, prefix in (("entity", "<b>exemplar"), ("type", "comp"), ("property", "regi")):
            said = manifest["suggest"][what]
            answer = await openrefine.get(f"{said['service_url']}{said['service_path']}&prefix={quote(prefix)}")
            plural = {"entity": "entities", "type": "types", "property": "properties"}[what]
            schema(f"suggest-{plural}-response").validate(answer.json())
            (found[what],) = answer.json()["result"]
            flyout = said["flyout_service_url"] + said["flyout_service_path"].replace("${id}", found[what]["id"])
            shown = (await openrefine.get(flyout)).json()
            assert shown["id"] == found[what]["id"]
            assert "<b>" not in shown["html"]
        assert {what: each["id"] for what, each in found.items()} == {
            "entity": entity,
            "type": "Company",
            "property": "registrationNumber",
        }
        page = await openrefine.get(manifest["preview"]["url"].replace("{{id}}", entity))
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["content-security-policy"].endswith("http://localhost:*")
        assert f"<p>&lt;b&gt;{GLOVES}&lt;/b&gt;</p>" in page.text
        assert "no clearance" in page.text
        proposal = manifest["extend"]["propose_properties"]
        proposed = (await openrefine.get(proposal["service_url"] + proposal["service_path"])).json()
        schema("data-extension-property-proposal").validate(proposed)
        asked = {"ids": [entity, "supplier-999"], "properties": [{"id": each["id"]} for each in proposed["properties"]]}
        schema("data-extension-query").validate(asked)
        form = {"extend": json.dumps(asked)}
        extended = (await openrefine.post("/reconcile/default", data=form, params={"api_key": token})).json()
    schema("data-extension-response").validate(extended)
    assert extended["rows"]["supplier-999"] == {}
    assert extended["rows"][entity] == {
        "name": [{"str": f"<b>{GLOVES}</b>"}],
        "alias": [],
        "country": [{"str": "my"}],
        "identifiers": [{"str": f"XI-LEI:{LEI['id']}"}],
        "topics": [{"str": "forced.labor"}],
        "findings_current": [{"int": 1}],
        "findings_closed": [{"int": 0}],
        "findings_other": [{"int": 0}],
        "decisions_in_force": [{"int": 0}],
        "decisions_other": [{"int": 1}],
    }


async def test_the_trail_says_how_many_were_asked_and_never_whom(at: At, house: House) -> None:
    await at.desk.say(GLOVES)
    await at.match(named(GLOVES), named("Somebody"))
    await reconcile(at, {"q0": {"query": "Somebody"}})
    await at.api.get("/yente/search/default", params={"q": "Somebody"})
    async with house.node.database.read() as store:
        noted = [row.entry for row in await store.trail.after(0, upto=100, most=100) if "screened" in repr(row.entry)]
    assert len(noted) == 3
    assert "Somebody" not in repr(noted) and GLOVES not in repr(noted)
