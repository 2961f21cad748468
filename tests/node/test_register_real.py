"""The registers as they were published: how many rows, what becomes of them, and that no home leaves the node."""

import base64
import csv
import io
import json
import re
from collections import Counter
from datetime import date
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import pytest

from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.minimize import Policy, minimize, outgoing_finding
from comity_node.domain.register import (
    ImportedRow,
    RowProblem,
)
from comity_node.domain.screening import DecisionState, Hit, Question, State
from comity_node.domain.supplier_view import Entry, EntryState, Standing
from comity_node.domain.suppliers.mentions import mentions
from comity_node.mappings import find_register
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Coverage
from comity_node.services.answering.screen import Answer
from comity_schemas.bands import Band
from heard import open_sample
from node_world import NOW, Town, exchanging, until
from register_rows import (
    DOCUMENTED,
    LISTA_SUJA,
    MAPPING,
    file_of,
    imported,
    read,
)


@pytest.fixture(scope="module")
def real_file(shared_data: Path) -> bytes:
    return (shared_data / "br_lista_suja" / "employers_legal_entities.csv").read_bytes()


@pytest.fixture(scope="module")
def real_rows(real_file: bytes) -> list[ImportedRow]:
    return imported(real_file)


def test_the_real_register_gives_110_reports_on_105_firms_without_a_problem(real_rows: list[ImportedRow]) -> None:
    firms = {row.report.party.identifiers[0].id for row in real_rows if row.report.party.identifiers}
    assert (len(real_rows), len(firms)) == (110, 105)
    assert len({row.identity for row in real_rows}) == len({row.report.ref for row in real_rows}) == 110


def test_the_three_real_interval_dates_expire_two_years_of_listing_after_their_first_day(
    real_rows: list[ImportedRow],
) -> None:
    listed = {row.line: row.report.observations[0].description.rsplit("\n", 1)[1] for row in real_rows}
    again = {row.line: row.report for row in real_rows if " to " in listed[row.line]}
    assert {line: report.valid_until for line, report in again.items()} == {
        9: date(2027, 3, 4),  # 36 days served
        64: date(2027, 5, 26),  # 106 days served
        88: date(2027, 3, 5),  # 76 days served
    }
    assert listed[88] == "Listed from 2023-10-05 to 2023-12-19, from 2025-05-20."


def test_real_municipalities_are_official_names_of_the_rows_own_state(real_rows: list[ImportedRow]) -> None:
    official = {(region, name) for (region, _), name in LISTA_SUJA.gazetteer.names.items()}
    told = [(r.report.party.region, r.report.party.municipality) for r in real_rows if r.report.party.municipality]
    assert set(told) <= official
    assert len(told) == 97


def test_real_addresses_that_leave_a_doubt_give_no_municipality(real_rows: list[ImportedRow]) -> None:
    # Another state than the row's (32 61 89 97 98 110), none at all (15), a misspelling (55), two places (45 91), a
    # quarter or a state that is also a municipality's name (12 107), more words than the name (35).
    silent = {row.line for row in real_rows if row.report.party.municipality is None}
    assert silent == {12, 15, 32, 35, 45, 55, 61, 89, 91, 97, 98, 107, 110}


def test_what_leaves_of_the_real_register_holds_no_part_of_an_address_and_no_count(
    real_rows: list[ImportedRow],
) -> None:
    for row in real_rows:
        (draft,) = minimize(row.report, Policy()).drafts
        out = outgoing_finding(draft.finding, draft.handling)
        leaves = json.dumps([out.body, out.disclosed], ensure_ascii=False)
        assert row.report.party.address is not None
        assert row.report.party.address not in leaves
        for word in ("ALOJAMENTO", "RUA ", "SÍTIO", "RODOVIA", "KM ", "ZONA RURAL", "CEP"):
            assert word not in leaves
        assert not {"site_address", "affected", "clause"} & (out.body.keys() | out.disclosed.keys())
        assert "site_address" not in out.withheld
        assert out.body["source"]["when"] == str(row.report.finished.year)


