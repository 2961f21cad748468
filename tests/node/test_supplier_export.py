"""What is known of a supplier as a file: nothing in it runs, findings and decisions apart, terms with them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from comity_node.db import Database
from comity_node.domain.export import csv_of, harmless, workbook_of
from comity_node.services.suppliers.exporting import about_table, decisions_table, findings_table, notes
from supplier_desk import LEI, desk_at


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "＝1", "  =1", "\u00a0=1"])
def test_what_begins_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Exemplar", "示例", "", "'=1", "a=b", 7, None])
def test_everything_else_stays_as_it_is(text: str | int | None) -> None:
    assert harmless(text) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_no_cell_of_either_form_begins_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_of([[text, text]], []).decode("utf-8-sig"), newline=""))
    assert not row[0].lstrip(" \u00a0").startswith(("=", "+", "-", "@"))
    sheet = load_workbook(io.BytesIO(workbook_of({"One": [[text, "x"]]}))).active
    assert sheet is not None
    assert sheet.cell(1, 1).data_type in ("s", "n", "inlineStr") and sheet.cell(1, 2).value == "x"
    assert not str(sheet.cell(1, 1).value or "").lstrip(" \u00a0").startswith(("=", "+", "-", "@"))


async def test_an_export_holds_what_the_page_holds_with_terms_and_notes(sqlite: Database) -> None:
    desk = await desk_at(sqlite)
    finding = await desk.say("=HYPERLINK(1)", "agency", LEI)
    decision = await desk.say("A", "city", LEI, kind="decision")
    shown = await desk.show(await desk.number(finding))
    headings, row = findings_table(shown)
    told = dict(zip(headings, row, strict=True))
    assert (told["published by"], told["severity"], told["told of"]) == ("agency", "S2", "2026-03")
    assert (told["tlp"], told["permitted use"], told["statement"]) == ("GREEN", "due-diligence", finding.hash)
    headings, row = decisions_table(shown)
    ordered = dict(zip(headings, row, strict=True))
    assert (ordered["authority"], ordered["terms"]) == ("WBG", "2026-01-15 to 2028-01-14")
    assert ordered["statement"] == decision.hash
    said = " ".join(notes(shown))
    assert "No statement is an admission or a determination, and nothing here waives privileges or immunities" in said
    book = load_workbook(io.BytesIO(workbook_of({"About": about_table(shown), "Findings": findings_table(shown)})))
    names = [r[1].value for r in book["About"].iter_rows() if r[0].value == "name"]
    assert sorted(names) == ["'=HYPERLINK(1) (registered)", "A (registered)"]
