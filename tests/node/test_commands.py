"""The `comity` commands of a node as people run them: what they print, what they write, how they end."""

import asyncio
import contextlib
import csv
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import NAMES
from comity_federation import strict_json
from comity_federation.bus import statements_topic
from comity_federation.encoding import b64encode
from comity_federation.keys import new_signing_pair, write_key_pair
from comity_federation.signed_reports import report_id
from comity_node.remote import NodeRefused
from command_network import PARTY, Network, losing_the_first_answer, set_up, wait_until
from node_world import Town, audit_report, comity, served

DASH, TWO_DASHES = b64encode(b"\xf8" + bytes(31)), b64encode(b"\xfb\xe0" + bytes(30))
"""Hashes that nothing has, beginning with `-` and `--`."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    place = tmp_path_factory.mktemp("commands")
    town, home, tokens = asyncio.run(set_up(place))
    with served(home) as node:
        yield Network(town, home, node.url, tokens, place)


@pytest.fixture(scope="module")
def submitted(network: Network) -> str:
    """The id of a report that was signed and submitted by command."""
    report = network.place / "audit.json"
    report.write_bytes(strict_json.dumps(audit_report(party=PARTY).to_parsed()))
    key = str(network.place / "auditor.jwk")
    network.steps["sign"] = comity("report", "sign", str(report), "--key", key)
    signed = network.place / "audit.signed.json"
    network.steps["submit"] = network.do("greta", "report", "submit", str(signed))
    return report_id(signed.read_bytes())


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def record(network: Network, published: str) -> Path:
    """The file of that statement's record, exported by command."""
    out = network.place / "records"
    network.steps["export"] = network.do("sanna", "record", "export", published, "--out", str(out))
    return out / f"{published}.record.json"


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
