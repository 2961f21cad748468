"""The main job on real input: a published register imported at one node is found at another one.

Two real `comity serve` processes, one on SQLite and one on PostgreSQL, a real Kafka between them, a registry signed
2 of 3. The rows are the 110 real ones of the Brazilian register.
"""

import asyncio
import base64
import csv
import json
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import servers
from comity_federation.decision import Accepted
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.lone_record import claimed_issuer, decide_alone
from comity_federation.registry import Registry, read_registry
from comity_node.cli.record import verify
from comity_node.mappings import mapping_text
from comity_schemas.identifiers import Identifier
from comity_schemas.member import Role
from heard import open_sample
from node_world import Actor, House, Remote, Served, Town, comity, served, until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
ROWS = 110


@dataclass
class Network:
    """What the tests of this module look at."""

    town: Town
    agency: House
    body: House
    at: dict[str, Served]
    people: dict[str, Actor]
    rows: list[dict[str, str]]
    table: bytes
    imported: dict[str, Any] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)

    def remote(self, house: House, who: str) -> Remote:
        return Remote(self.at[house.slug].url, self.people[who].token)

    def registry(self) -> Registry:
        return read_registry(self.town.world.path, self.town.world.root, datetime.now(UTC))


@pytest_asyncio.fixture(scope="module")
async def network(
    kafka: str, postgres_server: str, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """Everything done once: imported, released by two people, sent, received, settled."""
    mark = uuid.uuid4().hex[:8]
    town = Town(tmp_path_factory.mktemp("network"), f"kafka://{kafka}")
    postgres = servers.new_database(postgres_server)
    more: dict[str, object] = {"registry_every_s": 1.0}
    agency = await town.found(f"agency-{mark}", more=more)
    body = await town.found(f"body-{mark}", Role.PROCUREMENT_BODY, database=postgres, more=more)
    await asyncio.to_thread(prepare_topics, KafkaSettings(bootstrap=kafka), [agency.slug, body.slug])
    people = {
        "first": await agency.hire("first", "reviewer"),
        "second": await agency.hire("second", "reviewer"),
        "officer": await body.hire("officer", "officer"),
    }
    table = (shared_data / "br_lista_suja" / "employers_legal_entities.csv").read_bytes()
    rows = list(csv.DictReader(table.decode("utf-8-sig").splitlines()))
    with ExitStack() as stack:
        at = {house.slug: stack.enter_context(served(house.home)) for house in (agency, body)}
        made = Network(town, agency, body, at, people, rows, table)
        await _publish_and_receive(made)
        yield made
    await town.close()
    servers.drop_database(postgres_server, postgres)


async def done(remote: Remote, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for a job; return what became of it."""

    async def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = await remote.get(f"/jobs/{job['id']}")
        return found if found["state"] == "done" else None

    return dict((await until("the job is done", ended, 120))["result"]) | {"batch": job["batch"]}


async def _publish_and_receive(network: Network) -> None:
    table = base64.b64encode(network.table).decode("ascii")
    asked = {"mapping": mapping_text("br_lista_suja"), "table": table}
    async with network.remote(network.agency, "first") as first, network.remote(network.agency, "second") as second:
        network.imported = await done(first, await first.post("/imports", asked))
        batch = network.imported["batch"]
        for each in (first, second):
            await open_sample(lambda path, each=each: each.get(f"/{path}"), batch)  # type: ignore[misc]
        assert (await done(second, await second.post(f"/batches/{batch}/approve")))["not_decided"] == 0

        async def all_sent() -> list[dict[str, Any]]:
            found = await first.all("/published")
            return found if all(item["state"] == "sent" for item in found) else []

        network.published = await until("everything is sent", all_sent, 120)
    async with network.remote(network.body, "officer") as officer:

        async def all_heard() -> bool:
            heads = {m["slug"]: m["head"] for m in (await officer.get("/network"))["members"]}
            return bool(heads[network.agency.slug] >= len(network.published))

        await until("everything is received", all_heard, 120)
        for item in network.published:
            network.records[item["statement"]] = await officer.raw(f"/records/{item['statement']}")


async def test_all_rows_were_imported_and_released_by_two_people(network: Network) -> None:
    said = {name: network.imported[name] for name in ("rows", "added", "proposed", "problems")}
    assert said == {"rows": ROWS, "added": ROWS, "proposed": ROWS, "problems": []}
    assert len(network.rows) == len(network.published) == ROWS
    assert sorted(item["seq"] for item in network.published) == list(range(1, ROWS + 1))


async def test_nothing_is_lost_and_nothing_doubled(network: Network) -> None:
    async with network.remote(network.body, "officer") as officer:
        members = {m["slug"]: m for m in (await officer.get("/network"))["members"]}
    member = members[network.agency.slug]
    assert (member["head"], member["records"], member["repeats"]) == (ROWS, {"accepted": ROWS}, 0)
    async with network.body.node.database.read() as store:
        view = await store.view.of_log(network.agency.slug)
    assert set(view) == {item["statement"] for item in network.published}


async def test_what_was_received_is_byte_for_byte_what_was_signed(network: Network) -> None:
    async with network.agency.node.database.read() as store:
        signed = {item.hash: item.record for item in await store.outbox.in_state("sent", most=1_000)}
    assert signed == network.records


async def test_every_supplier_is_found_by_tax_number_and_by_name(network: Network) -> None:
    wanted = [(Identifier.of("BR-CNPJ", row["documentFormatted"]).to_parsed(), row["name"]) for row in network.rows]
    asked = [{"identifiers": [identifier]} for identifier, _ in wanted]
    asked += [{"name": name, "country": "BR"} for _, name in wanted]
    async with network.remote(network.body, "officer") as officer:
        answers = (await officer.post("/screenings", {"suppliers": asked}))["answers"]
    for (identifier, _), answer in zip(wanted, answers[:ROWS], strict=True):
        assert (answer["verdict"], answer["state"]) == ("match", "findings shared")
        by_verdict = {"match": True, "same company, other site": False}
        assert all(
            by_verdict[hit["verdict"]] == (identifier in hit["finding"]["identifiers"]) for hit in answer["findings"]
        )
    numbers = Counter(identifier["id"] for identifier, _ in wanted)
    assert len(numbers) == 105
    for (identifier, _), answer in zip(wanted, answers[:ROWS], strict=True):
        matches = [hit for hit in answer["findings"] if hit["verdict"] == "match"]
        assert len(matches) == numbers[identifier["id"]]
    for (identifier, name), answer in zip(wanted, answers[ROWS:], strict=True):
        assert answer["verdict"] == "review", name
        assert any(identifier in hit["finding"]["identifiers"] for hit in answer["findings"]), name


async def test_what_has_expired_is_published_and_shown_as_expired(network: Network) -> None:
    asked = [{"identifiers": [Identifier.of("BR-CNPJ", r["documentFormatted"]).to_parsed()]} for r in network.rows]
    async with network.remote(network.body, "officer") as officer:
        answers = (await officer.post("/screenings", {"suppliers": asked}))["answers"]
    hits = {hit["statement"]: hit for answer in answers for hit in answer["findings"]}
    today = datetime.now(UTC).date()
    expired = {n for n, hit in hits.items() if date.fromisoformat(hit["finding"]["valid_until"]) < today}
    assert {name for name, hit in hits.items() if hit["standing"] == "expired"} == expired
    assert len(hits) == ROWS and expired


async def test_no_address_no_count_and_no_free_text_has_left(network: Network) -> None:
    hidden = {"site_address", "affected", "women_share", "clause", "commitment", "auditor", "sample"}
    for row, raw in ((row, raw) for row in network.rows[:20] for raw in network.records.values()):
        assert row["address"].encode() not in raw
    for raw in network.records.values():
        decision = _alone(raw, network.registry())
        assert isinstance(decision, Accepted) and decision.body is not None
        assert hidden.isdisjoint(decision.body.to_parsed())
        assert decision.missing == ()


async def test_importing_again_adds_nothing(network: Network) -> None:
    table = base64.b64encode(network.table).decode("ascii")
    async with network.remote(network.agency, "first") as first:
        body = {"mapping": mapping_text("br_lista_suja"), "table": table}
        again = await done(first, await first.post("/imports", body))
        assert (again["added"], again["changed"], again["proposed"], again["unchanged"]) == (0, 0, 0, ROWS)
        assert len(await first.all("/published")) == ROWS


async def test_check_is_clean_on_both_nodes_while_they_run(network: Network) -> None:
    for house in (network.agency, network.body):
        done = await asyncio.to_thread(comity, "check", "--home", str(house.home))
        assert (done.returncode, done.stdout.startswith("clean")) == (0, True), done.stdout + done.stderr


async def test_both_nodes_are_ready_and_have_heard_everybody(network: Network) -> None:
    for house in (network.agency, network.body):
        async with Remote(network.at[house.slug].url, house.admin.token) as admin:

            async def complete(asking: Remote = admin) -> bool:
                return bool((await asking.get("/network"))["coverage"]["complete"])

            await until(f"{house.slug} has heard everybody", complete)
            ready = await admin._client.get(f"{network.at[house.slug].url}/readyz")
            assert ready.status_code == 200, ready.text


def _alone(raw: bytes, registry: Registry) -> Any:
    return decide_alone(raw, registry.by_did, claimed_issuer(raw))


async def test_verify_accepts_every_record(
    network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(network.town.world.root)
    for name, raw in network.records.items():
        file = tmp_path / f"{name}.json"
        file.write_bytes(raw)
        verify(file, network.town.world.path, root, None, as_json=True)
        said = json.loads(capsys.readouterr().out)
        assert (said["genuine"], said["by"], said["statement"]) == (True, network.agency.slug, name)
    last = await asyncio.to_thread(
        comity, "verify", str(file), "--registry", str(network.town.world.path), "--root", str(root)
    )
    assert (last.returncode, last.stdout.startswith("GENUINE")) == (0, True), last.stdout + last.stderr


async def test_verify_refuses_a_record_after_any_changed_byte(network: Network, tmp_path: Path) -> None:
    registry, chosen = network.registry(), random.Random(7)
    whole, *others = network.records.values()
    tried = 0
    for position in range(len(whole)):
        _refuse_changed(whole, position, chosen, registry)
        tried += 1
    for raw in others:
        for position in chosen.sample(range(len(raw)), 40):
            _refuse_changed(raw, position, chosen, registry)
            tried += 1
    assert tried > 5_000
    file = tmp_path / "changed.json"
    file.write_bytes(_changed(whole, len(whole) // 2, 1))
    done = await asyncio.to_thread(comity, "verify", str(file), "--registry", str(network.town.world.path))
    assert (done.returncode, "NOT GENUINE: step" in done.stdout) == (1, True), done.stdout


def _refuse_changed(raw: bytes, position: int, chosen: random.Random, registry: Registry) -> None:
    changed = _changed(raw, position, chosen.randrange(1, 256))
    assert not isinstance(_alone(changed, registry), Accepted), f"byte {position} of {raw[:60]!r}"


def _changed(raw: bytes, position: int, by: int) -> bytes:
    return raw[:position] + bytes([raw[position] ^ by]) + raw[position + 1 :]
