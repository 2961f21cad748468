"""A file against any list, and pairs: the same keys and the same comparison as at a node, and no node is needed."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from builders import shared
from comity_node.domain.names import fold_name
from comity_node.domain.screening_files.asking import Reading
from comity_node.domain.screening_files.results import CANDIDATES, COLUMNS
from comity_node.domain.tables.table import TableRefused
from comity_node.services.screening_files.listed import KnownList, ListAsker
from comity_node.services.screening_files.opening import open_given, open_list, open_table
from comity_node.services.screening_files.pairs import PairComparing, compared
from comity_node.services.screening_files.running import Account
from comity_node.vocabulary import countries
from node_world import NOW, comity
from supplier_desk import CNPJ

LIST = f"""id,name,country,other_name,BR-CNPJ
a,Exemplar Gloves Sdn. Bhd.,MY,ตัวอย่าง,
b,Obra Exemplar Ltda,BR,,{CNPJ["id"]}
c,Перчатки Образец ООО,RU,Second Name,,More Names
d,,,,
"""


def known_list(raw: str | bytes) -> KnownList:
    opened = open_list(io.BytesIO(raw.encode() if isinstance(raw, str) else raw))
    reading = Reading(opened.columns, countries().read, lambda _: None)
    return KnownList.of(reading.ask(row) for row in opened.table.rows)


async def answers(raw: str | bytes, known: KnownList) -> list[dict[str, Any]]:
    opened = open_given(io.BytesIO(raw.encode() if isinstance(raw, str) else raw))
    reading = Reading(opened.columns, countries().read, lambda _: None)
    found = await ListAsker(known, NOW).ask([reading.ask(row) for row in opened.table.rows])
    return [dict(zip((*COLUMNS, CANDIDATES), each.cells(candidates=True), strict=True)) for each in found]


async def test_each_row_is_laid_beside_the_list_and_never_called_cleared() -> None:
    rows = await answers(
        "name,country,CNPJ\n"
        "exemplar gloves,Malaysia,\n"
        f"Another Name,BR,{CNPJ['id']}\n"
        "Second Name,,\n"
        "Zzyzx Quarry,CH,\n"
        ",,\n",
        known_list(LIST),
    )
    assert [(row["verdict"], row["supplier_id"]) for row in rows] == [
        ("review", "a"),
        ("match", "b"),
        ("review", "c"),
        ("none", ""),
        ("", ""),
    ]
    assert rows[1]["supplier_name"] == "Obra Exemplar Ltda"
    assert {row["state"] for row in rows} == {"not searched yet"}, "the network was not asked"
    assert {row["findings_current"] for row in rows} == {None}
    assert "says nothing about the supplier" in rows[3]["next_step"]
    for row in rows[:3]:
        told = json.loads(row["candidates"])
        assert len(told) <= 5 and told[0]["id"] == row["supplier_id"]
        assert list(told[0]) == ["id", "name", "score", "verdict"] and told[0]["score"] == row["score"]


async def test_every_debarred_firm_is_found_again_in_its_own_list() -> None:
    raw = shared("data/mdb_debarment/records.csv").read_bytes()
    known = known_list(raw)
    assert len(known.entries) == 2_817, "of 2,818 one is named LLC and nothing else"
    head, *lines = raw.decode().splitlines(keepends=True)
    asked = list(csv.DictReader(io.StringIO("".join([head, *lines[:400:10]]))))
    rows = await answers("name\n" + "".join(f'"{row["name"]}"\n' for row in asked), known)
    same = [
        fold_name(str(row["supplier_name"])) == fold_name(one["name"]) for row, one in zip(rows, asked, strict=True)
    ]
    assert (len(same), sum(same)) == (40, 40)
    assert "match" not in {row["verdict"] for row in rows}, "a name alone never gives it"


def test_of_a_list_that_is_an_earlier_result_it_is_not_the_found_ones_that_are_listed() -> None:
    raw = f"Vendor,{','.join(COLUMNS)}\nExemplar Gloves,review,90,7,Another Firm{',' * (len(COLUMNS) - 4)}\n"
    (entry,) = known_list(raw).entries
    assert (entry.name, entry.id) == ("Exemplar Gloves", "2")


async def test_a_list_of_nobody_finds_nobody() -> None:
    (row,) = await answers("name\nExemplar\n", known_list("id,name\n"))
    assert (row["verdict"], row["candidates"]) == ("none", "[]")


async def pairs(raw: str) -> list[list[Any]]:
    table = open_table(io.BytesIO(raw.encode()))
    account = Account()
    parts = [part async for part in compared(table, countries().read, account, PairComparing())]
    said = [values for part in parts for _, values in part]
    assert (account.rows, account.not_asked) == (len(said), [each[0] for each in said].count(""))
    return said


async def test_pairs_get_verdict_score_and_reason() -> None:
    rows = await pairs(
        "note,name1,country1,address1,name2,country2,address2,BR-CNPJ1,BR-CNPJ2\n"
        "x,Exemplar Gloves Ltd,MY,,Exemplar Gloves Sdn Bhd,Malaysia,,,\n"
        f"x,One,BR,,Two,BR,,{CNPJ['id']},00.000.000/0001-91\n"
        "x,Exemplar,MY,,Zzyzx Quarry,CH,,,\n"
        "x,Exemplar,MY,,,CH,,,\n"
    )
    assert [row[0] for row in rows] == ["review", "match", "none", ""]
    assert rows[3][2] == "not compared: the second: it has no name and no number"
    for missing in ("name1,country1\nA,B\n", "name,name2\nA,B\n"):
        with pytest.raises(TableRefused, match="hold"):
            await pairs(missing)


async def test_the_commands_need_no_node(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("in", "list", "out", "pairs", "said")}
    files["in"].write_text("id,name\n1,Exemplar Gloves\n2,Nobody At All\n")
    files["list"].write_text(LIST, encoding="utf-8")
    ran = comity("screen", "--file", str(files["in"]), "--out", str(files["out"]), "--against", str(files["list"]))
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    rows = list(csv.DictReader(io.StringIO(files["out"].read_text(encoding="utf-8"))))
    assert [(row["id"], row["verdict"], row["supplier_id"]) for row in rows] == [
        ("1", "review", "a"),
        ("2", "none", ""),
    ]
    assert "3 entries" in ran.stderr and "not of the network" in ran.stderr
    assert "in the list, row 5: it has no name and no number" in ran.stderr
    files["pairs"].write_text("unknown\n")
    ran = comity("screen", "--file", str(files["in"]), "--out", str(files["said"]), "--against", str(files["pairs"]))
    assert ran.returncode == 1 and f"Error: the list {files['pairs']}: no column is known" in ran.stderr
    files["pairs"].write_text("name\nÉxemplar Gloves\n", encoding="windows-1252")
    given = ["--file", str(files["in"]), "--out", str(files["said"]), "--against", str(files["pairs"])]
    assert "line 2 is not written in UTF-8" in comity("screen", *given).stderr
    assert "1 review" in comity("screen", *given, "--encoding", "windows-1252").stderr
    ran = comity("screen", "--file", str(files["in"]), "--out", str(files["list"]), "--against", str(files["list"]))
    assert (ran.returncode, files["list"].read_text(encoding="utf-8")) == (1, LIST)
    assert f"would take the place of {files['list']}, which is read" in ran.stderr
    # From 300 rows on by several processes.
    made = [f"Exemplar Gloves {n % 61 or ''},Exemplar {('Gloves Ltd', 'Mills', '')[n % 3]},{n}" for n in range(320)]
    raw = "\n".join(["name1,name2,match", "Exemplar Gloves,Exemplar Gloves Ltd,1", ",,2", *made, ""])
    files["pairs"].write_text(raw)
    ran = comity("compare", "--file", str(files["pairs"]), "--out", str(files["said"]))
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert ran.stderr.splitlines()[:4] == [
        "CSV with commas in utf-8",
        "the first: name: 'name1'",
        "the second: name: 'name2'",
        "not read: 'match'",
    ]
    rows = list(csv.DictReader(io.StringIO(files["said"].read_text(encoding="utf-8"))))
    assert list(rows[0]) == ["name1", "name2", "match", "verdict", "score", "reason"]
    assert [row["match"] for row in rows[2:]] == [str(n) for n in range(320)], "in their order"
    alone = [[verdict, "" if score is None else str(score), reason] for verdict, score, reason in await pairs(raw)]
    assert [[row["verdict"], row["score"], row["reason"]] for row in rows] == alone
    verdicts = {verdict for verdict, *_ in alone}
    assert verdicts == {"review", "same company, other site", "none", ""} and len({score for _, score, _ in alone}) > 3


async def test_several_processes_say_the_same_of_a_list_in_the_order_of_the_rows(tmp_path: Path) -> None:
    given, listed, out = (tmp_path / f"{name}.csv" for name in ("in", "list", "out"))
    raw = "name,country\n" + "".join(
        f"{('Exemplar Gloves', 'Obra Exemplar', 'Nobody', 'Second Name')[n % 4]} {n % 23 or ''},\n" for n in range(350)
    )
    given.write_text(raw)
    many = LIST + "".join(f"m{n},Filling Mills {n},,\n" for n in range(300))
    listed.write_text(many, encoding="utf-8")
    # A process of its own: this one has threads, and would answer alone.
    ran = comity("screen", "--file", str(given), "--out", str(out), "--against", str(listed), "--candidates")
    assert ran.returncode == 0, ran.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    alone = await answers(raw, known_list(many))
    said = ("verdict", "supplier_id", "reason", CANDIDATES)
    assert len({row["candidates"] for row in rows}) > 5
    assert [[row[what] for what in said] for row in rows] == [[row[what] for what in said] for row in alone]
