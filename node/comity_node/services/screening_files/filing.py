"""A screened file put on file: its rows asked again at its own moment, since a result has no room for whole answers."""

import asyncio
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any, Final

from comity_node.db import Database
from comity_node.domain.filing import FilingMayNot
from comity_node.domain.people import Person
from comity_node.domain.screening_files.asking import Reading
from comity_node.services.filing.keeping import Answered
from comity_node.services.screening_files.jobs import Finished, finished
from comity_node.services.screening_files.network import asking_network
from comity_node.services.screening_files.opening import Opened, open_given
from comity_node.services.screening_files.running import Account, screened
from comity_node.vocabulary import countries

MOST: Final = 20_000
"""Rows that one request puts on file: they are written in one transaction, and others wait for it to write."""


class _Parts:
    """Whole answers, as compressed as they are kept."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []

    def add(self, answers: list[Any]) -> None:
        """Take in a part of them."""
        self._packed.append(zlib.compress(json.dumps(answers).encode(), 1))

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        """Give the parts in their order."""
        return (json.loads(zlib.decompress(packed)) for packed in self._packed)


async def answers_of(database: Database, person: Person, job_id: str) -> Answered:
    """Return what is put on file of one's own file that was screened to its end; it takes as long as screening did.

    Raises:
        NotFound, NotYet: see `finished`.
        ProcessEnded: a process that answered is gone.
        FilingMayNot: it has too many rows, or rows that could not be asked about.
    """
    async with database.read() as store:
        found = await finished(store, person, job_id)
    moment = found.file.moment
    opened, asked = await asyncio.to_thread(_opened, found)
    if not 1 <= asked <= MOST:
        raise FilingMayNot(f"it has {asked:,} rows; 1 to {MOST:,} are put on file together: divide the file")
    parts = _Parts()
    async with (
        asking_network(database, moment, None, asked, whole=True) as asker,
        aclosing(screened(opened, asker, countries().read, Account())) as coming,
    ):
        async for part in coming:
            parts.add([result.whole for row, result in part if not row.row.is_empty])
    return Answered(moment, asked, parts)


def _opened(found: Finished) -> tuple[Opened, int]:
    """Return a file, and how many of its rows ask about somebody; all do but empty ones.

    Raises:
        FilingMayNot: some could not be asked about, or it is read otherwise than it was.
    """
    opened, asked, empty, holes = open_given(io.BytesIO(found.given), found.file.told), 0, 0, 0
    reading = Reading(opened.columns, countries().read, lambda _: None)
    for row in opened.table.rows:
        empty, asked = empty + row.is_empty, asked + (not row.is_empty)
        holes += not row.is_empty and reading.ask(row).refused is not None
    account = found.file.account
    if (asked + empty, holes + empty) != (account.rows, account.not_asked):
        # After an update: what could be asked about then is told to be looked at now.
        raise FilingMayNot("it is read otherwise than when it was screened; nothing was filed. Screen it again")
    if holes:
        raise FilingMayNot(f"{holes} rows could not be asked about: a file with holes proves nothing")
    return open_given(io.BytesIO(found.given), found.file.told), asked
