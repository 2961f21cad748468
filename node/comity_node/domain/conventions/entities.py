"""A supplier as an entity of FollowTheMoney, for clients that speak of nothing else.

Rules:
- A topic is a word that travels without its reasons, so it is given only where nothing is open: `forced.labor` for a
  finding about exactly this supplier that is current, undisputed, confirmed, on one of the ILO's eleven indicators and
  of severity S3 or above; `debarment` for an exclusion in force. Every other finding and decision is told in full
  beside the entity, without a topic.
- Findings are `Risk`, decisions are `Sanction`: they are never one list.

Source: FollowTheMoney 4.11; topics as in its `registry.topic`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from comity_node.domain.conventions.asking import OWN_SCHEMES
from comity_node.domain.screening import DecisionHit, Hit
from comity_node.domain.supplier_view import DecisionStanding, DisputeStanding, Standing, dispute_standing
from comity_schemas.decision import Measure, Stand
from comity_schemas.finding import Severity, Status
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import ILO_ELEVEN
from comity_schemas.subject import SubjectType

FORCED_LABOR = "forced.labor"
DEBARMENT = "debarment"
TOPICS = (FORCED_LABOR, DEBARMENT)
"""All that are ever given."""

_GRAVE = frozenset({Severity.S3, Severity.S4})
_ILO = frozenset(ILO_ELEVEN)
_PROPERTY_OF = {scheme: prop for prop, scheme in OWN_SCHEMES.items()}
_PREFIX = "supplier-"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one supplier, with everybody people here joined with it."""

    number: int
    """Under which it stands."""
    others: tuple[int, ...]
    """Of those it was joined with."""
    kind: SubjectType
    names: tuple[str, ...]
    """The one that is shown first."""
    countries: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    findings: tuple[Hit, ...]
    """About exactly it, with what its supplier answered; not those of its sites or labour providers."""
    decisions: tuple[DecisionHit, ...]

    @property
    def publishers(self) -> tuple[str, ...]:
        """Return the members whose statements are about it."""
        found = {hit.entry.member for hit in self.findings} | {hit.entry.member for hit in self.decisions}
        return tuple(sorted(found))


def entity_id(number: int) -> str:
    """Return how a supplier of this node is called outside; numbers never change."""
    return f"{_PREFIX}{number}"


def number_of(entity: str) -> int | None:
    """Return the supplier's number, or None for an id that this node never gave."""
    digits = entity.removeprefix(_PREFIX)
    is_ours = entity.startswith(_PREFIX) and digits.isascii() and digits.isdigit() and len(digits) <= 9
    return int(digits) if is_ours else None


def topics(profile: Profile, today: date) -> tuple[str, ...]:
    """Return the topics that nothing speaks against today; most suppliers have none."""
    found = []
    if any(is_forced_labor(hit, today) for hit in profile.findings):
        found.append(FORCED_LABOR)
    if any(is_debarment(hit) for hit in profile.decisions):
        found.append(DEBARMENT)
    return tuple(found)


def is_forced_labor(hit: Hit, today: date) -> bool:
    """Tell whether a finding allows the topic `forced.labor`."""
    finding = hit.entry.finding
    return (
        finding is not None
        and hit.standing is Standing.CURRENT
        and finding.status is Status.CONFIRMED
        and finding.severity in _GRAVE
        and any(found.indicator in _ILO for found in finding.indicators)
        and not _disputed(hit, today)
    )


def is_debarment(hit: DecisionHit) -> bool:
    """Tell whether a decision allows the topic `debarment`: an exclusion of which it is known that it is in force."""
    decision = hit.entry.decision
    return decision is not None and decision.measure is Measure.EXCLUSION and hit.standing is DecisionStanding.IN_FORCE


def _disputed(hit: Hit, today: date) -> bool:
    """Tell whether anything its supplier disputes is not dismissed; what was upheld in part is disputed still."""
    said = [dispute_standing(entry.reply, today) for entry in hit.replies if entry.reply is not None]
    return any(each not in (None, DisputeStanding.DISMISSED) for each in said)


def dataset_name(member: str) -> str:
    """Return a member's dataset; FollowTheMoney allows no hyphens in one."""
    return member.replace("-", "_")


def schema_of(profile: Profile) -> str:
    """Return the schema that claims no more than is known."""
    if profile.kind is SubjectType.SITE:
        return "LegalEntity"
    return "Company" if profile.identifiers else "Organization"


