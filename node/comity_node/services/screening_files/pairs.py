"""Pairs of parties, one a row: are the two the same? Each row gets verdict, score and reason."""

from collections.abc import Callable, Sequence
from typing import Final

from comity_node.domain.matching.comparing import compare
from comity_node.domain.screening_files.asking import Asked, Problem, ReadCountry, Reading
from comity_node.domain.screening_files.columns import Columns, What, map_columns
from comity_node.domain.screening_files.results import reason_with
from comity_node.domain.tables.table import Row, Table, TableRefused, Value
from comity_node.services.screening_files.running import Account

COLUMNS: Final = ("verdict", "score", "reason")


def pair_columns(headings: Sequence[str]) -> tuple[Columns, Columns]:
    """Return where the two sides stand: headings that end with 1 and with 2, such as `name1` and `name2`.

    Raises:
        TableRefused: a side has no name, or two columns could hold it.
    """
    first, second = (_side(headings, side) for side in ("1", "2"))
    return first, second


def _side(headings: Sequence[str], side: str) -> Columns:
    own = [heading[:-1] if heading.endswith(side) else "" for heading in headings]
    if not any(own):
        raise TableRefused(f"no column is known to hold name{side}; pairs stand in name1,country1,address1,name2,…")
    columns = map_columns(own)
    # One party may stand in many pairs.
    return Columns(
        columns.headings, {what: n for what, n in columns.places.items() if what != What.ID}, columns.numbers
    )


def compare_row(row: Row, first: Reading, second: Reading, account: Account) -> list[Value]:
    """Return what is said of one pair."""
    one, other = first.ask(row), second.ask(row)
    account.rows += 1
    refused = _refused(one, "first") or _refused(other, "second")
    if refused is not None:
        account.not_asked += 1
        return ["", None, f"not compared: {refused}"]
    likeness = compare(one.party, other.party)
    account.verdicts[likeness.verdict.value] += 1
    return [likeness.verdict.value, likeness.score, reason_with(likeness.reason, (*one.notes, *other.notes))]


def readings(table: Table, read_country: ReadCountry, account: Account) -> tuple[Reading, Reading]:
    """Return what reads the two sides of each row.

    Raises:
        TableRefused: a side has no name, or two columns could hold it.
    """

    def noted(which: str) -> Callable[[Problem], None]:
        return lambda problem: account.note(Problem(problem.number, f"the {which}: {problem.what}"))

    first, second = pair_columns(table.headings)
    return Reading(first, read_country, noted("first")), Reading(second, read_country, noted("second"))


def _refused(asked: Asked, which: str) -> str | None:
    return None if asked.refused is None else f"the {which}: {asked.refused}"
