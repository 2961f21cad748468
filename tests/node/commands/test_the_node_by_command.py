"""The `comity` commands as people run them: registers, the network, its trail, quarantine, accounts."""

import asyncio
import contextlib
import csv
import json
import re
import sqlite3
from pathlib import Path

import pytest

from comity_federation.bus import statements_topic
from comity_node.remote import NodeRefused
from command_network import Network, losing_the_first_answer, wait_until
from node_world import comity

# A public register

COLUMNS = ("documentFormatted", "name", "year", "state", "address", "workersAffected", "cnae", "inclusionDate")
REST = ("4120-4/00", "06/10/2025")
ROWS = (
    ("11.222.333/0001-81", "CERAMICA EXEMPLO LTDA", "2024", "PE", "RUA UM, 5, IPOJUCA/PE", "7", *REST),
    ("529.982.247-25", "ZULMIRA PLANTADA", "2024", "PE", "SITIO ZQX, IPOJUCA/PE", "2", *REST),
    ("45.723.174/0001-10", "MADEIRAS EXEMPLO LTDA", "2023", "PA", "RUA DOIS, 9, BELÉM/PA", "3", *REST),
)


def test_import_proposes_the_firms_lists_the_person_without_a_name_and_two_people_release_all(
    network: Network, published: str, tmp_path: Path
) -> None:
    table = tmp_path / "register.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *ROWS])
    ran = network.do("ana", "import", str(table), "--mapping", "br_lista_suja")
    assert re.fullmatch(r"line 3: .*\n", ran.stderr), ran.stderr
    assert "3 rows: 2 added, 0 changed, 0 already here, 1 left out; 2 findings proposed." in ran.stdout
    again = network.do("ana", "import", str(table), "--mapping", "br_lista_suja", "--json")
    done = json.loads(again.stdout)
    assert (done["added"], done["unchanged"], done["proposed"]) == (0, 2, 0)
    assert [problem["line"] for problem in done["problems"]] == [3]
    batch = re.search(r"approve-batch (\S+)", ran.stdout)
    assert batch
    assert "(review.same-person)" in network.do("ana", "review", "approve-batch", batch[1], code=1).stderr
    assert "(batch.sample-not-opened)" in network.do("bakari", "review", "approve-batch", batch[1], code=1).stderr
    assert "Your sample: 2, of which you have opened 0." in network.do("ana", "review", "batch", batch[1]).stdout
    network.do("ana", "review", "batch", batch[1], "--open")
    opened = network.do("bakari", "review", "batch", batch[1], "--open").stdout
    assert opened.startswith("2 S3\n2 proposed\n") and opened.count('"withheld"') == 2
    assert "opened 2." in network.do("bakari", "review", "batch", batch[1]).stdout
    assert "Released 2 statements" in network.do("bakari", "review", "approve-batch", batch[1]).stdout
    assert re.search(r"release of batch \S+, done, 2 of 2", network.do("ana", "job", "list").stdout)
    listed = network.do("ana", "report", "list").stdout
    assert listed.count("public register") == 2
    for said in (ran, again):
        for planted in ("ZULMIRA", "PLANTADA", "529.982", "52998224725", "ZQX"):
            assert planted not in said.stdout + said.stderr
    with contextlib.closing(sqlite3.connect(network.home / "node.db")) as disk:
        assert not [line for line in disk.iterdump() if "ZULMIRA" in line or "52998224725" in line]


def test_import_with_a_mapping_that_is_not_there_says_so(network: Network, tmp_path: Path) -> None:
    table = tmp_path / "register.csv"
    table.write_text(",".join(COLUMNS))
    ran = network.do("ana", "import", str(table), "--mapping", "br_no_such", code=1)
    assert "br_no_such" in ran.stderr


# The network


def test_network_shows_members_and_trail(network: Network, published: str) -> None:
    shown = network.do("admin", "network", "show").stdout
    assert re.search(r"^agency  agency, active, heard \d{4}-", shown, re.M)
    assert re.search(r"^firm  audit-firm, active, not heard yet", shown, re.M)
    assert re.search(r"last statement \d+:\S{43}  \(\d+ accepted, 0 repeats\)", shown)
    assert "registry version" in shown
    assert "incomplete: 1 of 2 members not heard yet" in shown
    found = json.loads(network.do("admin", "network", "show", "--json").stdout)
    assert {member["slug"] for member in found["members"]} == {"agency", "firm"}
    trail = network.do("admin", "network", "trail").stdout
    assert f"statement.signed  {published}" in trail
    assert "review.approved" in trail
    assert "Canary" not in trail
    assert "Fazenda" not in trail
    assert "(not-allowed)" in network.do("sanna", "network", "trail", code=1).stderr


