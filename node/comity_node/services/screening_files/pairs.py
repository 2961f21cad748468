"""Pairs of parties, one a row: are the two the same? Each row gets verdict, score and reason."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Self

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.party import Party
from comity_node.domain.screening_files.asking import Asked, Problem, ReadCountry, Reading
from comity_node.domain.screening_files.columns import Columns, What, map_columns
from comity_node.domain.screening_files.results import reason_with
from comity_node.domain.tables.table import Row, Table, TableRefused, Value
from comity_node.lexicon import lexicon
from comity_node.services.screening_files.running import Account, Answering, in_turn
from comity_node.services.screening_files.spreading import forked_for, spread

COLUMNS: Final = ("verdict", "score", "reason")


def pair_columns(headings: Sequence[str]) -> tuple[Columns, Columns]:
    """Return where the two sides stand: headings that end with 1 and with 2, such as `name1` and `name2`.

    Raises:
        TableRefused: a side has no name, or two columns could hold it.
    """
    first, second = (_side(headings, side) for side in ("1", "2"))
    return first, second


def sides_in_words(headings: Sequence[str]) -> list[str]:
    """Return lines that say how the two sides are read.

    Raises:
        TableRefused: a side has no name, or two columns could hold it.
    """
    said, read = [], set[int]()
    for which, side in zip(("first", "second"), pair_columns(headings), strict=True):
        held = [(what.value, place) for what, places in side.places.items() for place in places]
        held += [(scheme, place) for place, scheme in side.numbers.items()]
        said.append(f"the {which}: {', '.join(f'{what}: {headings[place]!r}' for what, place in held)}")
        read |= {place for _, place in held}
    unread = [heading for place, heading in enumerate(headings) if place not in read]
    return [*said, *([f"not read: {', '.join(map(repr, unread))}"] if unread else [])]


def _side(headings: Sequence[str], side: str) -> Columns:
    own = [heading[:-1] if heading.endswith(side) else "" for heading in headings]
    if not any(own):
        raise TableRefused(f"no column is known to hold name{side}; pairs stand in name1,country1,address1,name2,…")
    columns = map_columns(own)
    # One party may stand in many pairs.
    return Columns(
        columns.headings, {what: n for what, n in columns.places.items() if what != What.ID}, columns.numbers
    )


Both = tuple[Party, Party]
Written = list[Value]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One row, read."""

    row: Row
    first: Asked
    second: Asked

    @property
    def refused(self) -> str | None:
        """Why its two sides cannot be compared."""
        sides = (("first", self.first.refused), ("second", self.second.refused))
        return next((f"the {which}: {why}" for which, why in sides if why is not None), None)


@dataclass(frozen=True, slots=True)
class PairComparing:
    """Compares; it knows nothing and asks nobody."""

    at_once: int = 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Give itself."""
        yield self

    async def ask(self, pairs: Sequence[Both]) -> list[Written]:
        """Return verdict, score and reason of each, in their order."""
        found = (compare(one, other) for one, other in pairs)
        return [[likeness.verdict.value, likeness.score, likeness.reason] for likeness in found]


@asynccontextmanager
async def comparing_pairs(rows: int) -> AsyncIterator[Answering[Both, Written]]:
    """Give who compares about so many pairs, on all processors where that is worth it.

    Raises:
        ProcessEnded: a process that compared is gone.
    """
    count = forked_for(rows)
    if count == 1:
        yield PairComparing()
        return
    # Read once and shared by all.
    lexicon()
    async with spread(PairComparing(), count, "fork", nullcontext()) as several:
        yield several


async def compared(
    table: Table, read_country: ReadCountry, account: Account, comparing: Answering[Both, Written]
) -> AsyncGenerator[list[tuple[Row, Written]], None]:
    """Give the rows in their order, a part at a time, each with what is said of its two sides.

    Raises:
        TableRefused: a side has no name, two columns could hold it, or the file turns out to be damaged.
    """
    first, second = readings(table, read_country, account)
    pairs = (_Pair(row, first.ask(row), second.ask(row)) for row in table.rows)
    async with aclosing(in_turn(pairs, _Asking(comparing))) as answered:
        async for asked, said in answered:
            written = [_written(pair, each, account) for pair, each in zip(asked, said, strict=True)]
            yield [(pair.row, values) for pair, values in zip(asked, written, strict=True)]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks about those pairs of which both sides can be compared."""

    comparing: Answering[Both, Written]

    @property
    def at_once(self) -> int:
        return self.comparing.at_once

    async def ask(self, pairs: Sequence[_Pair]) -> list[Written | None]:
        said = iter(await self.comparing.ask([(p.first.party, p.second.party) for p in pairs if p.refused is None]))
        return [next(said) if pair.refused is None else None for pair in pairs]


def _written(pair: _Pair, said: Written | None, account: Account) -> Written:
    account.rows += 1
    if said is None:
        account.not_asked += 1
        return ["", None, f"not compared: {pair.refused}"]
    verdict, score, reason = said
    account.verdicts[str(verdict)] += 1
    return [verdict, score, reason_with(str(reason), (*pair.first.notes, *pair.second.notes))]


def readings(table: Table, read_country: ReadCountry, account: Account) -> tuple[Reading, Reading]:
    """Return what reads the two sides of each row.

    Raises:
        TableRefused: a side has no name, or two columns could hold it.
    """

    def noted(which: str) -> Callable[[Problem], None]:
        return lambda problem: account.note(Problem(problem.number, f"the {which}: {problem.what}"))

    first, second = pair_columns(table.headings)
    return Reading(first, read_country, noted("first")), Reading(second, read_country, noted("second"))
