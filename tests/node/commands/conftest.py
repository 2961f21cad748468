"""One served node for all tests of its commands, and how far a report has come there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity_federation import strict_json
from comity_federation.signed_reports import report_id
from command_network import PARTY, Network, set_up, wait_until
from node_world import audit_report, comity, served


@pytest.fixture(scope="package")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    place = tmp_path_factory.mktemp("commands")
    town, home, tokens = asyncio.run(set_up(place))
    with served(home) as node:
        yield Network(town, home, node.url, tokens, place)


@pytest.fixture(scope="package")
def submitted(network: Network) -> str:
    """The id of a report that was signed and submitted by command."""
    report = network.place / "audit.json"
    report.write_bytes(strict_json.dumps(audit_report(party=PARTY).to_parsed()))
    key = str(network.place / "auditor.jwk")
    network.steps["sign"] = comity("report", "sign", str(report), "--key", key)
    signed = network.place / "audit.signed.json"
    network.steps["submit"] = network.do("greta", "report", "submit", str(signed))
    return report_id(signed.read_bytes())


@pytest.fixture(scope="package")
def published(network: Network, submitted: str) -> str:
    """The hash of a statement that two people released by command, and that the node has received itself."""
    network.steps["propose"] = network.do("ana", "review", "propose", submitted, "O1")
    review = network.ask("ana", "/reviews", state="proposed")["items"][0]["id"]
    network.steps["listed"] = network.do("bakari", "review", "list")
    network.steps["too early"] = network.do("bakari", "review", "approve", review, code=1)
    told = ("--blamed", "nobody", "--outcome", "notify")
    network.steps["check"] = network.do("bakari", "review", "check", *told, review)
    network.steps["notify"] = network.do("ana", "review", "notify", review)
    network.steps["alone"] = network.do("ana", "review", "approve", review, code=1)
    network.steps["approve"] = network.do("bakari", "review", "approve", review)

    def sent() -> str | None:
        items = network.ask("ana", "/published")["items"]
        return items[0]["statement"] if items and items[0]["state"] == "sent" else None

    statement = str(wait_until("it is sent", sent))

    def accepted() -> bool:
        members = network.ask("admin", "/network")["members"]
        return next(m for m in members if m["slug"] == "agency")["head"] == 1

    wait_until("it is received", accepted)
    return statement


@pytest.fixture(scope="package")
def record(network: Network, published: str) -> Path:
    """The file of that statement's record, exported by command."""
    out = network.place / "records"
    network.steps["export"] = network.do("sanna", "record", "export", published, "--out", str(out))
    return out / f"{published}.record.json"
