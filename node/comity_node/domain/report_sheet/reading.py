"""Reading a filled-in workbook: a report, or every fault with the cell it is in. Never a part of a report.

A workbook comes from somebody else's machine. It is a zip of XML: bounded before it is opened, refused with macros,
links to other files, embedded things, or a document type. Formulas are never computed.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import ValidationError

from comity_node.domain.report_sheet.cells import Misread
from comity_node.domain.report_sheet.columns import (
    EVIDENCE,
    FIELDS,
    OBSERVATIONS,
    PARTIES,
    SCOPE,
    TEAM,
    Column,
    Table,
)
from comity_node.domain.report_sheet.writing import FIRST_ROW, NEEDED
from comity_node.domain.tables.workbook import why_unsafe
from comity_schemas.errors import ComityError
from comity_schemas.report import MAX_REPORT_BYTES, Report

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MOST_FAULTS = 50
_MOST_ROWS = 2_000
_WHOLE = "the whole"


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong in one cell; never what stands there."""

    cell: str
    """Such as `Observations!F7`."""
    text: str


class SheetRefused(ComityError):
    """The workbook is none, or cells of it do not fit; the text names each. Nothing was written.

    Attributes:
        faults: each with its cell; the first fifty.
    """

    code: ClassVar[str] = "report.sheet-refused"

    def __init__(self, text: str, faults: tuple[CellFault, ...] = ()) -> None:
        super().__init__(text)
        self.faults = faults


def read_workbook(raw: bytes) -> Report:
    """Return the report that a workbook says.

    Raises:
        SheetRefused: see there.
    """
    reading = _Reading(open_workbook(raw))
    parsed = reading.report()
    if not reading.faults:
        try:
            return Report.from_parsed(parsed)
        except ValidationError as error:
            reading.take_misfits(error)
    faults = tuple(reading.faults[:MOST_FAULTS])
    listed = "\n".join(f"  {fault.cell}: {fault.text}" for fault in faults)
    raise SheetRefused(f"{len(reading.faults)} cells do not fit; nothing was written:\n{listed}", faults)


