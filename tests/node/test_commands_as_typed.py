"""Commands as people mistype them, with files that are none, and lists that are longer than a page."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from answering import answering
from builders import Publisher
from comity_federation.registry.changes import enter
from comity_node.cli import audit, case, network, node, pointer, record, reply, trail
from comity_node.cli.risk import risk
from comity_schemas.member import MemberStatus
from registry_world import World

SCREEN, RISK, VERIFY = typer.Typer(), typer.Typer(), typer.Typer()
SCREEN.command()(node.screen)
VERIFY.command()(record.verify)
RISK.command()(risk)


def run(app: typer.Typer, *words: str, code: int, url: str = "http://127.0.0.1:1") -> Result:
    ran = CliRunner().invoke(app, words, env={"COMITY_URL": url, "COMITY_TOKEN": "comity_x", "COLUMNS": "200"})
    assert ran.exit_code == code, ran.output
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (pointer.app, ["propose", "Exemplar Gloves", "--contry", "SE", "--country", "MY"]),
        (
            audit.app,
            ["plan", "--anyways", "--country", "MY", "--scheme", "SMETA", "--month", "2027-01", "--assesses", "FL07"],
        ),
    ],
)
def test_a_misspelt_option_is_no_name_of_a_supplier(app: typer.Typer, words: list[str]) -> None:
    assert "No such option" in run(app, *words, code=2).output


@pytest.mark.parametrize("beside", [["--country", "MY"], ["--id", "XI-LEI:X"], ["--row", "7"], ["--json"]])
def test_what_a_file_would_not_heed_is_refused_beside_it(tmp_path: Path, beside: list[str]) -> None:
    (tmp_path / "list.csv").write_text("name\nExemplar Gloves\n")
    out = tmp_path / "out.csv"
    ran = run(SCREEN, "--file", str(tmp_path / "list.csv"), "--out", str(out), *beside, code=2)
    assert "leave --country, --id, --row and --json out" in " ".join(ran.output.split())
    assert not out.exists()


@pytest.mark.parametrize(
    ("app", "word", "told"),
    [(case.contacts, "import", "no text in UTF-8"), (RISK, "--rows", "line 2: it is not written in utf-8")],
)
def test_a_file_in_another_encoding_is_told_so(tmp_path: Path, app: typer.Typer, word: str, told: str) -> None:
    given = tmp_path / "given.csv"
    given.write_bytes(
        "country,name,kind,reach,review_by,row,goods\nSE,Kvinnojour Malmö,x,y,z,7,gloves\n".encode("latin-1")
    )
    assert told in run(app, word, str(given), code=1).output


@pytest.mark.parametrize("line", ["[]", "7", '{"checkpoint": 7}', '{"checkpoint": null}', "{}", "nothing"])
def test_a_damaged_file_of_witnesses_accuses_nobody(tmp_path: Path, line: str) -> None:
    world = World(tmp_path)
    export, witness = tmp_path / "trail.jsonl", tmp_path / "witness.jsonl"
    export.write_text("{}\n")
    witness.write_text(f"{line}\n")
    words = ("verify", str(export), "--registry", str(world.path), "--witness", str(witness))
    assert "cannot tell" in run(trail.app, *words, code=2).output


def test_a_record_that_claims_to_be_from_beyond_all_years_is_genuine_all_the_same(tmp_path: Path) -> None:
    world, publisher = World(tmp_path), Publisher()
    entry = publisher.member(status=MemberStatus.PENDING)
    world.change(enter(world.directory.members(), entry, MemberStatus.ACTIVE), 0, 1)
    given = tmp_path / "record.json"
    given.write_bytes(publisher.finding(iat=2**53 - 1).raw)
    said = run(VERIFY, str(given), "--registry", str(world.path), code=0).output
    assert "GENUINE: agency said this finding at 9999-12-31T23:59:59" in said


def page(items: list[dict[str, Any]], cursor: str | None) -> tuple[int, str]:
    return 200, json.dumps({"items": items, "next": cursor})


NOTICE = {"subject": "site", "country": "MY", "scheme": "SMETA", "month": "2027-01", "assessed": [], "valid_until": "x"}
AUDIT = {"statement": "S", "published_by": "agency", "standing": "current"}
DONE = {**AUDIT, "stage": "done", "notice": {**NOTICE, "stage": "done"}}
PLANNED = {**AUDIT, "stage": "planned", "notice": {**NOTICE, "stage": "planned", "names": [{"text": "The last one"}]}}
CASE = {"id": "the-last-one", "opened_at": "2026-10-01T12:00", "next_step": None, "passed_on": 0}
POINTER = {
    "review": "r",
    "state": "stands",
    "valid_until": "x",
    "statement": None,
    "names": ["The last one"],
    "country": "MY",
}
WORD = {
    "id": "the-last-one",
    "act": "dispute",
    "codes": [],
    "outcome": None,
    "late": False,
    "decide_by": "2026-10-01",
    "overdue": True,
}


@pytest.mark.parametrize(
    ("app", "words", "first", "last"),
    [
        (audit.app, ["list", "--planned"], DONE, PLANNED),
        (case.app, ["list"], CASE, CASE),
        (pointer.app, ["list"], POINTER, POINTER),
        (reply.app, ["list"], WORD, WORD),
    ],
)
def test_a_list_that_somebody_acts_on_is_shown_to_its_end(
    app: typer.Typer, words: list[str], first: dict[str, Any], last: dict[str, Any]
) -> None:
    other = {**first, **({"id": "another"} if "id" in first else {})}
    with answering(page([other], "cursor"), page([last], None)) as here:
        said = run(app, *words, code=0, url=here.url).output
    assert len(here.asked) == 2
    assert "the-last-one" in said or "The last one" in said


def test_a_list_that_is_cut_says_so() -> None:
    item = {"number": 7, "at": "2026-10-01T12:00:00", "actor": "ana", "event": "e", "subject": "s", "detail": {}}
    for cursor, told in (("cursor", "Only the newest 1 are shown; there are further ones."), (None, "")):
        with answering(page([item], cursor)) as here:
            ran = run(network.app, "trail", code=0, url=here.url)
        assert told == ran.stderr.strip()
