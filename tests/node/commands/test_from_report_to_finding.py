"""The `comity` commands as people run them, from a signed report to its release: what they print, how they end."""

import json
import re
from pathlib import Path

import pytest

from comity_federation import strict_json
from comity_federation.encoding import b64encode
from comity_federation.keys import new_signing_pair, write_key_pair
from comity_federation.signed_reports import report_id
from command_network import PARTY, Network
from node_world import audit_report, comity

DASH, TWO_DASHES = b64encode(b"\xf8" + bytes(31)), b64encode(b"\xfb\xe0" + bytes(30))
"""Hashes that nothing has, beginning with `-` and `--`."""


# Reports


def test_a_key_that_others_can_read_is_refused_and_nothing_is_signed(tmp_path: Path) -> None:
    key = tmp_path / "auditor.jwk"
    write_key_pair(key, new_signing_pair("did:web:firm.example#a"))
    key.chmod(0o644)
    report = tmp_path / "audit.json"
    report.write_bytes(strict_json.dumps(audit_report(party=PARTY).to_parsed()))
    ran = comity("report", "sign", str(report), "--key", str(key))
    assert ran.returncode == 1
    assert "[key.exposed]" in ran.stderr
    assert not (tmp_path / "audit.signed.json").exists()


def test_a_file_that_is_no_report_is_not_signed_and_the_text_says_where_it_does_not_fit(
    network: Network, tmp_path: Path
) -> None:
    report = tmp_path / "audit.json"
    report.write_bytes(strict_json.dumps({**audit_report().to_parsed(), "finished": "yesterday"}))
    ran = comity("report", "sign", str(report), "--key", str(network.place / "auditor.jwk"))
    assert ran.returncode == 1
    assert "finished" in ran.stderr
    assert "[report.unreadable]" in ran.stderr


def test_a_report_is_signed_offline_beside_itself_and_never_over_another_file(network: Network, submitted: str) -> None:
    assert "Signed 1 observations as did:web:firm.example#auditor-1" in network.steps["sign"].stdout
    signed = network.place / "audit.signed.json"
    before = signed.read_bytes()
    key = str(network.place / "auditor.jwk")
    again = comity("report", "sign", str(network.place / "audit.json"), "--key", key)
    assert again.returncode == 1
    assert "[file]" in again.stderr
    assert signed.read_bytes() == before


def test_a_submitted_report_is_receipted_by_the_hash_of_its_bytes_and_again_only_as_here_already(
    network: Network, submitted: str
) -> None:
    assert f"{submitted}: received whole, the signature is good" in network.steps["submit"].stdout
    again = network.do("greta", "report", "submit", str(network.place / "audit.signed.json"))
    assert f"{submitted}: was here already" in again.stdout


def test_a_changed_report_is_refused_with_its_code(network: Network, submitted: str, tmp_path: Path) -> None:
    changed = tmp_path / "changed.json"
    raw = (network.place / "audit.signed.json").read_bytes()
    # In the middle of the last signed section.
    changed.write_bytes(raw[:-40] + (b"B" if raw[-40:-39] == b"A" else b"A") + raw[-39:])
    ran = network.do("greta", "report", "submit", str(changed), code=1)
    assert re.search(r"\(report\.\S+\) \[remote.refused\]", ran.stderr)


def test_report_list_and_drafts_show_what_would_leave_beside_what_stays(network: Network, submitted: str) -> None:
    listed = network.do("greta", "report", "list").stdout
    assert re.search(rf"^{re.escape(submitted)}  \S+  firm$", listed, re.M)
    drafts = network.do("ana", "report", "drafts", submitted).stdout
    leaves, _, fates = drafts.partition("every field of the report:")
    assert "Fazenda Exemplo Ltda" in leaves
    assert "Canary" not in leaves
    assert re.search(r"stays +observations\.0\.testimony", fates)
    assert "Canary" not in drafts
    found = json.loads(network.do("ana", "report", "drafts", submitted, "--json").stdout)
    assert found["drafts"][0]["observation"] == "O1"


def test_report_show_says_what_became_of_each_observation(network: Network, submitted: str, published: str) -> None:
    shown = network.do("greta", "report", "show", submitted).stdout
    assert shown == f"O1: published, statement 1 ({published})\n"


def test_a_report_whose_hash_begins_with_a_dash_can_be_named_in_every_command(network: Network, tmp_path: Path) -> None:
    number = 0
    while not report_id(raw := network.town.signed(audit_report(ref=f"dash-{number}"))).startswith("-"):
        number += 1
    file = tmp_path / "dash.json"
    file.write_bytes(raw)
    name = report_id(raw)
    assert name in network.do("greta", "report", "submit", str(file)).stdout
    assert "O1: not proposed" in network.do("greta", "report", "show", name).stdout
    assert "O1 would leave" in network.do("ana", "report", "drafts", name).stdout
    proposed = network.do("ana", "review", "propose", name, "O1").stdout
    review = re.search(r"Proposed as (\S+)\.", proposed)
    assert review
    assert "Nothing was published" in network.do("bakari", "review", "reject", review[1]).stdout


@pytest.mark.parametrize("name", [DASH, TWO_DASHES])
def test_an_unknown_hash_that_begins_with_dashes_is_looked_for_and_not_taken_for_an_option(
    network: Network, name: str, tmp_path: Path
) -> None:
    ran = network.do("sanna", "record", "export", name, "--out", str(tmp_path), code=1)
    assert "(not-found)" in ran.stderr
    ran = network.do("ana", "review", "withdraw", name, "--reason", "factual-error", code=1)
    assert "(review.not-published)" in ran.stderr


# Review


def test_two_people_release_and_the_proposer_alone_cannot(network: Network, submitted: str, published: str) -> None:
    assert "Proposed as" in network.steps["propose"].stdout
    assert f"{submitted} O1" in network.steps["listed"].stdout
    assert "the retaliation check is to be made" in network.steps["listed"].stdout
    assert "(review.not-yet)" in network.steps["too early"].stderr
    assert "the supplier is to be notified" in network.steps["check"].stdout
    assert "reply window ended" in network.steps["notify"].stdout
    assert "reply window 0 s instead of 30 days" in network.local("status").stdout
    assert "(review.same-person)" in network.steps["alone"].stderr
    assert "release approved" in network.steps["approve"].stdout
    listed = network.do("ana", "review", "published").stdout
    assert re.search(rf"^ +1  sent +release +finding +{re.escape(published)}$", listed, re.M)


def test_a_role_that_may_not_propose_is_refused_with_its_code(network: Network, submitted: str) -> None:
    assert "(not-allowed)" in network.do("sanna", "review", "propose", submitted, "O1", code=1).stderr


def test_a_withdrawal_is_proposed_and_stands_for_nothing_until_a_second_person_approves(
    network: Network, published: str
) -> None:
    ran = network.do("ana", "review", "withdraw", published, "--reason", "factual-error")
    review = re.search(r"Proposed as (\S+)\.", ran.stdout)
    assert review
    shown = json.loads(network.do("bakari", "review", "show", review[1]).stdout)
    assert (shown["act"], shown["state"], shown["target"]) == ("withdraw", "proposed", published)
    assert "(review.same-person)" in network.do("ana", "review", "approve", review[1], code=1).stderr
    network.do("bakari", "review", "reject", review[1])
    assert network.ask("ana", "/published")["items"][0]["act"] == "release", "nothing was taken back"