def test_an_export_of_the_trail_is_checked_by_anybody_and_a_changed_one_does_not_hold(
    network: Network, submitted: str, published: str, tmp_path: Path
) -> None:
    out, registry = tmp_path / "trail.jsonl", ("--registry", str(network.town.world.path), "--root", network.root)
    told = network.do("admin", "trail", "export", "--out", str(out), "--about", submitted).stdout
    assert re.search(r"trail\.jsonl: \d+ entries of \d+ to \d+, export \d+", told)
    ran = comity("trail", "verify", str(out), *registry)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "nobody took anything out of this file or put anything in" in ran.stdout
    shown = [json.loads(line) for line in out.read_text().splitlines() if '"subject"' in line]
    assert {"report.received", "review.proposed", "trail.exported"} <= {entry["event"] for entry in shown}
    assert published not in out.read_text(), "the statement is no part of what was asked for"
    # The node has received its own checkpoints too.
    kept = tmp_path / "witness.jsonl"
    network.do("bakari", "trail", "witness", "agency", "--out", str(kept))
    said = json.loads(comity("trail", "verify", str(out), *registry, "--witness", str(kept), "--json").stdout)
    assert (said["holds"], said["fixed"], said["witnessed"] + said["witnesses_outside"]) == (True, True, 1)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:-3] + lines[-2:]))
    ran = comity("trail", "verify", str(out), *registry)
    assert ran.returncode == 1 and ran.stdout.startswith("DOES NOT HOLD:\n  line "), ran.stdout


def test_quarantine_says_why_and_what_next_and_lets_a_record_be_decided_anew(network: Network) -> None:
    assert network.do("admin", "quarantine", "list", "--member", "firm").stdout == (
        "Nothing of this kind is in quarantine.\n"
    )

    async def write_junk() -> None:
        log = network.town.log()
        await log.publish(statements_topic("firm"), b"Canary-junk", {})
        await log.stop()

    asyncio.run(write_junk())
    (item,) = wait_until("it is refused", lambda: network.ask("admin", "/quarantine", member="firm")["items"])
    number = str(item["id"])
    listed = network.do("admin", "quarantine", "list", "--member", "firm", "--step", "2").stdout
    assert re.search(rf"^{number}  .* log of firm, 11 bytes\n    step 2 \(\S+\): Its bytes are no record", listed)
    assert listed.endswith(f"Next: comity quarantine show {number}\n")
    for none in (("--member", "agency"), ("--step", "5"), ("--code", "fork")):
        assert "Nothing of this kind" in network.do("admin", "quarantine", "list", *none).stdout
    shown = network.do("admin", "quarantine", "show", number).stdout
    assert "refused    at step 2" in shown and "means      Somebody on the way" in shown
    assert "do         Nothing, unless" in shown and "Canary" not in shown
    raw = network.place / "refused.bin"
    assert str(raw) in network.do("admin", "quarantine", "show", number, "--raw-to", str(raw)).stdout
    assert raw.read_bytes() == b"Canary-junk"
    assert network.do("admin", "quarantine", "show", number, "--raw-to", str(raw), code=1)  # never overwritten
    again = network.do("admin", "quarantine", "retry", number).stdout
    assert "decided anew" in again

    def refused_again() -> bool:
        items = network.ask("admin", "/quarantine", member="firm")["items"]
        return [i["id"] for i in items] == [item["id"]]

    wait_until("the same is found again", refused_again)
    trail = network.do("admin", "network", "trail").stdout
    assert f"record.retried  record {number}" in trail
    assert "(not-found)" in network.do("admin", "quarantine", "show", "99999", code=1).stderr
    for words in (("list",), ("show", number), ("retry", number)):
        assert "(not-allowed)" in network.do("ana", "quarantine", *words, code=1).stderr


# Accounts and errors


def test_a_command_whose_answer_is_lost_asks_again_and_is_done_once(network: Network) -> None:
    with losing_the_first_answer(network.url) as between:
        added = comity(
            *("person", "add", "ole", "--role", "officer"),
            COMITY_URL=between,
            COMITY_TOKEN=network.tokens["admin"],
            COMITY_NEW_PASSWORD="long enough words",
        )
    assert added.returncode == 0, added.stderr
    assert [p["name"] for p in network.ask("admin", "/people")].count("ole") == 1


def test_a_person_is_added_signs_in_and_a_revoked_token_is_refused_at_once(network: Network) -> None:
    added = network.do("admin", "person", "add", "nils", "--role", "officer", COMITY_NEW_PASSWORD="long enough words")
    assert added.stdout.startswith("Added nils (")
    assert re.search(r"  nils  officer$", network.do("admin", "person", "list").stdout, re.M)
    signed_in = comity("token", "new", "nils", COMITY_URL=network.url, COMITY_PASSWORD="long enough words")
    assert signed_in.returncode == 0, signed_in.stderr
    network.tokens["nils"] = signed_in.stdout.strip()
    listed = network.do("nils", "token", "list").stdout
    name, label, state = re.split(r"  +", listed.strip(), maxsplit=2)
    assert (label, state[:6]) == ("command line", "until ")
    network.do("nils", "token", "revoke", name)
    with pytest.raises(NodeRefused) as refused:
        network.ask("nils", "/tokens")
    assert refused.value.problem["code"] == "not-signed-in"
    assert "(not-signed-in)" in network.do("nils", "token", "list", code=1).stderr


def test_a_wrong_password_gives_no_token(network: Network) -> None:
    ran = comity("token", "new", "admin", COMITY_URL=network.url, COMITY_PASSWORD="not the password")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "(wrong-password)" in ran.stderr
    assert "not the password" not in ran.stderr


def test_a_missing_file_is_one_sentence_with_a_code_and_no_traceback(network: Network, tmp_path: Path) -> None:
    ran = network.do("greta", "report", "submit", str(tmp_path / "absent.json"), code=1)
    assert "absent.json" in ran.stderr
    assert "[file]" in ran.stderr
    assert "Traceback" not in ran.stderr
