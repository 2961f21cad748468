"""An OCDS 1.1 release or record package as a table: everybody who stands behind one bid, together.

Tenderers, members of a consortium, suppliers, subcontractors and declared sites. Version 1.1 alone is read: in another
one a field may mean something else. The `bids` extension says who bids together; without it each release is one group.

Source: Open Contracting Data Standard 1.1.5, release and record package schemas; its bid extension 1.1.5.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from comity_node.domain.tables.table import MAX_ROWS, CsvForm, Row, Table, TableRefused

MAX_PACKAGE_BYTES: Final = 32 * 1024 * 1024
VERSION: Final = "1.1"
HEADINGS: Final = (
    "ocid", "bid", "roles", "party", "name", "other_name", "country", "address", "identifier",
)  # fmt: skip

_ROLES: Final = frozenset(
    {"tenderer", "supplier", "subcontractor", "consortiumMember", "leadTenderer", "productionSite", "manufacturer"}
)
"""Roles of a party that belong to a bid; the codelist is open, buyers and reviewers are none."""
_BY_LETTERS: Final = {role.lower(): role for role in _ROLES}
_PARTS_NAMES: Final = str.maketrans(";|\n", ",, ")
"""What would part a name in a cell of several."""
_MEMBERS: Final = ("members", "consortiumMembers", "consortium")
_SITES: Final = ("sites", "productionSites", "manufacturingSites", "facilities")

Json = Mapping[str, Any]


@dataclass
class _Behind:
    """Somebody behind one bid."""

    roles: list[str] = field(default_factory=list)
    party: Json = field(default_factory=dict)
    """As it is described; where it is referred to, that says less."""
    names: dict[str, None] = field(default_factory=dict)
    """All that it was ever called under its id, since that may be two: an id is often unique in its release only."""
    numbers: dict[str, None] = field(default_factory=dict)
    damage: str | None = None

    def describe(self, said: Json, *, referred: bool = False) -> None:
        """Take in one description of it, or what refers to it."""
        identifier = _object(said.get("identifier"))
        numbers = [identifier, *map(_object, _list(said, "additionalIdentifiers"))]
        names = [_text(said.get("name")), *(_text(each.get("legalName")) for each in numbers)]
        self.names.update(dict.fromkeys(name for name in names if name))
        placed = [each for each in numbers if each.get("scheme") and each.get("id")]
        self.numbers.update(dict.fromkeys(f"{_text(each['scheme'])}:{_text(each['id'])}" for each in placed))
        self.party = {**said, **self.party} if referred else {**self.party, **said}


def open_package(stream: BinaryIO) -> Table:
    """Open a package as a table, a row for each party of a bid.

    Raises:
        TableRefused: it is no package of version 1.1, or nobody stands in it.
    """
    package = _parsed(stream)
    groups: dict[tuple[str, str], dict[str, _Behind]] = {}
    for release in _releases(package):
        _take_in(release, groups)
    rows = [
        _row(ocid, bid, behind)
        for (ocid, bid), parties in sorted(groups.items(), key=lambda item: item[0][0])
        for behind in parties.values()
    ]
    if not rows:
        raise TableRefused("the package names no tenderer, supplier or subcontractor; there is nobody to screen")
    if len(rows) > MAX_ROWS:
        raise TableRefused(f"the package names more than {MAX_ROWS} parties; cut it into several")
    numbered = (Row(number, cells, reason) for number, (cells, reason) in enumerate(rows, start=2))
    return Table(HEADINGS, iter(numbered), CsvForm(",", marked=True), len(rows))


def _parsed(stream: BinaryIO) -> Json:
    raw = stream.read(MAX_PACKAGE_BYTES + 1)
    if len(raw) > MAX_PACKAGE_BYTES:
        raise TableRefused(f"the package is larger than {MAX_PACKAGE_BYTES} bytes; cut it into several")
    try:
        package = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TableRefused(f"line {line} is not written in UTF-8, as JSON must be; nothing was read") from error
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise TableRefused(f"this begins as JSON and cannot be read as that, from line {line} on") from error
    if not isinstance(package, dict) or not package.keys() & {"releases", "records"}:
        raise TableRefused(
            "this JSON is no OCDS release package or record package: it has neither releases nor records"
        )
    version = package.get("version")
    if str(version) != VERSION and not str(version).startswith(f"{VERSION}."):
        said = "states no version, so it is of 1.0" if version is None else f"is of version {str(version)[:20]}"
        raise TableRefused(
            f"this OCDS package {said}; version {VERSION} is read. Nothing was read, since fields may mean something "
            "else: ask its publisher for 1.1, or upgrade it with OCDS Kit"
        )
    return package


def _releases(package: Json) -> Iterator[Json]:
    for release in _list(package, "releases"):
        yield _object(release)
    for record in _list(package, "records"):
        compiled = _object(record).get("compiledRelease")
        inside = [compiled] if isinstance(compiled, dict) else _list(_object(record), "releases")
        whole = [release for release in inside if isinstance(release, dict) and "ocid" in release]
        if not whole:
            yield {"ocid": _object(record).get("ocid", ""), "damage": "its record holds links to releases only"}
        yield from whole


def _take_in(release: Json, groups: dict[tuple[str, str], dict[str, _Behind]]) -> None:
    ocid = str(release.get("ocid", ""))
    if "damage" in release:
        groups.setdefault((ocid, ""), {})["damage"] = _Behind(damage=str(release["damage"]))
        return
    parties: dict[str, list[Json]] = {}
    for place, party in enumerate(map(_object, _list(release, "parties"))):
        parties.setdefault(_key_of(party) or f"party {place}", []).append(party)
    in_bids: dict[str, list[str]] = {}
    """Party to the bids it stands in."""

    def add(bid: str, role: str, reference: Any, known_as: str | None = None) -> None:
        given = _object(reference)
        key = known_as or _key_of(given) or f"nobody {len(groups.get((ocid, bid), {}))}"
        behind = groups.setdefault((ocid, bid), {}).setdefault(key, _Behind())
        behind.describe(given, referred=True)
        if not given:
            behind.damage = "it stands where a party should, and is none"
        if is_first := bid not in (seen := in_bids.setdefault(key, [])):
            seen.append(bid)
            for said in parties.get(key, ()):
                behind.describe(said)
        for each in (role, *(_roles_of(parties.get(key, ())) if is_first else ())):
            if each not in behind.roles:
                behind.roles.append(each)
        if is_first:
            for part, what in ((_MEMBERS, "consortiumMember"), (_SITES, "site")):
                for inner in (each for name in part for each in _list(behind.party, name)):
                    add(bid, what, inner)

    for number, detail in enumerate(map(_object, _list(_object(release.get("bids")), "details")), start=1):
        _take_in_bid(str(detail.get("id") or number), detail, add)
    for award in map(_object, _list(release, "awards")):
        label = _bid_of(award, in_bids) or f"award {award.get('id', '')}".strip()
        _take_in_bid(label, {**award, "tenderers": []}, add)
        for supplier in _list(award, "suppliers"):
            for bid in in_bids.get(_key_of(_object(supplier)), [label]):
                add(bid, "supplier", supplier)
    for tenderer in _list(_object(release.get("tender")), "tenderers"):
        for bid in in_bids.get(_key_of(_object(tenderer)), ["tenderers"]):
            add(bid, "tenderer", tenderer)
    for key, described in parties.items():
        roles = _roles_of(described)
        if roles and key not in in_bids:
            add(f"{roles[0]}s", roles[0], described[-1], key)


def _key_of(party: Json) -> str:
    """Return by what a party is told from others: its id, or its name where it has none; empty where it has neither."""
    return _text(party.get("id")) or _text(party.get("name"))


def _roles_of(described: Iterable[Json]) -> list[str]:
    """Return the roles that belong to a bid, as the standard writes them."""
    written = [_text(role).lower() for party in described for role in _list(party, "roles")]
    return list(dict.fromkeys(_BY_LETTERS[role] for role in written if role in _BY_LETTERS))


def _take_in_bid(label: str, bid: Json, add: Any) -> None:
    for tenderer in _list(bid, "tenderers"):
        add(label, "tenderer", tenderer)
    for name in _MEMBERS:
        for member in _list(bid, name):
            add(label, "consortiumMember", member)
    subcontracting = _object(bid.get("subcontracting"))
    for subcontract in map(_object, _list(subcontracting, "subcontracts")):
        if "subcontractor" in subcontract:
            add(label, "subcontractor", subcontract["subcontractor"])
    for each in (*_list(subcontracting, "subcontractors"), *_list(bid, "subcontractors")):
        add(label, "subcontractor", each)
    for name in _SITES:
        for site in _list(bid, name):
            add(label, "site", site)


def _bid_of(award: Json, in_bids: Mapping[str, list[str]]) -> str | None:
    """Return the bid that an award is about: the one it names, or the only one its suppliers stand in."""
    named = award.get("relatedBid") or next(iter(_list(award, "relatedBids")), None)
    if named is not None:
        return str(named)
    bids = {bid for s in _list(award, "suppliers") for bid in in_bids.get(_key_of(_object(s)), ())}
    return bids.pop() if len(bids) == 1 else None


def _row(ocid: str, bid: str, behind: _Behind) -> tuple[tuple[str, ...], str | None]:
    party = behind.party
    name = _text(party.get("name")) or next(iter(behind.names), "")
    address = _object(party.get("address"))
    places = [_text(address.get(part)) for part in ("streetAddress", "locality", "region", "postalCode")]
    cells = (
        ocid,
        bid,
        "; ".join(behind.roles),
        _text(party.get("id")),
        name,
        "; ".join(each.translate(_PARTS_NAMES) for each in behind.names if each != name),
        _text(address.get("countryName")) or _text(address.get("country")),
        ", ".join(place for place in places if place),
        "; ".join(behind.numbers),
    )
    return cells, behind.damage


def _list(of: Json, name: str) -> list[Any]:
    """Return what stands there; what stands there alone, where the standard has a list, as one."""
    found = of.get(name)
    return found if isinstance(found, list) else [found] if found and isinstance(found, dict | str) else []


def _object(found: Any) -> Json:
    return found if isinstance(found, dict) else {}


def _text(found: Any) -> str:
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
