"""A file of suppliers is screened row by row: nothing lost, everything said in words, all rows at one moment."""

import asyncio
import csv
import io
import json
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api_world import SCREENED, Office, furnish
from builders import Publisher, shared
from comity_node.db import Database
from comity_node.domain.inherent_risk import Exploitation, GoodsRisk, RiskList
from comity_node.domain.screening_files.asking import Asked, Problem, Reading
from comity_node.domain.screening_files.columns import Columns, What, map_columns
from comity_node.domain.screening_files.results import (
    CANDIDATES,
    COLUMNS,
    NOT_SEARCHED,
    Result,
    headings_with,
    not_asked,
)
from comity_node.domain.tables.table import Row, TableRefused
from comity_node.domain.tables.writing import form_of
from comity_node.services.answering.moment import this_moment
from comity_node.services.screening_files.network import NetworkAsker, NetworkView
from comity_node.services.screening_files.opening import Told, open_given
from comity_node.services.screening_files.running import Account, Once, screened
from comity_node.services.screening_files.spreading import ProcessEnded, spread
from comity_node.services.suppliers.facts import add_supplier
from comity_node.services.suppliers.following import catch_up
from comity_node.vocabulary import countries
from comity_node.workers.screening_files import FileScreener
from comity_schemas.report import MAX_REPORT_BYTES
from comity_schemas.subject import SubjectType
from node_world import NOW, Bench, Town, comity, registry_of
from supplier_desk import CNPJ, LEI, Desk, desk_at


def asked(raw: str | bytes, **told: str) -> tuple[list[Asked], list[Problem]]:
    """Whom the rows of a file ask about, and what is to be looked at."""
    given = open_given(io.BytesIO(raw.encode() if isinstance(raw, str) else raw), Told(told))
    problems: list[Problem] = []
    reading = Reading(given.columns, countries().read, problems.append)
    return [reading.ask(row) for row in given.table.rows], problems


@pytest.mark.parametrize(
    ("headings", "held"),
    [
        ("Vendor No;Vendor Name;Country;CNPJ", {"id": 0, "name": 1, "country": 2, "BR-CNPJ": 3}),
        ("Raison sociale;Pays;Adresse;Ville", {"name": 0, "country": 1, "address": (2, 3)}),
        ("Razón Social;País;Dirección", {"name": 0, "country": 1, "address": 2}),
        ("Наименование;Страна;Адрес", {"name": 0, "country": 1, "address": 2}),
        ("公司名称;国家;地址;统一社会信用代码", {"name": 0, "country": 1, "address": 2, "CN-USCI": 3}),
        ("اسم الشركة;الدولة", {"name": 0, "country": 1}),
        ("id;name;country;other_name;other_name2", {"id": 0, "name": 1, "country": 2, "other_name": (3, 4)}),
        ("supplier;name", {"name": 1}),
        ("Identifier Scheme;Identifier", {"identifier_scheme": 0, "identifier": 1}),
    ],
)
def test_columns_are_guessed_from_headings_in_several_languages(headings: str, held: dict[str, Any]) -> None:
    columns = map_columns(headings.split(";"))
    found: dict[str, Any] = {what.value: places for what, places in columns.places.items()}
    found |= {scheme: (place,) for place, scheme in columns.numbers.items()}
    assert found == {what: places if isinstance(places, tuple) else (places,) for what, places in held.items()}


def test_what_somebody_says_counts_more_than_the_guess() -> None:
    headings = ["Name", "Trading as", "Nation", "Tax", "Tax"]
    columns = map_columns(headings, {"name": "Trading as", "country": "", "BR-CNPJ": "#5"})
    assert columns == Columns(tuple(headings), {What.NAME: (1,)}, {4: "BR-CNPJ"})
    assert columns.unread == ("Name", "Nation", "Tax")
    assert columns.in_words()[-1] == "not read: 'Name', 'Nation', 'Tax'"
    for told, words in (
        ({"name": "Nowhere"}, "'Nowhere' is no heading of this file"),
        ({"BR-CNPJ": "Tax"}, "stands there twice; say which by its place"),
        ({"colour": "Name"}, "'colour' is nothing that a column is read as"),
        ({"name": "", "other_name": ""}, "no column is known to hold a name or a number"),
    ):
        with pytest.raises(TableRefused, match=words):
            map_columns(headings, told)
    with pytest.raises(TableRefused, match=r"2 columns could hold the name: 'Vendor', 'vendor'; say which"):
        map_columns(["Vendor", "vendor"])


