"""The `comity` commands as people run them: screening, checking, records and sections that anybody verifies."""

import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

from builders import NAMES
from command_network import Network
from node_world import Town, comity

# Screening and checking


def test_screen_says_in_words_what_is_known_and_never_that_anybody_is_cleared(network: Network, published: str) -> None:
    by_number = network.local("screen", "--id", "BR-CNPJ:00.000.000/0001-91").stdout
    assert by_number.startswith("BR-CNPJ:00000000000191: findings shared\n")
    assert "match (the same BR-CNPJ 00000000000191)" in by_number
    by_name = network.local("screen", "Fazenda Exemplo Ltda", "--country", "BR").stdout
    first = by_name.splitlines()[0]
    assert first == "Fazenda Exemplo Ltda: findings shared under a like name, identity not confirmed"
    unknown = network.local("screen", "Nobody We Know GmbH", "--country", "DE").stdout
    assert unknown.startswith("Nobody We Know GmbH: no supplier by this name\n")
    for said in (by_number, by_name, unknown):
        assert "no clearance" in said
        assert "agency 1" in said, "the log positions it was asked at"
        assert not re.search(r"\bclear(ed)?\b|\bgreen\b|\d ?%", said, re.I)


def test_screen_json_says_the_same_for_scripts(network: Network, published: str) -> None:
    found = json.loads(network.local("screen", "--id", "BR-CNPJ:00000000000191", "--json").stdout)
    (answer,) = found["answers"]
    assert (answer["verdict"], answer["state"]) == ("match", "findings shared")
    assert [hit["statement"] for hit in answer["findings"]] == [published]
    assert found["positions"] == {"agency": 1}
    assert "firm" in [each["member"] for each in found["coverage"]["not_heard"]]


def test_screen_with_a_number_that_cannot_be_is_refused(network: Network) -> None:
    assert "BR-CNPJ:11111111111111" in network.local("screen", "--id", "BR-CNPJ:11111111111111", code=2).stderr


def copied_database(network: Network, to: Path) -> dict[str, str]:
    source, target = sqlite3.connect(network.home / "node.db"), sqlite3.connect(to)
    with contextlib.closing(source), contextlib.closing(target):
        source.backup(target)
    return {"COMITY_DATABASE": f"sqlite+aiosqlite:///{to}"}


def test_check_is_clean_and_then_is_not_after_one_row_of_the_view_was_changed(
    network: Network, published: str, tmp_path: Path
) -> None:
    copy = copied_database(network, tmp_path / "copy.db")
    assert network.local("check", **copy).stdout.startswith("clean")
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as disk:
        assert disk.execute("UPDATE entry SET state = 'withdrawn'").rowcount == 1
        disk.commit()
    ran = network.local("check", code=1, **copy)
    assert f"agency: finding {published} differs from its statement" in ran.stdout
    assert "1 differences" in ran.stderr


# Records


def test_an_exported_record_is_byte_for_byte_what_was_signed(network: Network, record: Path, published: str) -> None:
    assert network.steps["export"].stdout == f"{record}\n"
    with contextlib.closing(sqlite3.connect(network.home / "node.db")) as disk:
        ((signed,),) = disk.execute("SELECT record FROM outbox WHERE hash = ?", [published])
    assert record.read_bytes() == signed


def test_verify_ends_with_0_for_a_genuine_record_and_says_what_it_cannot_tell(network: Network, record: Path) -> None:
    registry = str(network.town.world.path)
    ran = comity("verify", str(record), "--registry", registry, "--root", network.root)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("GENUINE: agency said this finding at ")
    assert "a single file cannot prove it" in ran.stdout
    assert "same directory" not in ran.stdout
    without = comity("verify", str(record), "--registry", registry)
    assert without.returncode == 0
    assert "its root was taken from the same directory" in without.stdout


def test_verify_ends_with_1_and_the_step_for_a_changed_record(network: Network, record: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.json"
    raw = record.read_bytes()
    # In the middle of the signed payload.
    place = raw.index(b".") + 40
    changed.write_bytes(raw[:place] + (b"B" if raw[place : place + 1] == b"A" else b"A") + raw[place + 1 :])
    ran = comity("verify", str(changed), "--registry", str(network.town.world.path), "--json")
    assert ran.returncode == 1
    said = json.loads(ran.stdout)
    assert (said["genuine"], said["step"], said["code"]) == (False, 5, "bad-signature")


def test_verify_ends_with_2_where_the_registry_is_missing_expired_or_of_another_root(
    network: Network, record: Path, tmp_path: Path
) -> None:
    missing = comity("verify", str(record), "--registry", str(tmp_path / "absent"))
    expired = tmp_path / "expired"
    shutil.copytree(network.town.world.path, expired)
    later = comity("verify", str(record), "--registry", str(expired), "--at", "2099-01-01")
    other = Town(tmp_path / "other")
    (tmp_path / "root.json").write_bytes(other.world.root)
    foreign = comity(
        "verify", str(record), "--registry", str(network.town.world.path), "--root", str(tmp_path / "root.json")
    )
    for ran in (missing, later, foreign):
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith("cannot tell: ")
    assert "expired" in later.stderr


# One section of a report


def test_a_shown_section_is_genuine_for_anybody_and_a_changed_one_is_not(
    network: Network, submitted: str, tmp_path: Path
) -> None:
    listed = network.do("bakari", "report", "disclose", submitted).stdout
    number = next(line.split()[0] for line in listed.splitlines() if line.endswith("  party"))
    shown, changed = tmp_path / "party.json", tmp_path / "changed.json"
    network.do("bakari", "report", "disclose", submitted, "--section", number, "--out", str(shown))
    registry = str(network.town.world.path)
    ran = comity("verify", str(shown), "--registry", registry, "--root", network.root, "--json")
    said = json.loads(ran.stdout)
    assert (ran.returncode, said["genuine"], said["by"], said["section"]) == (0, True, "firm", "party")
    assert said["value"]["names"][0]["text"] == NAMES[0]["text"]
    words = comity("verify", str(shown), "--registry", registry).stdout
    assert "of a report that an auditor of firm signed" in words and "same directory" in words
    changed.write_bytes(shown.read_bytes().replace(b'"number":', b'"number":1'))
    ran = comity("verify", str(changed), "--registry", registry)
    assert ran.returncode == 1 and "report.proof-broken" in ran.stdout
    people = next(line.split()[0] for line in listed.splitlines() if line.endswith("  people"))
    refused = network.do("bakari", "report", "disclose", submitted, "--section", people, code=1)
    assert "report.section-not-shown" in refused.stderr
    trail = [e["event"] for e in network.ask("admin", "/trail", limit=5)["items"]]
    assert trail.count("report.section-shown") == 1
