"""OpenRefine's Reconciliation protocol: what its clients send and what they are shown. Pure.

Rules:
- Scores are 0 to 100 and sort; `match` is identity by an equal number, never a name alone.
- What a cell is filled with says as much as an own screening would: numbers of findings by their standing, and topics
  only where nothing is open. An empty cell is no clearance, and the words beside it say so.

Source: W3C Entity Reconciliation CG, Reconciliation Service API 0.2 (2023-04-10).
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from comity_node.domain.conventions.asking import (
    ROW,
    SCHEMATA,
    Example,
    ExampleRefused,
    read_example,
)
from comity_node.domain.conventions.entities import Profile, describe_entity, entity_id, schema_of
from comity_node.domain.conventions.options import bounded, score_of
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.supplier_view import DecisionStanding, Standing

MOST_QUERIES = 100
"""Of one batch; the manifest says so and OpenRefine keeps to it."""

MOST_SHOWN = 50

ROW_WORDS = "Row of your own list, by its own id: what you judged of it counts"
NO_CLEARANCE = "No finding or decision shared is no clearance: it says only what the members heard have shared."


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


class PropertyAsked(_Loose):
    """One more column of a row."""

    pid: Annotated[str, Field(max_length=100)]
    v: Any


class QueryAsked(_Loose):
    """One cell to be reconciled."""

    query: str | None = None
    type: str | Annotated[list[str], Field(max_length=20)] | None = None
    limit: Annotated[int, Field(ge=1)] = 5
    properties: Annotated[list[PropertyAsked], Field(max_length=40)] = []


class ExtensionAsked(_Loose):
    """Which properties of which suppliers a column is to be filled with."""

    class Which(_Loose):
        """One property."""

        id: Annotated[str, Field(max_length=100)]

    ids: Annotated[list[str], Field(max_length=MOST_QUERIES)]
    properties: Annotated[list[Which], Field(max_length=40)]


_BATCH: Final[TypeAdapter[dict[str, QueryAsked]]] = TypeAdapter(dict[str, QueryAsked])
_EXTENSION: Final[TypeAdapter[ExtensionAsked]] = TypeAdapter(ExtensionAsked)

EXTENSIONS: Mapping[str, str] = {
    "name": "Name",
    "alias": "Other names",
    "country": "Country",
    "identifiers": "Identifiers, as SCHEME:NUMBER",
    "topics": "Topics (FollowTheMoney): none is no clearance",
    "findings_current": "Findings that count today",
    "findings_closed": "Findings closed",
    "findings_other": "Findings expired, corrected, taken back or overturned",
    "decisions_in_force": "Decisions of authorities known to be in force",
    "decisions_other": "Other decisions of authorities",
}
"""Property to its words, with which columns can be filled."""

_NUMBERS = frozenset(name for name in EXTENSIONS if name.startswith(("findings", "decisions")))


def read_batch(raw: str) -> dict[str, QueryAsked]:
    """Return a batch of queries by their keys.

    Raises:
        ExampleRefused: it is none, or too large.
    """
    try:
        batch = _BATCH.validate_json(raw)
    except ValidationError as error:
        raise ExampleRefused("queries is no JSON object of reconciliation queries; a limit is 1 or more") from error
    if not 1 <= len(batch) <= MOST_QUERIES:
        raise ExampleRefused(f"a batch has 1 to {MOST_QUERIES} queries")
    return batch


def read_extension(raw: str) -> ExtensionAsked:
    """Return what columns are to be filled with.

    Raises:
        ExampleRefused: it is no such question, or asks for a property that nobody has.
    """
    try:
        asked = _EXTENSION.validate_json(raw)
    except ValidationError as error:
        raise ExampleRefused(f"extend names at most {MOST_QUERIES} ids and 40 properties") from error
    if any(each.id not in EXTENSIONS for each in asked.properties):
        raise ExampleRefused(f"a property is none of {', '.join(EXTENSIONS)}")
    return asked


def read_query(query: QueryAsked, read_country: Callable[[str], str | None]) -> Example:
    """Return whom a query asks about.

    Raises:
        ExampleRefused: it names nobody who could be found here.
    """
    types = [query.type] if isinstance(query.type, str) else query.type or []
    schema = next((name for name in types if name in SCHEMATA), types[0] if types else "Thing")
    properties: dict[str, list[Any]] = {} if query.query is None else {"name": [query.query]}
    for each in query.properties:
        name = _property(each)
        if name == ROW:
            continue
        properties.setdefault(name, []).extend(each.v if isinstance(each.v, list) else [each.v])
    return read_example(schema, properties, read_country)


def _property(asked: PropertyAsked) -> str:
    """Return a property's name: FollowTheMoney's full names begin with the schema that first has it."""
    return asked.pid.rpartition(":")[2]


def row_of(query: QueryAsked) -> str | None:
    """Return the row of the officer's own list that a query is about, by its own id."""
    values = [each.v for each in query.properties if _property(each) == ROW]
    value = values[0] if values and not isinstance(values[0], list) else next(iter(values[0]), None) if values else None
    is_said = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() or None if is_said else None


