"""Signing a full report, offline, and opening one at the node.

The signature covers a Merkle root over salted sections: the head, parts of it that are shown for themselves, the
party, each further site, labour provider, observation and evidence entry. Later one section can be shown with proof,
and the salts keep all others unreadable. What must never be shown, such as who spoke and how many, has sections of its
own (`NEVER_SHOWN`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from nacl.signing import SigningKey
from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_federation.disclosures import SALT_BYTES
from comity_federation.encoding import NotCanonical, b64decode, b64encode, digest
from comity_federation.merkle import tree_root
from comity_schemas.errors import ComityError
from comity_schemas.member import Member
from comity_schemas.report import MAX_REPORT_BYTES, Report, ReportClaims, SignedReport
from comity_schemas.statement import REPORT_TYP
from comity_schemas.wire import misfits

PARTS: dict[str, tuple[str, ...]] = {
    "team": ("team",),
    "visit": ("started", "interviews", "interviewed_women", "workforce", "files_reviewed"),
    "client": ("client", "client_did", "client_consent"),
    "basis": ("sharing_basis", "sharing_scope"),
    "scope": ("scope",),
    "summary": ("summary",),
}
"""Fields of the report that have a section of their own, if any of them is there."""

LISTS = ("sites", "labour_providers", "observations", "people", "evidence")
"""Parts of a report that are split into one section an item; `people` is cut out of the observations."""

PEOPLE = ("testimony", "place", "affected", "affected_women")
"""Fields of an observation that could tell who spoke or was there."""

NEVER_SHOWN = frozenset({"team", "visit", "people"})
"""Sections that name people, or could tell who spoke and when."""

_ORDER = ("head", *PARTS, "party", *LISTS)


class ReportRefused(ComityError):
    """Root: the submitted bytes are not taken in. Nothing was stored."""

    code: ClassVar[str] = "report.refused"


class ReportTooLarge(ReportRefused):
    """More bytes than a report may have."""

    code: ClassVar[str] = "report.too-large"


class ReportMalformed(ReportRefused):
    """Not a signed report, or a report that does not fit its schema."""

    code: ClassVar[str] = "report.malformed"


class ReportAltered(ReportRefused):
    """The sections are not those that were signed: something was changed after signing."""

    code: ClassVar[str] = "report.altered"


class ReportSignatureBad(ReportRefused):
    """The named key did not make this signature."""

    code: ClassVar[str] = "report.bad-signature"


class UnknownAuditor(ReportRefused):
    """No member of the registry lists the key that signed."""

    code: ClassVar[str] = "report.unknown-auditor"


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A report whose signature holds."""

    report: Report
    firm: Member
    kid: str
    root: str
    signature: str


def sign_report(report: Report, *, iss: str, kid: str, key: SigningKey, now: datetime) -> bytes:
    """Return the file an auditor submits."""
    sections = [_section(name, value) for name, value in _split(report.to_parsed())]
    claims = ReportClaims(v=1, iss=iss, iat=int(now.timestamp()), root=_root(sections), sections=len(sections))
    signature = jws.sign(key, kid, REPORT_TYP, strict_json.dumps(claims.to_parsed()))
    return strict_json.dumps({"signature": signature, "sections": sections})


def open_report(raw: bytes, members: Sequence[Member]) -> OpenedReport:
    """Return the report if a listed auditor's key signed exactly these sections.

    Args:
        raw: As submitted; nothing in it is believed yet.
        members: As the registry lists them now; a report counts if its key is listed when it is received.

    Raises:
        ReportTooLarge, ReportMalformed, UnknownAuditor, ReportSignatureBad, ReportAltered: see each.
    """
    if len(raw) > MAX_REPORT_BYTES:
        raise ReportTooLarge(f"the report has {len(raw)} bytes; at most {MAX_REPORT_BYTES} are taken")
    try:
        signed = SignedReport.from_parsed(strict_json.loads(raw))
        token = jws.take_apart(signed.signature, REPORT_TYP)
    except (strict_json.NotStrict, jws.MalformedJws, ValidationError, ValueError) as error:
        raise ReportMalformed("this is not a signed report; `comity report sign` makes one") from error
    firm, claims = check_signature(token, members)
    sections = list(signed.sections)
    if len(sections) != claims.sections or _root(sections) != claims.root:
        raise ReportAltered("the sections are not those that were signed")
    report = _join(sections)
    if report.auditor not in (None, firm.did):
        raise ReportMalformed(f"the report names {report.auditor} as its auditor, {firm.did} signed it")
    return OpenedReport(report, firm, token.kid, claims.root, signed.signature)


def check_signature(token: jws.Jws, members: Sequence[Member]) -> tuple[Member, ReportClaims]:
    """Return the firm whose listed key made a signature, and what it signed.

    Raises:
        UnknownAuditor, ReportSignatureBad, ReportMalformed: see each.
    """
    firm = _firm_of(token.kid, members)
    key = next(k for k in firm.report_keys if k.kid == token.kid)
    try:
        jws.check_signature(token, key.key)
    except jws.BadSignature as error:
        raise ReportSignatureBad(f"{token.kid} did not make this signature") from error
    return firm, _claims(token.payload, firm)


