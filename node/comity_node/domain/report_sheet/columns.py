"""The sheets of the workbook that auditors fill in: which field of the report stands where, and what to write there."""

from dataclasses import dataclass
from typing import Any, Final

from comity_node.domain.report_sheet.cells import DATE, MONTH, NUMBER, TEXT, YES, CellType, Misread, code, lines
from comity_schemas.finding import Access, Extent, Notice, Remedy, Severity, SourceType, Status, Verified
from comity_schemas.indicators import Basis, Indicator
from comity_schemas.report import Premises, SharingBasis, WhyNotAssessed
from comity_schemas.subject import NameKind, SectorScheme

Path = tuple[str, ...]
"""Where a field stands in the report, or in one item of a list."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field: its heading, its place, its cell, and what to write."""

    heading: str
    path: Path
    cell: CellType
    help: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with one item a row."""

    title: str
    columns: tuple[Column, ...]


def _name(line: str) -> dict[str, Any]:
    kind, found, text = line.partition(": ")
    if found and kind in set(NameKind):
        return {"text": text, "kind": kind}
    return {"text": line}


def _show_name(name: dict[str, Any]) -> str:
    kind = name.get("kind", NameKind.REGISTERED)
    return str(name["text"]) if kind == NameKind.REGISTERED else f"{kind}: {name['text']}"


def _identifier(line: str) -> dict[str, Any]:
    scheme, found, number = line.partition(":")
    if not found:
        raise Misread("write each identifier as SCHEME: NUMBER, one a line")
    return {"scheme": scheme.strip(), "id": number.strip()}


def _show_identifier(identifier: dict[str, Any]) -> str:
    return f"{identifier['scheme']}: {identifier['id']}"


def _client(line: str) -> dict[str, Any]:
    name, *identifiers = (part.strip() for part in line.split("|"))
    given: dict[str, Any] = {"names": [_name(name)]}
    return {**given, "identifiers": [_identifier(each) for each in identifiers]} if identifiers else given


def _show_client(client: dict[str, Any]) -> str:
    names = " | ".join(_show_name(name) for name in client["names"][:1])
    return " | ".join([names, *(_show_identifier(each) for each in client.get("identifiers", ()))])


def _indicator(line: str) -> dict[str, Any]:
    found, _, basis = line.partition(" ")
    if found not in set(Indicator) or basis.strip() not in set(Basis):
        raise Misread("write each indicator as its code and how it was found, such as: FL07 stated, one a line")
    return {"indicator": found, "basis": basis.strip()}


NAMES = lines(_name, _show_name)
IDENTIFIERS = lines(_identifier, _show_identifier)
CLIENTS = lines(_client, _show_client)
INDICATORS = lines(_indicator, lambda found: f"{found['indicator']} {found['basis']}")
WORDS = lines(str, str)

FIELDS: Final = (
    Column("reference", ("ref",), TEXT, "your own: letters, digits, . _ -", True),
    Column("source", ("source",), code(SourceType), "who saw it", True),
    Column("scheme", ("scheme",), TEXT, "as the registry authorises your firm for it", True),
    Column("scheme version", ("scheme_version",), TEXT),
    Column("auditor", ("auditor",), TEXT, "DID of your firm: did:web:…"),
    Column("client", ("client",), TEXT, "for whom; empty: for the audited party itself"),
    Column("client DID", ("client_did",), TEXT, "if the client is a member of the network"),
    Column("client's consent given on", ("client_consent", "given"), DATE, "needed where the client is another member"),
    Column("client's consent covers", ("client_consent", "scope"), TEXT, "what was agreed, in words"),
    Column("stands in place of report", ("supersedes",), TEXT, "id from the receipt of your earlier report"),
    Column("started", ("started",), DATE),
    Column("finished", ("finished",), DATE, "only the month leaves", True),
    Column("notice", ("notice",), code(Notice), "was the visit announced?", True),
    Column("access", ("access",), code(Access), "how far were you let in?", True),
    Column("workforce", ("workforce",), NUMBER, "how many people work there"),
    Column("interviews", ("interviews",), NUMBER, "how many people; leaves as a band"),
    Column("women interviewed", ("interviewed_women",), NUMBER),
    Column("files reviewed", ("files_reviewed",), NUMBER),
    Column("sharing basis", ("sharing_basis",), code(SharingBasis), "without one the report yields no finding"),
    Column("sharing covers", ("sharing_scope",), TEXT, "what was agreed, in words"),
    Column("valid until", ("valid_until",), DATE),
    Column("keep until", ("keep_until",), DATE, "then the report and its evidence are shredded"),
    Column("summary", ("summary",), TEXT, "stays"),
)
"""The sheet `Report`: one field a row."""

_KINDS = ("audited party", "further site", "labour provider")

PARTIES: Final = Table(
    "Parties",
    (
        Column("role", ("role",), code(_KINDS), "exactly one audited party", True),
        Column("type", ("type",), code(("supplier", "site", "labour-provider")), "", True),
        Column("ref", ("ref",), TEXT, "by which observations name it"),
        Column("names", ("names",), NAMES, "one a line; trading: NAME, former: NAME, romanised: NAME", True),
        Column("identifiers", ("identifiers",), IDENTIFIERS, "SCHEME: NUMBER, one a line"),
        Column("supplies labour to", ("supplies_to",), CLIENTS, "NAME | SCHEME: NUMBER, one a line"),
        Column("country", ("country",), TEXT, "two letters, ISO 3166-1", True),
        Column("region", ("region",), TEXT, "leaves as written"),
        Column("municipality", ("municipality",), TEXT, "leaves as written"),
        Column("address", ("address",), TEXT, "never leaves in clear"),
        Column("premises", ("premises",), code(Premises), "business only if somebody confirmed it"),
        Column("sector scheme", ("sector", "scheme"), code(SectorScheme)),
        Column("sector code", ("sector", "code"), TEXT),
        Column("named after a person", ("named_after_person",), YES, "a sole trader, or a firm with a person's name"),
    ),
)

OBSERVATIONS: Final = Table(
    "Observations",
    (
        Column("ref", ("ref",), TEXT, "unique in the report", True),
        Column("about", ("about",), TEXT, "ref of a site or labour provider; empty: the audited party"),
        Column("clause", ("clause", "clause"), TEXT, "of the scheme", True),
        Column("label", ("clause", "label"), TEXT, "the scheme's own grade"),
        Column("description", ("description",), TEXT, "in your words; stays", True),
        Column("testimony", ("testimony",), TEXT, "what workers said; stays"),
        Column("place", ("place",), TEXT, "stays"),
        Column("indicators", ("indicators",), INDICATORS, "FL07 stated, one a line; only those it supports"),
        Column("severity", ("severity",), code(Severity), "", True),
        Column("extent", ("extent",), code(Extent), "", True),
        Column("act together", ("collaborative_action",), YES, "should buyers act together?"),
        Column("affected", ("affected",), NUMBER, "people; leaves as a band"),
        Column("women affected", ("affected_women",), NUMBER, "leaves as a share in bands"),
        Column("status", ("status",), code(Status), "", True),
        Column("verified", ("verified",), code(Verified), "of closed-verified"),
        Column("remedies", ("remedies",), WORDS, f"one a line: {', '.join(Remedy)}"),
        Column("remedy due", ("remedy_due",), MONTH, "2026-12"),
        Column("evidence", ("evidence",), WORDS, "refs of the sheet Evidence, one a line"),
        Column("follows up report", ("follows_up", "report"), TEXT, "id from the earlier report's receipt"),
        Column("follows up observation", ("follows_up", "observation"), TEXT, "its ref there"),
    ),
)

EVIDENCE: Final = Table(
    "Evidence",
    (
        Column("ref", ("ref",), TEXT, "", True),
        Column("media type", ("media_type",), TEXT, "image/jpeg, application/pdf …", True),
        Column("bytes", ("bytes",), NUMBER, "", True),
        Column("SHA-256", ("sha256",), TEXT, "base64url, 43 characters", True),
        Column("caption", ("caption",), TEXT, "stays"),
        Column("keep until", ("keep_until",), DATE),
    ),
)

SCOPE: Final = Table(
    "Scope",
    (
        Column("indicator", ("indicator",), code(Indicator), "", True),
        Column("assessed", ("assessed",), YES, "", True),
        Column("why not", ("why",), code(WhyNotAssessed)),
    ),
)

TEAM: Final = Table("Team", (Column("name", ("name",), TEXT, "never leaves", True),))

TABLES: Final = (PARTIES, OBSERVATIONS, EVIDENCE, SCOPE, TEAM)
