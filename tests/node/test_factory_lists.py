"""Lists of factories: every row is a site or stays with its reason, and a list can be taken back."""

import io
import os
from collections import Counter
from pathlib import Path

import pytest
import pytest_asyncio
from openpyxl import Workbook

from builders import CHECKOUT
from comity_node.db import Database
from comity_node.db.suppliers import Wanted
from comity_node.domain.errors import NotFound
from comity_node.domain.register.mapping import FileForm
from comity_node.domain.register.table import RegisterUnreadable
from comity_node.domain.suppliers.factory_list import ListedRow, is_workbook, map_columns, read_list
from comity_node.domain.suppliers.facts import FactKind, FactRefused
from comity_node.domain.tables.table import TableRefused
from comity_node.services.suppliers.factory_lists import (
    GivenList,
    ListAlreadyHere,
    file_digest,
    new_list_id,
    take_back,
    take_in,
)
from comity_node.services.suppliers.facts import Entered, add_supplier, enter, take_back_fact
from comity_node.vocabulary import countries
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType
from node_world import NOW
from supplier_desk import CNPJ, LEI, Desk, desk_at, said

FORM = FileForm(delimiter=",")
OS_ID = "AE20220878C91ZR"
HEADER = "country,name,address,sector"


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    return await desk_at(sqlite)


def given(raw: bytes, title: str = "list", owner: int | None = None, tier: int | None = None) -> GivenList:
    form = None if is_workbook(raw) else FORM
    columns, unread = map_columns(io.BytesIO(raw), form, {})
    list_id = new_list_id()
    rows = list(read_list(io.BytesIO(raw), form, columns, countries().read, list_id))
    return GivenList(list_id, title, owner, tier, file_digest(raw), columns, unread, rows)


def read(*lines: str, header: str = HEADER) -> list[ListedRow]:
    return list(given("\n".join([header, *lines]).encode()).rows)


async def put(desk: Desk, raw: bytes, owner: int | None = None, tier: int | None = None) -> str:
    made = given(raw, owner=owner, tier=tier)
    async with desk.database.write() as store:
        await take_in(store, desk.person, made, NOW)
    return made.id


async def owner(desk: Desk, name: str = "Brand AG", *identifiers: Identifier) -> int:
    async with desk.database.write() as store:
        added = await add_supplier(store, desk.person, name, "CH", SubjectType.SUPPLIER, identifiers, NOW)
    return added.number


async def note(desk: Desk, supplier: int, entered: Entered) -> str:
    async with desk.database.write() as store:
        return (await enter(store, desk.person, supplier, entered, NOW)).id


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


# --- the real lists


def shared(path: str) -> Path:
    found = CHECKOUT.parent / "shared" / "data" / "osh" / path
    if not found.exists():
        reason = f"{found} is absent: it lies beside the checkout, not in it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


async def test_all_963_rows_of_the_fourteen_real_lists_become_sites_whatever_their_country_is_called(
    desk: Desk,
) -> None:
    files = sorted(shared("facility_lists").glob("*.csv"))
    spellings, codes, outcomes = Counter[str](), Counter[str](), Counter[str]()
    for file in files:
        made = given(file.read_bytes(), file.stem)
        assert made.unread == []
        async with desk.database.write() as store:
            outcomes += await take_in(store, desk.person, made, NOW)
        spellings.update(row.cells["country"] for row in made.rows)
        codes.update(row.country for row in made.rows)
    assert (len(files), spellings.total(), len(spellings)) == (14, 963, 89)
    assert outcomes == {"site": 959, "repeated": 4}
    assert (spellings["CN"], spellings["China"], spellings["CHINA"], codes["CN"]) == (142, 165, 140, 447)
    assert len(codes) == 55
    assert codes["VN"] == 100 and codes["US"] == 24 and codes["SK"] == codes["MC"] == 1
    async with desk.database.read() as store:
        lists = await store.factory_lists.page(before=None, most=50)
        rows = [row for each in lists for row in await store.factory_lists.rows(each.number, after=0, most=1_000)]
    assert len(rows) == 963, "nothing is lost"
    assert len({row.supplier for row in rows}) == 956, "three stand on two lists, name, country and address alike"
    async with desk.database.write() as store:
        await take_back(store, desk.person, lists[0].id, NOW)
    async with desk.database.read() as store:
        kept = await store.factory_lists.rows(lists[0].number, after=0, most=1_000)
    assert kept, "what was taken back stays"


def test_all_5443_real_facilities_have_an_os_id_whose_check_character_fits() -> None:
    made = given(shared("api_facilities.csv").read_bytes())
    assert made.unread == ["lat", "lng", "other_names", "other_addresses"], "coordinates are never read"
    sites = [row for row in made.rows if row.outcome == "site"]
    assert len(made.rows) == len(sites) == len({row.key for row in sites}) == 5_443
    assert all(row.os_id is not None and row.key == f"id:OSID:{row.os_id.id}" for row in sites)


