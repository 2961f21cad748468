"""The workbook that auditors fill in: what it says is the report, and what does not fit is named by its cell."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from builders import CHECKOUT
from comity_federation import strict_json
from comity_node.domain.report_sheet import SheetRefused, empty_workbook, read_workbook, workbook_of
from comity_schemas.report import Report
from node_world import OBSERVATION, audit_report, comity


def documented() -> dict[str, Report]:
    """The worked examples of docs/report-format.md, by their file's name."""
    text = (CHECKOUT / "docs" / "report-format.md").read_text("utf-8")
    found = re.findall(r"^cat >(\S+\.json) <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    return {name: Report.from_parsed(strict_json.loads(body.encode())) for name, body in found}


EXAMPLES = documented()
RBA = EXAMPLES["rba.json"]


def with_sheets(raw: bytes, change: Callable[[Workbook], None]) -> bytes:
    book = load_workbook(io.BytesIO(raw))
    change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def with_part(raw: bytes, name: str, content: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(written, "w") as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return written.getvalue()


def faults(raw: bytes) -> dict[str, str]:
    with pytest.raises(SheetRefused) as refused:
        read_workbook(raw)
    assert refused.value.faults, refused.value
    return {fault.cell: fault.text for fault in refused.value.faults}


def sheet(book: Workbook, title: str) -> Worksheet:
    found = book[title]
    assert isinstance(found, Worksheet)
    return found


def test_there_are_worked_examples_of_two_schemes_and_a_follow_up() -> None:
    assert {report.scheme for report in EXAMPLES.values()} == {"SMETA", "RBA"}
    assert any(o.follows_up for report in EXAMPLES.values() for o in report.observations)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_a_workbook_was_filled_with_is_read_back_the_same(name: str) -> None:
    assert read_workbook(workbook_of(EXAMPLES[name])) == EXAMPLES[name]


CELL_TEXT = st.text("abЖ工ع =+-@'\"1.", min_size=1, max_size=9).map(str.strip).filter(bool)


@settings(max_examples=12, deadline=None)
@given(CELL_TEXT, CELL_TEXT, st.integers(0, 10**6), st.dates())
def test_any_text_number_and_date_survives(name: str, words: str, count: int, day: Any) -> None:
    observation = {**OBSERVATION, "description": words, "testimony": words, "affected": count + 3}
    party = {"type": "supplier", "names": [{"text": name, "kind": "trading"}], "country": "BR"}
    given = audit_report(observation, party=party, summary=words, workforce=count, valid_until=str(day))
    assert read_workbook(workbook_of(given)) == given


def test_a_fresh_template_says_what_it_lacks() -> None:
    found = faults(empty_workbook("SMETA", "7.0"))
    assert {cell for cell, text in found.items() if text.endswith("is required")} == {
        "Report!B1", "Report!B12", "Report!B13", "Report!B14",
    }  # fmt: skip
    assert "exactly one row is the audited party" in found["Parties!A1"]


Put = tuple[str, str, Any]


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (("Observations", "L3", "=10+16"), "a formula"),
        (("Observations", "L3", "26"), "as a number and not as text"),
        (("Observations", "L3", 26.5), "whole number"),
        (("Observations", "L3", True), "whole number"),
        (("Observations", "L3", -1), "greater than or equal to 0"),
        (("Observations", "M3", 27), None),
        (("Observations", "I3", "grave"), "write one of: S0, S1"),
        (("Observations", "I3", "#REF!"), "shows an error"),
        (("Observations", "H3", "FL07"), "its code and how it was found"),
        (("Observations", "H3", "FL99 stated"), "its code and how it was found"),
        (("Observations", "C3", "1.2;x"), "match pattern"),
        (("Observations", "C3", 5), "as text"),
        (("Observations", "C3", None), "clause is required"),
        (("Observations", "Q3", "soon"), "2026-12"),
        (("Observations", "V3", "a note beside the table"), "nothing is read from this column"),
        (("Observations", "D1", "grade"), "the heading must be 'label'"),
        (("Report", "B12", "07/10/2026"), "two ways"),
        (("Report", "B12", "2026-02-30"), "no such day"),
        (("Report", "B12", datetime(2026, 10, 7, 14, 30)), "without a time"),  # noqa: DTZ001 as spreadsheets have it
        (("Report", "B4", 8.0), "as text"),
        (("Report", "A40", "more"), "nothing is read from this row"),
        (("Report", "A12", "ended"), None),
        (("Parties", "A3", "further site"), None),
        (("Parties", "E3", "12345"), "SCHEME: NUMBER"),
        (("Parties", "G3", "Malaysia"), "match pattern"),
        (("Scope", "C3", "access-denied"), "needs no reason why not"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_cell_and_never_repeated(put: Put, words: str | None) -> None:
    title, cell, value = put

    def change(book: Workbook) -> None:
        sheet(book, title)[cell].value = value

    found = faults(with_sheets(workbook_of(RBA), change))
    if words is not None:
        assert f"{title}!{cell}" in found, found
        assert words.lower() in found[f"{title}!{cell}"].lower()
    assert not [text for text in found.values() if isinstance(value, str) and f" {value}" in text and len(value) > 5]


@pytest.mark.parametrize(
    ("puts", "where"),
    [
        ({"Observations!A2": "O-9", "Observations!C2": "1.2"}, "Observations!A2"),
        ({"Team!A2": "A name where the explanation stood"}, "Team!A2"),
        ({"Report!A30": "finished", "Report!B30": "2026-10-09"}, "Report!A30"),
        ({"Report!B31": "without a heading", "Report!A33": " "}, "Report!A31"),
        ({"Report!A205": "keep until", "Report!B205": "2026-12-31"}, "Report!A205"),
    ],
)
def test_nothing_that_somebody_wrote_is_passed_over_in_silence(puts: dict[str, str], where: str) -> None:
    def change(book: Workbook) -> None:
        for place, value in puts.items():
            title, cell = place.split("!")
            sheet(book, title)[cell].value = value

    found = faults(with_sheets(workbook_of(RBA), change))
    assert "nothing is read from" in found[where], found


def test_rows_that_contradict_each_other_are_named_by_a_cell_of_their_row() -> None:
    def change(book: Workbook) -> None:
        sheet(book, "Observations")["M3"].value = 27
        sheet(book, "Evidence")["A3"].value = "E-1"

    found = faults(with_sheets(workbook_of(RBA), change))
    assert "Evidence!B3" in found

    def twice(book: Workbook) -> None:
        sheet(book, "Observations")["M3"].value = 27

    assert faults(with_sheets(workbook_of(RBA), twice)) == {
        "Observations!A3": "affected_women needs an equal or larger affected"
    }


def test_excels_own_dates_and_numbers_are_read() -> None:
    def change(book: Workbook) -> None:
        sheet(book, "Report")["B12"].value = datetime(2026, 10, 8)  # noqa: DTZ001 as spreadsheets have it
        sheet(book, "Observations")["L3"].value = 30.0

    read = read_workbook(with_sheets(workbook_of(RBA), change))
    assert (str(read.finished), read.observations[0].affected) == ("2026-10-08", 30)


@pytest.mark.parametrize("where", ["A3:B3", "C1:D1", "L3:L5"])
def test_merged_cells_are_refused(where: str) -> None:
    found = faults(with_sheets(workbook_of(RBA), lambda book: sheet(book, "Observations").merge_cells(where)))
    assert any("merged" in text or "heading" in text for text in found.values())


def test_a_missing_sheet_is_named() -> None:
    def change(book: Workbook) -> None:
        book.remove(book["Team"])

    assert "Team!A1" in faults(with_sheets(workbook_of(RBA), change))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0"),
        ("xl/macrosheets/sheet1.xml", b"<x/>"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>"),
        ("xl/embeddings/oleObject1.bin", b"x"),
        ("xl/activeX/activeX1.xml", b"<x/>"),
        ("xl/workbook.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
        ("[Content_Types].xml", b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        ("xl/worksheets/sheet1.xml", b"<worksheet"),
        ("xl/media/huge.bin", bytes(65 * 1024 * 1024)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_workbook_with_something_active_or_endless_in_it_is_not_read(name: str, content: bytes) -> None:
    with pytest.raises(SheetRefused) as refused:
        read_workbook(with_part(workbook_of(RBA), name, content))
    assert refused.value.faults == ()


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"%PDF-1.7", bytes(5 * 1024 * 1024)])
def test_another_file_is_not_read(raw: bytes) -> None:
    with pytest.raises(SheetRefused):
        read_workbook(raw)


def test_the_commands_write_all_or_nothing(tmp_path: Path) -> None:
    book, out = tmp_path / "rba.xlsx", tmp_path / "rba.json"
    book.write_bytes(with_sheets(workbook_of(RBA), lambda b: setattr(sheet(b, "Observations")["I3"], "value", "S9")))
    ran = comity("report", "convert", str(book))
    assert ran.returncode == 1 and "Observations!I3: write one of" in ran.stderr
    assert not out.exists()
    book.write_bytes(workbook_of(RBA))
    assert comity("report", "convert", str(book)).returncode == 0
    assert Report.from_parsed(strict_json.loads(out.read_bytes())) == RBA
