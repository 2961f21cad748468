"""A list of contracts and duties as CSV or XLSX, one duty a row: read whole or not at all, and written the same way.

A file comes from somebody's spreadsheet: bounded, refused by row and column, never quoted. What is written can be read
again. A text that a spreadsheet would take for a formula gets an apostrophe before it, and loses it in reading.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import ValidationError

from comity_node.domain.contracts import Duty, DutyKind, DutyState, LabourClause, TerminationReason, Terms
from comity_node.domain.export import masked, unmasked
from comity_node.domain.report_sheet.cells import DATE, CellType, Misread, code
from comity_node.domain.report_sheet.reading import SheetRefused, open_workbook
from comity_schemas.errors import ComityError
from comity_schemas.identifiers import Identifier
from comity_schemas.wire import PRINTABLE

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 2 * 1024 * 1024
MOST_FAULTS: Final = 50


class ContractSheetRefused(ComityError):
    """The file is no list of contracts, or rows of it do not fit; the text names each. Nothing of it was taken."""

    code: ClassVar[str] = "contract.sheet-refused"


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in one cell; never what stands there."""

    row: int
    """As a spreadsheet counts: the headings are row 1."""
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class SheetDuty:
    """A duty as a row says it."""

    kind: DutyKind
    due: date
    state: DutyState
    note: str | None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: a contract, and one of its duties if it names one."""

    row: int
    terms: Terms
    duty: SheetDuty | None
    terminated: TerminationReason | None = None
    """Why the contract was cut, as an export says it; a list cuts none."""


@dataclass(frozen=True, slots=True)
class Written:
    """One row of an export."""

    terms: Terms
    duty: Duty | None = None
    terminated: TerminationReason | None = None


def _words(most: int) -> CellType:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Misread("write text; format the cell as text, so that the spreadsheet leaves it as it is")
        found = value.strip()
        if len(found) > most or not re.fullmatch(PRINTABLE, found):
            raise Misread(f"write at most {most} characters, without control characters")
        return found

    return CellType(read, str)


def _clauses(value: Any) -> list[str]:
    known = code(LabourClause)
    parts = str(value).replace(",", ";").split(";") if isinstance(value, str) else [value]
    return [known.read(part) for part in parts if str(part).strip()]


COLUMNS: Final[Mapping[str, tuple[CellType, bool]]] = {
    "reference": (_words(100), True),
    "supplier": (_words(200), True),
    "identifier_scheme": (_words(40), False),
    "identifier": (_words(100), False),
    "ends": (DATE, True),
    "clauses": (CellType(_clauses, lambda clauses: "; ".join(clauses)), False),
    "duty": (code(DutyKind), False),
    "due": (DATE, False),
    "state": (code(DutyState), False),
    "note": (_words(1_000), False),
    "terminated": (code(TerminationReason), False),
}
"""Heading to what may stand below it, and whether every row has it."""


def read_csv(raw: bytes) -> list[SheetRow]:
    """Return the rows of a CSV with commas or semicolons, in UTF-8.

    Raises:
        ContractSheetRefused: see there.
    """
    _check_size(raw)
    try:
        text = raw.decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ContractSheetRefused("this is no CSV in UTF-8 with commas or semicolons; nothing was taken") from error
    return _rows([[unmasked(cell) for cell in row] for row in table])


def read_xlsx(raw: bytes) -> list[SheetRow]:
    """Return the rows of a workbook's first sheet.

    Raises:
        ContractSheetRefused: see there.
    """
    _check_size(raw)
    try:
        sheet = open_workbook(raw).worksheets[0]
    except (SheetRefused, IndexError) as error:
        raise ContractSheetRefused(f"the workbook was not read: {error}") from error
    if sheet.max_row > MOST_ROWS + 1 or sheet.max_column > 100:
        raise ContractSheetRefused(f"a list has at most {MOST_ROWS} rows and the columns of the template")
    return _rows([[_value(cell) for cell in row] for row in sheet.iter_rows()])


def _value(cell: Any) -> Any:
    if cell.data_type in ("f", "e"):
        return "="
    return unmasked(cell.value) if isinstance(cell.value, str) else cell.value


def write_csv(rows: Iterable[Written]) -> bytes:
    """Return a register as CSV, one duty a row."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for cells in _cells(rows):
        writer.writerow([cell.isoformat() if isinstance(cell, date) else _mask(cell) for cell in cells])
    return written.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Iterable[Written]) -> bytes:
    """Return a register as a workbook, one duty a row."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Contracts"
    for number, line in enumerate([list(COLUMNS), *_cells(rows)], start=1):
        _put(sheet, number, line)
    sheet.freeze_panes = "B2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _check_size(raw: bytes) -> None:
    if len(raw) > MOST_BYTES:
        raise ContractSheetRefused(f"the file has {len(raw)} bytes; at most {MOST_BYTES} are read")


def _rows(table: Sequence[Sequence[Any]]) -> list[SheetRow]:
    headings = [str(cell or "").strip() for cell in table[0]] if table else []
    unknown = [n for n, heading in enumerate(headings, start=1) if heading and heading not in COLUMNS]
    missing = [name for name, (_, needed) in COLUMNS.items() if needed and name not in headings]
    if unknown or missing or len(set(filter(None, headings))) != len([h for h in headings if h]):
        raise ContractSheetRefused(
            f"the headings must be among {', '.join(COLUMNS)}, each once"
            + (f"; missing: {', '.join(missing)}" if missing else "")
            + (f"; not known: the heading of column {unknown[0]}" if unknown else "")
        )
    filled = [(n, row) for n, row in enumerate(table[1:], start=2) if any(not _is_empty(cell) for cell in row)]
    if len(filled) > MOST_ROWS:
        raise ContractSheetRefused(f"a list has at most {MOST_ROWS} rows")
    if not filled:
        raise ContractSheetRefused("there is no row below the headings")
    faults: list[RowFault] = []
    for number, row in filled:
        beside = [n for n, cell in enumerate(row, start=1) if not _is_empty(cell) and not "".join(headings[n - 1 : n])]
        faults += [
            RowFault(number, f"column {n}", "this stands below no heading; is a text cut in two?") for n in beside
        ]
    found = [_row(number, dict(zip(headings, row, strict=False)), faults) for number, row in filled]
    refuse(faults)
    return [row for row in found if row is not None]


def refuse(faults: Sequence[RowFault]) -> None:
    """Refuse a file of which something does not fit.

    Raises:
        ContractSheetRefused: with the first fifty faults.
    """
    if faults:
        listed = "\n".join(f"  row {f.row}, {f.column}: {f.text}" for f in faults[:MOST_FAULTS])
        raise ContractSheetRefused(f"{len(faults)} cells do not fit; nothing was taken:\n{listed}")


def _row(number: int, cells: Mapping[str, Any], faults: list[RowFault]) -> SheetRow | None:
    before = len(faults)
    given: dict[str, Any] = {}
    for name, (cell_type, needed) in COLUMNS.items():
        value = cells.get(name)
        if _is_empty(value):
            if needed:
                faults.append(RowFault(number, name, "this is required"))
            continue
        try:
            if value == "=":
                raise Misread("a formula or an error stands here: write its result")
            given[name] = cell_type.read(value)
        except Misread as error:
            faults.append(RowFault(number, name, str(error)))
    if ("duty" in given) != ("due" in given):
        faults.append(RowFault(number, "due", "a duty has a day on which it is due, and nothing else has one"))
    if "state" in given and "duty" not in given:
        faults.append(RowFault(number, "state", "a state is of a duty, and none is named here"))
    if given.get("state") == DutyState.WAIVED and "note" not in given:
        faults.append(RowFault(number, "note", "what was waived says why"))
    identifier = _identifier(number, given, faults)
    return None if len(faults) > before else _understood(number, given, identifier)


def _identifier(number: int, given: Mapping[str, Any], faults: list[RowFault]) -> Identifier | None:
    if "identifier" not in given and "identifier_scheme" not in given:
        return None
    try:
        return Identifier.of(given.get("identifier_scheme", ""), given.get("identifier", ""))
    except ValidationError:
        faults.append(RowFault(number, "identifier", "scheme and number do not fit each other, or one is missing"))
        return None


def _understood(number: int, given: Mapping[str, Any], identifier: Identifier | None) -> SheetRow:
    has_duty = "duty" in given
    terminated = TerminationReason(given["terminated"]) if "terminated" in given else None
    terms = Terms(
        reference=given["reference"],
        supplier=given["supplier"],
        ends=date.fromisoformat(given["ends"]),
        clauses=frozenset(map(LabourClause, given.get("clauses", ()))),
        identifier=identifier,
        note=None if has_duty else given.get("note"),
    )
    if not has_duty:
        return SheetRow(number, terms, None, terminated)
    state = DutyState(given.get("state", DutyState.OPEN))
    duty = SheetDuty(DutyKind(given["duty"]), date.fromisoformat(given["due"]), state, given.get("note"))
    return SheetRow(number, terms, duty, terminated)


def _cells(rows: Iterable[Written]) -> Iterable[list[Any]]:
    for row in rows:
        terms, duty, identifier = row.terms, row.duty, row.terms.identifier
        yield [
            terms.reference,
            terms.supplier,
            None if identifier is None else identifier.scheme,
            None if identifier is None else identifier.id,
            terms.ends,
            "; ".join(sorted(terms.clauses)),
            None if duty is None else duty.kind.value,
            None if duty is None else duty.due,
            None if duty is None else duty.state.value,
            terms.note if duty is None else duty.note,
            None if row.terminated is None else row.terminated.value,
        ]


def _put(sheet: Worksheet, row: int, line: Sequence[Any]) -> None:
    for column, value in enumerate(line, start=1):
        cell = sheet.cell(row, column)
        cell.value = _mask(value) or None
        if isinstance(value, str) and value:
            # Else a text that begins with `=` would become a formula.
            cell.data_type, cell.number_format = "s", "@"


def _mask(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


READ: Final[Mapping[str, Callable[[bytes], list[SheetRow]]]] = {"csv": read_csv, "xlsx": read_xlsx}
WRITE: Final[Mapping[str, Callable[[Iterable[Written]], bytes]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}
