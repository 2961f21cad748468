"""The periods in which a register lists somebody, and how long a finding taken from it is valid.

`05/10/2023 a 19/12/2023, 20/05/2025` says: listed from October to December 2023, taken off (by a court, say), and
listed again since May 2025. Only the last period can be open, and only an open one is a listing of today.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise


class Earlier(StrEnum):
    """What earlier periods of a listing do to its validity."""

    DEDUCTED = "deducted"
    """The days already listed count towards the time."""
    IGNORED = "ignored"
    """The time starts anew with the latest inclusion."""


@dataclass(frozen=True, slots=True)
class Period:
    """One time on the register, both days included; without an end it still lasts."""

    start: date
    end: date | None = None

    def __str__(self) -> str:
        return f"from {self.start}" if self.end is None else f"from {self.start} to {self.end}"


def read_date(written: str, formats: Sequence[str]) -> date:
    """Return the day (or the first of January, where the format has no more than a year).

    Raises:
        ValueError: no format fits; the text does not repeat what was written.
    """
    folded = unicodedata.normalize("NFKC", written).strip()
    for form in formats:
        try:
            return datetime.strptime(folded, form).date()  # noqa: DTZ007 (a calendar day has no zone)
        except ValueError:
            continue
    raise ValueError(f"is no date in the form {' or '.join(formats)}")


def read_listing(written: str, formats: Sequence[str], interval_words: Sequence[str]) -> tuple[Period, ...]:
    """Return the periods in order of time.

    Raises:
        ValueError: a date does not fit, a period ends before it starts, or periods overlap.
    """
    periods = [_period(part, formats, interval_words) for part in re.split(r"[,;]", written)]
    for before, after in pairwise(periods):
        if before.end is None:
            raise ValueError("has a listing without an end before its last one")
        if after.start <= before.end:
            raise ValueError("has listings that overlap or are not in order of time")
    return tuple(periods)


def _period(written: str, formats: Sequence[str], interval_words: Sequence[str]) -> Period:
    ends = [written]
    if interval_words:
        ends = re.split(rf"\s+(?:{'|'.join(map(re.escape, interval_words))})\s+", written.strip())
    if len(ends) > 2:
        raise ValueError("has an interval with more than two ends")
    period = Period(*(read_date(end, formats) for end in ends))
    if period.end is not None and period.end < period.start:
        raise ValueError("has a listing that ends before it starts")
    return period


def valid_until(periods: Sequence[Period], months: int, earlier: Earlier) -> date:
    """Return the last day on which the current listing may be quoted; never before it began.

    Args:
        periods: In order of time; the last one counts as the current listing.
        months: How long the register lists somebody, from the day of inclusion to the same day of the month.
        earlier: Whether days listed before, first and last included, use up part of that time.

    Raises:
        ValueError: a date that stands for none, such as 31/12/9999, which no calendar can count on from.
    """
    current = periods[-1].start
    served = sum(((p.end - p.start).days + 1 for p in periods[:-1] if p.end is not None), 0)
    try:
        last = _months_after(current, months)
    except ValueError as error:
        raise ValueError("has a date from which no time can be counted") from error
    return max(current, last - timedelta(days=served)) if earlier is Earlier.DEDUCTED else last


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
