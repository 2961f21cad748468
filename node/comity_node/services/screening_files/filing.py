"""A screened file put on file: its rows asked again at its own moment, since a result has no room for whole answers."""

import io
from itertools import islice
from typing import Any, Final

from comity_node.db import Database
from comity_node.domain.filing import FilingMayNot
from comity_node.domain.people import Person
from comity_node.domain.screening_files.asking import Reading
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen_at
from comity_node.services.filing.keeping import Answered
from comity_node.services.screening_files.jobs import finished
from comity_node.services.screening_files.network import question_of_row
from comity_node.services.screening_files.opening import open_given
from comity_node.services.screening_files.running import PART
from comity_node.vocabulary import countries

MOST: Final = 2_000
"""Rows that one request puts on file."""


async def answers_of(database: Database, person: Person, job_id: str) -> Answered:
    """Return what is put on file of one's own file that was screened to its end.

    Raises:
        NotFound, NotYet: see `finished`.
        FilingMayNot: it has too many rows, or rows that could not be asked about.
    """
    answers: list[dict[str, Any]] = []
    async with database.read() as store:
        found = await finished(store, person, job_id)
        account, moment = found.file.account, found.file.moment
        if account.not_asked:
            raise FilingMayNot(f"{account.not_asked} rows could not be asked about: a file with holes proves nothing")
        if not 1 <= account.rows <= MOST:
            raise FilingMayNot(f"it has {account.rows} rows; 1 to {MOST} are put on file together")
        opened = open_given(io.BytesIO(found.given), found.file.told)
        reading = Reading(opened.columns, countries().read, lambda _: None)
        while rows := list(islice(opened.table.rows, PART)):
            questions = [question_of_row(reading.ask(row)) for row in rows]
            answers += describe(await screen_at(store, questions, moment))["answers"]
    return Answered(moment, answers)
