"""The rows of an officer's own list, read out of a file as a file to be screened is."""

from dataclasses import dataclass

from comity_node.domain.matching.party import Party
from comity_node.domain.screening_files.asking import Problem, ReadCountry, Reading
from comity_node.domain.watching.vendors import MOST_ADDRESS, MOST_ROW, MOST_VENDORS, TooManyVendors
from comity_node.services.screening_files.opening import Opened


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What is to be kept of a file."""

    rows: list[tuple[str, Party]]
    """Each under its own id, or under its place in the file."""
    problems: list[Problem]
    """What is not kept, or not as it is written; never what stands there."""


def read_portfolio(opened: Opened, read_country: ReadCountry) -> Portfolio:
    """Return the rows of a file that can be kept, and what is to be looked at.

    Raises:
        TooManyVendors: it has more rows than one officer may keep.
        TableRefused: the file turns out to be damaged.
    """
    problems: list[Problem] = []
    found: dict[str, Party] = {}
    first: dict[str, int] = {}
    reading = Reading(opened.columns, read_country, problems.append, each_once=True)
    for row in opened.table.rows:
        asked = reading.ask(row)
        key = asked.key or f"row {row.number}"
        if asked.refused is not None:
            continue
        if not asked.names:
            problems.append(Problem(row.number, "it has no name; it was not kept"))
        elif len(key) > MOST_ROW:
            problems.append(Problem(row.number, f"its id has more than {MOST_ROW} characters; it was not kept"))
        elif key in found:
            problems.append(Problem(row.number, f"its id stands in row {first[key]} too; this row was not kept"))
        elif len(found) == MOST_VENDORS:
            raise TooManyVendors(f"one officer keeps at most {MOST_VENDORS} rows; this file has more. Nothing changed")
        else:
            addresses = () if asked.address is None else (asked.address[:MOST_ADDRESS],)
            first[key] = row.number
            found[key] = Party(asked.names, asked.country, addresses, asked.identifiers)
    return Portfolio(list(found.items()), problems)