def a_type(schema: str) -> dict[str, str]:
    """Return a schema as their type."""
    return {"id": schema, "name": SCHEMATA[schema]}


def describe_candidate(profile: Profile, likeness: Likeness) -> dict[str, Any]:
    """Return a supplier that may be meant."""
    score = score_of(likeness)
    return {
        **_named(profile),
        "type": [a_type(schema_of(profile))],
        "score": round(score * 100, 2),
        "match": likeness.verdict is Verdict.MATCH,
        "features": _features(likeness),
    }


def describe_suggestion(profile: Profile) -> dict[str, Any]:
    """Return a supplier whose name begins as somebody types."""
    return {**_named(profile), "notable": [a_type(schema_of(profile))]}


def _named(profile: Profile) -> dict[str, Any]:
    described = [profile.kind.value, *profile.countries, *(f"{i.scheme}:{i.id}" for i in profile.identifiers[:3])]
    name = profile.names[0] if profile.names else entity_id(profile.number)
    return {"id": entity_id(profile.number), "name": name, "description": ", ".join(described)}


def _features(likeness: Likeness) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in bounded(likeness):
        name = part.about.value.replace(" ", "_")
        alike = sum(1 for each in found if each["id"].split("-")[0] == name)
        found.append({"id": name if not alike else f"{name}-{alike + 1}", "value": round(float(part.points), 2)})
    return found


def suggest(offered: Mapping[str, str], prefix: str, most: int = MOST_SHOWN) -> list[dict[str, str]]:
    """Return which of these begin so, or have a word that does."""
    begins = prefix.strip().lower()
    return [
        {"id": name, "name": words}
        for name, words in offered.items()
        if any(each.lower().startswith(begins) for each in (name, *words.split()))
    ][:most]


def extend(asked: ExtensionAsked, profiles: Mapping[str, Profile], today: date) -> dict[str, Any]:
    """Return the cells of columns; an id that nobody has gets none."""
    wanted = [each.id for each in asked.properties]
    rows = {
        entity: {name: _cells(profiles[entity], name, today) for name in wanted} if entity in profiles else {}
        for entity in asked.ids
    }
    return {"meta": [{"id": name, "name": EXTENSIONS[name]} for name in wanted], "rows": rows}


def _cells(profile: Profile, name: str, today: date) -> list[dict[str, Any]]:
    if name in _NUMBERS:
        return [{"int": counts(profile)[name]}]
    entity = describe_entity(profile, today)
    values: Iterable[str] = entity["identifiers"] if name == "identifiers" else entity["properties"].get(name, [])
    return [{"str": value} for value in values]


def counts(profile: Profile) -> dict[str, int]:
    """Return how many findings and decisions there are by what they mean today; statements, not events."""
    standings = [hit.standing for hit in profile.findings]
    in_force = sum(hit.standing is DecisionStanding.IN_FORCE for hit in profile.decisions)
    current, closed = standings.count(Standing.CURRENT), standings.count(Standing.CLOSED)
    return {
        "findings_current": current,
        "findings_closed": closed,
        "findings_other": len(standings) - current - closed,
        "decisions_in_force": in_force,
        "decisions_other": len(profile.decisions) - in_force,
    }


def card(profile: Profile, coverage: str) -> str:
    """Return a supplier as a piece of HTML, for whoever points at its name."""
    lines = [f"{EXTENSIONS[name]}: {number}" for name, number in counts(profile).items() if number]
    shown: Sequence[str] = [
        ", ".join(profile.names[:5]),
        ", ".join([profile.kind.value, *profile.countries]),
        ", ".join(f"{i.scheme}:{i.id}" for i in profile.identifiers[:5]),
        *(lines or ["No finding or decision shared"]),
        NO_CLEARANCE,
        coverage,
    ]
    return "".join(f"<p>{html.escape(line)}</p>" for line in shown if line)


def page(profile: Profile, coverage: str) -> str:
    """Return a supplier as a page of its own: no script, no style, no address of anybody else."""
    title = html.escape(profile.names[0] if profile.names else entity_id(profile.number))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body>{card(profile, coverage)}</body></html>"
    )


def note(offered: Mapping[str, str], name: str) -> str | None:
    """Return a property or type as a piece of HTML; None where there is none."""
    return None if name not in offered else f"<p>{html.escape(name)}: {html.escape(offered[name])}</p>"
