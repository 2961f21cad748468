"""The rows of an officer's own list, read out of a file as a file to be screened is."""

from dataclasses import dataclass

from comity_node.domain.matching.party import Party
from comity_node.domain.screening_files.asking import Problem, ReadCountry, Reading
from comity_node.domain.tables.table import TableRefused
from comity_node.domain.watching.vendors import MOST_ADDRESS, MOST_ROW, MOST_VENDORS, TooManyVendors
from comity_node.services.screening_files.opening import Opened

_TOLD = 10
"""So many rows are named."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What is to be kept of a file."""

    rows: list[tuple[str, Party]]
    """Each under its own id, or under its place in the file."""
    problems: list[Problem]
    """What is not kept, or not as it is written; never what stands there."""


def read_portfolio(opened: Opened, read_country: ReadCountry, *, whole: bool = False) -> Portfolio:
    """Return the rows of a file that can be kept, and what is to be looked at.

    Args:
        opened: the file.
        read_country: of a spelling.
        whole: whether it stands in place of all that is kept: then each row must be one that can be, since a row that
            is left out would be removed, with its alerts and what was judged of it.

    Raises:
        TooManyVendors: it has more rows than one officer may keep.
        TableRefused: the file turns out to be damaged; or it is to be whole and is not.
    """
    problems: list[Problem] = []
    found: dict[str, Party] = {}
    first: dict[str, int] = {}
    left_out: list[int] = []
    reading = Reading(opened.columns, read_country, problems.append, each_once=True)
    for row in opened.table.rows:
        asked = reading.ask(row)
        key = asked.key or f"row {row.number}"
        if asked.refused is not None:
            if row.reason is not None or not row.is_empty:
                left_out.append(row.number)
        elif not asked.names:
            problems.append(Problem(row.number, "it has no name; it was not kept"))
            left_out.append(row.number)
        elif len(key) > MOST_ROW:
            problems.append(Problem(row.number, f"its id has more than {MOST_ROW} characters; it was not kept"))
            left_out.append(row.number)
        elif key in found:
            problems.append(Problem(row.number, f"its id stands in row {first[key]} too; this row was not kept"))
        elif len(found) == MOST_VENDORS:
            raise TooManyVendors(f"one officer keeps at most {MOST_VENDORS} rows; this file has more. Nothing changed")
        else:
            addresses = () if asked.address is None else (asked.address[:MOST_ADDRESS],)
            first[key] = row.number
            found[key] = Party(asked.names, asked.country, addresses, asked.identifiers)
    if whole and left_out:
        raise TableRefused(_not_whole(left_out, {each.number: each.what for each in problems}))
    return Portfolio(list(found.items()), problems)


def _not_whole(left_out: list[int], why: dict[int, str]) -> str:
    told = "; ".join(f"row {number}: {why[number]}" for number in left_out[:_TOLD])
    further = f"; and {len(left_out) - _TOLD} further" if len(left_out) > _TOLD else ""
    return (
        f"{len(left_out)} rows cannot be kept, and would be removed with all that was judged of them, so nothing was "
        f"changed: {told}{further}. Correct them, or keep the file without replacing what is not in it"
    )
