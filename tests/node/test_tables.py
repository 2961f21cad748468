"""Tables from somebody else's machine: what is read, what is refused in words, and nothing that is written runs."""

import csv
import gc
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from comity_node.domain.export import csv_of
from comity_node.domain.tables import table as tables
from comity_node.domain.tables import workbook as workbooks
from comity_node.domain.tables.csv_table import MOST_LINE_BYTES, open_csv
from comity_node.domain.tables.table import Row, Table, TableRefused
from comity_node.domain.tables.workbook import open_workbook_table
from comity_node.domain.tables.writing import writer_for, writing
from comity_node.services.screening_files.opening import open_table

NAMES = ["Société Générale de Coton", "Фабрика Образец", "示例有限公司", "مصنع مثال"]


def read(
    raw: bytes, encoding: str | None = None, delimiter: str | None = None, **more: bool
) -> tuple[Table, list[Row]]:
    table = open_csv(io.BytesIO(raw), encoding, delimiter, **more)
    return table, list(table.rows)


def sheet(rows: list[list[object]]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def read_sheet(raw: bytes) -> list[Row]:
    return list(open_workbook_table(io.BytesIO(raw)).rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    lines = [delimiter.join(["id", "name"]), *(f'{n}{delimiter}"{name}"' for n, name in enumerate(NAMES))]
    found, rows = read("\r\n".join(lines).encode(encoding))
    assert (found.headings, [row.cells[1] for row in rows]) == (("id", "name"), NAMES)
    assert [row.number for row in rows] == [2, 3, 4, 5]


def test_an_old_encoding_is_refused_with_the_line_and_read_when_it_is_told() -> None:
    raw = "id,name\n1,Plain\n2,Société\n".encode("windows-1252")
    with pytest.raises(TableRefused, match=r"line 3 is not written in UTF-8.*windows-1252 \(Western Europe\)"):
        read(raw)
    assert read(raw, "windows-1252")[1][1].cells == ("2", "Société")
    with pytest.raises(TableRefused, match="written in UTF-8, and read as windows-1252 its letters would be others"):
        read("id,name\n2,Société\n".encode(), "windows-1252")
    assert read(b"id,name\n1,Plain\n", "windows-1252")[1][0].cells == ("1", "Plain")
    with pytest.raises(TableRefused, match="the encoding is one of utf-8"):
        read(raw, "rot13")


def test_of_chinese_in_utf_16_without_a_mark_no_other_encoding_is_said_to_fit() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        raw = "名称,国家\n示例纺织有限公司,中国\n".encode(encoding)
        with pytest.raises(TableRefused, match=r"it can be read as utf-16$"):
            read(raw)
        assert read(raw, "utf-16")[1][0].cells == ("示例纺织有限公司", "中国")


@pytest.mark.parametrize(
    ("encoding", "written_in", "name"),
    [("shift_jis", "cp932", "㈱髙島屋"), ("euc_kr", "cp949", "뷁똠전자"), ("big5", "cp950", "恒隆裏紡織")],
)
def test_names_that_spreadsheet_programs_write_in_an_old_encoding_are_read(
    encoding: str, written_in: str, name: str
) -> None:
    raw = f"id,name\n{name},\n".encode(written_in)
    with pytest.raises(TableRefused, match=rf"{encoding} \("):
        read(raw)
    assert read(raw, encoding)[1][0].cells[0] == name


def test_one_line_in_another_encoding_is_a_broken_row_and_the_rest_is_read() -> None:
    raw = "id,name\n1,Société\n2,Größe\n".encode() + "3,Café\n".encode("windows-1252") + b"4,Plain\n"
    rows = read(raw)[1]
    assert [row.reason for row in rows] == [None, None, "it is not written in utf-8", None]
    assert rows[2].cells == ("3", "Caf\ufffd")


def test_broken_rows_are_told_by_number_and_keep_what_can_be_made_out() -> None:
    raw = b'id,name\n1,Good\n2,Exemplar, Gloves\n3,"never closed\n4,Tubos 4" SA\n5\n\n,\n6,"Two\nlines"\n7,Last,,\n'
    rows = read(raw)[1]
    assert [(row.number, row.cells, row.reason) for row in rows] == [
        (2, ("1", "Good"), None),
        (3, ("2", "Exemplar, Gloves"), "it has 3 cells where there are 2 headings"),
        (4, ("3", '"never closed'), "its quotes do not fit"),
        (5, ("4", 'Tubos 4" SA'), None),
        (6, ("5", ""), None),
        (7, ("", ""), None),
        (8, ("", ""), None),
        (9, ("6", "Two\nlines"), None),
        (11, ("7", "Last"), None),
    ]


def test_lines_with_nothing_in_them_are_rows_where_something_follows() -> None:
    for raw in (b"name\nAcme\n\n \nBest\n\n\n", b"name\tcountry\nAcme\t\n\t\n \t \nBest\tCH\n\t\n"):
        rows = read(raw)[1]
        assert [(row.number, row.is_empty) for row in rows] == [(2, False), (3, True), (4, True), (5, False)]


def test_a_cell_may_hold_as_many_lines_as_in_a_spreadsheet() -> None:
    text = "\n".join(f"line {n}" for n in range(250))
    assert [row.cells for row in read(f'name,note,country\nAcme,"{text}",MY\nBest,,CH\n'.encode())[1]] == [
        ("Acme", text, "MY"),
        ("Best", "", "CH"),
    ]


def test_a_quote_that_is_not_closed_swallows_no_rows_also_where_one_far_below_ends_a_cell() -> None:
    rows = read(b'id,name,country\n1,"Acme,MY\n2,Best,SG\n3,More,CH\n4,Tubos 12",MX\n5,Last,BR\n')[1]
    assert (rows[0].number, rows[0].reason) == (2, "a quote is never closed")
    assert [row.cells for row in rows[1:]] == [
        ("2", "Best", "SG"),
        ("3", "More", "CH"),
        ("4", 'Tubos 12"', "MX"),
        ("5", "Last", "BR"),
    ]


def test_a_row_that_is_too_long_and_ten_thousand_letters_spoil_nothing() -> None:
    raw = b"id,name\n1," + b"x" * MOST_LINE_BYTES + b"\n2," + b"y" * 10_000 + b"\n3,Good\n"
    rows = read(raw)[1]
    assert rows[0].reason == f"it is longer than {MOST_LINE_BYTES} bytes"
    assert [len(str(row.cells[1])) for row in rows[1:]] == [10_000, 4]


def test_a_list_of_names_alone_has_one_column_whatever_stands_in_them() -> None:
    found, rows = read(b"name\nExemplar Gloves, Inc.\nOther; Firm | Co\n")
    assert (found.headings, [row.cells[0] for row in rows]) == (
        ("name",),
        ["Exemplar Gloves, Inc.", "Other; Firm | Co"],
    )


def test_a_comma_within_every_name_is_not_taken_for_what_parts_cells() -> None:
    found, rows = read(b"supplier, full name;country\nExemplar, Inc;MY\nBest, Ltd;CH\n")
    assert (found.headings, rows[0].cells) == (("supplier, full name", "country"), ("Exemplar, Inc", "MY"))


def test_lines_that_end_as_on_old_macs_are_rows_and_two_are_never_read_as_one() -> None:
    assert [row.cells for row in read(b'name,country\rAcme,MY\r"Best\rGloves",SG')[1]] == [
        ("Acme", "MY"),
        ("Best\nGloves", "SG"),
    ]
    among_others = read(b"name\nAcme\rBest\nMore\n")[1]
    assert [(row.number, row.reason is None) for row in among_others] == [(2, False), (3, True)]


def test_what_stands_far_below_empty_rows_is_never_left_out_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    far = sheet([["name"], ["Acme"], *[[None]] * 5, ["Best"]])
    with pytest.raises(TableRefused, match="more than 3 rows"):
        read_sheet(far)
    formatted = sheet([["name"], ["Acme"], *[[""]] * 9])
    assert [row.cells for row in read_sheet(formatted)] == [("Acme",)]


def test_further_cells_are_read_where_a_table_may_have_them() -> None:
    assert read(b"id,other_name\n1,a,b,c\n", ragged=True)[1][0].beyond == ("b", "c")


def test_files_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert len(read(b"name\n" + b"a\n" * 3)[1]) == 3
    with pytest.raises(TableRefused, match="more than 3 rows"):
        read(b"name\n" + b"a\n" * 4)
    for raw, words in (
        (b"", "empty"),
        (b",,\n1,2,3\n", "no headings"),
        (b"a," * 201 + b"a\n", "more than 200 columns"),
    ):
        with pytest.raises(TableRefused, match=words):
            read(raw)


def test_a_workbook_keeps_its_types_and_computes_no_formula() -> None:
    raw = sheet([["id", "name", "due"], [7, "Exemplar", None], [None, None, None], [8.0, "=1+1", True], [None] * 3])
    rows = read_sheet(raw)
    assert [(row.number, row.cells, row.formulas) for row in rows] == [
        (2, (7, "Exemplar", None), frozenset()),
        (3, (None, None, None), frozenset()),
        (4, (8, "=1+1", True), frozenset({1})),
    ]


def test_a_sheet_that_is_hidden_is_not_taken_for_the_list_and_sheets_that_are_not_read_are_named() -> None:
    book = Workbook()
    for title, state, rows in (
        ("Choices", "hidden", [["name"], ["Hidden"]]),
        ("Bidders", "visible", [["name"], ["Exemplar"]]),
        ("Lot 2", "visible", [["name"], ["Best"]]),
        ("Empty", "visible", []),
    ):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.active = 1
    written = io.BytesIO()
    book.save(written)
    table = open_workbook_table(written)
    assert [row.cells for row in table.rows] == [("Exemplar",)]
    assert table.in_words() == "a workbook, its sheet 'Bidders'; not read: 'Choices' (hidden), 'Lot 2'"


def test_rows_that_stand_twice_or_out_of_order_are_never_left_out_in_silence() -> None:
    raw = sheet([["name"], *([f"Exemplar {n} " + "x" * 400] for n in range(900))])
    rows = zipfile.ZipFile(io.BytesIO(raw)).read("xl/worksheets/sheet1.xml")
    assert open_workbook_table(io.BytesIO(raw)).expected == 900
    for number in (b"4", b"2"):
        moved = rows.replace(b'<row r="901"', b'<row r="' + number + b'"')
        with pytest.raises(TableRefused, match=f"row {number.decode()} stands twice or out of order"):
            open_workbook_table(io.BytesIO(repacked(raw, **{"xl/worksheets/sheet1.xml": moved})))


@pytest.mark.parametrize(
    ("form", "number", "read"),
    [
        ("000000", 42, "000042"),
        (r"00\.000\.000\/0000\-00", 191, "00000000000191"),
        ('000"-"000', 7, "000007"),
        ("000", 4_200, 4_200),
        ("000", -7, -7),
        ("0", 7, 7),
        ("0.00", 7, 7),
        ("#,##000", 7, 7),
        ("General", 7, 7),
        ("000", True, True),
    ],
)
def test_zeros_that_are_seen_before_a_number_are_a_part_of_it(form: str, number: int, read: str | int) -> None:
    book = Workbook()
    page = book.worksheets[0]
    page["A1"], page["A2"] = "id", number
    page["A2"].number_format = form
    written = io.BytesIO()
    book.save(written)
    (row,) = read_sheet(written.getvalue())
    assert row.cells == (read,) and type(row.cells[0]) is type(read)


def test_a_workbook_of_the_strict_form_is_named() -> None:
    raw = sheet([["name"]])
    book = zipfile.ZipFile(io.BytesIO(raw)).read("xl/workbook.xml")
    strict = book.replace(b"schemas.openxmlformats.org/spreadsheetml/2006", b"purl.oclc.org/ooxml/spreadsheetml")
    with pytest.raises(TableRefused, match="form Strict Open XML; save it as a usual"):
        open_workbook_table(io.BytesIO(repacked(raw, **{"xl/workbook.xml": strict})))


def test_a_line_end_as_a_workbook_writes_it_is_no_part_of_a_name() -> None:
    (row,) = read_sheet(sheet([["name"], ["Exemplar_x000D_\nGloves"]]))
    assert row.cells == ("Exemplar\r\nGloves",)


def test_a_formula_for_several_cells_is_shown_as_it_is_written() -> None:
    rows = read_sheet(sheet([["name"], [ArrayFormula("A2:A3", "=A4:A5")], [DataTableFormula("A3:A4")]]))
    assert [(row.cells, row.formulas) for row in rows] == [
        (("=A4:A5",), frozenset({0})),
        (("=TABLE()",), frozenset({0})),
    ]


def test_cells_without_a_heading_are_further_names_where_a_list_may_have_them_and_never_lost() -> None:
    raw = sheet([["id", "other_name"], [1, "a", None, "b", "c"], [2, "d", "=A1"]])
    may, may_not = (list(open_table(io.BytesIO(raw), ragged=ragged).rows) for ragged in (True, False))
    assert [(row.cells, row.beyond, row.reason is None) for row in may] == [
        ((1, "a"), ("b", "c"), True),
        ((2, "d, =A1"), (), False),
    ]
    assert [(row.cells[1], row.reason) for row in may_not] == [
        ("a, b, c", "it has cells to the right of the last heading"),
        ("d, =A1", "it has cells to the right of the last heading"),
    ]


def test_the_rows_of_a_workbook_are_counted_also_where_it_does_not_say_how_many_there_are() -> None:
    written = io.BytesIO()
    writer = writer_for("xlsx", written, None)
    for row in (["name", "note"], *([f"Exemplar {n}", "row " * 50] for n in range(3_000))):
        writer.write(row)
    writer.close()
    assert b"<dimension" not in zipfile.ZipFile(written).read("xl/worksheets/sheet1.xml")
    assert open_workbook_table(written).expected == 3_000
    assert open_workbook_table(io.BytesIO(sheet([["name"]]))).expected == 0


def repacked(raw: bytes, **parts: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name, None) or old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return written.getvalue()


def test_a_zip_bomb_and_everything_active_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = sheet([["name"], ["Exemplar"]])
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 16 * 1024 * 1024)
    bomb = repacked(good, **{"xl/media/x": b"\0" * (workbooks.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 50_000
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    wide = entity.decode().encode("utf-16")
    for raw, words in (
        (bomb, "unpacks to more"),
        (repacked(good, **{"xl/vbaProject.bin": b"x"}), "macros"),
        (repacked(good, **{"xl/worksheets/sheet1.xml": entity}), "document type"),
        (repacked(good, **{"xl/worksheets/sheet1.xml": wide}), "document type"),
        (b"PK\x03\x04 no zip", "not an XLSX workbook"),
        (b"\xd0\xcf\x11\xe0 old", "old form"),
    ):
        with pytest.raises(TableRefused, match=words):
            open_table(io.BytesIO(raw))


def written(form: str, rows: list[list[object]], table: Table | None = None) -> bytes:
    stream = io.BytesIO()
    writer = writer_for(form, stream, None if table is None else table.form)
    for row in rows:
        writer.write(row)  # type: ignore[arg-type]
    writer.close()
    return stream.getvalue()


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Give the directory in which all programs of this process put what is not for long."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as place:
        tempfile.tempdir = place
        try:
            yield Path(place)
        finally:
            tempfile.tempdir = before


FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_that_is_written_begins_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(written("csv", [[text]]).decode("utf-8-sig"), newline=""))
    assert row == [f"'{text}"]
    cell = load_workbook(io.BytesIO(written("xlsx", [[text]]))).worksheets[0]["A1"]
    assert (cell.data_type, str(cell.value)[0]) == ("s", "'")


@pytest.mark.parametrize("by", [",", ";", "\t", "|"])
def test_no_cell_begins_a_formula_in_a_program_that_parts_cells_by_another_sign(by: str) -> None:
    row = ["Acme;=1+1", "Best, =1+1", "More\t-1+1", "Last|@A1", "And\n+1", 7, None]
    for raw in (written("csv", [row]), csv_of([row], [])):  # type: ignore[list-item]
        cells = [
            cell for line in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=by) for cell in line
        ]
        assert not [cell for cell in cells if cell.strip()[:1] in tuple("=-+@")]


@settings(max_examples=25)
@given(st.lists(st.one_of(st.text(max_size=20), st.integers(-9, 9), st.none()), min_size=1, max_size=4))
def test_whatever_is_written_can_be_read_again(row: list[object]) -> None:
    for form in ("csv", "xlsx"):
        raw = written(form, [["h"] * len(row), [*row[:-1], "end"]])
        again = list(open_table(io.BytesIO(raw)).rows)
        assert again[-1].cells[-1] == "end"


@pytest.mark.parametrize("sign", ["x", "=", ";="])
def test_a_long_cell_is_whole_in_a_csv_and_says_in_a_workbook_that_it_is_cut(sign: str) -> None:
    text = sign * 20_000 + "end of what stands there" * 1_000
    assert written("csv", [[text]]).decode("utf-8-sig").replace("'", "").strip('"\r\n') == text
    cell = load_workbook(io.BytesIO(written("xlsx", [[text]]))).worksheets[0]["A1"]
    assert len(str(cell.value)) <= 32_767
    assert str(cell.value).endswith("[cut here: a cell of a workbook holds no more; a .csv has all of it]")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_of_a_file_that_is_left_half_way_no_rows_stay_on_the_disk(form: str, recwarn: pytest.WarningsRecorder) -> None:
    with temporary_directory() as place:
        stream = io.BytesIO()
        with pytest.raises(KeyboardInterrupt), writing(form, stream, None) as writer:
            writer.write(["Exemplar"])
            assert form == "csv" or list(place.iterdir()) != []
            raise KeyboardInterrupt
        del writer
        gc.collect()
        assert (list(place.iterdir()), stream.closed, recwarn.list) == ([], False, [])


def test_a_csv_is_written_as_the_one_that_was_read() -> None:
    plain, _ = read(b"id;name\n1;a\n")
    marked, _ = read(b"\xef\xbb\xbfid,name\n1,a\n")
    assert written("csv", [["id", "é"]], plain) == "id;é\r\n".encode()
    assert written("csv", [["id", "é"]], marked) == "id,é\r\n".encode("utf-8-sig")
