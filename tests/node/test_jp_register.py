"""Japan's published cases: alleged, expired, read by article; of what happened to whom not a word is kept."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from comity_node.domain.conventions.entities import is_forced_labor
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.minimize import Draft, Policy, minimize, outgoing_finding
from comity_node.domain.register import ImportedRow, MappingRefused, ProblemKind, RowProblem, read_rows
from comity_node.domain.screening import Hit
from comity_node.domain.spelling import joined
from comity_node.domain.supplier_view import Entry, EntryState, Standing, standing
from comity_node.mappings import find_register, mapping_text, register_of
from comity_schemas.finding import Severity, Status
from comity_schemas.handling import Tlp
from comity_schemas.indicators import ILO_ELEVEN, Basis

REGISTER = find_register("jp_mhlw")
SECRET = b"a secret of this node, for tests"
TODAY = date(2026, 11, 22)
Rows = list[ImportedRow | RowProblem]


@pytest.fixture(scope="module")
def real_file(shared_data: Path) -> bytes:
    return (shared_data / "jp_mhlw" / "labor_law_publications_corporate.tsv").read_bytes()


@pytest.fixture(scope="module")
def rows(real_file: bytes) -> Rows:
    return list(read_rows(io.BytesIO(real_file), REGISTER, secret=SECRET))


@pytest.fixture(scope="module")
def drafts(rows: Rows) -> list[tuple[ImportedRow, Draft]]:
    taken = [row for row in rows if isinstance(row, ImportedRow)]
    return [(row, draft) for row in taken for draft in minimize(row.report, Policy()).drafts]


def test_of_1371_rows_1352_are_taken_and_19_refused_with_a_reason(rows: Rows) -> None:
    assert len(rows) == 1_371
    refused = Counter(row.kind for row in rows if isinstance(row, RowProblem))
    # Three were referred later than they were published; 16 are entries the archive has twice, with other last days.
    assert refused == {ProblemKind.DOES_NOT_FIT: 3, ProblemKind.CONTRADICTORY: 16}


def test_every_finding_is_alleged_and_says_referred_to_prosecutor(drafts: list[tuple[ImportedRow, Draft]]) -> None:
    assert {draft.finding.status for _, draft in drafts} == {Status.ALLEGED}
    assert {draft.finding.source.scheme for _, draft in drafts} == {"JP-MHLW referred to prosecutor"}
    assert {draft.finding.severity for _, draft in drafts} == {Severity.S2, Severity.S3}


def test_none_is_current_and_a_removed_entry_has_expired_and_was_not_withdrawn(
    real_file: bytes, drafts: list[tuple[ImportedRow, Draft]]
) -> None:
    entries = [Entry("H" * 43, "agency", 1, d.handling, d.finding, EntryState.CURRENT) for _, d in drafts]
    assert Counter(standing(entry, TODAY) for entry in entries) == {Standing.EXPIRED: len(drafts)}
    lines = real_file.decode().split("\n")
    for row, draft in drafts:
        cells = lines[row.line - 1].split("\t")
        if cells[9] == "removed":
            assert draft.finding.valid_until <= date.fromisoformat(cells[4])


def test_no_row_gives_the_topic_forced_labor_nor_would_one_of_safety_law_if_it_were_confirmed_and_current(
    drafts: list[tuple[ImportedRow, Draft]],
) -> None:
    as_they_are, if_confirmed = 0, Counter[bool]()
    for _, draft in drafts:
        entry = Entry("H" * 43, "agency", 1, draft.handling, draft.finding, EntryState.CURRENT)
        hit = Hit(entry, standing(entry, TODAY), Likeness(Verdict.MATCH))
        as_they_are += is_forced_labor(hit, TODAY)
        grave = draft.finding.model_copy(update={"status": Status.CONFIRMED, "severity": Severity.S4})
        confirmed = replace(hit, standing=Standing.CURRENT, entry=replace(entry, finding=grave))
        of_safety = all(found.indicator.value.startswith("HS") for found in grave.indicators)
        if_confirmed[of_safety] += is_forced_labor(confirmed, TODAY)
    assert as_they_are == 0
    # Three of the others would: they state forced labour.
    assert if_confirmed == {True: 0, False: 3}


def test_exactly_three_state_forced_labour_and_they_are_one_event(drafts: list[tuple[ImportedRow, Draft]]) -> None:
    forced = [draft.finding for _, draft in drafts if any(i.indicator in ILO_ELEVEN for i in draft.finding.indicators)]
    names = [finding.names[0].text.rpartition("）")[2] for finding in forced if finding.names]
    assert names == ["豊栄会", "豊の里", "豊栄エンタープライズ"]
    assert len({finding.source.event for finding in forced}) == 1
    others = [d.finding.source.event for _, d in drafts if d.finding not in forced]
    assert forced[0].source.event not in others
    assert {(i.indicator.value, i.basis) for finding in forced for i in finding.indicators} == {("FL03", Basis.STATED)}
    assert {finding.severity for finding in forced} == {Severity.S3}


def test_article_32_is_hours_and_never_excessive_overtime_as_an_indicator_of_forced_labour(
    drafts: list[tuple[ImportedRow, Draft]],
) -> None:
    told = Counter(i.indicator.value for _, draft in drafts for i in draft.finding.indicators)
    assert told == {"HS01": 839, "WG01": 207, "WH01": 132, "WG02": 4, "FL03": 3, "RC02": 2, "CL02": 1}
    of_hours = {d.finding.indicators[0].indicator.value for _, d in drafts if d.finding.clause and "32" in _clause(d)}
    assert of_hours == {"WH01", "HS01"}, "LSA 32 is hours; ISHA 32 is safety at a shared site"


def _clause(draft: Draft) -> str:
    return draft.finding.clause.clause.split()[1] if draft.finding.clause else ""


def test_no_word_of_a_summary_is_kept_or_leaves(real_file: bytes, rows: Rows) -> None:
    summaries = {
        line: "".join(cells["violation_summary"].split())
        for line, cells in enumerate(
            csv.DictReader(io.StringIO(real_file.decode()), delimiter="\t", quotechar=None, quoting=csv.QUOTE_NONE), 2
        )
    }
    assert sum("留学生" in text or "技能実習生" in text for text in summaries.values()) >= 3
    for row in rows:
        if isinstance(row, ImportedRow):
            kept = json.dumps(row.report.to_parsed(), ensure_ascii=False)
            assert summaries[row.line] not in "".join(kept.split())


def test_a_place_stays_and_every_firm_is_handled_as_if_it_bore_a_persons_name(
    drafts: list[tuple[ImportedRow, Draft]],
) -> None:
    for row, draft in drafts[::25]:
        out = outgoing_finding(draft.finding, draft.handling)
        assert row.report.party.address is not None
        assert row.report.party.address not in json.dumps([out.body, out.disclosed], ensure_ascii=False)
        assert (draft.finding.named_after_person, draft.handling.tlp) == (True, Tlp.GREEN)


def test_what_the_mapping_picks_is_what_the_crosswalk_proposes() -> None:
    articles, crosswalk = REGISTER.mapping.articles, REGISTER.crosswalk
    assert articles is not None and crosswalk is not None
    for said in articles.says:
        for clause in said.clauses:
            row = crosswalk.find(clause)
            assert row is not None, clause
            for picked in said.indicators:
                assert row.proposed.get(picked.indicator) is picked.basis, clause


HEADER = "company_name\tlocation\tfirst_appeared\tlast_appeared\tviolation_law\tviolation_summary\tprosecution_date"


def one(**cells: str) -> ImportedRow | RowProblem:
    row = {
        "company_name": "（株）見本 製作",
        "location": "東京都大田区",
        "first_appeared": "2024-10-03",
        "last_appeared": "",
        "violation_law": "労働基準法第32条 労働安全衛生法第120条",
        "violation_summary": "見本",
        "prosecution_date": "2024-10-01",
        **cells,
    }
    table = "\n".join([HEADER, "\t".join(row[column] for column in HEADER.split("\t"))])
    (read,) = read_rows(io.BytesIO(table.encode()), REGISTER, secret=SECRET)
    return read


def test_each_article_is_an_observation_and_one_without_a_code_yields_no_finding() -> None:
    row = one()
    assert isinstance(row, ImportedRow)
    told = [(o.clause.clause, [i.indicator.value for i in o.indicators]) for o in row.report.observations]
    assert told == [("LSA 32", ["WH01"]), ("ISHA 120", [])]
    assert [draft.observation for draft in minimize(row.report, Policy()).drafts] == ["1"]


def test_an_entry_without_a_day_of_referral_tells_the_year_of_its_listing_only() -> None:
    row = one(prosecution_date="")
    assert isinstance(row, ImportedRow)
    assert minimize(row.report, Policy()).drafts[0].finding.source.when == "2024"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"violation_law": "民法第709条"}, "violation_law"),
        ({"violation_law": ""}, "violation_law"),
        ({"last_appeared": "2024-10-02"}, "last_appeared"),
        ({"last_appeared": "soon"}, "last_appeared"),
    ],
)
def test_a_row_that_does_not_fit_names_its_column(cells: dict[str, str], column: str) -> None:
    row = one(**cells)
    assert isinstance(row, RowProblem)
    assert (row.kind, row.reason.split()[0]) == (ProblemKind.DOES_NOT_FIT, column)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("豊栄エンタープライ ズ", "豊栄エンタープライズ"),
        ("Exemplar Ltd", "Exemplar Ltd"),
        ("見本 Ltd", "見本 Ltd"),
        ("名古 屋支店", "名古屋支店"),
    ],
)
def test_a_name_broken_over_two_lines_is_one_name(written: str, read: str) -> None:
    assert joined(written) == read


def test_articles_of_a_crosswalk_that_nobody_knows_refuse_the_mapping() -> None:
    with pytest.raises(MappingRefused) as caught:
        register_of(mapping_text("jp_mhlw").replace('version = "2016"', 'version = "1900"'))
    assert caught.value.where == "articles"
