"""An OCDS 1.1 release or record package as a table: everybody who stands behind one bid, together.

Tenderers, members of a consortium, suppliers, subcontractors and declared sites. Version 1.1 alone is read: in another
one a field may mean something else. The `bids` extension says who bids together; without it each release is one group.

Source: Open Contracting Data Standard 1.1.5, release and record package schemas; its bid extension 1.1.5.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from comity_node.domain.tables.table import MAX_ROWS, CsvForm, Row, Table, TableRefused, text_of

MAX_PACKAGE_BYTES: Final = 32 * 1024 * 1024
VERSION: Final = "1.1"
HEADINGS: Final = (
    "ocid", "bid", "roles", "party", "name", "other_name", "country", "address", "identifier",
)  # fmt: skip

_ROLES: Final = frozenset(
    {"tenderer", "supplier", "subcontractor", "consortiumMember", "leadTenderer", "productionSite", "manufacturer"}
)
"""Roles of a party that belong to a bid."""
_OF_NO_BID: Final = frozenset(
    {
        "buyer", "procuringentity", "reviewbody", "funder", "payer", "enquirer", "interestedparty",
        "contractimplementationmanager", "leadbuyer", "wholesalebuyer", "centralpurchasingbody", "evaluationbody",
        "mediationbody", "informationservice", "processcontactpoint", "reviewcontactpoint", "submissionreceiptbody",
        "participationprocessingbody",
    }
)  # fmt: skip
"""Roles, in small letters, of whoever buys or oversees. The codelist is open: who has another role may be a bidder."""
_OTHERS: Final = "other parties"
_NO_ROLE: Final = "no role stated"
_BY_LETTERS: Final = {role.lower(): role for role in _ROLES}
_PARTS_NAMES: Final = str.maketrans(";|\n", ",, ")
"""What would part a name in a cell of several."""
_MEMBERS: Final = ("members", "consortiumMembers", "consortium")
_SITES: Final = ("sites", "productionSites", "manufacturingSites", "facilities")
_LISTS: Final = ("damage", "parties", "awards", "contracts", "bids", "tenderers", "buying")
"""What is read of a process."""
_OF_A_LINK: Final = frozenset({"url", "date", "tag", "ocid", "id"})
"""What stands in a release that is only linked to."""

Json = Mapping[str, Any]


@dataclass
class _Behind:
    """Somebody behind one bid."""

    roles: dict[str, None] = field(default_factory=dict)
    here: set[str] = field(default_factory=set)
    """Of these the ones that this bid says, and not the party of itself."""
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
    groups: dict[tuple[str, str], dict[str, _Behind]] = {}
    for release in sorted(_processes(_parsed(stream)), key=lambda each: each["ocid"]):
        groups |= {(release["ocid"], bid): parties for bid, parties in _take_in(release).items()}
    rows = [_row(ocid, bid, behind) for (ocid, bid), parties in groups.items() for behind in parties.values()]
    damage = {reason for _, reason in rows}
    if None not in damage:
        why = "".join(f": {each}" for each in sorted(filter(None, damage)))
        raise TableRefused(f"the package names no tenderer, supplier or subcontractor{why}; there is nobody to screen")
    if len(rows) > MAX_ROWS:
        raise TableRefused(f"the package names more than {MAX_ROWS} parties; cut it into several")
    numbered = (Row(number, cells, reason) for number, (cells, reason) in enumerate(rows, start=2))
    said = f"an OCDS {VERSION} package: {len(rows)} parties in {len(groups)} bids or other groups"
    return Table(HEADINGS, iter(numbered), CsvForm(",", marked=True), len(rows), said)


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


def _processes(package: Json) -> list[dict[str, Any]]:
    """Return all that is said of each process, as one release; of one that names none, release by release."""
    found: dict[str, dict[str, Any]] = {}
    for place, release in enumerate(_releases(package)):
        ocid = _text(release.get("ocid"))
        whole = found.setdefault(ocid or f"release {place}", {"ocid": ocid, **{name: [] for name in _LISTS}})
        for name in ("damage", "parties", "awards", "contracts"):
            whole[name] += _list(release, name)
        bids, tender = release.get("bids"), _object(release.get("tender"))
        # What the standard has in an object some write as a list.
        whole["bids"] += bids if isinstance(bids, list) else _list(_object(bids), "details")
        whole["tenderers"] += _list(tender, "tenderers")
        whole["buying"] += [release.get("buyer"), tender.get("procuringEntity")]
    return list(found.values())


def _releases(package: Json) -> Iterator[Json]:
    for release in _list(package, "releases"):
        yield release if _is_whole(release) else {"damage": ["a link stands where a release should"]}
    for record in map(_object, _list(package, "records")):
        ocid, compiled = _text(record.get("ocid")), record.get("compiledRelease")
        inside = [compiled] if compiled and isinstance(compiled, dict) else _list(record, "releases")
        links = [each for each in inside if not _is_whole(each)]
        yield from ({"ocid": ocid, **each} for each in inside if _is_whole(each))
        if links or not inside:
            which = "only" if len(links) == len(inside) else "too, which are not followed"
            yield {"ocid": ocid, "damage": [f"its record holds links to releases {which}"]}


def _is_whole(release: Any) -> bool:
    return isinstance(release, dict) and ("url" not in release or bool(release.keys() - _OF_A_LINK))


def _take_in(release: Json) -> dict[str, dict[str, _Behind]]:
    """Return who stands behind each bid of a process."""
    groups: dict[str, dict[str, _Behind]] = {}
    parties = _described(release)
    in_bids: dict[str, list[str]] = {}
    """Party to the bids it stands in."""

    def add(bid: str, role: str, reference: Any, known_as: str | None = None) -> None:
        given = _object(reference)
        key = known_as or _key_of(given) or f"nobody {len(groups.get(bid, {}))}"
        behind = groups.setdefault(bid, {}).setdefault(key, _Behind())
        behind.describe(given, referred=True)
        if not given:
            behind.damage = "it stands where a party should, and is none"
        behind.roles.setdefault(role)
        behind.here.add(role)
        if bid in (seen := in_bids.setdefault(key, [])):
            return
        seen.append(bid)
        for said in parties.get(key, ()):
            behind.describe(said)
        behind.roles |= dict.fromkeys(_roles_of(parties.get(key, ())))
        for part, what in ((_MEMBERS, "consortiumMember"), (_SITES, "site")):
            for inner in (each for name in part for each in _list(behind.party, name)):
                add(bid, what, inner)

    lots: dict[str, set[str]] = {}
    for number, detail in enumerate(map(_object, release["bids"]), start=1):
        bid = _text(detail.get("id")) or str(number)
        lots.setdefault(bid, set()).update(map(_text, _list(detail, "relatedLots")))
        _take_in_bid(bid, detail, add)
    of_award: dict[str, list[str]] = {}
    for award in map(_object, release["awards"]):
        named = list(filter(None, map(_text, (award.get("relatedBid"), *_list(award, "relatedBids")))))
        of_lots = {_text(lot) for lot in _list(award, "relatedLots")}
        named = named or [bid for bid, in_lots in lots.items() if of_lots & in_lots and _stands_in(award, bid, in_bids)]
        of_award[_text(award.get("id"))] = _take_in_award("award", award, named, in_bids, add)
    for contract in map(_object, release["contracts"]):
        named = of_award.get(_text(contract.get("awardID")), [])
        _take_in_award("contract", contract, named, in_bids, add)
    for tenderer in release["tenderers"]:
        for bid in in_bids.get(_key_of(_object(tenderer)), ["tenderers"]):
            add(bid, "tenderer", tenderer)
    _take_in_others(parties, {_key_of(_object(each)) for each in release["buying"]}, in_bids, add)
    for key, bids in in_bids.items():
        # Of two bids of one tenderer that one is the supplier's which was awarded.
        if any("supplier" in groups[bid][key].here for bid in bids):
            for behind in (groups[bid][key] for bid in bids if "supplier" not in groups[bid][key].here):
                behind.roles.pop("supplier", None)
    for why in release["damage"]:
        groups.setdefault("", {})[why] = _Behind(damage=why)
    return groups


def _described(release: Json) -> dict[str, list[Json]]:
    """Return each party as it is described; where it is nowhere, as something that refers to it names it."""
    parties: dict[str, list[Json]] = {}
    for place, party in enumerate(map(_object, release["parties"])):
        parties.setdefault(_key_of(party) or f"party {place}", []).append(party)
    naming = [*release["bids"], *release["awards"], *release["contracts"], {"tenderers": release["tenderers"]}]
    for each in map(_object, naming):
        for reference in map(_object, (*_list(each, "tenderers"), *_list(each, "suppliers"))):
            if reference.get("name"):
                parties.setdefault(_key_of(reference), [reference])
    return parties


def _take_in_award(what: str, award: Json, named: list[str], in_bids: Mapping[str, list[str]], add: Any) -> list[str]:
    """Take in an award or contract; return the bids that it is about, or the group of its own."""
    suppliers = _list(award, "suppliers")
    alone = {bid for each in suppliers for bid in in_bids.get(_key_of(_object(each)), ())}
    label = [*named, *(alone if len(alone) == 1 else ()), f"{what} {_text(award.get('id'))}".strip()][0]
    _take_in_bid(label, {**award, "tenderers": []}, add)
    for supplier in suppliers:
        stands = in_bids.get(_key_of(_object(supplier)), [])
        for bid in [each for each in stands if each in named] or named or list(stands) or [label]:
            add(bid, "supplier", supplier)
    return named or [label]


def _stands_in(award: Json, bid: str, in_bids: Mapping[str, list[str]]) -> bool:
    return any(bid in in_bids.get(_key_of(_object(each)), ()) for each in _list(award, "suppliers"))


def _take_in_others(
    parties: Mapping[str, list[Json]], buying: set[str], in_bids: Mapping[str, list[str]], add: Any
) -> None:
    """Take in who is described and stands in no bid."""
    for key, described in parties.items():
        if key in in_bids or not described[-1]:
            continue
        if roles := _roles_of(described):
            add(f"{roles[0]}s", roles[0], described[-1], key)
            continue
        written = [_text(role) for party in described for role in _list(party, "roles")]
        if key not in buying and not (written and all(role.lower() in _OF_NO_BID for role in written)):
            for role in written or [_NO_ROLE]:
                add(_OTHERS, role, described[-1], key)


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
    return text_of(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