def describe_entity(profile: Profile, today: date, *, nested: bool = False) -> dict[str, Any]:
    """Return a supplier as an entity; nested with its findings as risks and its decisions as sanctions."""
    own_id = entity_id(profile.number)
    said: dict[str, list[Any]] = {
        "name": [profile.names[0]] if profile.names else [],
        "alias": list(profile.names[1:]),
        "country": [country.lower() for country in profile.countries],
        "topics": list(topics(profile, today)),
    }
    if profile.kind is not SubjectType.SUPPLIER:
        said["classification"] = [profile.kind.value]
    for identifier in profile.identifiers:
        said.setdefault(_PROPERTY_OF.get(identifier.scheme, "registrationNumber"), []).append(identifier.id)
    if nested:
        said["risks"] = [_risk(hit, own_id, today) for hit in profile.findings]
        said["sanctions"] = [_sanction(hit, own_id) for hit in profile.decisions]
    return {
        "id": own_id,
        "caption": profile.names[0] if profile.names else own_id,
        "schema": schema_of(profile),
        "properties": {name: values for name, values in said.items() if values},
        "datasets": [dataset_name(member) for member in profile.publishers],
        "referents": [entity_id(number) for number in profile.others],
        "target": bool(said["topics"]),
        "first_seen": None,
        "last_seen": None,
        "last_change": None,
        "identifiers": [f"{i.scheme}:{i.id}" for i in profile.identifiers],
    }


def _statement_id(kind: str, statement: str) -> str:
    # An id may not begin or end with the characters that a digest may.
    return f"{kind}-{statement.encode('ascii').hex()}"


def _risk(hit: Hit, about: str, today: date) -> dict[str, Any]:
    finding = hit.entry.finding
    said: dict[str, list[Any]] = {"entity": [about], "publisher": [hit.entry.member], "status": [hit.standing.value]}
    if finding is not None:
        said["reason"] = [f"{f.indicator.value} reported ({f.basis.value})" for f in finding.indicators]
        said["status"] += [finding.status.value, f"severity {finding.severity.value}"]
        said["program"] = [" ".join(filter(None, (finding.source.scheme, finding.source.scheme_version)))]
        said["country"] = [finding.country.lower()]
        said["startDate"], said["endDate"] = [finding.source.when], [finding.valid_until.isoformat()]
    said["status"] += sorted({s.value for s in _disputes(hit, today)})
    if is_forced_labor(hit, today):
        said["topics"] = [FORCED_LABOR]
    return _nested("finding", hit.entry.hash, "Risk", "Indicator reported; not a determination", said, hit.entry.member)


def _disputes(hit: Hit, today: date) -> Iterable[DisputeStanding]:
    said = [dispute_standing(entry.reply, today) for entry in hit.replies if entry.reply is not None]
    return [each for each in said if each is not None]


def _sanction(hit: DecisionHit, about: str) -> dict[str, Any]:
    decision = hit.entry.decision
    said: dict[str, list[Any]] = {"entity": [about], "publisher": [hit.entry.member], "status": [hit.standing.value]}
    if decision is not None:
        said["authority"] = [decision.authority.code]
        said["provisions"] = [decision.measure.value]
        said["reason"] = [ground.value for ground in decision.grounds]
        said["startDate"] = sorted({t.start.isoformat() for t in decision.terms if t.start is not None})
        said["endDate"] = sorted({t.until.isoformat() for t in decision.terms if t.until is not None})
        said["summary"] = [] if decision.stand is Stand.OWN else [f"its publisher {decision.stand.value} it"]
    return _nested("decision", hit.entry.hash, "Sanction", "Decision of an authority", said, hit.entry.member)


def _nested(
    kind: str, statement: str, schema: str, caption: str, said: dict[str, list[Any]], member: str
) -> dict[str, Any]:
    return {
        "id": _statement_id(kind, statement),
        "caption": caption,
        "schema": schema,
        "properties": {name: values for name, values in said.items() if values},
        "datasets": [dataset_name(member)],
        "referents": [],
        "target": False,
    }


def facets(profiles: Sequence[Profile], today: date) -> dict[str, dict[str, Any]]:
    """Return how many of these are of which country, topic and dataset, as yente's clients show it."""
    labels = {"countries": "Countries", "topics": "Topics", "datasets": "Data sources"}
    counted: dict[str, dict[str, int]] = {name: {} for name in labels}
    for profile in profiles:
        values = {
            "countries": [country.lower() for country in profile.countries],
            "topics": topics(profile, today),
            "datasets": [dataset_name(member) for member in profile.publishers],
        }
        for name, found in values.items():
            for value in found:
                counted[name][value] = counted[name].get(value, 0) + 1
    return {
        name: {
            "label": label,
            "values": [
                {"name": value, "label": value, "count": count} for value, count in sorted(counted[name].items())
            ],
        }
        for name, label in labels.items()
    }
