"""Contracts by themselves: what duties, exit plans and lists of them must be."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from comity_node.api import allowances, concerns, plans
from comity_node.cli.contract import app
from comity_node.domain.contract_sheet import (
    COLUMNS,
    ContractSheetRefused,
    Written,
    read_csv,
    read_xlsx,
    write_csv,
    write_xlsx,
)
from comity_node.domain.contracts import (
    ALWAYS_APPLIES,
    Answer,
    Answered,
    Contract,
    DutyKind,
    DutyState,
    ExitCheck,
    LabourClause,
    TerminationReason,
    Terms,
    check_answer,
    check_duty_move,
    duty_in_words,
    open_checks,
)
from comity_node.domain.errors import ContractMayNot
from comity_schemas.identifiers import Identifier
from contract_terms import ALL_YES, DUTY, HEADINGS, TERMS, as_read
from node_world import NOW

"""The contract register: duties, lists, responsible exits; and that nothing of it is ever sent or logged."""


# --- duties and exit plans


def test_a_duty_is_said_a_month_before_and_overdue_from_the_day_after() -> None:
    assert duty_in_words(DUTY, date(2026, 11, 30)) == "due 2026-12-31"
    assert duty_in_words(DUTY, date(2026, 12, 1)) == "due 2026-12-31, in 30 days"
    assert duty_in_words(DUTY, date(2027, 1, 2)) == "due 2026-12-31, OVERDUE for 2 days"
    assert duty_in_words(replace(DUTY, state=DutyState.WAIVED), date(2030, 1, 1)) == "waived"


def test_a_duty_is_waived_or_reopened_only_with_a_reason_and_ended_once() -> None:
    check_duty_move(DUTY, DutyState.DONE, None)
    done = replace(DUTY, state=DutyState.DONE)
    for duty, to, reason in (
        (DUTY, DutyState.WAIVED, None),
        (done, DutyState.OPEN, None),
        (done, DutyState.WAIVED, "why"),
        (done, DutyState.DONE, "why"),
        (DUTY, DutyState.OPEN, "why"),
    ):
        with pytest.raises(ContractMayNot):
            check_duty_move(duty, to, reason)
    check_duty_move(done, DutyState.OPEN, "the report was another year's")


def test_no_contract_is_cut_before_a_responsible_exit_plan() -> None:
    contract = Contract("c1", TERMS, "ana", NOW)
    assert open_checks(contract, remedies_owed=False) == list(ExitCheck)
    for check in ExitCheck:
        lacking = replace(contract, exit_plan={c: a for c, a in ALL_YES.items() if c is not check})
        refused = replace(contract, exit_plan={**ALL_YES, check: Answered(Answer.NO)})
        assert open_checks(lacking, remedies_owed=False) == open_checks(refused, remedies_owed=False) == [check]
    skipped = {**ALL_YES, ExitCheck.REMEDY_SECURED: Answered(Answer.NOT_APPLICABLE, "nothing was owed")}
    assert open_checks(replace(contract, exit_plan=skipped), remedies_owed=False) == []
    assert open_checks(replace(contract, exit_plan=skipped), remedies_owed=True) == [ExitCheck.REMEDY_SECURED]


@pytest.mark.parametrize("check", list(ExitCheck))
def test_what_always_applies_cannot_be_called_not_applicable_and_all_else_says_why(check: ExitCheck) -> None:
    check_answer(check, Answered(Answer.NO))
    with pytest.raises(ContractMayNot):
        check_answer(check, Answered(Answer.NOT_APPLICABLE))
    if check in ALWAYS_APPLIES:
        with pytest.raises(ContractMayNot, match="applies whenever"):
            check_answer(check, Answered(Answer.NOT_APPLICABLE, "because"))
    else:
        check_answer(check, Answered(Answer.NOT_APPLICABLE, "because"))


# --- lists


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=3, max_size=30).filter(
    lambda t: t == t.strip() and len(t) > 2 and t.isprintable()
)
NUMBERS = st.sampled_from([None, Identifier(scheme="XI-LEI", id="ZZZZ00EXEMPLARGL0170")])
ROWS = st.lists(
    st.builds(
        Written,
        st.builds(
            Terms,
            WORDS,
            WORDS,
            st.dates(date(2000, 1, 1), date(2100, 1, 1)),
            st.frozensets(st.sampled_from([*LabourClause])),
            NUMBERS,
        ),
        st.none()
        | st.builds(
            replace,
            st.just(DUTY),
            kind=st.sampled_from([*DutyKind]),
            due=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
            state=st.sampled_from([DutyState.OPEN, DutyState.DONE]),
            note=st.none() | WORDS,
        ),
        st.sampled_from([None, *TerminationReason]),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=25)
@given(ROWS)
def test_what_is_exported_is_read_again_as_it_was_in_both_forms(rows: list[Written]) -> None:
    expected = [(r.terms, r.duty and (r.duty.kind, r.duty.due, r.duty.state, r.duty.note), r.terminated) for r in rows]
    assert as_read(read_csv(write_csv(rows))) == expected
    assert as_read(read_xlsx(write_xlsx(rows))) == expected


def test_no_text_of_the_register_becomes_a_formula_in_a_spreadsheet() -> None:
    evil = replace(TERMS, supplier="=HYPERLINK(1)", note="@SUM(A1)")
    written = write_csv([Written(evil)]).decode("utf-8-sig")
    assert ",'=HYPERLINK(1)," in written and ",'@SUM(A1)" in written
    sheet = load_workbook(io.BytesIO(write_xlsx([Written(evil)]))).worksheets[0]
    assert [cell.data_type for cell in sheet[2] if cell.value in ("'=HYPERLINK(1)", "'@SUM(A1)")] == ["s", "s"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (";Canary;2027-01-31;;;;;", "row 2, reference: this is required"),
        ("R1;Canary;31/01/2027;;;;;", "row 2, ends: write a date"),
        ("R1;Canary;2027-02-30;;;;;", "row 2, ends: there is no such day"),
        ("R1;Canary;2027-01-31;Canary;;;;", "row 2, clauses: write one of"),
        ("R1;Canary;2027-01-31;;give-audit-report;;;", "row 2, due: a duty has a day"),
        ("R1;Canary;2027-01-31;;;2027-01-01;;", "row 2, due: a duty has a day"),
        ("R1;Canary;2027-01-31;;give-audit-report;2027-01-01;waived;", "row 2, note: what was waived says why"),
        ("R1;Canary;2027-01-31;;Canary;2027-01-01;;", "row 2, duty: write one of"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_row_and_column_and_never_quoted(line: str, said: str) -> None:
    with pytest.raises(ContractSheetRefused) as refused:
        read_csv(f"{HEADINGS}\n{line}\n".encode())
    assert said in str(refused.value) and "nothing was taken" in str(refused.value)
    assert "Canary" not in str(refused.value)


def test_what_is_no_list_is_refused_as_a_whole() -> None:
    book = Workbook()
    book.worksheets[0].append(list(COLUMNS))
    book.worksheets[0].append(["R1", "S1", None, None, "=A1"])
    written = io.BytesIO()
    book.save(written)
    for read, raw, said in (
        (read_csv, b"", "headings"),
        (read_csv, b"\xff\xfe", "no CSV"),
        (read_csv, b"reference,supplier\n", "missing: ends"),
        (read_csv, b"reference,supplier,ends,price\n", "column 4"),
        (read_csv, b"reference,supplier,ends\n", "no row"),
        (read_csv, b"x" * (2 * 1024 * 1024 + 1), "at most"),
        (read_xlsx, b"PK no workbook", "not read"),
        (read_xlsx, written.getvalue(), "row 2, ends: a formula"),
    ):
        with pytest.raises(ContractSheetRefused, match=said):
            read(raw)


@pytest.mark.parametrize(
    "supplier", ["'s-Hertogenbosch Textiel BV", "株式会社\u3000例示", "نساجی\u200cنمونه", "'=Ltd", "a;'=b", "A, -b"]
)
def test_a_name_is_read_as_it_was_written_however_it_begins(supplier: str) -> None:
    rows = [Written(replace(TERMS, supplier=supplier))]
    assert [row.terms.supplier for row in (*read_csv(write_csv(rows)), *read_xlsx(write_xlsx(rows)))] == [supplier] * 2
    # A list that people wrote has no apostrophes of ours.
    if "=" not in supplier and "-b" not in supplier:
        (row,) = read_csv(f"reference;supplier;ends\nR1;{supplier};2027-01-31\n".encode())
        assert row.terms.supplier == supplier


def test_no_text_of_the_register_begins_a_formula_behind_any_sign_that_parts_cells() -> None:
    written = write_csv([Written(replace(TERMS, supplier="Ltd;=HYPERLINK(1)", note="＝1"))]).decode("utf-8-sig")
    assert ";=" not in written and ",＝" not in written


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("R1;Canary;2027-01-31;;;;;;Canary", "row 2, column 9: this stands below no heading"),
        ("R1;Canary;2027-01-31;;;;done;", "row 2, state: a state is of a duty"),
    ],
)
def test_nothing_that_stands_in_a_list_is_passed_over(line: str, said: str) -> None:
    with pytest.raises(ContractSheetRefused, match=said) as refused:
        read_csv(f"{HEADINGS}\n{line}\n".encode())
    assert "Canary" not in str(refused.value)


@pytest.mark.parametrize("kind", [plans.Words, concerns.Reason, allowances.WhyIn.model_fields["words"]])
def test_blanks_are_no_reason(kind: Any) -> None:
    wanted = kind if not hasattr(kind, "annotation") else Annotated[kind.annotation, *kind.metadata]
    with pytest.raises(ValidationError):
        TypeAdapter(wanted).validate_python(" \u00a0 ")
    assert TypeAdapter(wanted).validate_python(" because ") == "because"


def test_what_could_not_be_exported_leaves_no_empty_file(tmp_path: Path) -> None:
    out = tmp_path / "register.csv"
    done = CliRunner().invoke(app, ["export", str(out)], env={"COMITY_URL": "http://127.0.0.1:9"})
    assert done.exit_code != 0 and not out.exists()
