"""The node's numbers: closed by default, no person and no content in them, and right."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from builders import Publisher
from comity_node.api.metrics import render
from comity_node.db.backlog import Backlog
from comity_node.db.conditions import Condition
from comity_node.db.logs import LogStatus
from comity_node.services.operating import room
from comity_node.services.operating.status import RUNS, Measures, weigh
from comity_node.wiring.settings import SettingsRefused
from node_world import NOW, House, Town, registry_of

TOKEN = "a-token-of-the-monitoring-system"
AGENCY, FIRM = Publisher("agency").member(), Publisher("firm").member()
Numbers = dict[tuple[str, ...], float]


def read(text: str) -> Numbers:
    """The samples by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def with_token(house: House, token: str = TOKEN) -> Path:
    file = house.home / "metrics-token"
    file.write_text(token + "\n")
    house.node.settings = house.node.settings.model_copy(update={"metrics_token_file": file})
    return file


async def test_without_the_setting_nobody_reads_them_not_even_an_administrator(town: Town) -> None:
    house = await town.found("agency")
    for who in (None, house.admin):
        async with house.api(who) as api:
            answer = await api.get("/metrics")
            assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
            assert "metrics_token_file" in answer.json()["detail"]


async def test_only_the_token_of_the_file_opens_them_and_it_can_be_replaced_while_the_node_runs(town: Town) -> None:
    house = await town.found("agency")
    file = with_token(house)
    async with house.api() as api:
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Bearer {house.admin.token}", f"Basic {TOKEN}"):
            assert (await api.get("/metrics", headers={"Authorization": wrong})).status_code == 401
        given = {"Authorization": f"Bearer {TOKEN}"}
        answer = await api.get("/metrics", headers=given)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        file.write_text("another-token-of-the-same-length")
        assert (await api.get("/metrics", headers=given)).status_code == 401


async def test_a_token_too_short_to_be_one_is_refused(town: Town) -> None:
    house = await town.found("agency")
    with_token(house, "secret")
    with pytest.raises(SettingsRefused, match="at least 20"):
        house.node.settings.metrics_token()


async def test_a_node_tells_its_numbers_and_nobodys_name(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    with_token(house)
    await house.hire("Canary-person", "reviewer")
    async with house.node.database.write() as store:
        await store.received.add("agency", b"Canary-record", None, house.node.clock(), None)
        await store.conditions.set("relay", "Canary-text", house.node.clock())
    async with house.api(None, Authorization=f"Bearer {TOKEN}") as api:
        text = (await api.get("/metrics")).text
    assert "Canary" not in text and TOKEN not in text and house.admin.token not in text
    numbers = read(text)
    assert numbers[("comity_inbox_waiting",)] == 1
    assert numbers[("comity_registry_version",)] == house.node.trusted_registry().version
    assert numbers[("comity_registry_expires_seconds",)] > 3600
    assert ("comity_condition_seconds", "relay") in numbers
    assert ("comity_log_heard_seconds", "agency") not in numbers
    assert {name[1]: value for name, value in numbers.items() if name[0] == "comity_runs"} == dict.fromkeys(RUNS, 0)


async def test_a_full_disk_needs_the_administrator_here_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    house = await town.found("agency")
    await town.refresh()
    with_token(house)
    needs_you = []
    async with house.api(None, Authorization=f"Bearer {TOKEN}") as api:
        for least_free in (0, 2**60):
            monkeypatch.setattr(room, "LEAST_FREE_BYTES", least_free)
            needs_you.append(read((await api.get("/metrics")).text)[("comity_needs_you",)])
    assert needs_you[1] == needs_you[0] + 1


def test_each_number_says_what_it_is_named_after() -> None:
    measures = Measures(
        conditions=[Condition("bus", NOW - timedelta(seconds=90), "away")],
        outgoing=Backlog(4, NOW - timedelta(seconds=600)),
        undecided=Backlog(0, None),
        logs={
            "agency": LogStatus("agency", head=7, announced_seq=9, heard_at=NOW - timedelta(seconds=30)),
            "firm": LogStatus("firm", head=2, frozen_from=3, announced_seq=8),
        },
        records={"agency": {"waiting": 2, "accepted": 7}},
        refused={("agency", 5): 3, ("firm", 9): 1},
    )
    registry = registry_of(AGENCY, FIRM, version=6, expires=NOW - timedelta(hours=1))
    running = {"api": True, "receiver": True, "relay": False}
    numbers = read(render(weigh(measures, registry, running, "agency", NOW)).decode())
    expected: Numbers = {
        ("comity_runs", "api"): 1,
        ("comity_runs", "relay"): 0,
        ("comity_condition_seconds", "bus"): 90,
        ("comity_outbox_waiting",): 4,
        ("comity_outbox_oldest_seconds",): 600,
        ("comity_inbox_waiting",): 0,
        ("comity_inbox_oldest_seconds",): 0,
        ("comity_quarantine_records", "agency", "5"): 3,
        ("comity_quarantine_records", "firm", "9"): 1,
        ("comity_registry_version",): 6,
        ("comity_registry_expires_seconds",): -3600,
        ("comity_log_head", "agency"): 7,
        ("comity_log_missing", "agency"): 2,
        ("comity_log_missing", "firm"): 0,
        ("comity_log_waiting", "agency"): 2,
        ("comity_log_frozen", "agency"): 0,
        ("comity_log_frozen", "firm"): 1,
        ("comity_log_heard_seconds", "agency"): 30,
    }
    assert {name: numbers.get(name) for name in expected} == expected
    # The bus, the relay that does not run, the expired registry, the fork.
    assert numbers[("comity_needs_you",)] == 4