def test_real_firms_met_at_one_place_in_one_year_share_an_event(real_rows: list[ImportedRow]) -> None:
    lines: dict[str | None, list[int]] = {}
    for row in real_rows:
        lines.setdefault(row.report.event, []).append(row.line)
    assert [together for together in lines.values() if len(together) > 1] == [[11, 70], [67, 74, 82, 83]]


def test_on_22_november_2026_46_are_current_61_expired_and_3_were_suspended_and_listed_again(
    real_rows: list[ImportedRow],
) -> None:
    today = date(2026, 11, 22)
    listed = {row.line: row.report.observations[0].description.rsplit("\n", 1)[1] for row in real_rows}
    again = {row.line for row in real_rows if " to " in listed[row.line]}
    others = [row.report.valid_until for row in real_rows if row.line not in again]
    assert Counter(until is not None and until >= today for until in others) == {True: 46, False: 61}
    assert len(again) == 3
    # The year is the inspection's: it is what the network is told, and no day of the listing.
    assert {minimize(r.report, Policy()).drafts[0].finding.source.when for r in real_rows} == {
        str(r.report.finished.year) for r in real_rows
    }


def test_rua_crisostomo_alvares_291_is_one_event_of_four_suppliers_that_are_linked_and_not_added_up(
    real_rows: list[ImportedRow],
) -> None:
    four = [row for row in real_rows if row.line in (67, 74, 82, 83)]
    drafts = [draft for row in four for draft in minimize(row.report, Policy()).drafts]
    entries = [
        Entry(f"{n:043}", "agency", n, draft.handling, draft.finding, EntryState.CURRENT)
        for n, draft in enumerate(drafts, 1)
    ]
    hits = [Hit(entry, Standing.CURRENT, Likeness(Verdict.MATCH)) for entry in entries]
    cover = Coverage(1, ("agency",), (), (), (), None)
    answers = [
        Answer(
            question=Question(),
            verdict=Verdict.MATCH,
            state=State.SHARED,
            hits=(hit,),
            unreadable=0,
            decision_state=DecisionState.NOTHING_SHARED,
            decisions=(),
            unreadable_decisions=0,
            pointers=(),
            unreadable_pointers=0,
            as_of=NOW,
            registry_version=1,
            positions={},
            coverage=cover,
        )
        for hit in hits
    ]
    said = describe(answers)
    found = [hit for answer in said["answers"] for hit in answer["findings"]]
    hashes = {entry.hash for entry in entries}
    assert [set(hit["same_event"]) for hit in found] == [hashes - {hit["statement"]} for hit in found]
    assert len({json.dumps(hit["finding"]["identifiers"]) for hit in found}) == 4, "linked, not merged"
    assert len({whom.key for entry in entries for whom in mentions(entry)}) == 4, "four suppliers"
    assert [draft.finding.affected for draft in drafts] == [Band.UP_TO_10] * 4
    out = [outgoing_finding(draft.finding, draft.handling) for draft in drafts]
    assert all("affected" in each.withheld and "affected" not in each.body | each.disclosed for each in out)
    assert "20" not in {*re.findall(r"\b\d+\b", json.dumps([[each.body, each.disclosed] for each in out]))}


def test_real_firms_with_a_persons_full_name_are_flagged(real_rows: list[ImportedRow]) -> None:
    flagged = {row.line for row in real_rows if row.report.party.named_after_person}
    assert {13, 20, 42, 43, 52, 53, 57, 58, 59, 61, 65, 67, 77, 87} <= flagged
    assert not {2, 3, 5, 9, 10, 17, 19, 24, 54, 60, 100, 104} & flagged


