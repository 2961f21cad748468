"""Making the workbook that auditors fill in, empty for a scheme or filled from a report."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from comity_node.domain.report_sheet.cells import CellType
from comity_node.domain.report_sheet.columns import FIELDS, TABLES, Column, Path, Table
from comity_schemas.report import Report

FIRST_ROW = 3
"""Where a table's items begin: below headings and explanations."""
NEEDED = "required"
"""So begins the explanation of what must be filled in."""
PREPARED_ROWS = 200
"""Rows of a table that offer choices; more may be filled in."""

_BOLD, _GREY = Font(bold=True), Font(italic=True, color="FF666666")
_TOP = Alignment(vertical="top", wrap_text=True)


def empty_workbook(scheme: str, version: str | None) -> bytes:
    """Return a workbook for a scheme, in which everything else is to be filled in."""
    given: dict[str, Any] = {"source": "audit", "scheme": scheme}
    return _workbook(given if version is None else {**given, "scheme_version": version}, {})


def workbook_of(report: Report) -> bytes:
    """Return a workbook with everything that a report says, as far as a workbook can say it."""
    parsed = report.to_parsed()
    scope = parsed.get("scope", {})
    return _workbook(
        parsed,
        {
            "Parties": [
                {**parsed["party"], "role": "audited party"},
                *({**party, "role": "further site"} for party in parsed["sites"]),
                *({**party, "role": "labour provider"} for party in parsed["labour_providers"]),
            ],
            "Observations": parsed["observations"],
            "Evidence": parsed["evidence"],
            "Scope": [
                *({"indicator": each, "assessed": True} for each in scope.get("assessed", ())),
                *({**each, "assessed": False} for each in scope.get("not_assessed", ())),
            ],
            "Team": [{"name": name} for name in parsed["team"]],
        },
    )


def _workbook(report: Mapping[str, Any], items: Mapping[str, Iterable[Mapping[str, Any]]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Report"
    _fill_fields(sheet, report)
    for table in TABLES:
        _fill_table(book.create_sheet(table.title), table, items.get(table.title, ()))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _fill_fields(sheet: Worksheet, report: Mapping[str, Any]) -> None:
    for row, column in enumerate(FIELDS, start=1):
        sheet.cell(row, 1, column.heading).font = _BOLD
        _put(sheet, row, 2, column.cell, _at(report, column.path))
        sheet.cell(row, 3, _explained(column)).font = _GREY
        _offer(sheet, column.cell, f"B{row}")
    for letter, width in zip("ABC", (28, 60, 70), strict=True):
        sheet.column_dimensions[letter].width = width


def _fill_table(sheet: Worksheet, table: Table, items: Iterable[Mapping[str, Any]]) -> None:
    for number, column in enumerate(table.columns, start=1):
        letter = get_column_letter(number)
        sheet.cell(1, number, column.heading).font = _BOLD
        sheet.cell(2, number, _explained(column)).font = _GREY
        sheet.cell(2, number).alignment = _TOP
        sheet.column_dimensions[letter].width = max(16, len(column.heading) + 2)
        _offer(sheet, column.cell, f"{letter}{FIRST_ROW}:{letter}{FIRST_ROW + PREPARED_ROWS}")
        # Of the whole column, so that every row that is filled in later has it.
        sheet.column_dimensions[letter].number_format = column.cell.format
    for row, item in enumerate(items, start=FIRST_ROW):
        for number, column in enumerate(table.columns, start=1):
            _put(sheet, row, number, column.cell, _at(item, column.path))
    sheet.freeze_panes = f"B{FIRST_ROW}"


def _put(sheet: Worksheet, row: int, number: int, cell: CellType, value: Any) -> None:
    written = sheet.cell(row, number)
    written.number_format = cell.format
    written.alignment = _TOP
    if value is None or value == []:
        return
    shown = cell.write(value)
    written.value = shown
    if isinstance(shown, str):
        # Else a text that begins with `=` would become a formula.
        written.data_type = "s"


def _offer(sheet: Worksheet, cell: CellType, where: str) -> None:
    listed = ",".join(cell.choices)
    # A spreadsheet takes at most 255 characters of choices; what is longer is explained and checked, not offered.
    if listed and len(listed) < 250:
        offered = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
        offered.add(where)
        sheet.add_data_validation(offered)


def _explained(column: Column) -> str:
    choices = ", ".join(column.cell.choices)
    return "; ".join(part for part in (NEEDED if column.needed else "", column.help, choices) if part)


def _at(item: Mapping[str, Any], path: Path) -> Any:
    value: Any = item
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
