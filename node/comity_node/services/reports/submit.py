"""Taking in a signed report: verified, authorised, stored byte for byte, answered with a receipt."""

from dataclasses import dataclass
from datetime import datetime

from comity_federation.registry import Registry
from comity_federation.signed_reports import OpenedReport, open_report, report_id
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import AuditorNotActive, AuditorOfAnotherFirm, SupersedesUnknown
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.reports.follow_up import check_follow_ups
from comity_schemas.member import Member, MemberStatus
from comity_schemas.report import Report

NO_SHARING_BASIS = "no-sharing-basis"
NO_CLIENT_CONSENT = "no-client-consent"
SCHEME_NOT_AUTHORISED = "scheme-not-authorised"
SUPERSEDED = "superseded"
EXPIRED = "expired"

MARKS = {
    NO_SHARING_BASIS: "the report states no sharing basis: it is kept and cannot yield a finding",
    NO_CLIENT_CONSENT: "the audit was made for another client, and the report does not state that client's consent: "
    "it is kept and cannot yield a finding",
    SUPERSEDED: "its auditor has submitted another report in its place: it is kept and yields no further finding; what "
    "was published of it stands until the new one corrects it",
    EXPIRED: "its time was over: what it said is destroyed; its hash, who signed it and what was published of it stay",
    SCHEME_NOT_AUTHORISED: "the registry does not authorise this firm for this scheme on the day the audit ended: "
    "the report is kept, and yields a finding only when two reviewers say why (comity allow)",
}
"""Why a stored report cannot be proposed, in words."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the auditor gets back: proof of what was received, and whether it can go further."""

    id: str
    """SHA-256 of the exact bytes."""
    received_at: datetime
    firm: str
    marks: tuple[str, ...]
    repeated: bool
    """The same bytes were here before; nothing was stored twice."""


async def submit_report(
    store: Store, raw: bytes, person: Person, registry: Registry, *, receiver: str, now: datetime
) -> Receipt:
    """Store a signed report.

    Args:
        store: The open transaction.
        raw: The file as the auditor signed it.
        person: Who submits.
        registry: As trusted now.
        receiver: DID of the member whose node this is.
        now: The time.

    Raises:
        ReportRefused: its classes say what is wrong; nothing was stored.
        AuditorNotActive: the firm is pending, suspended or removed now.
        AuditorOfAnotherFirm: the person submits for another firm than signed.
        SupersedesUnknown: it stands in place of a report that this firm did not submit here.
        FollowUpRefused: it closes or reopens what is not here, or what it does not fit.
    """
    opened = open_report(raw, registry.members)
    if opened.firm.status is not MemberStatus.ACTIVE:
        raise AuditorNotActive(f"{opened.firm.slug} is {opened.firm.status}; its reports are not taken now")
    if person.firm != opened.firm.slug:
        raise AuditorOfAnotherFirm(f"the report was signed by {opened.firm.slug}; you submit for {person.firm}")
    name = report_id(raw)
    known = await store.reports.find(name)
    if known is not None:
        return Receipt(name, known.received_at, opened.firm.slug, known.marks, repeated=True)
    await check_follow_ups(store, opened.report)
    await _supersede(store, opened, name, person, now)
    marks = _marks(opened.report, opened.firm, registry.by_did(receiver), receiver)
    await store.reports.add(_stored(name, raw, opened, marks, person, now))
    if opened.report.supersedes is not None:
        # A case keeps it back too: it says the same of the same people.
        await store.cases.keep_too(opened.report.supersedes, name)
    await store.trail.add(now, person.id, Event.REPORT_RECEIVED, name, firm=opened.firm.slug, marks=marks)
    return Receipt(name, now, opened.firm.slug, marks, repeated=False)


async def _supersede(store: Store, opened: OpenedReport, name: str, person: Person, now: datetime) -> None:
    earlier = opened.report.supersedes
    if earlier is None:
        return
    known = await store.reports.find(earlier)
    if known is None or known.firm != opened.firm.slug:
        raise SupersedesUnknown(f"{opened.firm.slug} submitted no report {earlier} here; nothing was stored")
    if SUPERSEDED in known.marks:
        raise SupersedesUnknown(f"another report stands in place of {earlier} already; nothing was stored")
    await store.reports.mark(earlier, (*known.marks, SUPERSEDED))
    await store.trail.add(now, person.id, Event.REPORT_SUPERSEDED, earlier, by=name)


def is_authorised(report: Report, firm: Member, at: str | None) -> bool:
    """Tell whether the registry authorises a firm for a report's scheme on the day the audit ended.

    Args:
        report: The report.
        firm: Who signed it.
        at: Slug of the member who received it: an appointment counts only for the member that made it.
    """
    return any(
        a.scheme == report.scheme and a.valid_from <= report.finished <= a.valid_until and a.appointed_by in (None, at)
        for a in firm.authorisations
    )


def _marks(report: Report, firm: Member, own: Member | None, receiver: str) -> tuple[str, ...]:
    marks = []
    if report.sharing_basis is None:
        marks.append(NO_SHARING_BASIS)
    if report.client is not None and report.client_did != receiver and report.client_consent is None:
        marks.append(NO_CLIENT_CONSENT)
    if not is_authorised(report, firm, None if own is None else own.slug):
        marks.append(SCHEME_NOT_AUTHORISED)
    return tuple(marks)


def _stored(
    name: str, raw: bytes, opened: OpenedReport, marks: tuple[str, ...], person: Person, now: datetime
) -> StoredReport:
    return StoredReport(
        id=name,
        origin="signed",
        raw=raw,
        firm=opened.firm.slug,
        kid=opened.kid,
        root=opened.root,
        signature=opened.signature,
        identity=None,
        marks=marks,
        submitted_by=person.id,
        received_at=now,
    )
