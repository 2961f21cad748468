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
from comity_node.services.filing.keeping import Answered
from comity_node.services.screening_files.jobs import finished
from comity_node.services.screening_files.network import asking_network
from comity_node.services.screening_files.opening import open_given
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
    account, moment = found.file.account, found.file.moment
    if account.not_asked:
        raise FilingMayNot(f"{account.not_asked} rows could not be asked about: a file with holes proves nothing")
    if not 1 <= account.rows <= MOST:
        raise FilingMayNot(f"it has {account.rows:,} rows; 1 to {MOST:,} are put on file together: divide the file")
    opened, parts = await asyncio.to_thread(open_given, io.BytesIO(found.given), found.file.told), _Parts()
    async with (
        asking_network(database, moment, None, account.rows, whole=True) as asker,
        aclosing(screened(opened, asker, countries().read, again := Account())) as coming,
    ):
        async for part in coming:
            parts.add([result.whole for _, result in part])
    if again.not_asked:
        # After an update: what could be asked about then is told to be looked at now.
        raise FilingMayNot(
            f"{again.not_asked} rows are read otherwise than when it was screened; nothing was filed. Screen it again"
        )
    return Answered(moment, account.rows, parts)