def test_each_kind_of_bad_row_gets_a_clear_answer_and_the_rest_is_read() -> None:
    rows, problems = asked(
        "id,name,other_name,country,BR-CNPJ\n"
        "1,,,BR,\n"
        f"2,{'x' * 10_000},,BR,\n"
        "3,Exemplar\u202e Gloves\x07 Ltd,A; B,Atlantis,11.222.333/0001-80\n"
        "3,Good,,Brasil,11222333000181.0\n"
        "4,\u200b\u202e,,,\n"
        "5,Pure\u0441ast Ltd,,,\n"
        ",,,,\n"
        "6,Last,,,"
    )
    assert [(row.row.number, row.refused) for row in rows if row.refused] == [
        (2, "it has no name and no number"),
        (3, "a name of more than 300 characters was not used"),
        (6, "it has no name and no number"),
        (8, "it is empty"),
    ]
    assert rows[2].names == ("Exemplar Gloves Ltd", "A", "B")
    assert (rows[3].country, rows[3].identifiers[0].id) == ("BR", "11222333000181")
    assert [(p.number, p.what) for p in problems if p.number in (4, 5, 7)] == [
        (4, "a name holds control or direction-changing characters; it was read without them"),
        (4, "its BR-CNPJ number has another form, or its check digit does not fit, and was not used"),
        (4, "its country is none that the list of countries can read, and was not used"),
        (5, "its id stands in row 4 too; both were done"),
        (7, "a word of the name mixes letters of two alphabets that look alike"),
    ]


def test_a_formula_as_a_name_is_never_computed_and_the_row_says_so() -> None:
    columns = map_columns(["name"])
    row = Row(2, ("=1+1",), formulas=frozenset({0}))
    assert "which is never computed" in str(Reading(columns, countries().read, lambda _: None).ask(row).refused)


def test_a_name_of_nothing_but_a_legal_form_is_not_asked_about_and_the_row_says_so() -> None:
    columns = map_columns(["name", "other_name"])
    asked = [
        Reading(columns, countries().read, lambda _: None).ask(Row(2, cells)) for cells in (("Ltd", ""), ("Sa Sa", ""))
    ]
    assert asked[0].refused == "a name of nothing but a legal form names nobody, and was not used"
    assert asked[1].names == ("Sa Sa",)


def test_an_earlier_result_is_written_anew_and_a_column_of_the_same_name_stays() -> None:
    assert headings_with(["name", "state"], candidates=True) == (("name", "state", *COLUMNS, CANDIDATES), 2)
    assert headings_with(["name", *COLUMNS], candidates=False) == (("name", *COLUMNS), 1)


def test_the_columns_of_a_result_are_a_contract() -> None:
    assert ", ".join(COLUMNS) == (
        "verdict, score, supplier_id, supplier_name, reason, state, findings_current, findings_closed, decisions, "
        "risk, next_step, as_of"
    )


def package(**release: Any) -> str:
    inside = {"ocid": "ocds-1", "id": "1", "tag": ["award"], **release}
    return json.dumps({"version": "1.1", "releases": [inside]})


