"""Watches: a standing interest of one officer, and which news answer to it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from comity_node.domain.changing import News
from comity_schemas.errors import ComityError

MOST_WATCHES = 50
"""Of one officer."""


class Channel(StrEnum):
    """How somebody is told."""

    FEED = "feed"
    """Nothing is sent: whoever watches looks."""
    MAIL = "mail"
    WEBHOOK = "webhook"


class Timing(StrEnum):
    """When something is sent."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    WEEKLY = "weekly"


PAUSES = {Timing.AT_ONCE: timedelta(0), Timing.DAILY: timedelta(days=1), Timing.WEEKLY: timedelta(days=7)}
"""At least so much time between two digests of one watch."""

QUIET = frozenset({News.SUPERSEDED})
"""What stands in its place is news of its own."""


class WatchRefused(ComityError):
    """A watch does not fit itself, or there are too many; nothing was changed."""

    code: ClassVar[str] = "watch.refused"


@dataclass(frozen=True, slots=True)
class Interest:
    """What somebody wants to be told of; all that is given must hold. Nothing given is everything."""

    vendors: bool = True
    """Only what may concern a row of the officer's own."""
    vendor: str | None = None
    """Only this row, by its id."""
    supplier: int | None = None
    """Only this supplier, with all it is joined with."""
    countries: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    least_severity: str | None = None
    members: tuple[str, ...] = ()
    """Only what these members publish."""
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing interest."""

    number: int
    id: str
    owner: str
    title: str
    interest: Interest
    channel: Channel
    timing: Timing
    made_at: datetime
    target: str | None = None
    """An address or a URL, the officer's own."""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a piece of news a watch can look at."""

    news: News
    member: str | None = None
    country: str | None = None
    sector: str | None = None
    indicators: frozenset[str] = frozenset()
    severity: str | None = None
    wholes: frozenset[int] = frozenset()
    """The numbers under which the suppliers concerned stand with those they are joined with."""


def answers_to(interest: Interest, facts: Facts, whole: int | None) -> bool:
    """Tell whether news answers to an interest, as far as that does not depend on the officer's rows.

    Args:
        interest: What is watched.
        facts: Of the news.
        whole: The number under which the interest's supplier stands now.
    """
    if facts.news in QUIET or (interest.news and facts.news not in interest.news):
        return False
    asked: tuple[tuple[object, bool], ...] = (
        (interest.members, facts.member in interest.members),
        (interest.countries, facts.country in interest.countries),
        (interest.sectors, any((facts.sector or "").startswith(sector) for sector in interest.sectors)),
        (interest.indicators, not facts.indicators.isdisjoint(interest.indicators)),
        (interest.least_severity, (facts.severity or "") >= (interest.least_severity or "")),
        (interest.supplier, whole in facts.wholes),
    )
    return all(holds for given, holds in asked if given)
