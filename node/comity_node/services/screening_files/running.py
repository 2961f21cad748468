"""A file's rows, a part at a time, with what is said of each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from comity_node.domain.screening_files.asking import Asked, Problem, ReadCountry, Reading
from comity_node.domain.screening_files.results import Result
from comity_node.services.screening_files.opening import Opened

PART = 100
"""Rows that are asked about together; other requests go on between two parts."""

MOST_PROBLEMS = 5_000
"""So many are named by row; more are only counted."""


class Asker(Protocol):
    """Who answers for rows."""

    async def ask(self, rows: Sequence[Asked]) -> list[Result]:
        """Return what is said of each, in their order."""


@dataclass
class Account:
    """What became of the rows so far."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    not_asked: int = 0
    problems: list[Problem] = field(default_factory=list)
    further_problems: int = 0

    def note(self, problem: Problem) -> None:
        """Take in what somebody should look at."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.further_problems += 1

    def count(self, result: Result) -> None:
        """Take in what is said of a row."""
        self.rows += 1
        if result.verdict is None:
            self.not_asked += 1
        else:
            self.verdicts[result.verdict.value] += 1

    def in_words(self) -> str:
        """Return it in one sentence."""
        found = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        missing = f"; {self.not_asked} could not be asked about" if self.not_asked else ""
        return f"{self.rows} rows: {found or 'nothing was asked'}{missing}"


Screened = list[tuple[Asked, Result]]


async def screened(
    given: Opened, asker: Asker, read_country: ReadCountry, account: Account, part: int = PART
) -> AsyncIterator[Screened]:
    """Give the rows in their order, a part at a time, each with what is said of it.

    Raises:
        TableRefused: the file turns out to be too large or damaged.
    """
    reading = Reading(given.columns, read_country, account.note)
    while rows := list(islice(given.table.rows, part)):
        asked = [reading.ask(row) for row in rows]
        results = await asker.ask(asked)
        for result in results:
            account.count(result)
        yield list(zip(asked, results, strict=True))
        await asyncio.sleep(0)