def test_everybody_behind_one_bid_stands_together() -> None:
    def party(key: str, name: str, *roles: str, **more: Any) -> dict[str, Any]:
        return {"id": key, "name": name, "roles": list(roles), **more}

    lei = {"scheme": "XI-LEI", "id": LEI["id"], "legalName": "Exemplar Gloves Sdn. Bhd."}
    place = {"streetAddress": "Jalan 1", "locality": "Klang", "countryName": "Malaysia"}
    given = package(
        parties=[
            party("B", "City", "buyer"),
            party("1", "Exemplar", "tenderer", "supplier", identifier=lei, address=place),
            party("2", "Partner", "tenderer"),
            party("3", "Dye House", "subcontractor"),
            party("4", "Rival", "tenderer"),
            party("5", "Loner", "tenderer"),
        ],
        bids={
            "details": [
                {
                    "id": "bid-1",
                    "tenderers": [{"id": "1"}, {"id": "2"}],
                    "subcontracting": {"subcontracts": [{"subcontractor": {"id": "3"}}]},
                    "productionSites": [{"name": "Plant 2", "address": {"countryName": "Malaysia"}}],
                },
                {"id": "bid-2", "tenderers": [{"id": "4"}, None]},
            ]
        },
        tender={"tenderers": [{"id": "1"}, {"id": "5", "name": "Loner"}]},
        awards=[{"id": "a", "suppliers": [{"id": "1"}]}],
    )
    rows, _ = asked(given)
    told = [(str(row.row.cells[1]), str(row.row.cells[2]), *row.names[:1], row.refused) for row in rows]
    assert told == [
        ("bid-1", "tenderer; supplier", "Exemplar", None),
        ("bid-1", "tenderer", "Partner", None),
        ("bid-1", "subcontractor", "Dye House", None),
        ("bid-1", "site", "Plant 2", None),
        ("bid-2", "tenderer", "Rival", None),
        ("bid-2", "tenderer", "it stands where a party should, and is none"),
        ("tenderers", "tenderer", "Loner", None),
    ]
    assert (rows[0].names[1], rows[0].country, rows[0].address) == ("Exemplar Gloves Sdn. Bhd.", "MY", "Jalan 1, Klang")
    assert [i.to_parsed() for i in rows[0].identifiers] == [LEI]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{"releases": []}', "states no version, so it is of 1.0; version 1.1 is read"),
        ('{"version": "1.2", "releases": []}', "is of version 1.2; version 1.1 is read"),
        ('{"version": "1.1", "releases": []}', "there is nobody to screen"),
        ('{"name": "x"}', "neither releases nor records"),
        ('{\n"version": "1.1",\n"releases": [}', "from line 3 on"),
        ('{"version": ' + "[" * 100_000, "cannot be read"),
        ('{"version": "1.1", "releases": [1, {"parties": [null, 7]}]}', "there is nobody to screen"),
    ],
)
def test_what_is_no_package_of_this_version_is_refused_in_words(given: str, words: str) -> None:
    with pytest.raises(TableRefused, match=words):
        asked(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "this is a PDF; nothing was read"),
        (b"\xef\xbb\xbf \n<html><table>", "this is a web page or XML"),
        (b'[{"name": "A"}]', "this is a JSON list, and no OCDS package"),
        (b"{\\rtf1 name}", "a text document"),
        (b"\xd0\xcf\x11\xe0", r"the old form \(\.xls\)"),
    ],
)
def test_what_people_take_for_a_table_is_named_and_told_how_to_save(given: bytes, words: str) -> None:
    with pytest.raises(TableRefused, match=words) as refused:
        open_given(io.BytesIO(given))
    assert "CSV UTF-8" in str(refused.value)


def test_records_are_read_from_their_compiled_release_and_links_alone_are_told() -> None:
    one = {"ocid": "ocds-1", "parties": [{"id": "1", "name": "Exemplar", "roles": ["supplier"]}]}
    given = {"version": "1.1", "records": [{"ocid": "ocds-1", "compiledRelease": one}, {"ocid": "ocds-2"}]}
    rows, _ = asked(json.dumps(given))
    assert [(row.names, row.refused) for row in rows] == [
        (("Exemplar",), None),
        ((), "its record holds links to releases only"),
    ]


def test_the_standards_own_samples_are_read() -> None:
    samples = shared("standards/ocds/samples")
    names = {}
    for sample in (
        "ocds-213czf-000-00001-04-award",
        "docs-organizations-identifiers",
        "ocds-213czf-000-00001-02-tender",
    ):
        try:
            rows, _ = asked((samples / f"{sample}.json").read_bytes())
            names[sample[-6:]] = [(row.names, row.country, row.row.cells[2]) for row in rows]
        except TableRefused as error:
            names[sample[-6:]] = str(error)
    assert names["-award"] == [
        (("AnyCorp Cycle Provision", "AnyCorp Ltd"), "GB", "supplier; tenderer"),
        (("Beta Corp Construction", "Beta Corp Ltd"), "GB", "tenderer"),
    ]
    assert names["ifiers"] == [(("IBM", "IBM LP LIMITED", "IBM UK LIMITED"), "GB", "supplier")]
    assert "nobody to screen" in names["tender"]


