"""What is said of one supplier, by whom, how recently, how surely, and where publishers disagree. Pure.

Rules:
- Nothing is averaged, added up or scored. Statements stand side by side, and differences are named.
- What was found at a labour provider is shown on its clients as that, never as their own; a site's as the site's.
- The same audit seen twice is one source, and so is one event that several firms were met in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from comity_node.domain.screening import Hit
from comity_node.domain.supplier_view import Standing
from comity_schemas.finding import CLOSED, Finding, Source, SourceType
from comity_schemas.indicators import Indicator

COUNTS = frozenset({Standing.CURRENT, Standing.CLOSED})
"""What stands today; only such statements can disagree."""


class Way(StrEnum):
    """How a statement concerns a supplier."""

    ITSELF = "about it"
    SITE = "about its site"
    PROVIDER = "through its labour provider"


class Sorting(StrEnum):
    """In which order statements are shown."""

    NEWEST = "newest"
    SEVERITY = "severity"
    PUBLISHER = "publisher"


class Difference(StrEnum):
    """In what publishers differ about one indicator at one subject."""

    SEVERITY = "severity"
    STATUS = "status"
    CLOSED = "closed or open"


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as it concerns a supplier."""

    hit: Hit
    way: Way
    whom: int
    """The number of the supplier, site or labour provider that the finding is about, joined ones as one."""

    @property
    def finding(self) -> Finding | None:
        """What it says."""
        return self.hit.entry.finding


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Publishers say different things of one indicator at one subject."""

    whom: int
    indicator: Indicator
    what: tuple[Difference, ...]
    statements: tuple[str, ...]


def disagreements(told: Iterable[Told]) -> list[Disagreement]:
    """Return where different publishers differ; what one publisher revised is no disagreement."""
    said: dict[tuple[int, Indicator], list[Told]] = {}
    for each in told:
        if each.finding is not None and each.hit.standing in COUNTS:
            for found in each.finding.indicators:
                said.setdefault((each.whom, found.indicator), []).append(each)
    found_ones = []
    for (whom, indicator), some in sorted(said.items()):
        what = _differences(some)
        if what:
            statements = tuple(sorted(each.hit.entry.hash for each in some))
            found_ones.append(Disagreement(whom, indicator, what, statements))
    return found_ones


def _differences(some: Sequence[Told]) -> tuple[Difference, ...]:
    by_member: dict[str, list[Finding]] = {}
    for each in some:
        if each.finding is not None:
            by_member.setdefault(each.hit.entry.member, []).append(each.finding)
    if len(by_member) < 2:
        return ()
    sides: dict[Difference, list[frozenset[object]]] = {
        Difference.SEVERITY: [frozenset(f.severity for f in said) for said in by_member.values()],
        Difference.CLOSED: [frozenset(f.status in CLOSED for f in said) for said in by_member.values()],
        Difference.STATUS: [frozenset(f.status for f in said) for said in by_member.values()],
    }
    return tuple(what for what in Difference if len(set(sides[what])) > 1)


def one_source(told: Iterable[Told]) -> list[tuple[str, ...]]:
    """Return statements of different publishers that may tell of one audit: scheme, subject and month are the same."""
    seen: dict[tuple[int, str, str], list[Told]] = {}
    for each in told:
        if each.finding is not None and each.hit.standing in COUNTS:
            source = each.finding.source
            seen.setdefault((each.whom, source.scheme, source.when), []).append(each)
    return [
        tuple(sorted(each.hit.entry.hash for each in some))
        for some in seen.values()
        if len({each.hit.entry.member for each in some}) > 1
    ]


def months_old(when: str, today: date) -> int | None:
    """Return how many months ago a month was; None where the source tells the year only."""
    year, _, month = when.partition("-")
    return (today.year - int(year)) * 12 + today.month - int(month) if month else None


def assurance(source: Source) -> str:
    """Return in words how sure a finding can be from where it comes: no score, and no order among them."""
    if source.type is SourceType.PUBLIC_REGISTER:
        return "relayed from a public register"
    visit = {"not-stated": "whether announced is not stated"}.get(source.notice.value, source.notice.value)
    access = {"not-stated": "access not stated"}.get(source.access.value, f"{source.access.value} access")
    return f"{source.type.value.replace('-', ' ')}, {visit.replace('-', ' ')}, {access}"


def ordered(told: Iterable[Told], sorting: Sorting) -> list[Told]:
    """Return findings in an order that does not depend on how they came in."""
    newest_first = sorted(told, key=lambda t: t.hit.entry.hash)
    newest_first.sort(key=lambda t: "" if t.finding is None else t.finding.source.when, reverse=True)
    if sorting is Sorting.SEVERITY:
        newest_first.sort(key=lambda t: "" if t.finding is None else t.finding.severity.value, reverse=True)
    elif sorting is Sorting.PUBLISHER:
        newest_first.sort(key=lambda t: t.hit.entry.member)
    return newest_first
