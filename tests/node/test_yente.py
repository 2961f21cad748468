"""yente's clients at a node: their shapes, what they may conclude from them, and what they are told that is ours."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, HANDLING, Publisher
from comity_node.domain.conventions.asking import ExampleRefused, read_example
from comity_node.domain.conventions.entities import Profile, topics
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.people import PersonRole
from comity_node.domain.screening import DecisionHit, Hit
from comity_node.domain.supplier_view import DecisionEntry, Entry, EntryState, decision_standing, standing
from comity_node.vocabulary import countries
from comity_node.wiring import Node
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.member import MemberStatus
from comity_schemas.subject import SubjectType
from node_world import NOW, House, Town, new_sqlite
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
    ("default", {}, [named("x" * 301)], 400, "more than 300 characters"),
    ("default", {}, [named("Gloves\u202egnitrapmI")], 400, "cannot be seen"),
    ("default", {}, [{"schema": "Vessel", "properties": {"name": "Gloves"}}], 400, "Organization"),
    ("default", {"exclude_entity_ids": ["x"] * 51}, [named(GLOVES)], 400, "at most 50"),
]


async def test_what_cannot_be_answered_is_refused_in_words(at: At) -> None:
    for dataset, params, queries, status, words in REFUSED:
        answer = await at.match(*queries, dataset=dataset, **params)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


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


async def test_an_entity_tells_findings_as_risks_and_decisions_as_sanctions(at: At) -> None:
    found = await at.desk.say(GLOVES, "agency", LEI, **GRAVE)
    await at.desk.say(GLOVES, "agency", LEI, kind="decision")
    entity = f"supplier-{await at.desk.number(found)}"
    nested = (await at.api.get(f"/yente/entities/{entity}")).json()
    (risk,), (sanction,) = nested["properties"]["risks"], nested["properties"]["sanctions"]
    assert (risk["schema"], risk["properties"]["reason"]) == ("Risk", ["FL08 reported (stated)"])
    assert (risk["properties"]["topics"], risk["properties"]["entity"]) == (["forced.labor"], [entity])
    assert (sanction["schema"], sanction["properties"]["authority"]) == ("Sanction", ["WBG"])
    assert sanction["properties"]["topics"] == ["debarment"]
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


# --- reading whom they ask about


def read(**properties: Any) -> Any:
    return read_example("Company", properties, countries().read)


@pytest.mark.parametrize(
    ("properties", "identifiers", "unplaced"),
    [
        ({"leiCode": LEI["id"]}, ["XI-LEI"], 0),
        ({"registrationNumber": "BR-CNPJ:00.000.000/0001-91"}, ["BR-CNPJ"], 0),
        ({"taxNumber": "00.000.000/0001-91", "country": "br"}, ["BR-CNPJ"], 0),
        ({"taxNumber": "00.000.000/0001-91", "country": "Brazil"}, ["BR-CNPJ"], 0),
        ({"registrationNumber": "1234567", "country": "my"}, [], 1),
        ({"registrationNumber": "1234567"}, [], 0),
        ({"registrationNumber": "00.000.000/0001-92", "country": "br"}, [], 1),
        ({"leiCode": "ZZZZ00EXEMPLARGL0171"}, [], 0),
    ],
)
def test_a_number_counts_under_a_scheme_that_is_certain(
    properties: dict[str, Any], identifiers: list[str], unplaced: int
) -> None:
    example = read(name="Somebody", **properties)
    assert ([i.scheme for i in example.question.identifiers], len(example.unplaced)) == (identifiers, unplaced)
    assert bool(example.warnings) == (not identifiers and not unplaced)


async def test_a_number_without_scheme_is_found_under_the_list_somebody_stands_on(at: At) -> None:
    await at.desk.say(GLOVES, "agency", {"scheme": "MY-SSM", "id": "1234567A"}, country="MY")
    (found,) = (await at.first(named("Quite Other", registrationNumber=["1234567-A"], country=["my"])))["results"]
    assert (found["match"], found["identifiers"]) == (True, ["MY-SSM:1234567A"])
    # Another number of no certain scheme speaks against nobody.
    (named_so,) = (await at.first(named(GLOVES, registrationNumber=["7654321"], country=["my"])))["results"]
    assert "another" not in named_so["reason"]


def test_no_value_of_a_property_that_is_not_compared_is_repeated() -> None:
    example = read(name="Somebody", passportNumber="SECRET", **{"a name with spaces": "SECRET"})
    assert example.warnings == ("2 properties are not compared: passportNumber",)
    with pytest.raises(ExampleRefused) as refused:
        read(name=["SECRET", {"a": ["list"]}, ["x"]])
    assert "SECRET" not in str(refused.value)


# --- topics


TERMS = Handling.from_parsed(HANDLING)


def profile(findings: tuple[Hit, ...] = (), decisions: tuple[DecisionHit, ...] = ()) -> Profile:
    return Profile(1, (), SubjectType.SUPPLIER, (GLOVES,), ("MY",), (), findings, decisions)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["forced.labor"]),
        ({"severity": "S4"}, ["forced.labor"]),
        ({"severity": "S2"}, []),
        ({"status": "alleged"}, []),
        ({"status": "under-engagement"}, []),
        ({"status": "plan-agreed"}, []),  # no admission
        ({"status": "closed-claimed"}, []),
        ({"status": "overturned"}, []),
        ({"valid_until": "2026-04-30"}, []),
        ({"indicators": [{"indicator": "HS01", "basis": "stated"}]}, []),
        ({"subject": "site"}, ["forced.labor"]),
    ],
)
def test_forced_labor_is_said_of_nothing_less(changes: dict[str, Any], expected: list[str]) -> None:
    finding = Finding.from_parsed({**FINDING_IN_CLEAR, **GRAVE, **changes})
    entry = Entry("H" * 43, "agency", 1, TERMS, finding, EntryState.CURRENT)
    hit = Hit(entry, standing(entry, NOW.date()), Likeness(Verdict.MATCH))
    assert list(topics(profile(findings=(hit,)), NOW.date())) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["debarment"]),
        ({"terms": [{"end": "permanent"}]}, ["debarment"]),
        ({"terms": [{"end": "not-stated"}]}, []),
        ({"terms": [{"start": "2020-01-01", "end": "date", "until": "2021-01-01"}]}, []),
        ({"lifted": "rescinded"}, []),
        ({"measure": "suspension"}, []),
        ({"grounds": ["forced-labour"]}, ["debarment"]),  # a ground is no indicator of forced labour
    ],
)
def test_debarment_is_an_exclusion_in_force_and_no_finding(changes: dict[str, Any], expected: list[str]) -> None:
    decision = Decision.from_parsed({**DECISION_IN_CLEAR, **changes})
    entry = DecisionEntry("H" * 43, "agency", 1, TERMS, decision, EntryState.CURRENT)
    hit = DecisionHit(entry, decision_standing(entry, NOW.date()), Likeness(Verdict.MATCH))
    assert list(topics(profile(decisions=(hit,)), NOW.date())) == expected