def test_the_real_lists_are_read_to_their_last_row() -> None:
    lists = sorted(shared("data/osh/facility_lists").glob("*.csv"))
    read = [asked(path.read_bytes()) for path in lists]
    rows = [row for each, _ in read for row in each]
    assert (len(lists), len(rows), sum(row.refused is not None for row in rows)) == (14, 963, 0)
    assert sum(row.country is None for row in rows) == 0
    debarred, problems = asked(shared("data/mdb_debarment/records.csv").read_bytes())
    # One is called "LLC" and nothing else.
    assert (len(debarred), sum(row.refused is not None for row in debarred)) == (2_818, 1)
    assert sum(len(row.names) > 1 for row in debarred) > 300
    assert len({problem.number for problem in problems}) < 60


# ---------------------------------------------------------------- against what the network shares


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    return await desk_at(sqlite)


async def results(desk: Desk, raw: str, risks: RiskList | None = None) -> list[dict[str, Any]]:
    """What is written beside each row, by column."""
    await catch_up(desk.database)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    given, account = open_given(io.BytesIO(raw.encode())), Account()
    async with desk.database.read() as store:
        asker = NetworkAsker(store, await this_moment(store, registry, NOW), risks)
        found = [r async for part in screened(given, asker, countries().read, account, part=2) for _, r in part]
    return [dict(zip((*COLUMNS, CANDIDATES), each.cells(candidates=True), strict=True)) for each in found]


async def test_each_row_gets_its_verdict_its_state_in_words_and_what_to_do(desk: Desk) -> None:
    made = await desk.say("Fazenda Exemplo Ltda", "agency", CNPJ)
    await desk.say("Obra Exemplar", "city", LEI, kind="decision")
    gone = await desk.say("Withdrawn Works", "agency")
    await desk.withdraw("agency", gone)
    rows = await results(
        desk,
        "id,name,country,BR-CNPJ,XI-LEI\n"
        f"1,Another Name,BR,{CNPJ['id']},\n"
        "2,Fazenda Exemplo,BR,,\n"
        f"3,Obra,,,{LEI['id']}\n"
        "4,Withdrawn Works,,,\n"
        "5,Nobody At All,,,\n"
        "6,,,,\n",
    )
    assert [row["verdict"] for row in rows] == ["match", "review", "match", "review", "none", ""]
    states = [row["state"].partition("; incomplete")[0] for row in rows]
    assert states[:3] == [
        "findings shared",
        "findings shared under a like name, identity not confirmed",
        "known, never audited",
    ]
    assert states[3:] == ["known, no finding shared", "no supplier by this name", NOT_SEARCHED]
    counts = [(row["findings_current"], row["findings_closed"], row["decisions"]) for row in rows]
    assert counts == [(1, 0, 0), (1, 0, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0), (None, None, None)]
    assert (rows[0]["supplier_id"], rows[0]["supplier_name"]) == (str(await desk.number(made)), "Fazenda Exemplo Ltda")
    assert rows[0]["reason"] == f"the same BR-CNPJ {CNPJ['id']}"
    assert "A person must look" in rows[1]["next_step"] and "Read the findings" in rows[0]["next_step"]
    assert rows[4]["next_step"].startswith("No clearance") and "not screened" in rows[5]["reason"]
    assert {row["as_of"] for row in rows} == {NOW.isoformat(timespec="seconds")}
    assert json.loads(rows[1]["candidates"])[0]["id"] == rows[0]["supplier_id"]
    assert {row["risk"] for row in rows} == {""}, "off unless a member switches it on"


async def test_a_supplier_that_only_somebody_here_entered_is_named_and_is_a_candidate(desk: Desk) -> None:
    await desk.say("Exemplar Mills", "agency")
    async with desk.database.write() as store:
        entered = await add_supplier(store, desk.person, "Exemplar Milling", "MY", SubjectType.SUPPLIER, (), NOW)
    (equal,) = await results(desk, "name\nExemplar Milling\n")
    assert (equal["verdict"], equal["supplier_name"]) == ("review", "Exemplar Milling")
    assert equal["reason"] == "the name is equal: Exemplar Milling"
    assert equal["supplier_id"] == str(entered.number)
    assert json.loads(equal["candidates"])[0]["id"] == equal["supplier_id"]


