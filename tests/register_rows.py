"""Rows of a register as the mapping of the Brazilian one reads them, and its mapping with a line changed."""

import csv
import io
from pathlib import Path
from typing import Any

from builders import CHECKOUT
from comity_node import mappings
from comity_node.domain.register import (
    ImportedRow,
    Register,
    RowProblem,
    read_rows,
)
from comity_node.mappings import find_register

LISTA_SUJA = find_register("br_lista_suja")
SECRET = b"a secret of this node, for tests"

ROW = {
    "documentFormatted": "11.222.333/0001-81",
    "name": "CERAMICA EXEMPLO LTDA",
    "year": "2024",
    "state": "PE",
    "address": "ALOJAMENTO À RUA DAS FLORES, Nº 50, BOA VISTA, IPOJUCA/PE",
    "workersAffected": "7",
    "cnae": "4120-4/00",
    "inclusionDate": "06/10/2025",
}
MARKER = "ZQXJ"
"""Stands in cells that must not be repeated in a reason."""


def file_of(*rows: dict[str, str], delimiter: str = ",", columns: list[str] | None = None, **form: Any) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(ROW), delimiter=delimiter, extrasaction="ignore", **form)
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)
    return text.getvalue().encode()


def read(raw: bytes, register: Register = LISTA_SUJA, secret: bytes = SECRET) -> list[ImportedRow | RowProblem]:
    return list(read_rows(io.BytesIO(raw), register, secret=secret))


def imported(raw: bytes, register: Register = LISTA_SUJA, secret: bytes = SECRET) -> list[ImportedRow]:
    rows = read(raw, register, secret)
    assert [row for row in rows if isinstance(row, RowProblem)] == []
    return [row for row in rows if isinstance(row, ImportedRow)]


def one(**changes: str) -> ImportedRow:
    (row,) = imported(file_of(changes))
    return row


def refused(**changes: str) -> RowProblem:
    first, good = read(file_of(changes, {"documentFormatted": "00.000.000/0001-91"}))
    assert isinstance(good, ImportedRow), "the rest goes on"
    assert isinstance(first, RowProblem)
    assert first.line == 2
    return first


DOCUMENTED = (CHECKOUT / "docs" / "importing.md").read_text("utf-8")
MAPPING = (Path(mappings.__file__).parent / "br_lista_suja.toml").read_text("utf-8")


def mapping_with(line: str, instead: str) -> str:
    """The bundled mapping with another line in place of one that it has."""
    assert MAPPING.count(f"\n{line}\n") == 1
    return MAPPING.replace(f"\n{line}\n", f"\n{instead}\n")