def open_workbook(raw: bytes) -> Workbook:
    """Open a workbook that came from elsewhere, bounded and without anything active in it.

    Raises:
        SheetRefused: it is none, damaged, too large, or active.
    """
    if len(raw) > MAX_REPORT_BYTES:
        raise SheetRefused(f"the workbook has {len(raw)} bytes; at most {MAX_REPORT_BYTES} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parts:
            why = why_unsafe(parts, MAX_UNPACKED_BYTES)
            if why is not None:
                raise SheetRefused(why)
        return load_workbook(io.BytesIO(raw), keep_vba=False, keep_links=False)
    except SheetRefused:
        raise
    # Whatever a damaged workbook makes the library stumble over: it is one refusal, and nothing was written.
    except Exception as error:
        raise SheetRefused("this is not an XLSX workbook, or a damaged one; nothing was written") from error


class _Reading:
    """One workbook being read: what was understood, where it stood, and what was not."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self.faults: list[CellFault] = []
        self._places: dict[tuple[str | int, ...], str] = {}

    def report(self) -> dict[str, Any]:
        parsed: dict[str, Any] = {"v": 1, **self._fields()}
        by_role: dict[str, list[dict[str, Any]]] = {"audited party": [], "further site": [], "labour provider": []}
        where = {"audited party": ("party",), "further site": ("sites",), "labour provider": ("labour_providers",)}
        for item, places in self._rows(PARTIES):
            role = item.pop("role", None)
            if role is None:
                continue
            place: tuple[str | int, ...] = (*where[role], len(by_role[role])) if role != "audited party" else ("party",)
            self._note(place, places)
            by_role[role].append(item)
        if len(by_role["audited party"]) != 1:
            self._fault(
                "Parties!A1", f"exactly one row is the audited party; there are {len(by_role['audited party'])}"
            )
        parsed["party"] = (by_role["audited party"] or [{}])[0]
        parsed["sites"], parsed["labour_providers"] = by_role["further site"], by_role["labour provider"]
        for table, name in ((OBSERVATIONS, "observations"), (EVIDENCE, "evidence")):
            parsed[name] = self._items(table, name)
        parsed["team"] = [item["name"] for item in self._items(TEAM, "team") if "name" in item]
        scope = self._scope()
        return {**parsed, "scope": scope} if scope else parsed

    def take_misfits(self, error: ValidationError) -> None:
        """Find for each misfit the cell it came from."""
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            loc = each["loc"]
            text = each["msg"].removeprefix("Value error, ")
            cell = next((self._places[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self._places), _WHOLE)
            self._fault(cell, text)

    def _fields(self) -> dict[str, Any]:
        sheet = self._sheet("Report")
        if sheet is None:
            return {}
        given: dict[str, Any] = {}
        if self._is_too_long(sheet):
            return {}
        self._refuse_merged(sheet)
        rows = self._rows_of_fields(sheet)
        for column in FIELDS:
            row = rows.pop(column.heading, None)
            if row is None:
                self._fault("Report!A1", f"the row {column.heading!r} is missing: begin with a fresh template")
                continue
            self._read(sheet.cell(row, 2), column, given, f"Report!B{row}")
            self._places[column.path] = f"Report!B{row}"
        return given

    def _rows_of_fields(self, sheet: Worksheet) -> dict[str, int]:
        known, rows = {column.heading for column in FIELDS}, dict[str, int]()
        for row in range(1, sheet.max_row + 1):
            heading = sheet.cell(row, 1).value
            if heading in known and heading not in rows:
                rows[str(heading)] = row
            elif not _is_empty(sheet.cell(row, 1)) or not _is_empty(sheet.cell(row, 2)):
                self._fault(f"Report!A{row}", "nothing is read from this row: remove it")
        return rows

    def _items(self, table: Table, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for item, places in self._rows(table):
            self._note((name, len(found)), places)
            found.append(item)
        return found

    def _scope(self) -> dict[str, Any]:
        scope: dict[str, Any] = {}
        for item, places in self._rows(SCOPE):
            cell = places[("indicator",)]
            if item.get("assessed") and "why" in item:
                self._fault(places[("why",)], "an indicator that was assessed needs no reason why not")
            elif item.get("assessed"):
                scope.setdefault("assessed", []).append(item.get("indicator"))
            else:
                scope.setdefault("not_assessed", []).append({k: v for k, v in item.items() if k != "assessed"})
                self._places[("scope", "not_assessed", len(scope["not_assessed"]) - 1)] = cell
        return scope

    def _rows(self, table: Table) -> Iterator[tuple[dict[str, Any], dict[tuple[str, ...], str]]]:
        """Every filled row as an item, with the cells its fields came from."""
        sheet = self._sheet(table.title)
        if sheet is None or not self._headings_fit(sheet, table):
            return
        self._refuse_merged(sheet)
        if self._is_too_long(sheet):
            return
        self._refuse_items_among_explanations(sheet, table)
        for row in range(FIRST_ROW, sheet.max_row + 1):
            cells = [sheet.cell(row, number) for number in range(1, max(sheet.max_column, len(table.columns)) + 1)]
            if all(_is_empty(cell) for cell in cells):
                continue
            item: dict[str, Any] = {}
            places = {}
            for number, (cell, column) in enumerate(zip(cells, table.columns, strict=False), start=1):
                places[column.path] = f"{table.title}!{get_column_letter(number)}{row}"
                self._read(cell, column, item, places[column.path])
            for number, cell in enumerate(cells[len(table.columns) :], start=len(table.columns) + 1):
                if not _is_empty(cell):
                    where = f"{table.title}!{get_column_letter(number)}{row}"
                    self._fault(where, "nothing is read from this column: remove it")
            yield item, places

    def _is_too_long(self, sheet: Worksheet) -> bool:
        if sheet.max_row <= _MOST_ROWS:
            return False
        self._fault(f"{sheet.title}!A{_MOST_ROWS}", f"a sheet has at most {_MOST_ROWS} rows")
        return True

    def _refuse_items_among_explanations(self, sheet: Worksheet, table: Table) -> None:
        # By what must be filled in: other explanations may be those of an older template.
        for number, column in enumerate(table.columns, start=1):
            cell = sheet.cell(FIRST_ROW - 1, number)
            if column.needed and not _is_empty(cell) and not str(cell.value).startswith(NEEDED):
                where = f"{table.title}!{get_column_letter(number)}{cell.row}"
                self._fault(where, f"explanations stand in this row, and nothing is read from it: begin at {FIRST_ROW}")

    def _headings_fit(self, sheet: Worksheet, table: Table) -> bool:
        for number, column in enumerate(table.columns, start=1):
            if sheet.cell(1, number).value != column.heading:
                letter = get_column_letter(number)
                self._fault(f"{table.title}!{letter}1", f"the heading must be {column.heading!r}, as in the template")
                return False
        return True

    def _read(self, cell: Cell | MergedCell, column: Column, item: dict[str, Any], where: str) -> None:
        if _is_empty(cell):
            if column.needed:
                self._fault(where, f"{column.heading} is required")
            return
        if cell.data_type == "f":
            self._fault(where, "a formula stands here: write its result")
            return
        if cell.data_type == "e":
            self._fault(where, "the spreadsheet shows an error here")
            return
        try:
            value = column.cell.read(cell.value)
        except Misread as error:
            self._fault(where, str(error))
            return
        for name in column.path[:-1]:
            item = item.setdefault(name, {})
        item[column.path[-1]] = value

    def _refuse_merged(self, sheet: Worksheet) -> None:
        for merged in sheet.merged_cells.ranges:
            self._fault(f"{sheet.title}!{merged.coord}", "merged cells: divide them, and write in each what it says")

    def _sheet(self, title: str) -> Worksheet | None:
        found = self._book[title] if title in self._book.sheetnames else None
        if isinstance(found, Worksheet):
            return found
        self._fault(f"{title}!A1", "the sheet is missing: begin with a fresh template")
        return None

    def _note(self, place: tuple[str | int, ...], cells: dict[tuple[str, ...], str]) -> None:
        self._places[place] = next(iter(cells.values()))
        self._places |= {(*place, *path): cell for path, cell in cells.items()}

    def _fault(self, cell: str, text: str) -> None:
        self.faults.append(CellFault(cell, text))


def _is_empty(cell: Cell | MergedCell) -> bool:
    return cell.value is None or (isinstance(cell.value, str) and not cell.value.strip())