async def test_where_nothing_is_found_it_says_who_was_not_heard(desk: Desk) -> None:
    await desk.say()
    desk.publishers["silent"] = type(desk.publishers["agency"])("silent")
    (row,) = await results(desk, "name\nNobody At All\n")
    assert row["state"].startswith("no supplier by this name; incomplete: 2 of 2 members not heard since ")
    assert row["next_step"].endswith("Screen again when the missing members are heard.")


async def test_inherent_risk_is_attributed_and_says_whom_it_is_not_about(desk: Desk) -> None:
    await desk.say()
    risks = RiskList((GoodsRisk("Gloves", "Manufacturing", "MY", (Exploitation.FORCED_LABOUR,), "A state's list"),), ())
    rows = await results(desk, "name,country,product\nNobody,MY,gloves\nNobody,MY,rice\nNobody,CH,gloves\n", risks)
    assert [row["risk"] for row in rows] == [
        "A state's list, of goods from this country, not of the supplier: Gloves: forced labour",
        "",
        "",
    ]


async def test_several_processes_say_the_same_from_one_view_and_one_that_is_gone_ends_the_file(desk: Desk) -> None:
    """Also when something is received, and judged here, after they began."""
    first, other = await desk.say("Exemplar Gloves", "agency"), await desk.say("Exemplar Mills", "city", LEI)
    numbers = [await desk.number(first), await desk.number(other)]
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    read, _ = asked(
        "name,LEI\nExemplar Gloves,\nExemplar Mills,\nNobody,\n,\nExemplar Gloves,\n" + f"X,{LEI['id']}\n" * 2
    )
    async with desk.database.read() as store:
        moment = await this_moment(store, registry, NOW)
        alone = [(await NetworkAsker(store, moment).ask([row]))[0] for row in read]
    view = NetworkView(desk.database.url, None, moment, None)
    async with spread(view, 2, "spawn", desk.database.write()) as asker:
        assert asker.at_once == 4
        await desk.join(*numbers)
        await desk.say("Exemplar Gloves", "later")
        said = await asyncio.gather(*(Once(asker).ask(part) for part in (read, read[:3], read[3:])))
        assert said == [alone, alone[:3], alone[3:]]
        assert [each.verdict for each in alone] == ["review", "review", "none", None, "review", "match", "match"]
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(ProcessEnded, match="Nothing of the file is given out"):
            await asker.ask(read)
    async with desk.database.read() as store:
        assert await NetworkAsker(store, moment).ask(read) != alone, "what was judged counts for whoever asks anew"
    assert multiprocessing.active_children() == []


async def test_rows_that_ask_the_same_are_asked_about_once() -> None:
    class Counting:
        at_once = 1
        count = 0

        async def ask(self, rows: Sequence[Asked]) -> list[Result]:
            self.count += len(rows)
            return [not_asked(row.names[0], NOW) for row in rows]

    counting = Counting()
    once = Once(counting)
    read, _ = asked("id,name,country\n1,A,MY\n2,A,MY\n3,A,SE\n4,B,MY\n")
    assert [said.reason[-1] for said in await once.ask(read)] == list("AAAB")
    assert (await once.ask(read[::-1]))[0].reason[-1] == "B" and counting.count == 3


def test_a_result_has_a_form_that_its_name_says() -> None:
    assert [form_of(Path(name)) for name in ("a.csv", "b.XLSX")] == ["csv", "xlsx"]
    with pytest.raises(TableRefused, match=r"a\.ods is neither"):
        form_of(Path("a.ods"))


