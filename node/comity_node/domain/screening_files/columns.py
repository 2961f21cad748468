"""Which column holds what: guessed from its heading in several languages, and what somebody says counts more."""

import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from comity_node.domain.tables.table import TableRefused
from comity_schemas.identifier_schemes import SCHEMES


class What(StrEnum):
    """What a column can hold; a column of one register's numbers is named by the register's code instead."""

    ID = "id"
    NAME = "name"
    OTHER_NAME = "other_name"
    COUNTRY = "country"
    ADDRESS = "address"
    SCHEME = "identifier_scheme"
    IDENTIFIER = "identifier"
    GOOD = "good"


MANY = frozenset({What.OTHER_NAME, What.ADDRESS})
"""What several columns may hold together."""

_HEADINGS: Mapping[What, str] = {
    What.ID: """
        id, row id, no, nr, vendor id, supplier id, vendor number, vendor no, supplier number, supplier code,
        vendor code, reference, bidder id, numero, código, codigo, lieferantennummer, номер, 编号, 編號, رقم, 番号
    """,
    What.NAME: """
        name, supplier, supplier name, vendor, vendor name, company, company name, organisation, organization,
        organisation name, organization name, legal name, registered name, bidder, bidder name, tenderer,
        contractor, contractor name, facility, facility name, factory, factory name, manufacturer, firm, firm name,
        business name, entity, entity name, account name, nom, raison sociale, fournisseur, nom du fournisseur,
        entreprise, société, soumissionnaire, nombre, proveedor, nombre del proveedor, razón social, empresa,
        licitador, oferente, contratista, nome, fornecedor, razão social, nome da empresa, licitante, lieferant,
        firma, unternehmen, bieter, firmenname, fornitore, ragione sociale, название, наименование, поставщик,
        наименование организации, компания, 名称, 供应商, 供应商名称, 公司名称, 企业名称, 公司, 供應商, 公司名稱,
        اسم, الاسم, اسم الشركة, المورد, اسم المورد, الشركة, 会社名, 企業名, 業者名, 회사명, 업체명, नाम, নাম
    """,
    What.OTHER_NAME: """
        other name, other names, alias, aliases, aka, also known as, trade name, trading name, trading as, dba,
        former name, previous name, native name, local name, name local, name in local language, english name,
        autre nom, nom commercial, ancien nom, otro nombre, nombre comercial, nombre fantasia, nome fantasia,
        outro nome, handelsname, другое название, 别名, 曾用名, 英文名称, 英文名, اسم آخر, الاسم التجاري
    """,
    What.COUNTRY: """
        country, country code, country name, nation, land, pays, código de país, país, pais, paese, страна, 国家,
        國家, 国, 国家地区, بلد, البلد, الدولة, 국가, देश, দেশ, iso country, vendor country, supplier country
    """,
    What.ADDRESS: """
        address, full address, street, street address, address line, city, town, region, province, postcode,
        postal code, zip, zip code, facility address, factory address, supplier address, vendor address, locality,
        adresse, rue, ville, code postal, dirección, direccion, calle, ciudad, provincia, código postal, endereço,
        endereco, rua, cidade, cep, strasse, straße, ort, stadt, plz, anschrift, indirizzo, адрес, город, 地址,
        住所, 城市, 所在地, العنوان, عنوان, المدينة, 주소, पता, ঠিকানা
    """,
    What.SCHEME: "identifier scheme, id scheme, scheme, register, identifier type, id type",
    What.IDENTIFIER: "identifier, identifier number, organisation identifier, organization identifier",
    What.GOOD: """
        good, goods, product, products, product type, commodity, what is bought, produit, produits, producto,
        productos, produto, produtos, ware, waren, товар, товары, 产品, 商品, المنتج, sector
    """,
}
_NUMBERS: Mapping[str, str] = {
    "cnpj": "BR-CNPJ",
    "lei": "XI-LEI",
    "lei code": "XI-LEI",
    "legal entity identifier": "XI-LEI",
    "os id": "OSID",
    "osid": "OSID",
    "oar id": "OSID",
    "gln": "GLN",
    "ungm": "UNGM",
    "ungm number": "UNGM",
    "ungm vendor number": "UNGM",
    "unified social credit code": "CN-USCI",
    "uscc": "CN-USCI",
    "统一社会信用代码": "CN-USCI",
    "社会信用代码": "CN-USCI",
    "siren": "FR-RCS",
    "companies house": "GB-COH",
}
"""Headings of one register's numbers. What several countries call the same is left to whoever knows."""


def _bare(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading).casefold()
    return " ".join("".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text).split())


_BY_HEADING = {_bare(word): what for what, words in _HEADINGS.items() for word in words.split(",")}
_SCHEMES = {_bare(scheme): scheme for scheme in SCHEMES}
_BEST_FIRST = {_bare(word): n for n, word in enumerate(_HEADINGS[What.NAME].split(","))}