def test_the_real_register_exported_in_another_form_gives_the_same_identities_and_contents(
    real_file: bytes, real_rows: list[ImportedRow]
) -> None:
    rows = list(csv.DictReader(io.StringIO(real_file.decode())))
    columns = [*reversed(rows[0]), "added"]
    other = b"\xef\xbb\xbf" + file_of(
        *reversed(rows), columns=columns, restval="new", quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    again = imported(other)
    assert {(r.identity, r.content) for r in again} == {(r.identity, r.content) for r in real_rows}
    assert {r.report for r in again} == {r.report for r in real_rows}


def test_a_japanese_register_is_read_by_the_documented_mapping_alone(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "jp.toml"
    path.write_text(DOCUMENTED.split("```toml\n")[1].split("```")[0], "utf-8")
    raw = (shared_data / "jp_mhlw" / "labor_law_publications_corporate.tsv").read_bytes()
    rows = read(raw, find_register(str(path)))
    assert {row.report.event for row in rows if isinstance(row, ImportedRow)} == {None}
    kinds = Counter(row.kind.value if isinstance(row, RowProblem) else "imported" for row in rows)
    assert kinds["not-listed"] == 1208, "an entry that the authority removed must never show as current"
    assert kinds["does-not-fit"] == 8, "entries without a date of prosecution"
    assert kinds["imported"] == 1371 - 1208 - 8


async def _got(api: httpx2.AsyncClient, path: str) -> Any:
    return (await api.get(f"/api/v1/{path}")).json()


async def test_no_dormitory_and_no_home_stands_in_a_record_a_log_or_an_export(
    town: Town, real_file: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    header, *lines = real_file.decode("utf-8-sig").splitlines()
    homes = [line for line in lines if re.search(r"ALOJAMENTO|CASA [23]|- CASA -", line)]
    assert len(homes) == 7
    house = await town.found("agency")
    await town.refresh()
    first, second = await house.hire("first", "reviewer"), await house.hire("second", "reviewer")
    table = base64.b64encode("\n".join([header, *homes]).encode()).decode("ascii")
    async with house.api(first) as api, house.api(second) as other, exchanging(house):
        done = await api.post("/api/v1/imports", json={"mapping": MAPPING, "table": table})
        assert done.json()["result"]["proposed"] == 7
        for each in (api, other):
            await open_sample(partial(_got, each), done.json()["batch"])
        await other.post(f"/api/v1/batches/{done.json()['batch']}/approve")

        async def received_again() -> list[bytes] | None:
            items = (await api.get("/api/v1/published")).json()["items"]
            answers = [await api.get(f"/api/v1/records/{item['statement']}") for item in items]
            return [a.content for a in answers] if all(a.status_code == HTTPStatus.OK for a in answers) else None

        exported = await until("all are sent, and received again", received_again)
        assert len(exported) == 7
        async with house.api(house.admin) as admin:
            trail = (await admin.get("/api/v1/trail", params={"limit": 200})).text
        reviews = (await api.get("/api/v1/reviews")).text
    signed = [json.dumps(decoded(raw), ensure_ascii=False) for raw in exported]
    said = "\n".join([*signed, trail, reviews, done.text, caplog.text, *capfd.readouterr()]).upper()
    assert "EMPREITEIRA DE MAO DE OBRA" in said, "what is said must be what was looked at"
    for line in homes:
        address = next(csv.reader([line]))[4]
        parts = [part.strip(" .") for part in re.split(r"[,:]|\s-\s", address.upper()) if len(part.strip(" .")) > 3]
        told = {"SÃO PAULO", "GOIÂNIA"}
        # As words: four digits of a house stand somewhere in any hundred hashes.
        leaked = [part for part in parts if re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", said)]
        assert [part for part in leaked if "/" not in part and part not in told] == []


def decoded(raw: bytes) -> list[Any]:
    """Everything that can be read of a record."""
    jwt, *disclosures = json.loads(raw)["statement"].split("~")
    texts = [jwt.split(".")[1], *filter(None, disclosures)]
    return [json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) for text in texts]