# --- rows


@pytest.mark.parametrize("written", ["CN", "China", "CHINA", "cn", "People's Republic of China", "中国"])
def test_a_country_is_read_in_whatever_spelling(written: str) -> None:
    (row,) = read(f"{written},Mill,1 Road,Apparel")
    assert (row.outcome, row.country, row.cells["country"]) == ("site", "CN", written)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Atlantis,Mill,1 Road,", "its country is none that the list of countries can read"),
        (",Mill,1 Road,", "its country is none that the list of countries can read"),
        ("CN,,1 Road,", "it has no name"),
        ("CN,--,1 Road,", "it has no name"),
        (f"CN,{'x' * 201},1 Road,", "its name is longer than 200 characters"),
        (f"CN,Mill,{'x' * 301},", "its address is longer than 300 characters"),
        ("CN,Mill", "it has 2 cells where the header has 4"),
    ],
)
def test_a_row_that_does_not_fit_stays_with_its_line_and_why_and_the_next_is_taken(line: str, reason: str) -> None:
    refused, taken = read(line, "CN,Next,2 Road,")
    assert (refused.line, refused.outcome, refused.reason) == (2, "refused", reason)
    assert (taken.line, taken.outcome) == (3, "site")


def test_an_os_id_is_checked_and_decides_whatever_the_name() -> None:
    header = "os_id,name,country,tier"
    good, renamed, bad, tier = read(
        f"{OS_ID},Mill,AE,2",
        f"{OS_ID},Another name,AE,Tier 2",
        f"{OS_ID[:-1]}A,Mill,AE,1",
        f"{OS_ID},Mill,AE,12",
        header=header,
    )
    assert (good.key, good.tier, renamed.outcome, renamed.reason) == (
        f"id:OSID:{OS_ID}",
        2,
        "repeated",
        "the same site stands in line 2",
    )
    assert (bad.reason, tier.reason) == (
        "its OS ID has another form, or its check character does not fit",
        "its tier is no number from 1 to 9",
    )


def test_without_an_address_a_name_is_a_site_of_its_list_only() -> None:
    (one,), (two,) = read("CN,Mill,,"), read("CN,Mill,,")
    assert one.key != two.key
    (one,), (two,) = read("CN,Mill,1 Road,"), read("China,MILL,1 ROAD.,")
    assert one.key == two.key


def test_headings_are_understood_or_told_and_a_list_without_them_is_refused_naming_its_columns() -> None:
    raw = b"Facility Name,Country,Werk\nMill,CN,7\n"
    columns, unread = map_columns(io.BytesIO(raw), FORM, {})
    assert (columns, unread) == ({"name": "Facility Name", "country": "Country"}, ["Werk"])
    with pytest.raises(RegisterUnreadable, match="'Fabrik', 'Land'"):
        map_columns(io.BytesIO(b"Fabrik,Land\nMill,CN\n"), FORM, {})


# --- sites under suppliers


async def test_listed_sites_stand_under_their_owner_with_their_tier_until_the_list_is_taken_back(
    database: Database,
) -> None:
    desk = await desk_at(database)
    brand = await owner(desk)
    list_id = await put(desk, f"os_id,name,country,tier\n{OS_ID},Mill,AE,\n,Dye House,CN,2\n".encode(), brand, tier=1)
    os_id = {"scheme": "OSID", "id": OS_ID}
    finding = await desk.say("Mill", "agency", os_id, subject="site", country="AE")
    shown = await desk.show(brand)
    assert [(s["supplier"]["name"], s["tier"]) for s in shown["listed_sites"]] == [("Mill", 1), ("Dye House", 2)]
    assert said(shown) == {finding.hash: "about its site"}
    site = await desk.show(await desk.number(finding))
    assert [(s["list"], s["line"], s["supplier"]["number"]) for s in site["on_lists"]] == [("list", 2, brand)]
    with pytest.raises(ListAlreadyHere, match=list_id):
        await put(desk, f"os_id,name,country,tier\n{OS_ID},Mill,AE,\n,Dye House,CN,2\n".encode(), brand)
    async with desk.database.write() as store:
        await take_back(store, desk.person, list_id, NOW)
    shown = await desk.show(brand)
    assert (shown["listed_sites"], shown["findings"]) == ([], [])
    async with database.read() as store:
        listed = await store.suppliers.page(Wanted(), skip=0, most=50)
    assert sorted(known.name for known in listed) == ["Brand AG", "Mill"], "Dye House was on that list only"
    with pytest.raises(ListAlreadyHere, match="taken back"):
        async with desk.database.write() as store:
            await take_back(store, desk.person, list_id, NOW)