def _firm_of(kid: str, members: Sequence[Member]) -> Member:
    for member in members:
        if any(key.kid == kid for key in member.report_keys):
            return member
    raise UnknownAuditor(f"no member of the registry lists the key {kid[:300]}")


def _claims(payload: bytes, firm: Member) -> ReportClaims:
    try:
        claims = ReportClaims.from_parsed(strict_json.loads(payload))
    except (strict_json.NotStrict, ValidationError, ValueError) as error:
        raise ReportMalformed("what was signed is not a report's root") from error
    if claims.iss != firm.did:
        raise ReportMalformed(f"the signature names {claims.iss}, its key belongs to {firm.did}")
    return claims


def _split(report: dict[str, Any]) -> list[tuple[str, Any]]:
    apart = {field for fields in PARTS.values() for field in fields}
    head = {k: v for k, v in report.items() if k not in apart and k not in LISTS and k != "party"}
    parts = [(name, {k: report[k] for k in fields if k in report}) for name, fields in PARTS.items()]
    observations = [{k: v for k, v in o.items() if k not in PEOPLE} for o in report["observations"]]
    people = [{"observation": o["ref"], **{k: o[k] for k in PEOPLE if k in o}} for o in report["observations"]]
    lists = {**report, "observations": observations, "people": [each for each in people if len(each) > 1]}
    items = [(name, item) for name in LISTS for item in lists.get(name, [])]
    return [("head", head), *(part for part in parts if part[1]), ("party", report["party"]), *items]


def _section(name: str, value: Any) -> str:
    return b64encode(strict_json.dumps([b64encode(secrets.token_bytes(SALT_BYTES)), name, value]))


def _root(sections: Sequence[str]) -> str:
    return b64encode(tree_root([section.encode("ascii") for section in sections]))


def _join(sections: Sequence[str]) -> Report:
    read = [read_section(section) for section in sections]
    names = [name for name, _ in read]
    # One order only, as `_split` makes it: otherwise two readers could see two reports in the same bytes.
    alone = [name for name in names if name not in LISTS]
    in_order = set(names) <= set(_ORDER) and names == sorted(names, key=_ORDER.index)
    if not in_order or len(set(alone)) != len(alone) or not {"head", "party"} <= set(alone):
        raise ReportMalformed(f"sections are {', '.join(_ORDER)}, in this order; only lists have several of one name")
    report = _head(read)
    report |= {"party": next(value for name, value in read if name == "party")}
    report |= {name: [value for found, value in read if found == name] for name in LISTS if name != "people"}
    _add_people(report["observations"], [value for name, value in read if name == "people"])
    try:
        return Report.from_parsed(report)
    except ValidationError as error:
        raise ReportMalformed(f"the report does not fit its schema at {misfits(error)}") from error


def _head(read: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    head: dict[str, Any] = {}
    for name, value in read:
        if name != "head" and name not in PARTS:
            continue
        fits = isinstance(value, dict) and head.keys().isdisjoint(value)
        if not fits or (name == "head" and not {"party", *LISTS}.isdisjoint(value)):
            raise ReportMalformed("the head is an object without party and lists, and no field stands in two sections")
        if name in PARTS and not set(value) <= set(PARTS[name]):
            raise ReportMalformed(f"section {name} has the fields {', '.join(PARTS[name])}")
        head |= value
    return head


def _add_people(observations: list[Any], people: Sequence[Any]) -> None:
    by_ref = {o["ref"]: o for o in observations if isinstance(o, dict) and isinstance(o.get("ref"), str)}
    for each in people:
        if not isinstance(each, dict) or not set(each) <= {"observation", *PEOPLE}:
            raise ReportMalformed(f"a section people has the fields observation, {', '.join(PEOPLE)}")
        of = by_ref.pop(str(each.get("observation")), None)
        if of is None or not of.keys().isdisjoint(each):
            raise ReportMalformed("each section people belongs to one observation and repeats nothing of it")
        of |= {k: v for k, v in each.items() if k != "observation"}


def read_section(section: str) -> tuple[str, Any]:
    """Return a section's name and value.

    Raises:
        ReportMalformed: it is not of this form.
    """
    try:
        parts = strict_json.loads(b64decode(section))
    except (NotCanonical, strict_json.NotStrict) as error:
        raise ReportMalformed("a section is not [salt, name, value]") from error
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, str) for part in parts[:2]):
        raise ReportMalformed("a section is not [salt, name, value]")
    return parts[1], parts[2]


def read_sections(raw: bytes) -> Report:
    """Return the report in bytes that were verified when they were received.

    Raises:
        ReportMalformed: these bytes were never a signed report.
    """
    try:
        return _join(SignedReport.from_parsed(strict_json.loads(raw)).sections)
    except (strict_json.NotStrict, ValidationError) as error:
        raise ReportMalformed("these bytes are not a signed report") from error


def report_id(raw: bytes) -> str:
    """Return what names a submitted report: SHA-256 of its exact bytes."""
    return digest(raw)
