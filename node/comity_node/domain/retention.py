"""How long reports and evidence are kept. Pure."""

from calendar import monthrange
from datetime import date
from typing import Final

from comity_schemas.report import Evidence, Report

USUAL_MONTHS: Final = 84
"""How long is kept what states no date, unless the member's setting says otherwise."""


def last_day(report: Report, received: date, months: int, file: Evidence | None = None) -> date:
    """Return until when a report, or a file of it, is kept.

    Args:
        report: As it was signed; its own date counts for its files too.
        received: When the report, or the file, came.
        months: The member's setting, for what states no date.
        file: One of its files; the soonest date stated counts.
    """
    stated = [day for day in (file.keep_until if file is not None else None, report.keep_until) if day is not None]
    if stated:
        return min(stated)
    return months_after(received, months)


def months_after(day: date, months: int) -> date:
    """Return the last day of the month that begins so many months after a day's."""
    year, before = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, before + 1, monthrange(year, before + 1)[1])
