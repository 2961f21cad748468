"""The main job on real input: a published register crosses a real Kafka from a SQLite node to a PostgreSQL node."""

import asyncio
import base64
import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import servers
from comity_federation.decision import Accepted, Refused, Waiting
from comity_federation.lone_record import claimed_issuer, decide_alone
from comity_federation.registry import Registry, read_registry
from comity_node.demo.stage import AGENCY, BODY, Stage, wait_for
from comity_node.mappings import mapping_text
from comity_node.remote import Remote

ROWS, TAX_IDS = 110, 105

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


class Crossing:
    """The network after the register was imported, released and received."""

    def __init__(self, stage: Stage, table: Path) -> None:
        self.stage = stage
        self.table = table
        self.reviewer = stage.add_person(AGENCY, "reviewer", "reviewer")
        self.second = stage.add_person(AGENCY, "second", "reviewer")
        self.officer = stage.add_person(BODY, "officer", "officer")
        self.imported = self.do_import()

    def do_import(self) -> Any:
        body = {
            "mapping": mapping_text("br_lista_suja"),
            "table": base64.b64encode(self.table.read_bytes()).decode(),
        }
        return self.reviewer.post("/imports", body)

    def release(self) -> None:
        self.second.post(f"/batches/{self.imported['batch']}/approve")

    def agency_log_at_the_body(self) -> dict[str, Any]:
        network = self.stage.nodes[BODY].admin.get("/network")
        return next(m for m in network["members"] if m["slug"] == AGENCY)

    def published(self) -> list[dict[str, Any]]:
        found = self.reviewer.get("/published", limit=200)
        assert found["next"] is None
        return list(found["items"])

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.table.read_text("utf-8-sig").splitlines()))

    def registry(self) -> Registry:
        node = self.stage.registry
        return read_registry(node, (node / "metadata" / "1.root.json").read_bytes(), datetime.now(UTC))


@pytest.fixture(scope="module")
def crossing(
    kafka: str, postgres_server: str, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crossing]:
    database = servers.new_database(postgres_server)
    place = tmp_path_factory.mktemp("crossing")
    try:
        with Stage(place, kafka=kafka, databases={BODY: database}) as stage:
            stage.make_registry()
            asyncio.run(stage.make_nodes())
            stage.start_nodes()
            crossed = Crossing(stage, shared_data / "br_lista_suja" / "employers_legal_entities.csv")
            crossed.release()
            wait_for(
                "everything is received",
                lambda: crossed.agency_log_at_the_body()["head"] == ROWS or None,
                within_s=120,
            )
            yield crossed
    finally:
        servers.drop_database(postgres_server, database)


def test_every_row_of_the_register_becomes_one_proposal(crossing: Crossing) -> None:
    assert crossing.imported["problems"] == []
    assert (crossing.imported["added"], crossing.imported["proposed"]) == (ROWS, ROWS)


def test_every_released_finding_is_received_once_and_in_order(crossing: Crossing) -> None:
    published = crossing.published()
    log = crossing.agency_log_at_the_body()
    assert sorted(item["seq"] for item in published) == list(range(1, ROWS + 1))
    assert {item["state"] for item in published} == {"sent"}
    assert log["records"] == {"accepted": ROWS}
    assert log["head_hash"] == next(i["statement"] for i in published if i["seq"] == ROWS)


def test_every_employer_is_found_by_its_tax_number_at_the_other_node(crossing: Crossing) -> None:
    numbers = sorted({row["documentFormatted"] for row in crossing.rows()})
    assert len(numbers) == TAX_IDS
    asked = [{"identifiers": [{"scheme": "BR-CNPJ", "id": "".join(c for c in n if c.isdigit())}]} for n in numbers]
    given = crossing.officer.post("/screenings", {"suppliers": asked})
    assert {a["verdict"] for a in given["answers"]} == {"match"}
    assert {a["state"] for a in given["answers"]} == {"findings shared"}
    assert sum(len(a["findings"]) for a in given["answers"]) == ROWS
    assert given["positions"][AGENCY] == ROWS


def test_every_employer_is_found_by_its_name_and_never_as_a_match(crossing: Crossing) -> None:
    names = sorted({row["name"] for row in crossing.rows()})
    given = crossing.officer.post("/screenings", {"suppliers": [{"name": n, "country": "BR"} for n in names]})
    assert {a["verdict"] for a in given["answers"]} == {"review"}


def test_nothing_that_stays_is_in_any_record_that_left(crossing: Crossing) -> None:
    addresses = {row["address"] for row in crossing.rows()}
    for item in crossing.published():
        raw = crossing.officer.get_bytes(f"/records/{item['statement']}")
        statement = json.loads(raw)["statement"]
        opened = b"".join(
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            for part in statement.replace("~", ".").split(".")[1:]
            if part
        ).decode("utf-8", "replace")
        assert not any(address in opened for address in addresses)
        assert "affected" not in opened


def test_importing_again_adds_nothing_twice(crossing: Crossing) -> None:
    again = crossing.do_import()
    assert (again["added"], again["changed"], again["unchanged"], again["proposed"]) == (0, 0, ROWS, 0)


def test_every_record_verifies_offline_and_none_does_after_one_changed_byte(crossing: Crossing) -> None:
    registry = crossing.registry()
    for number, item in enumerate(crossing.published()):
        raw = crossing.officer.get_bytes(f"/records/{item['statement']}")
        assert isinstance(_verify(raw, registry), Accepted)
        # Every byte of the first record, and of the others every 97th, each time another one.
        for place in range(0 if number == 0 else number % 97, len(raw), 1 if number == 0 else 97):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            assert isinstance(_verify(changed, registry), Refused | Waiting), f"byte {place} of {item['statement']}"


def test_both_nodes_check_clean(crossing: Crossing) -> None:
    for slug in (AGENCY, BODY):
        ran = crossing.stage.run_command("check", "--home", str(crossing.stage.nodes[slug].home))
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_one_finding_taken_back_is_gone_from_the_other_nodes_answer(crossing: Crossing) -> None:
    target = crossing.published()[0]
    review = crossing.reviewer.post("/withdrawals", {"statement": target["statement"], "reason": "overturned"})
    crossing.second.post(f"/reviews/{review['id']}/approve")
    wait_for("the withdrawal arrives", lambda: crossing.agency_log_at_the_body()["head"] == ROWS + 1 or None)
    released = crossing.reviewer.get(f"/reviews/{target['review']}")
    asked: Remote = crossing.officer
    answer = asked.post("/screenings", {"suppliers": [{"identifiers": released["disclosed"]["identifiers"]}]})
    standing = {f["statement"]: f["standing"] for f in answer["answers"][0]["findings"]}
    assert standing[target["statement"]] == "withdrawn"


def _verify(raw: bytes, registry: Registry) -> object:
    return decide_alone(raw, registry.by_did, claimed_issuer(raw))