async def test_a_list_of_nobody_known_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await put(desk, b"name,country\nMill,CN\n", 4_711)
    async with desk.database.read() as store:
        assert await store.factory_lists.page(before=None, most=5) == []


# --- what people enter


async def test_what_somebody_enters_is_shown_with_their_name_and_can_be_taken_back(desk: Desk) -> None:
    finding = await desk.say("Client Ltd", "agency", CNPJ)
    number = await desk.number(finding)
    agent_finding = await desk.say("Agent Ltd", "union", LEI, subject="labour-provider")
    agent, holding = await desk.number(agent_finding), await owner(desk, "Holding SA")
    await note(desk, number, Entered(FactKind.FORMER_NAME, text="Old Client Ltd", since=NOW.date()))
    await note(desk, number, Entered(FactKind.OWNED_BY, holding, words="annual report 2025"))
    supplies = await note(desk, agent, Entered(FactKind.SUPPLIES_LABOUR_TO, number))
    shown = await desk.show(number)
    assert said(shown) == {finding.hash: "about it", agent_finding.hash: "through its labour provider"}
    assert [fact["in_words"] for fact in shown["entered"]] == [
        f"{number} Client Ltd was called Old Client Ltd from 2026-10-01, entered by Ana on 2026-10-01",
        f"{number} Client Ltd is owned by {holding} Holding SA, entered by Ana on 2026-10-01",
        f"{agent} Agent Ltd supplies labour to {number} Client Ltd, entered by Ana on 2026-10-01",
    ]
    assert said(await desk.show(holding)) == {}, "what is said of a firm is not said of its owner"
    async with desk.database.write() as store:
        await take_back_fact(store, desk.person, supplies, NOW)
    assert list(said(await desk.show(number))) == [finding.hash]


async def test_what_does_not_fit_is_not_entered(desk: Desk) -> None:
    number, other = await owner(desk), await owner(desk, "Other")
    wrong = [
        Entered(FactKind.FORMER_NAME),
        Entered(FactKind.OWNED_BY),
        Entered(FactKind.OWNED_BY, number),
        Entered(FactKind.OWNED_BY, other, tier=2),
        Entered(FactKind.OWNED_BY, other, since=NOW.date(), until=NOW.date().replace(year=2020)),
    ]
    for entered in wrong:
        with pytest.raises(FactRefused):
            await note(desk, number, entered)
    await note(desk, number, Entered(FactKind.OWNED_BY, other))
    with pytest.raises(FactRefused, match="already"):
        await note(desk, number, Entered(FactKind.OWNED_BY, other))
    with pytest.raises(NotFound):
        await note(desk, number, Entered(FactKind.OWNED_BY, 4_711))


async def test_a_supplier_that_is_entered_with_a_number_is_the_one_that_statements_name(desk: Desk) -> None:
    finding = await desk.say("A", "agency", LEI)
    assert await owner(desk, "Also A", Identifier.from_parsed(LEI)) == await desk.number(finding)


# --- as a workbook


def test_a_workbook_is_read_as_the_same_list_written_as_csv() -> None:
    rows = [
        ["Factory Name", "Country", "Address", "Tier", "Workers"],
        ["Mill One", "CHINA", "1 Mill Road", 2, 400],
        ["示例织造", "中国", "园区路", "Tier 1", None],
        [None, None, None, None, None],
        ["Mill One", "CN", "1 Mill Road", None, None],
        ["Nowhere Mill", "Atlantis", "x", None, None],
        [4711, "VN", "2 Road", 11, None],
    ]
    sheet = given(workbook(*rows))
    text = given("\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows).encode())
    assert (sheet.columns, sheet.unread) == (text.columns, text.unread) and sheet.unread == ["Workers"]

    def told(row: ListedRow) -> tuple[object, ...]:
        return (row.outcome, dict(row.cells), row.key, row.country, row.tier, row.reason)

    assert [told(row) for row in sheet.rows] == [told(row) for row in text.rows]
    assert [row.outcome.value for row in sheet.rows] == ["site", "site", "repeated", "refused", "refused"]
    assert [row.line for row in sheet.rows] == [2, 3, 5, 6, 7]


def test_a_formula_is_never_computed_and_refuses_its_row_alone() -> None:
    rows = given(workbook(["name", "country", "note"], ["=1+1", "CN", ""], ["Mill", "CN", "=2"])).rows
    assert [(row.outcome.value, row.reason) for row in rows] == [
        ("refused", "a formula or an error stands in it: write its result"),
        ("site", None),
    ]


@pytest.mark.parametrize("raw", [b"PK\x03\x04 no workbook", workbook(), workbook(["a", "b"], [1, 2])])
def test_a_workbook_that_is_none_or_has_no_usual_headings_is_refused_whole(raw: bytes) -> None:
    with pytest.raises((TableRefused, RegisterUnreadable)):
        given(raw)
