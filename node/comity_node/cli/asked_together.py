"""Suppliers that are asked about together, from a file or a pasted list: all of them, or none."""

from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar

import typer

from comity_node.domain.screening import Question
from comity_node.domain.screening_files.asking import Asked, Problem, Reading
from comity_node.domain.tables.pasted import MOST_BYTES
from comity_node.services.screening_files.opening import Opened, open_given, open_pasted
from comity_node.vocabulary import countries
from comity_schemas.errors import ComityError

PastedOption = Annotated[
    typer.FileBinaryRead | None,
    typer.Option(metavar="LIST", help="All of a pasted list at one moment, one name a line; - reads it here."),
]
MOST_TOGETHER = 500
_TOLD = 10


class RowsUnreadable(ComityError):
    """Rows cannot be asked about; nothing was done, since an answer with holes is taken for a whole one."""

    code: ClassVar[str] = "screening.rows-unreadable"


def read_file(path: Path) -> list[Question]:
    """Return whom a CSV, XLSX or OCDS package asks about.

    Raises:
        RowsUnreadable, TableRefused: see there.
    """
    with path.open("rb") as stream:
        opened = open_given(stream)
        for line in opened.in_words():
            typer.echo(line, err=True)
        return _questions(opened)


def read_pasted(pasted: BinaryIO) -> list[Question]:
    """Return whom a pasted list asks about.

    Raises:
        RowsUnreadable, TableRefused: see there.
    """
    return _questions(open_pasted(pasted.read(MOST_BYTES + 1)))


def to_ask(question: Question) -> dict[str, Any]:
    """Return a question as the API takes it."""
    return {
        "name": question.name,
        "country": question.country,
        "identifiers": [identifier.to_parsed() for identifier in question.identifiers],
        "addresses": list(question.addresses),
        "other_names": list(question.other_names),
    }


def _questions(opened: Opened) -> list[Question]:
    problems: list[Problem] = []
    reading = Reading(opened.columns, countries().read, problems.append)
    rows = [reading.ask(row) for row in opened.table.rows if not row.is_empty]
    if bad := [asked for asked in rows if asked.refused is not None]:
        told = "; ".join(f"row {asked.row.number}: {asked.refused}" for asked in bad[:_TOLD])
        further = f"; and {len(bad) - _TOLD} further" if len(bad) > _TOLD else ""
        raise RowsUnreadable(f"{len(bad)} rows cannot be asked about, so nothing was done: {told}{further}")
    if not 1 <= len(rows) <= MOST_TOGETHER:
        raise RowsUnreadable(f"there are {len(rows)} rows; 1 to {MOST_TOGETHER} are asked together")
    for problem in problems:
        typer.echo(f"row {problem.number}: {problem.what}", err=True)
    return [_question(asked) for asked in rows]


def _question(asked: Asked) -> Question:
    return Question(
        asked.names[0] if asked.names else None,
        asked.country,
        asked.identifiers,
        () if asked.address is None else (asked.address,),
        asked.names[1:],
    )
