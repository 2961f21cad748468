"""A file's rows, a part at a time, with what is said of each."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeVar

from comity_node.domain.screening_files.asking import Asked, Problem, ReadCountry, Reading
from comity_node.domain.screening_files.results import Result
from comity_node.services.screening_files.opening import Opened

PART = 100
"""Rows that are asked about together; other requests go on between two parts."""

REMEMBERED = 10_000
"""Rows of which it is kept what was said, for rows that ask the same."""

MOST_PROBLEMS = 5_000
"""So many are named by row; more are only counted."""


Q = TypeVar("Q")
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", contravariant=True)


class Answering(Protocol[Q_contra, A]):
    """Who answers for rows of one kind."""

    @property
    def at_once(self) -> int:
        """How many parts may be asked about before the first is answered."""

    async def ask(self, rows: Sequence[Q_contra], /) -> list[A]:
        """Return what is said of each, in their order."""


Asker = Answering[Asked, Result]


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


class Once:
    """Asks once for rows that ask the same; who answers says the same again in any case."""

    def __init__(self, asker: Asker, apart: frozenset[str] = frozenset()) -> None:
        """Ask nobody yet.

        Args:
            asker: who answers.
            apart: rows of which somebody judged whom they mean: what is said of them is of no other row.
        """
        self._asker, self._apart = asker, apart
        self.at_once = asker.at_once
        self._said: OrderedDict[object, Result] = OrderedDict()

    async def ask(self, rows: Sequence[Asked]) -> list[Result]:
        """Return what is said of each, in their order."""
        asks = [(row.asks, row.key if row.key in self._apart else "") for row in rows]
        new = {ask: row for ask, row in zip(asks, rows, strict=True) if ask not in self._said}
        told = {ask: self._said[ask] for ask in asks if ask not in new}
        if new:
            told |= zip(new, await self._asker.ask(list(new.values())), strict=True)
        for ask in new:
            self._said[ask] = told[ask]
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return [told[ask] for ask in asks]


Screened = list[tuple[Asked, Result]]


async def screened(
    given: Opened, asker: Asker, read_country: ReadCountry, account: Account, part: int = PART
) -> AsyncGenerator[Screened, None]:
    """Give the rows in their order, a part at a time, each with what is said of it.

    Raises:
        TableRefused: the file turns out to be too large or damaged.
    """
    reading = Reading(given.columns, read_country, account.note)
    async with aclosing(in_turn((reading.ask(row) for row in given.table.rows), asker, part)) as answered:
        async for asked, results in answered:
            for result in results:
                account.count(result)
            yield list(zip(asked, results, strict=True))


async def in_turn(
    rows: Iterator[Q], answering: Answering[Q, A], part: int = PART
) -> AsyncGenerator[tuple[list[Q], list[A]], None]:
    """Give the rows in their order, a part at a time, with what is said of each; no more are read than are asked about.

    Args:
        rows: read as they are needed.
        answering: who answers.
        part: rows that are asked about together; other requests go on between two parts.
    """
    under_way: deque[tuple[list[Q], asyncio.Task[list[A]]]] = deque()
    try:
        while True:
            while len(under_way) < answering.at_once and (asked := list(islice(rows, part))):
                under_way.append((asked, asyncio.create_task(_asked(answering, asked))))
            if not under_way:
                return
            asked, coming = under_way[0]
            said = await coming
            under_way.popleft()
            yield asked, said
            await asyncio.sleep(0)
    finally:
        for _, coming in under_way:
            coming.cancel()
        await asyncio.gather(*(coming for _, coming in under_way), return_exceptions=True)


async def _asked(answering: Answering[Q, A], rows: Sequence[Q]) -> list[A]:
    return await answering.ask(rows)
