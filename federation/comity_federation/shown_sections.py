"""Showing one section of a signed report, with proof that the auditor signed it and nothing learned of the others.

The file holds the section with its salt, the hashes beside its way to the root, and the signature. Every other section
has a 128-bit salt of its own, so its hash tells nothing of it, however few values it could have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_federation.merkle import inclusion_path, root_of_path
from comity_federation.signed_reports import (
    NEVER_SHOWN,
    ReportMalformed,
    ReportRefused,
    check_signature,
    read_section,
)
from comity_schemas.member import Member
from comity_schemas.report import ShownSection, SignedReport
from comity_schemas.statement import REPORT_TYP

MAX_SHOWN_BYTES = 256 * 1024
"""A section is at most an observation with a long description."""


class SectionNotShown(ReportRefused):
    """There is no such section, or it is one that names people and is never shown."""

    code: ClassVar[str] = "report.section-not-shown"


class ProofBroken(ReportRefused):
    """The section is not part of what the auditor signed."""

    code: ClassVar[str] = "report.proof-broken"


@dataclass(frozen=True, slots=True)
class OpenedSection:
    """A section whose proof holds."""

    name: str
    value: Any
    number: int
    of: int
    firm: Member
    kid: str
    root: str
    signed_at: int
    """By the auditor's clock, seconds since 1970."""


def section_names(raw: bytes) -> list[str]:
    """Return the names of a signed report's sections in their order; section N is at place N - 1.

    Raises:
        ReportMalformed: these bytes are no signed report.
    """
    return [read_section(section)[0] for section in _sections(raw)[1]]


def show_section(raw: bytes, number: int) -> bytes:
    """Return the file that shows one section, from 1, of a report that was verified when it was received.

    Raises:
        ReportMalformed: these bytes are no signed report.
        SectionNotShown: there is no such section, or it names people.
    """
    signature, sections = _sections(raw)
    if not 1 <= number <= len(sections):
        raise SectionNotShown(f"the report has the sections 1 to {len(sections)}; nothing was written")
    name, _ = read_section(sections[number - 1])
    if name in NEVER_SHOWN:
        raise SectionNotShown(
            f"section {number} ({name}) could tell who was there, who spoke or how many: it is never shown; "
            "nothing was written"
        )
    path = inclusion_path([section.encode("ascii") for section in sections], number - 1)
    shown = {
        "v": 1,
        "signature": signature,
        "number": number,
        "of": len(sections),
        "section": sections[number - 1],
        "beside": [b64encode(each) for each in path],
    }
    return strict_json.dumps(ShownSection.from_parsed(shown).to_parsed())


def open_section(raw: bytes, members: Sequence[Member]) -> OpenedSection:
    """Return a shown section if it is part of what a listed auditor's key signed.

    Args:
        raw: The file; nothing in it is believed yet.
        members: As the registry lists them.

    Raises:
        ReportMalformed: it is not such a file, or shows what is never shown.
        UnknownAuditor, ReportSignatureBad: as for a whole report.
        ProofBroken: the section is not part of what was signed.
    """
    if len(raw) > MAX_SHOWN_BYTES:
        raise ReportMalformed(f"a shown section has at most {MAX_SHOWN_BYTES} bytes")
    try:
        shown = ShownSection.from_parsed(strict_json.loads(raw))
        token = jws.take_apart(shown.signature, REPORT_TYP)
        beside = [b64decode(each) for each in shown.beside]
    except (strict_json.NotStrict, jws.MalformedJws, NotCanonical, ValidationError, ValueError) as error:
        raise ReportMalformed("this is not a shown section; `comity report disclose` makes one") from error
    firm, claims = check_signature(token, members)
    found = root_of_path(shown.section.encode("ascii"), shown.number - 1, shown.of, beside)
    if shown.of != claims.sections or found is None or b64encode(found) != claims.root:
        raise ProofBroken("this section is not part of what the auditor signed: it, its place or its proof was changed")
    name, value = read_section(shown.section)
    return OpenedSection(name, value, shown.number, shown.of, firm, token.kid, claims.root, claims.iat)


def is_shown_section(raw: bytes) -> bool:
    """Tell whether a file is meant as a shown section; nothing of it is believed."""
    try:
        parsed = strict_json.loads(raw) if len(raw) <= MAX_SHOWN_BYTES else None
    except strict_json.NotStrict:
        return False
    return isinstance(parsed, dict) and "beside" in parsed


def _sections(raw: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        signed = SignedReport.from_parsed(strict_json.loads(raw))
    except (strict_json.NotStrict, ValidationError) as error:
        raise ReportMalformed("these bytes are not a signed report") from error
    return signed.signature, signed.sections
