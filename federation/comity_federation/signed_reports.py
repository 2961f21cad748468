"""Signing a full report, offline, and opening one at the node.

The signature covers a Merkle root over salted sections: the head, the party, each observation, each evidence entry.
Later one section can be shown with proof, and the salts keep all others unreadable.
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

_LISTS = ("observations", "evidence")
"""Parts of a report that are split into one section an item; the rest of the report but `party` is the head."""


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
    firm = _firm_of(token.kid, members)
    key = next(k for k in firm.report_keys if k.kid == token.kid)
    try:
        jws.check_signature(token, key.key)
    except jws.BadSignature as error:
        raise ReportSignatureBad(f"{token.kid} did not make this signature") from error
    claims = _claims(token.payload, firm)
    sections = list(signed.sections)
    if len(sections) != claims.sections or _root(sections) != claims.root:
        raise ReportAltered("the sections are not those that were signed")
    report = _join(sections)
    if report.auditor not in (None, firm.did):
        raise ReportMalformed(f"the report names {report.auditor} as its auditor, {firm.did} signed it")
    return OpenedReport(report, firm, token.kid, claims.root, signed.signature)


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
    head = {k: v for k, v in report.items() if k not in (*_LISTS, "party")}
    items = [(name, item) for name in _LISTS for item in report.get(name, [])]
    return [("head", head), ("party", report["party"]), *items]


def _section(name: str, value: Any) -> str:
    return b64encode(strict_json.dumps([b64encode(secrets.token_bytes(SALT_BYTES)), name, value]))


def _root(sections: Sequence[str]) -> str:
    return b64encode(tree_root([section.encode("ascii") for section in sections]))


def _join(sections: Sequence[str]) -> Report:
    read = [_read_section(section) for section in sections]
    names = [name for name, _ in read]
    # One order only, as `_split` makes it: otherwise two readers could see two reports in the same bytes.
    if names[:2] != ["head", "party"] or names[2:] != sorted(names[2:], key=_place_of):
        raise ReportMalformed("sections are head, party, then observations, then evidence")
    head = read[0][1]
    if not isinstance(head, dict) or not {"party", *_LISTS}.isdisjoint(head):
        raise ReportMalformed("the head is an object without party, observations and evidence")
    lists = {part: [value for name, value in read if name == part] for part in _LISTS}
    try:
        return Report.from_parsed({**head, "party": read[1][1], **lists})
    except ValidationError as error:
        raise ReportMalformed(f"the report does not fit its schema at {misfits(error)}") from error


def _place_of(name: str) -> int:
    if name not in _LISTS:
        raise ReportMalformed("sections are head, party, then observations, then evidence")
    return _LISTS.index(name)


def _read_section(section: str) -> tuple[str, Any]:
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