# ---------------------------------------------------------------- as a job at a node


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("files"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("comity_node.services.screening_files.jobs.NOTE_EVERY_S", 0.0)
        yield await furnish(town)
    await town.close()


async def sent(office: Office, raw: bytes = SCREENED["content"], **params: Any) -> dict[str, Any]:
    given = {"params": {"name": "vendors.csv", **params}, "content": raw, "headers": SCREENED["headers"]}
    return dict(await office.made("officer", "POST", "screening-files", **given))


async def file_of(office: Office, file_id: str) -> dict[str, Any]:
    return dict(await office.made("officer", "GET", f"screening-files/{file_id}"))


async def result_of(office: Office, file_id: str, form: str = "csv") -> list[list[Any]]:
    answer = await office.ask("officer", "GET", f"screening-files/{file_id}/result", params={"form": form})
    assert answer.status_code == 200, answer.text
    table = open_given(io.BytesIO(answer.content)).table
    return [list(table.headings), *(list(row.cells) for row in table.rows)]


async def test_a_file_is_a_job_and_its_result_comes_as_csv_and_xlsx(office: Office) -> None:
    made = await sent(office, candidates=True)
    assert (made["state"], made["total"], made["done"]) == ("running", 2, 0)
    early = await office.ask("officer", "GET", f"screening-files/{made['id']}/result")
    assert (early.status_code, early.json()["code"]) == (409, "review.not-yet")
    assert await FileScreener(office.house.node).step()
    done = await file_of(office, made["id"])
    assert (done["state"], done["done"], done["verdicts"], done["not_asked"]) == ("done", 2, {"none": 1}, 1)
    assert done["problems"] == [{"row": 3, "what": "it has no name and no number"}]
    rows, book = [await result_of(office, made["id"], form) for form in ("csv", "xlsx")]
    assert rows[0] == ["id", "name", "country", *COLUMNS, CANDIDATES] == book[0]
    assert [row[:4] for row in rows[1:]] == [["1", "Exemplar Gloves", "MY", "none"], ["2", "", "", ""]]
    assert [row[:4] for row in book[1:]] == [["1", "Exemplar Gloves", "MY", "none"], ["2", None, None, None]]
    assert {row[-2] for row in rows[1:]} == {done["as_of"][:19] + "+00:00"}
    assert not await FileScreener(office.house.node).step()
    newest = (await office.made("admin", "GET", "trail?limit=1"))["items"][0]
    assert newest["event"] == "supplier.screened" and "Exemplar" not in str(newest)


async def test_all_rows_are_asked_at_the_positions_it_began_at_also_after_a_restart(office: Office) -> None:
    publisher, node = Publisher("agency2"), office.house.node
    bench = Bench(node.database, datetime.now(UTC))
    first = publisher.finding(disclosed={"names": [{"text": "Frozen Gloves"}]})
    await bench.arrive(publisher.member(), first.raw)
    raw = b"name\nFrozen Gloves\nLater Gloves\n"
    made = await sent(office, raw)
    later = publisher.finding(disclosed={"names": [{"text": "Later Gloves"}]}, **publisher.after(first))
    await bench.arrive(publisher.member(), later.raw)
    await office.made("officer", "POST", f"screening-files/{made['id']}/cancel")
    assert not await FileScreener(node).step(), "what was cancelled waits"
    await office.made("officer", "POST", f"screening-files/{made['id']}/resume")
    await FileScreener(node).step()
    done = await file_of(office, made["id"])
    assert (done["positions"]["agency2"], done["as_of"]) == (1, made["as_of"])
    assert [row[1] for row in (await result_of(office, made["id"]))[1:]] == ["review", "none"]
    new = await sent(office, raw)
    await FileScreener(node).step()
    assert [row[1] for row in (await result_of(office, new["id"]))[1:]] == ["review", "review"]


async def test_a_run_ends_where_it_is_cancelled_or_removed_and_gives_nothing_out(office: Office) -> None:
    raw = b"name\n" + b"".join(b"Somebody %d\n" % n for n in range(290))
    node = office.house.node
    made = [await sent(office, raw), await sent(office, raw)]
    running = asyncio.create_task(FileScreener(node).step())
    while not (await file_of(office, made[0]["id"]))["done"]:
        await asyncio.sleep(0)
    cancelled = await office.made("officer", "POST", f"screening-files/{made[0]['id']}/cancel")
    await running
    assert 0 < cancelled["done"] < 290 and (await file_of(office, made[0]["id"]))["state"] == "cancelled"
    gone = await office.ask("officer", "GET", f"screening-files/{made[0]['id']}/result")
    assert gone.status_code == 409
    for each in made:
        assert (await office.ask("officer", "DELETE", f"screening-files/{each['id']}")).status_code == 204
        assert (await office.ask("officer", "GET", f"screening-files/{each['id']}")).status_code == 404
    assert not await FileScreener(node).step()


async def test_a_file_is_looked_at_before_and_refused_in_words(office: Office) -> None:
    look = {"content": b"Fournisseur;Pays;Notes\nExemple;Suisse;x\n", "headers": SCREENED["headers"]}
    seen = await office.made("officer", "POST", "screening-files/look", **look)
    assert (seen["columns"], seen["unread"]) == ({"name": ["Fournisseur"], "country": ["Pays"]}, ["Notes"])
    told = await office.made("officer", "POST", "screening-files/look", params={"column": ["name=Notes"]}, **look)
    assert told["columns"]["name"] == ["Notes"]
    for raw, params, words in (
        (b"a,b\n1,2\n", {}, "no column is known to hold a name"),
        ("name\nSociété".encode("windows-1252"), {}, "line 2 is not written in UTF-8"),
        (b'{"version": "1.2", "records": []}', {}, "version 1.1 is read"),
        (b"name\nA\n", {"encoding": "rot13"}, "the encoding is one of"),
    ):
        body = {"content": raw, "headers": SCREENED["headers"], "params": {"name": "x", **params}}
        refused = await office.ask("officer", "POST", "screening-files", **body)
        assert (refused.status_code, refused.json()["code"]) == (422, "table.refused")
        assert words in refused.json()["detail"]


async def test_a_file_larger_than_any_other_body_is_taken(office: Office) -> None:
    raw = b"name,notes\n" + b"Somebody," + b"x" * 60_000 + b"\n"
    raw += b"".join(b"Nobody %d,%s\n" % (n, b"y" * 60_000) for n in range(80))
    assert len(raw) > MAX_REPORT_BYTES + 1024
    made = await sent(office, raw)
    assert made["total"] == 81
    await office.ask("officer", "DELETE", f"screening-files/{made['id']}")


async def test_files_are_forgotten_when_their_time_is_over_and_only_so_many_are_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, node = await sent(office), office.house.node
    await FileScreener(node).step()
    await FileScreener(node).forget_old()
    assert (await file_of(office, made["id"]))["state"] == "done"
    monkeypatch.setattr("comity_node.workers.screening_files.KEPT", timedelta(seconds=-1))
    await FileScreener(node).forget_old()
    assert (await office.ask("officer", "GET", f"screening-files/{made['id']}")).status_code == 404
    monkeypatch.setattr("comity_node.services.screening_files.jobs.MOST_KEPT", 0)
    many = {"params": {"name": "x"}, "content": b"name\nA\n", "headers": SCREENED["headers"]}
    refused = await office.ask("officer", "POST", "screening-files", **many)
    assert (refused.status_code, refused.json()["code"]) == (409, "screening-file.too-many")


async def test_the_command_writes_the_same_rows_and_says_the_rest_on_stderr(office: Office, tmp_path: Path) -> None:
    home = office.house.node.home.path
    vendors, out = tmp_path / "vendors.csv", tmp_path / "out.csv"
    vendors.write_text('id;name;spend\n1;Exemplar Gloves;=1+1\n2;;7\n3;x "y" z;8\n', encoding="utf-8")
    ran = await asyncio.to_thread(
        comity, "screen", "--home", str(home), "--file", str(vendors), "--out", str(out), "--candidates"
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline=""), delimiter=";"))
    assert rows[0] == ["id", "name", "spend", *COLUMNS, CANDIDATES]
    assert [row[:4] for row in rows[1:]] == [
        ["1", "Exemplar Gloves", "'=1+1", "none"],
        ["2", "", "7", ""],
        ["3", 'x "y" z', "8", "none"],
    ]
    assert all(row[8] for row in rows), "no state is empty"
    for words in ("name: 'name'", "row 3: it has no name and no number", "3 rows: 2 none; 1 could not be asked about"):
        assert words in ran.stderr
    assert "All asked at log positions" in ran.stderr
