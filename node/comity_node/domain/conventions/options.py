"""What is shown of whom was found, and in which numbers: others' options, applied. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol, TypeVar

from comity_node.domain.conventions.entities import Profile, dataset_name, entity_id, schema_of, topics
from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose statements count, by datasets."""

    only: frozenset[str] | None = None
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    exclude_schema: frozenset[str] = frozenset()

    def holds(self, profile: Profile, today: date) -> bool:
        """Tell whether a supplier is among those asked for: somebody asked for says something of it."""
        said_by = {dataset_name(member) for member in profile.publishers} - self.exclude
        for wanted in (self.only, self.include):
            said_by = said_by if wanted is None else said_by & wanted
        is_topic = not self.topics or bool(self.topics & set(topics(profile, today)))
        return bool(said_by) and is_topic and schema_of(profile) not in self.exclude_schema


@dataclass(frozen=True, slots=True)
class Options:
    """How much of what was found is shown."""

    limit: int
    threshold: float
    """From which score on an equal identity is called `match`; it leaves nothing out."""
    cutoff: float
    """Below which nothing is shown."""
    exclude: frozenset[str] = frozenset()
    """Ids that are not shown and use up no limit."""

    def with_own(self, threshold: float | None, limit: int | None, exclude_ids: Iterable[str]) -> "Options":
        """Return the options of one query: its own words before those for all."""
        return replace(
            self,
            limit=self.limit if limit is None else limit,
            threshold=self.threshold if threshold is None else threshold,
            exclude=self.exclude | set(exclude_ids),
        )


class Found(Protocol):
    """A supplier that may be meant, and why."""

    @property
    def profile(self) -> Profile: ...
    @property
    def likeness(self) -> Likeness: ...


F = TypeVar("F", bound=Found)


def shown(found: Iterable[F], options: Options, scope: Scope, today: date) -> list[F]:
    """Return whom to show before the limit, in the order given."""
    return [
        each
        for each in found
        if each.likeness.verdict is not Verdict.NONE
        and score_of(each.likeness) >= options.cutoff
        and not options.exclude & {entity_id(n) for n in (each.profile.number, *each.profile.others)}
        and scope.holds(each.profile, today)
    ]


def score_of(likeness: Likeness) -> float:
    """Return the points as others expect a score, 0 to 1. It sorts; it is no probability."""
    return round(sum(part.points for part in bounded(likeness)) / 100, 4)


def bounded(likeness: Likeness) -> tuple[Part, ...]:
    """Return the lines of a score that others bound by 0 and 100: where it is cut off, a line says so."""
    cut_off = min(max(likeness.score, 0), 100) - likeness.score
    line = Part(PartKind.CAP, "", "", "no more is shown than 100, and no less than 0", cut_off)
    return (*likeness.parts, line) if cut_off else likeness.parts


def describe_likeness(likeness: Likeness, threshold: float) -> dict[str, Any]:
    """Return why a supplier was found. `match` needs the verdict `match`, which no name alone gives."""
    score = score_of(likeness)
    return {
        "score": score,
        "match": likeness.verdict is Verdict.MATCH and score >= threshold,
        "explanations": _lines(likeness),
        "verdict": likeness.verdict.value,
        "reason": likeness.reason,
    }


def _lines(likeness: Likeness) -> dict[str, dict[str, Any]]:
    lines: dict[str, dict[str, Any]] = {}
    for part in bounded(likeness):
        name = part.about.value.replace(" ", "_")
        alike = sum(1 for key in lines if key.split("-")[0] == name)
        lines[name if not alike else f"{name}-{alike + 1}"] = {
            "score": round(part.points / 100, 4),
            "detail": part.reason,
            "query": part.asked or None,
            "candidate": part.known or None,
        }
    return lines
