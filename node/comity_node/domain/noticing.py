"""Audit notices as they leave, and what they tell whoever screens. Pure.

Rules: what a protected source gathered is told in no notice. Counts of observations leave as bands. A result is told
only once every finding of the audit was released: else it would speak before the supplier was heard. Nothing is open
only in what was assessed, and never where a finding is.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from comity_federation.statements import Outgoing
from comity_node.domain.errors import CannotPropose
from comity_node.domain.minimize import Policy, plain_source, stands_until
from comity_node.domain.terms import proposed_terms
from comity_schemas.audit_notice import NOTICE_DISCLOSABLE, AuditNotice, AuditStage, OpenObservations
from comity_schemas.bands import band_of
from comity_schemas.finding import CLOSED, Severity, SourceType, Status
from comity_schemas.handling import Contact, Handling
from comity_schemas.indicators import Indicator
from comity_schemas.report import AuditedParty, Observation, Report
from comity_schemas.statement import Kind

PLAN_STANDS_MONTHS: Final = 2
"""How long a plan stands beyond its month; an audit that did not take place must not keep others away."""

PLAN_AHEAD_YEARS: Final = 3

_AUDITS: Final = frozenset({SourceType.AUDIT, SourceType.INSPECTION})
_LIGHT: Final = frozenset({Severity.S0, Severity.S1})
_NOT_OPEN: Final = CLOSED | {Status.OVERTURNED}


def done_notice(report: Report, about: str | None, policy: Policy, *, with_result: bool) -> AuditNotice:
    """Return the notice of an audit that is done.

    Args:
        report: The full report.
        about: Which further site or labour provider of it; None for its party.
        policy: What this member lets leave.
        with_result: Whether how much was open is told.

    Raises:
        CannotPropose: it is no audit, its source is protected, or it has no such site.
    """
    if report.source not in _AUDITS or policy.protects(report.source):
        raise CannotPropose("only audits and inspections are noticed, and none whose source is protected")
    party = party_called(report, about)
    source, scope = plain_source(report), report.scope
    return AuditNotice(
        subject=party.type,
        names=party.names,
        identifiers=party.identifiers,
        country=party.country,
        region=party.region,
        municipality=party.municipality,
        sector=party.sector,
        named_after_person=party.named_after_person,
        scheme=source.scheme,
        scheme_version=source.scheme_version,
        month=source.when,
        stage=AuditStage.DONE,
        assessed=() if scope is None else scope.assessed,
        not_assessed=() if scope is None else tuple(each.indicator for each in scope.not_assessed),
        result=_open_observations(report, party) if with_result else None,
        valid_until=stands_until(report, policy),
    )


def party_called(report: Report, about: str | None) -> AuditedParty:
    """Return a party of a report by its reference; None is the report's own.

    Raises:
        CannotPropose: there is none of this name.
    """
    if about is None:
        return report.party
    parties = (report.party, *report.sites, *report.labour_providers)
    found = next((party for party in parties if party.ref == about), None)
    if found is None:
        raise CannotPropose(f"the report has no site or labour provider {about}; nothing was proposed")
    return found


def parties_noticed(report: Report, notice: AuditNotice) -> list[str | None]:
    """Return of which parties of a report a notice tells, each as `about` names it."""
    told = (notice.subject, notice.names, notice.identifiers, notice.country, notice.municipality)
    parties = (report.party, *report.sites, *report.labour_providers)
    return [
        None if party is report.party else party.ref
        for party in parties
        if (party.type, party.names, party.identifiers, party.country, party.municipality) == told
    ]


def grave_and_open(report: Report, about: str | None) -> list[Observation]:
    """Return the observations of a party from S2 on that are open: each must stand in a finding that is out."""
    found = _open(report, party_called(report, about))
    return [observation for observation in found if observation.severity not in _LIGHT]


def _open(report: Report, party: AuditedParty) -> list[Observation]:
    return [o for o in report.observations if report.party_of(o) == party and o.status not in _NOT_OPEN]


def _open_observations(report: Report, party: AuditedParty) -> OpenObservations:
    severities = [observation.severity for observation in _open(report, party)]
    bands = [band_of(severities.count(severity)) for severity in Severity]
    return OpenObservations(**dict(zip(OpenObservations.model_fields, bands, strict=True)))


def plan_ends(month: str, today: date) -> date:
    """Return until when a plan stands.

    Raises:
        CannotPropose: its month is over, or too far off.
    """
    year, number = (int(part) for part in (month.split("-") if "-" in month else (month, "12")))
    if not (today.year, today.month) <= (year, number) <= (today.year + PLAN_AHEAD_YEARS, today.month):
        raise CannotPropose(
            f"{month} is over, or more than {PLAN_AHEAD_YEARS} years off; an audit that is done is told from its "
            "report. Nothing was proposed"
        )
    year, before = divmod(year * 12 + number - 1 + PLAN_STANDS_MONTHS, 12)
    return date(year, before + 1, monthrange(year, before + 1)[1])


def notice_terms(notice: AuditNotice) -> Handling:
    """Return the terms proposed for a notice: nobody is to tell a supplier of an audit that is still to come."""
    planned = notice.stage is AuditStage.PLANNED
    return proposed_terms(clear=False, contact=Contact.NONE if planned else Contact.DESK)


def outgoing_notice(notice: AuditNotice, handling: Handling) -> Outgoing:
    """Return what the statement will say: in clear, and whom it is about as disclosures."""
    fields = notice.to_parsed()
    return Outgoing(
        kind=Kind.AUDIT_NOTICE,
        handling=handling,
        body={name: value for name, value in fields.items() if name not in NOTICE_DISCLOSABLE},
        disclosed={name: value for name, value in fields.items() if name in NOTICE_DISCLOSABLE},
        withheld={},
    )


@dataclass(frozen=True, slots=True)
class Assessed:
    """What audits say of a supplier today, by indicator."""

    nothing_open: tuple[Indicator, ...]
    """Assessed by an audit that still stands, nothing open in it, and no finding of anybody's is open."""
    not_assessed: tuple[Indicator, ...]
    """No audit that stands looked for it and told what came out, and no finding reports it."""


NOBODY_LOOKED: Final = Assessed((), tuple(Indicator))


def assessed(
    audits: Sequence[AuditNotice], reported: Sequence[Indicator], grave: Sequence[AuditNotice] = ()
) -> Assessed:
    """Return what audits say.

    Args:
        audits: Of exactly this supplier, done, and still standing.
        reported: The indicators of findings that are open and may be about it.
        grave: Audits that may be of it, done and still standing, by which something grave was open.
    """
    clean: set[Indicator] = set()
    unclear = {indicator for audit in grave for indicator in audit.assessed}
    for audit in audits:
        told = audit.result is not None and audit.result.nothing_grave
        (clean if told else unclear).update(audit.assessed)
    # Something grave was open by one of them, or is not told: the other does not outweigh it.
    nothing_open = clean - unclear - set(reported)
    rest = set(Indicator) - nothing_open - set(reported)
    return Assessed(
        tuple(i for i in Indicator if i in nothing_open),
        tuple(i for i in Indicator if i in rest),
    )