_ONE_COUNTRY = frozenset({"country", "country code", "country name", "iso country"})
"""Headings that say the same country in another way where they stand beside each other."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the columns, from 0, by what they hold."""

    headings: tuple[str, ...]
    places: Mapping[What, tuple[int, ...]]
    numbers: Mapping[int, str]
    """Place to the register whose numbers stand there."""

    @property
    def unread(self) -> tuple[str, ...]:
        """Headings of the columns that are not looked at."""
        read = {place for places in self.places.values() for place in places} | self.numbers.keys()
        return tuple(heading for place, heading in enumerate(self.headings) if place not in read)

    def in_words(self) -> list[str]:
        """Return lines that say how the columns are read, for somebody to confirm."""
        said = [
            f"{what.value}: {', '.join(repr(self.headings[place]) for place in places)}"
            for what, places in self.places.items()
        ]
        said += [f"{scheme}: {self.headings[place]!r}" for place, scheme in self.numbers.items()]
        if self.unread:
            said.append(f"not read: {', '.join(map(repr, self.unread))}")
        return said


def map_columns(
    headings: Sequence[str], told: Mapping[str, str] | None = None, answered: Container[int] = ()
) -> Columns:
    """Return what the columns hold.

    Args:
        headings: as they stand there.
        told: what, or a register's code, to a heading or `#3` for the third column; an empty one: nowhere.
        answered: places of an earlier result's columns: whom those name was found, and not asked about.

    Raises:
        TableRefused: a name is told or needed and not found, or stands there twice; the headings are named.
    """
    told = told or {}
    guessed = _guess(["" if place in answered else heading for place, heading in enumerate(headings)])
    places, numbers = guessed
    for what, heading in told.items():
        chosen = [] if not heading else [_place(heading, headings)]
        if what in SCHEMES:
            numbers = {place: scheme for place, scheme in numbers.items() if scheme != what}
            numbers |= dict.fromkeys(chosen, what)
        elif what in set(What):
            places[What(what)] = chosen
        else:
            raise TableRefused(
                f"{what!r} is nothing that a column is read as; these are: {', '.join(What)}, and the code of a "
                "register such as BR-CNPJ"
            )
        for place in chosen:
            _take_from_others(place, what, places, numbers)
    kept = {what: tuple(found) for what, found in places.items() if found}
    if not (kept.keys() & {What.NAME, What.OTHER_NAME} or numbers or What.IDENTIFIER in kept):
        raise TableRefused(
            "no column is known to hold a name or a number; say which does (name=HEADING), or delete titles and empty "
            "rows above the headings. The headings are "
            f"{', '.join(repr(heading[:60]) for heading in headings[:30])}"
        )
    for what, found in kept.items():
        if len(found) > 1 and what not in MANY:
            raise TableRefused(
                f"{len(found)} columns could hold the {what.value}: {', '.join(repr(headings[p]) for p in found)}; "
                f"say which ({what.value}=HEADING, or {what.value}=#{found[0] + 1} for the column)"
            )
    return Columns(tuple(headings), kept, numbers)


def _guess(headings: Sequence[str]) -> tuple[dict[What, list[int]], dict[int, str]]:
    places: dict[What, list[int]] = {}
    numbers: dict[int, str] = {}
    for place, heading in enumerate(headings):
        bare = _bare(heading)
        # `address 2`, `other_name_3`
        what = _BY_HEADING.get(bare) or _BY_HEADING.get(bare.rstrip("0123456789 "))
        scheme = _NUMBERS.get(bare) or _SCHEMES.get(bare)
        if what is not None:
            places.setdefault(what, []).append(place)
        elif scheme is not None:
            numbers[place] = scheme
    names = places.get(What.NAME, [])
    if len(names) > 1:
        # `name` and `supplier`: the plainer heading holds the name, the other one perhaps another name of it.
        first = min(names, key=lambda place: (_BEST_FIRST.get(_bare(headings[place]), len(_BEST_FIRST)), place))
        if sum(_bare(headings[place]) == _bare(headings[first]) for place in names) == 1:
            places[What.NAME] = [first]
    countries = places.get(What.COUNTRY, [])
    if len(countries) > 1 and len({_bare(headings[place]) for place in countries} & _ONE_COUNTRY) == len(countries):
        places[What.COUNTRY] = countries[:1]
    ids = places.get(What.ID, [])
    if len(ids) > 1:
        places[What.ID] = ids[:1]
    return places, numbers


def _place(heading: str, headings: Sequence[str]) -> int:
    found = [place for place, each in enumerate(headings) if each == heading]
    found = found or [place for place, each in enumerate(headings) if _bare(each) == _bare(heading)]
    if not found and heading.startswith("#") and heading[1:].isdecimal() and 0 < int(heading[1:]) <= len(headings):
        found = [int(heading[1:]) - 1]
    if len(found) != 1:
        how = "stands there twice; say which by its place, such as #3" if found else "is no heading of this file"
        raise TableRefused(f"{heading[:60]!r} {how}. The headings are {', '.join(repr(h[:60]) for h in headings[:30])}")
    return found[0]


def _take_from_others(place: int, what: str, places: dict[What, list[int]], numbers: dict[int, str]) -> None:
    for other, found in places.items():
        if other.value != what and place in found:
            found.remove(place)
    if what not in SCHEMES:
        numbers.pop(place, None)
