"""Who may do what: every operation of the contract, for every role, with what is one's own and what is another's.

`TABLE` is what must be. An operation without a row, a row without an operation, and a cell that comes out otherwise
fail. So nobody adds an operation without saying who may ask for it.
"""

import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from api_cases import CONTRACTS
from api_world import (
    EXIT_PLAN,
    MEDIA_TYPE,
    PASSWORD,
    PICTURE,
    SCREENED,
    Office,
    a_decision,
    a_plan,
    factories,
    furnish,
    register,
    vendors,
)
from comity_node.app import create_app
from heard import NOBODY_BLAMED
from node_world import Town

PEOPLE = (None, "auditor", "reviewer", "focal", "officer", "admin")

TABLE = """
    operation               nobody    auditor   reviewer  focal     officer   admin

    sign_in                 201/401   201/401   201/401   201/401   201/401   201/401
    who_am_i                401       200       200       200       200       200
    list_tokens             401       200       200       200       200       200
    revoke_token            401/401   204/404   204/404   204/404   204/404   204/404
    list_people             401       403       403       403       403       200
    add_person              401       403       403       403       403       201
    close_person            401       403/403   403/403   403/403   403/403   204/204

    submit                  401       201/403   403/403   403/403   403/403   403/403
    list_reports            401       200       200       200       403       403
    get_report              401       200/404   200/200   200/200   403/403   403/403
    get_signed_bytes        401       200/404   200/200   200/200   403/403   403/403
    get_drafts              401       200/404   200/200   200/200   403/403   403/403
    list_sections           401       403/403   200/200   200/200   403/403   403/403
    disclose_section        401       403/403   200/200   200/200   403/403   403/403

    list_evidence           401       200/404   200/200   200/200   403/403   403/403
    send_evidence           401       200/404   403/403   403/403   403/403   403/403
    read_evidence           401       200/404   200/200   200/200   403/403   403/403
    read_release_copy       401       403/403   200/200   200/200   403/403   403/403
    make_objection          401       201/404   403/403   403/403   403/403   403/403
    list_objections         401       200/404   200/200   200/200   403/403   403/403
    withdraw_objection      401       200/404   403/403   403/403   403/403   403/403
    propose_joint_act       401       403/403   201/201   201/201   403/403   403/403
    list_joint_acts         401       403/403   200/200   200/200   403/403   403/403
    confirm_joint_act       401       403/403   409/200   409/200   403/403   403/403
    decline_joint_act       401       403/403   409/200   409/200   403/403   403/403

    propose_release         401       403/403   201/201   403/403   403/403   403/403
    propose_revision        401       403/403   201/409   403/403   403/403   403/403
    propose_withdrawal      401       403/403   201/409   403/403   403/403   403/403
    propose_corroboration   401       403/403   201/409   403/403   403/403   403/403
    propose_planned_audit   401       403       201       403       403       403
    propose_done_audit      401       403/403   201/201   403/403   403/403   403/403
    list_audits             401       200       200       200       200       403
    propose_decision        401       403       201       403       403       403
    propose_pointer         401       403       201       201       403       403
    list_pointers           401       403       200       200       403       403
    get_ruling              401       403/403   200/200   200/200   403/403   403/403
    import_register         401       403       201       403       403       403
    list_reviews            401       403       200       200       403       403
    get_review              401       403/403   200/200   200/200   403/403   403/403
    check_retaliation       401       403/403   200/200   -/200     403/403   403/403
    notify_supplier         401       403/403   200/200   -/200     403/403   403/403
    propose_allowance       401       403/403   201/422   403/403   403/403   403/403
    list_allowances         401       403/403   200/200   200/200   403/403   403/403
    decide_allowance        401       403/403   409/200   403/403   403/403   403/403
    list_readers            401       403/403   200/200   200/200   403/403   403/403
    consent_to_readers      401       403/403   403/403   200/422   403/403   403/403
    take_consent_back       401       403/403   403/403   200/404   403/403   403/403
    approve                 401       403/403   409/200   -/200     403/403   403/403
    reject                  401       403/403   409/200   -/200     403/403   403/403
    get_batch               401       403/403   200/200   200/200   403/403   403/403
    approve_batch           401       403/403   409/201   -/201     403/403   403/403
    list_jobs               401       403       200       200       403       403
    get_job                 401       403/403   200/200   200/200   403/403   403/403
    cancel_job              401       403/403   200/200   200/200   403/403   403/403
    resume_job              401       403/403   409/404   -/404     403/403   403/403
    list_published          401       403       200       200       403       403
    get_applied             401       403/403   200/404   200/404   403/403   403/403

    add_plan_item           401       403/403   201/404   403/403   403/403   403/403
    list_plan_items         401       403       200       200       403       403
    get_plan_item           401       403/403   200/404   200/404   403/403   403/403
    correct_plan_item       401       403/403   200/404   403/403   403/403   403/403
    move_plan_item          401       403/403   200/404   403/403   403/403   403/403
    escalate_plan_item      401       403/403   200/404   200/404   403/403   403/403
    get_plan                401       403/403   200/404   200/404   403/403   403/403
    say_plan                401       403/403   201/409   403/403   403/403   403/403
    open_case               401       403       201       201       201       403
    list_cases              401       403       200       200       200       403
    get_case                401       403/403   200/404   200/404   200/404   403/403
    take_step               401       403/403   409/404   200/404   409/404   403/403
    take_step_back          401       403/403   409/404   409/404   409/404   403/403
    point_for_case          401       403/403   409/404   409/404   403/403   403/403
    decide_detail           401       403/403   409/404   409/404   409/404   403/403
    assign_to_case          401       403/403   409/404   200/404   409/404   403/403
    remove_from_case        401       403/403   409/404   204/404   409/404   403/403
    take_in_contacts        401       403       200       200       403       403
    list_contacts           401       403       200       200       200       403
    remove_contact          401       403/403   204/404   204/404   403/403   403/403
    list_focal_points       401       403       200       200       200       403
    name_focal_points       401       403       403       403       403       200

    add_contract            401       403       201       201       201       403
    list_contracts          401       403       200       200       200       403
    export_contracts        401       403       200       200       200       403
    import_contracts        401       403       201       201       201       403
    get_contract            401       403/403   200/404   200/404   200/404   403/403
    correct_contract        401       403/403   200/404   200/404   200/404   403/403
    add_duty                401       403/403   201/404   201/404   201/404   403/403
    answer_exit_plan        401       403/403   200/404   200/404   200/404   403/403
    terminate_contract      401       403/403   409/200   409/200   409/200   403/403
    resume_contract         401       403/403   200/404   200/404   200/404   403/403
    move_duty               401       403/403   200/404   200/404   200/404   403/403
    correct_duty            401       403/403   200/404   200/404   200/404   403/403

    list_risks              401       403       403       403       200       403
    rank_rows               401       403       403       403       200       403

    write_down_reply        401       403/403   201/404   403/403   403/403   403/403
    list_replies            401       403       200       200       403       403
    propose_reply           401       403/403   201/409   403/403   403/403   403/403
    decide_dispute          401       403/403   409/200   -/200     403/403   403/403

    make_link               401       403/403   201/404   201/404   403/403   403/403
    revoke_link             401       403/403   204/404   204/404   403/403   403/403
    take_in_vendor_contacts 401       403/403   201/422   403/403   403/403   403/403
    show_vendor_contacts    401       403       200       200       403       403
    delete_vendor_contacts  401       403       204       403       403       403
    find_vendor_contacts    401       403/403   200/404   200/404   403/403   403/403
    show_to_supplier        401       401       401       401       401       401
    list_own_answers        401       401       401       401       401       401
    save_draft              401       401       401       401       401       401
    extend_window           401       401       401       401       401       401
    say                     401       401       401       401       401       401

    list_changes            401       403       200       200       200       403
    screen_suppliers        401       403       403       403       200       403
    keep_rows               401       403       403       403       200       403
    list_rows               401       403       403       403       200       403
    list_touched_rows       401       403/403   403/403   403/403   200/404   403/403
    remove_row              401       403/403   403/403   403/403   204/404   403/403
    list_meant_suppliers    401       403/403   403/403   403/403   200/404   403/403
    judge_row               401       403/403   403/403   403/403   201/404   403/403
    list_row_judgements     401       403/403   403/403   403/403   200/404   403/403
    list_waiting_judgements 401       403       403       403       200       403
    confirm_row_judgement   401       403/403   403/403   403/403   409/200   403/403
    undo_row_judgement      401       403/403   403/403   403/403   200/404   403/403
    add_watch               401       403       403       403       201       403
    list_watches            401       403       403       403       200       403
    remove_watch            401       403/403   403/403   403/403   204/404   403/403
    test_watch              401       403/403   403/403   403/403   200/404   403/403
    list_watch_deliveries   401       403/403   403/403   403/403   200/404   403/403
    list_alerts             401       403/403   403/403   403/403   200/404   403/403
    see_alerts              401       403       403       403       200       403
    look_at_screening_file  401       403       403       403       200       403
    send_screening_file     401       403       403       403       201       403
    list_screening_files    401       403       403       403       200       403
    get_screening_file      401       403/403   403/403   403/403   200/404   403/403
    cancel_screening_file   401       403/403   403/403   403/403   200/404   403/403
    resume_screening_file   401       403/403   403/403   403/403   409/404   403/403
    remove_screening_file   401       403/403   403/403   403/403   204/404   403/403
    get_screening_result    401       403/403   403/403   403/403   409/404   403/403
    file_screening          401       403       403       403       201       403
    file_screened_file      401       403/403   403/403   403/403   409/404   403/403
    list_filed_screenings   401       403       403       403       200       403
    get_filed_screening     401       403       403       403       200       403
    get_filed_answers       401       403       403       403       200       403
    export_filed_screening  401       403       403       403       200       403
    verify_filed_screening  401       403       403       403       200       403
    keep_filed_screening    401       403       403       403       200       403
    take_back_filed_screening 401     403       403       403       200       403
    write_clarification_letter 401    403       403       403       409       403
    list_suppliers          401       403       200       200       200       403
    show_supplier           401       403       200       200       200       403
    export_supplier         401       403       200       200       200       403
    join_suppliers          401       403       201       403       403       403
    keep_suppliers_apart    401       403       201       403       403       403
    split_supplier          401       403       201       403       403       403
    add_supplier            401       403       201       403       403       403
    enter_fact              401       403       201       403       403       403
    take_back_fact          401       403       200       403       403       403
    take_in_list            401       403       201       403       403       403
    list_factory_lists      401       403       200       200       200       403
    show_factory_list       401       403       200       200       200       403
    take_back_list          401       403       204       403       403       403
    list_judgements         401       403       200       200       200       403
    undo_judgement          401       403       200       403       403       403
    match_examples          401       403       403       403       200       403
    search_entities         401       403       403       403       200       403
    fetch_entity            401       403       403       403       200       403
    get_catalog             401       403       403       403       200       403
    list_algorithms         401       403       403       403       200       403
    is_yente_alive          200       200       200       200       200       200
    get_manifest            401       403       403       403       200       403
    reconcile_batch         401       403       403       403       200       403
    suggest_entity          401       403       403       403       200       403
    suggest_type            401       403       403       403       200       403
    suggest_property        401       403       403       403       200       403
    propose_properties      401       403       403       403       200       403
    show_flyout             401       403       403       403       200       403
    preview_entity          401       403       403       403       200       403
    get_network             401       200       200       200       200       200
    export_record           401       403/403   200/200   200/200   200/200   200/200

    list_indicators         401       200       200       200       200       200
    list_answers            401       200       200       200       200       200
    list_codes              401       200       200       200       200       200
    list_countries          401       200       200       200       200       200
    list_crosswalks         401       200       200       200       200       200
    list_clauses            401       200       200       200       200       200

    list_quarantine         401       403       403       403       403       200
    list_skipped            401       403       403       403       403       200
    get_quarantined         401       403       403       403       403       200
    get_quarantined_bytes   401       403       403       403       403       200
    retry_quarantined       401       403       403       403       403       202
    list_trail              401       403       403       403       403       200
    export_trail            401       403       403       403       403       201
    get_export              401       403/403   403/403   403/403   403/403   200/200
    get_export_lines        401       403/403   403/403   403/403   403/403   200/200
    list_witnesses          401       403       200       200       200       200

    get_checkpoint          401       401       401       401       401       401
    get_records             401       401       401       401       401       401
    get_record              401       401       401       401       401       401
    get_fork                401       401       401       401       401       401

    is_alive                200       200       200       200       200       200
    is_ready                200       200       200       200       200       200
    get_metrics             401       401       401       401       401       401
"""
"""Status for what is one's own / another's; one number where there is nothing to own, `-` where nobody can own it.

`/peers` is for other members' nodes, by tokens of their keys (`test_peers.py`): people have no business there.
"""

Asked = dict[str, Any]
Make = Callable[[Office, str, bool], Awaitable[Asked]]


def rows() -> dict[str, list[str]]:
    lines = [line.split() for line in TABLE.splitlines() if line.strip()][1:]
    return {name: cells for name, *cells in lines}


def operations(office: Office) -> dict[str, tuple[str, str, set[int]]]:
    """Operation to its method, path and the statuses that the contract names."""
    return {
        operation["operationId"]: (method.upper(), path, {int(status) for status in operation["responses"]})
        for path, item in office.app.openapi()["paths"].items()
        for method, operation in item.items()
    }


def other(who: str) -> str:
    return f"{who} 2"


# What is asked for: made new for each cell, since asking may change it. `own` says whose it is.


async def _sign_in(office: Office, who: str, own: bool) -> Asked:
    return {
        "json": {"name": office.person(who).person.name, "password": PASSWORD if own else "somebody else's password"}
    }


async def _token(office: Office, who: str, own: bool) -> Asked:
    return {"token_id": await office.token(who if own else other(who))}


async def _person(office: Office, who: str, own: bool) -> Asked:
    if not own:
        return {"person_id": await office.hired()}
    # A second administrator closes the own account; all others may not anyway.
    return {"person_id": office.person(who).person.id}


async def _new_person(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"name": f"added by {who}", "roles": ["officer"], "password": PASSWORD}}


async def _signed_report(office: Office, who: str, own: bool) -> Asked:
    return {"content": office.signed("firm" if own else "rival"), "headers": MEDIA_TYPE}


async def _report(office: Office, who: str, own: bool) -> Asked:
    return {"report_id": await office.report("firm" if own else "rival")}


async def _section(office: Office, who: str, own: bool) -> Asked:
    return {**await _report(office, who, own), "number": "1"}


async def _piece(office: Office, who: str, own: bool) -> Asked:
    report = await office.report("firm" if own else "rival")
    headers = {"Content-Type": "application/octet-stream"}
    return {"report_id": report, "ref": "E1", "params": {"offset": 0}, "content": PICTURE, "headers": headers}


async def _evidence(office: Office, who: str, own: bool) -> Asked:
    return {"report_id": await office.report_with_evidence("firm" if own else "rival"), "ref": "E1"}


async def _new_objection(office: Office, who: str, own: bool) -> Asked:
    return {**await _report(office, who, own), "json": {"reason": "the date is wrong"}}


async def _objection(office: Office, who: str, own: bool) -> Asked:
    return {"objection_id": await office.objection("firm" if own else "rival")}


async def _new_joint_act(office: Office, who: str, own: bool) -> Asked:
    return {**await _report(office, who, own), "json": {"act": "hold", "reason": "a court asks for it"}}


async def _joint_act(office: Office, who: str, own: bool) -> Asked:
    mine = own and who in ("reviewer", "focal")
    return {"joint_act_id": await office.joint_act(who if mine else "reviewer 2")}


async def _observation(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"report": await office.report("firm" if own else "rival"), "observation": "O1"}}


async def _statement(office: Office, who: str, own: bool) -> Asked:
    statement = await office.published() if own else await office.record("body")
    return {"json": {"statement": statement, "reason": "factual-error"}}


async def _revision(office: Office, who: str, own: bool) -> Asked:
    statement = await office.published() if own else await office.record("body")
    return {"json": {"statement": statement, "status": "under-engagement"}}


async def _own_evidence(office: Office, who: str, own: bool) -> Asked:
    # Of another member's finding, or of this node's own.
    body = {"about": await office.record("body" if own else "agency"), "report": await office.report()}
    return {"json": {**body, "says": "supports", "observation": "O1"}}


async def _planned_audit(office: Office, who: str, own: bool) -> Asked:
    return {"json": a_plan()}


async def _done(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"report": await office.report("firm" if own else "rival")}}


async def _applied(office: Office, who: str, own: bool) -> Asked:
    return {"statement": await office.published() if own else await office.record("body")}


async def _review(office: Office, who: str, own: bool) -> Asked:
    return {"review_id": await office.proposal(who if own and who == "reviewer" else "reviewer 2")}


async def _checked(office: Office, who: str, own: bool) -> Asked:
    return {**await _review(office, who, own), "json": NOBODY_BLAMED}


async def _to_be_allowed(office: Office, who: str, own: bool) -> Asked:
    # Of a scheme for which its firm is authorised, or of another one.
    report = await office.report(scheme="SA8000") if own else await office.report()
    return {"report_id": report, "json": {"code": "urgent", "words": "nobody else could go there"}}


async def _allowance(office: Office, who: str, own: bool) -> Asked:
    by = who if own and who == "reviewer" else "reviewer 2"
    asked = await _to_be_allowed(office, who, own=True)
    made = await office.made(by, "POST", f"reports/{asked['report_id']}/allowances", json=asked["json"])
    return {"allowance_id": made["id"], "json": {**asked["json"], "allow": True}}


async def _to_be_read(office: Office, who: str, own: bool) -> Asked:
    # A grave finding waits for consent, another one does not.
    return {"review_id": await office.proposal("reviewer 2", severity="S3" if own else "S2")}


async def _consented(office: Office, who: str, own: bool) -> Asked:
    asked = await _to_be_read(office, who, own)
    if own:
        await office.made("focal 2", "POST", f"reviews/{asked['review_id']}/consent")
    return asked


async def _to_be_notified(office: Office, who: str, own: bool) -> Asked:
    asked = await _review(office, who, own)
    await office.made("reviewer", "POST", f"reviews/{asked['review_id']}/check", json=NOBODY_BLAMED)
    return asked


async def _heard(office: Office, who: str, own: bool) -> Asked:
    return {"review_id": await office.heard(who if own and who == "reviewer" else "reviewer 2")}


async def _said(office: Office, who: str, own: bool) -> Asked:
    review = await office.proposal() if own else "nothing"
    return {"json": {"review": review, "act": "reply", "codes": ["remedied"]}}


async def _word(office: Office, who: str, own: bool) -> Asked:
    # What it answers to is published, or not yet.
    return {"word_id": await office.word(published=own)}


async def _dispute(office: Office, who: str, own: bool) -> Asked:
    writer = who if own and who == "reviewer" else "reviewer 2"
    return {"word_id": await office.word(writer, act="dispute"), "json": {"outcome": "dismissed"}}


async def _told(office: Office, who: str, own: bool) -> Asked:
    return {"review_id": await office.heard("reviewer 2") if own else "nothing"}


async def _a_link(office: Office, who: str, own: bool) -> Asked:
    if not own:
        return {"link_id": "nothing"}
    return {"link_id": await office.link()}


async def _vendors(office: Office, who: str, own: bool) -> Asked:
    return {"json": vendors("vendor,mail\nMill,desk@mill.example" if own else "vendor\nMill")}


async def _vendors_here(office: Office, who: str, own: bool) -> Asked:
    await office.made("reviewer", "POST", "vendor-contacts", **(await _vendors(office, who, True)))
    return {}


async def _draft(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"act": "reply", "codes": ["remedied"]}}


async def _new_plan_item(office: Office, who: str, own: bool) -> Asked:
    # Of a report that is here, or of none.
    report = await office.report() if own else "R" * 43
    return {"json": {"report": report, "observation": "O1", "remedy": "fees-repaid", "due": "2027-01"}}


async def _plan(office: Office, who: str, own: bool) -> Asked:
    return {"params": {"report": await office.report() if own else "R" * 43, "observation": "O1"}}


async def _plan_item(office: Office, who: str, own: bool) -> Asked:
    return {"item_id": await office.plan_item() if own else "nothing"}


async def _corrected_item(office: Office, who: str, own: bool) -> Asked:
    return {**await _plan_item(office, who, own), "json": {"due": "2024-02", "reason": "misheard"}}


async def _moved_item(office: Office, who: str, own: bool) -> Asked:
    return {**await _plan_item(office, who, own), "json": {"to": "done"}}


async def _escalated_item(office: Office, who: str, own: bool) -> Asked:
    return {**await _plan_item(office, who, own), "json": {"step": "reminded"}}


async def _said_of_plan(office: Office, who: str, own: bool) -> Asked:
    if not own or who != "reviewer":
        return {"json": {"statement": "S" * 43}}
    statement = await office.published()
    item = {"statement": statement, "remedy": "fees-repaid", "due": "2027-01"}
    await office.made("reviewer", "POST", "plan-items", json=item)
    return {"json": {"statement": statement}}


async def _new_contract(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"reference": f"of {who}", "supplier": "Exemplar Gloves", "ends": "2030-12-31"}}


async def _contract_list(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"form": "csv", "content": CONTRACTS}}


async def _contract(office: Office, who: str, own: bool) -> Asked:
    return {"contract_id": await office.contract() if own else "nothing"}


async def _corrected_contract(office: Office, who: str, own: bool) -> Asked:
    return {**await _contract(office, who, own), "json": {"note": "as on page 4", "reason": "misread"}}


async def _new_duty(office: Office, who: str, own: bool) -> Asked:
    return {**await _contract(office, who, own), "json": {"kind": "give-audit-report", "due": "2027-01-31"}}


async def _exit_plan(office: Office, who: str, own: bool) -> Asked:
    return {**await _contract(office, who, own), "json": EXIT_PLAN}


async def _to_be_cut(office: Office, who: str, own: bool) -> Asked:
    # Whoever answered the exit plan does not cut the contract.
    keeper = who if own and who in ("reviewer", "focal", "officer") else "officer 2"
    return {"contract_id": await office.contract(exit_by=keeper), "json": {"reason": "labour-rights"}}


async def _cut(office: Office, who: str, own: bool) -> Asked:
    contract = await office.terminated() if own else "nothing"
    return {"contract_id": contract, "json": {"reason": "it was another contract"}}


async def _moved_duty(office: Office, who: str, own: bool) -> Asked:
    return {"duty_id": await office.duty() if own else "nothing", "json": {"to": "done"}}


async def _corrected_duty(office: Office, who: str, own: bool) -> Asked:
    return {**await _moved_duty(office, who, own), "json": {"due": "2024-02-28", "reason": "misread"}}


async def _batch(office: Office, who: str, own: bool) -> Asked:
    return {"batch": await office.batch(who if own and who == "reviewer" else "reviewer 2")}


async def _job(office: Office, who: str, own: bool) -> Asked:
    return {"job_id": await office.job(who if own and who == "reviewer" else "reviewer 2")}


async def _decision(office: Office, who: str, own: bool) -> Asked:
    return {"json": a_decision()}


async def _supplier_to_point_at(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"names": [f"Exemplo {uuid.uuid4().hex}"], "country": "BR"}}


async def _new_case(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"names": [f"Exemplo {uuid.uuid4().hex}"], "country": "BR"}}


async def _case(office: Office, who: str, own: bool) -> Asked:
    # Opened by whoever asks, where that may open one; else by somebody who is assigned when this one is not.
    mine = own and who in ("reviewer", "focal", "officer")
    return {"case_id": await office.case(who if mine else "reviewer 2")}


async def _first_step(office: Office, who: str, own: bool) -> Asked:
    return {**await _case(office, who, own), "json": {"step": "reviewed"}}


async def _detail(office: Office, who: str, own: bool) -> Asked:
    body = {"indicators": ["FL07"], "severity": "S4", "members": ["firm"]}
    return {**await _case(office, who, own), "json": body}


async def _staff(office: Office, who: str, own: bool) -> Asked:
    return {**await _case(office, who, own), "json": {"name": office.person("officer 2").person.name}}


async def _assigned(office: Office, who: str, own: bool) -> Asked:
    asked = await _case(office, who, own)
    if own and who == "focal":
        await office.made("focal", "POST", f"cases/{asked['case_id']}/staff", json={"name": "officer 2 person"})
    return {**asked, "person_id": office.person("officer 2").person.id}


async def _contacts(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"contacts": [office.a_contact()]}}


async def _contact(office: Office, who: str, own: bool) -> Asked:
    return {"contact_id": await office.contact() if own else "nothing"}


async def _duty(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"names": ["focal 2 person"]}}


async def _ruling(office: Office, who: str, own: bool) -> Asked:
    return {"ruling_id": await office.ruling(who if own and who == "reviewer" else "reviewer 2")}


async def _register(office: Office, who: str, own: bool) -> Asked:
    return {"json": register()}


async def _suppliers(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"suppliers": [{"name": "Exemplo"}]}}


async def _to_file(office: Office, who: str, own: bool) -> Asked:
    return {"json": office.a_filing()}


async def _screened_to_file(office: Office, who: str, own: bool) -> Asked:
    return {**await _screened(office, who, own), "json": {"reference": uuid.uuid4().hex, "stage": "tender"}}


async def _filed(office: Office, who: str, own: bool) -> Asked:
    return {"filing_id": await office.filing(), "json": {}}


async def _filed_read(office: Office, who: str, own: bool) -> Asked:
    return {"filing_id": await office.filing()}


async def _filed_kept(office: Office, who: str, own: bool) -> Asked:
    return {"filing_id": await office.filing(), "json": {"until": "2099-12-31"}}


async def _filed_wrongly(office: Office, who: str, own: bool) -> Asked:
    return {"filing_id": await office.filing(), "json": {"why": "of another tender"}}


async def _supplier(office: Office, who: str, own: bool) -> Asked:
    return {"number": (await office.supplier())[0]}


async def _supplier_file(office: Office, who: str, own: bool) -> Asked:
    return {**await _supplier(office, who, own), "params": {"form": "xlsx"}}


async def _two_suppliers(office: Office, who: str, own: bool) -> Asked:
    (first, _), (second, _) = await office.supplier(), await office.supplier()
    return {"json": {"first": first, "second": second, "because": "other"}}


async def _supplier_to_split(office: Office, who: str, own: bool) -> Asked:
    number, statement = await office.supplier()
    return {"number": number, "json": {"statements": [statement], "because": "namesake"}}


async def _judgement(office: Office, who: str, own: bool) -> Asked:
    return {"judgement_id": await office.judgement(), "json": {}}


async def _new_supplier(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"name": f"entered by {who}", "country": "CH"}}


async def _new_fact(office: Office, who: str, own: bool) -> Asked:
    return {"number": (await office.supplier())[0], "json": {"fact": "former-name", "name": "Formerly"}}


async def _fact(office: Office, who: str, own: bool) -> Asked:
    return {"fact_id": await office.fact()}


async def _new_list(office: Office, who: str, own: bool) -> Asked:
    return {"json": factories()}


async def _list(office: Office, who: str, own: bool) -> Asked:
    return {"list_id": await office.factory_list()}


async def _example(office: Office, who: str, own: bool) -> Asked:
    query = {"schema": "Company", "properties": {"name": ["Exemplar Gloves"]}}
    return {"dataset": "default", "json": {"queries": {"q": query}}}


async def _search(office: Office, who: str, own: bool) -> Asked:
    return {"dataset": "default", "params": {"q": "Exemplar Gloves"}}


async def _entity(office: Office, who: str, own: bool) -> Asked:
    number, _ = await office.supplier()
    return {"entity": f"supplier-{number}"}


async def _dataset(office: Office, who: str, own: bool) -> Asked:
    return {"dataset": "default"}


async def _cells(office: Office, who: str, own: bool) -> Asked:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return {
        "dataset": "default",
        "content": b"queries=%7B%22q0%22:%7B%22query%22:%22Gloves%22%7D%7D",
        "headers": headers,
    }


async def _pointed_at(office: Office, who: str, own: bool) -> Asked:
    number, _ = await office.supplier()
    return {"dataset": "default", "what": "entity", "params": {"id": f"supplier-{number}"}}


async def _rows(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"rows": [{"row": f"of {who}", "name": "Exemplar Gloves", "country": "MY"}]}}


async def _touching(office: Office, who: str, own: bool) -> Asked:
    return {"params": {"statement": await office.record("agency") if own else "N" * 43}}


async def _row(office: Office, who: str, own: bool) -> Asked:
    return {"vendor_id": await office.vendor("officer" if own else "officer 2")}


async def _row_to_judge(office: Office, who: str, own: bool) -> Asked:
    return {**await _row(office, who, own), "json": {"supplier": (await office.supplier())[0], "judged": "unsure"}}


async def _row_judgement(office: Office, who: str, own: bool) -> Asked:
    return {"judgement_id": await office.row_judgement("officer" if own else "officer 2")}


async def _new_watch(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"title": "mine", "mail": "officer@agency.example"}}


async def _watch(office: Office, who: str, own: bool) -> Asked:
    return {"watch_id": await office.watch("officer" if own else "officer 2")}


async def _alerts_of_watch(office: Office, who: str, own: bool) -> Asked:
    return {"params": {"watch": await office.watch("officer" if own else "officer 2")}}


async def _up_to(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"number": 1}}


async def _rows_to_rank(office: Office, who: str, own: bool) -> Asked:
    return {"json": {"rows": [{"row": "V-1", "country": "BR", "goods": ["bricks"]}]}}


async def _which(office: Office, who: str, own: bool) -> Asked:
    return {"json": {}}


async def _record(office: Office, who: str, own: bool) -> Asked:
    return {"statement": await office.record("agency" if own else "body")}


async def _log(office: Office, who: str, own: bool) -> Asked:
    return {"member": "agency", "statement": await office.record("agency")}


async def _refused(office: Office, who: str, own: bool) -> Asked:
    return {"record_id": await office.refused()}


async def _export(office: Office, who: str, own: bool) -> Asked:
    made = await office.made("admin" if own else "all", "POST", "trail/exports", json={"about": "nothing"})
    return {"export_number": made["number"]}


async def _everything(office: Office, who: str, own: bool) -> Asked:
    return {"json": {}}


async def _member(office: Office, who: str, own: bool) -> Asked:
    return {"member": "agency"}


async def _scheme(office: Office, who: str, own: bool) -> Asked:
    return {"params": {"scheme": "SMETA", "version": "7.0"}}


async def _file(office: Office, who: str, own: bool) -> Asked:
    return {"params": {"name": "vendors"}, **SCREENED}


async def _screened(office: Office, who: str, own: bool) -> Asked:
    return {"file_id": await office.screening_file("officer" if own else "officer 2")}


async def _nothing(office: Office, who: str, own: bool) -> Asked:
    return {}


IN_NO_PATH = ("json", "content", "headers", "params")

MAKE: dict[str, Make] = {
    "sign_in": _sign_in,
    "revoke_token": _token,
    "add_person": _new_person,
    "close_person": _person,
    "submit": _signed_report,
    "get_report": _report,
    "get_signed_bytes": _report,
    "get_drafts": _report,
    "list_sections": _report,
    "disclose_section": _section,
    "list_evidence": _report,
    "send_evidence": _piece,
    "read_evidence": _evidence,
    "read_release_copy": _evidence,
    "make_objection": _new_objection,
    "list_objections": _report,
    "withdraw_objection": _objection,
    "propose_joint_act": _new_joint_act,
    "list_joint_acts": _report,
    "confirm_joint_act": _joint_act,
    "decline_joint_act": _joint_act,
    "propose_release": _observation,
    "propose_revision": _revision,
    "propose_withdrawal": _statement,
    "propose_corroboration": _own_evidence,
    "propose_planned_audit": _planned_audit,
    "propose_done_audit": _done,
    "propose_decision": _decision,
    "propose_pointer": _supplier_to_point_at,
    "open_case": _new_case,
    "get_case": _case,
    "take_step": _first_step,
    "take_step_back": _case,
    "point_for_case": _case,
    "decide_detail": _detail,
    "assign_to_case": _staff,
    "remove_from_case": _assigned,
    "take_in_contacts": _contacts,
    "remove_contact": _contact,
    "name_focal_points": _duty,
    "get_ruling": _ruling,
    "import_register": _register,
    "get_applied": _applied,
    "get_review": _review,
    "check_retaliation": _checked,
    "propose_allowance": _to_be_allowed,
    "list_allowances": _report,
    "decide_allowance": _allowance,
    "list_readers": _review,
    "consent_to_readers": _to_be_read,
    "take_consent_back": _consented,
    "notify_supplier": _to_be_notified,
    "approve": _heard,
    "reject": _review,
    "get_batch": _batch,
    "approve_batch": _batch,
    "get_job": _job,
    "cancel_job": _job,
    "resume_job": _job,
    "make_link": _told,
    "find_vendor_contacts": _told,
    "take_in_vendor_contacts": _vendors,
    "show_vendor_contacts": _vendors_here,
    "delete_vendor_contacts": _vendors_here,
    "revoke_link": _a_link,
    "save_draft": _draft,
    "say": _draft,
    "write_down_reply": _said,
    "propose_reply": _word,
    "decide_dispute": _dispute,
    "add_contract": _new_contract,
    "import_contracts": _contract_list,
    "get_contract": _contract,
    "correct_contract": _corrected_contract,
    "add_duty": _new_duty,
    "answer_exit_plan": _exit_plan,
    "terminate_contract": _to_be_cut,
    "resume_contract": _cut,
    "move_duty": _moved_duty,
    "correct_duty": _corrected_duty,
    "add_plan_item": _new_plan_item,
    "get_plan_item": _plan_item,
    "correct_plan_item": _corrected_item,
    "move_plan_item": _moved_item,
    "escalate_plan_item": _escalated_item,
    "get_plan": _plan,
    "say_plan": _said_of_plan,
    "screen_suppliers": _suppliers,
    "match_examples": _example,
    "search_entities": _search,
    "fetch_entity": _entity,
    "get_manifest": _dataset,
    "reconcile_batch": _cells,
    "suggest_entity": _dataset,
    "suggest_type": _dataset,
    "suggest_property": _dataset,
    "propose_properties": _dataset,
    "show_flyout": _pointed_at,
    "preview_entity": _pointed_at,
    "keep_rows": _rows,
    "list_touched_rows": _touching,
    "remove_row": _row,
    "list_meant_suppliers": _row,
    "judge_row": _row_to_judge,
    "list_row_judgements": _row,
    "confirm_row_judgement": _row_judgement,
    "undo_row_judgement": _row_judgement,
    "add_watch": _new_watch,
    "remove_watch": _watch,
    "test_watch": _watch,
    "list_watch_deliveries": _watch,
    "list_alerts": _alerts_of_watch,
    "see_alerts": _up_to,
    "look_at_screening_file": _file,
    "send_screening_file": _file,
    "get_screening_file": _screened,
    "cancel_screening_file": _screened,
    "resume_screening_file": _screened,
    "remove_screening_file": _screened,
    "get_screening_result": _screened,
    "file_screening": _to_file,
    "file_screened_file": _screened_to_file,
    "get_filed_screening": _filed_read,
    "get_filed_answers": _filed_read,
    "export_filed_screening": _filed_read,
    "verify_filed_screening": _filed_read,
    "keep_filed_screening": _filed_kept,
    "take_back_filed_screening": _filed_wrongly,
    "write_clarification_letter": _filed,
    "rank_rows": _rows_to_rank,
    "list_suppliers": _which,
    "show_supplier": _supplier,
    "export_supplier": _supplier_file,
    "join_suppliers": _two_suppliers,
    "keep_suppliers_apart": _two_suppliers,
    "split_supplier": _supplier_to_split,
    "undo_judgement": _judgement,
    "add_supplier": _new_supplier,
    "enter_fact": _new_fact,
    "take_back_fact": _fact,
    "take_in_list": _new_list,
    "show_factory_list": _list,
    "take_back_list": _list,
    "list_clauses": _scheme,
    "export_record": _record,
    "get_records": _log,
    "get_record": _log,
    "get_fork": _log,
    "export_trail": _everything,
    "get_export": _export,
    "get_export_lines": _export,
    "list_witnesses": _member,
    "get_quarantined": _refused,
    "get_quarantined_bytes": _refused,
    "retry_quarantined": _refused,
}
"""What an operation is asked about; nothing for those that are not here."""


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("authorisation"))
    yield await furnish(town)
    await town.close()


async def test_every_operation_of_the_contract_has_a_row_and_every_row_an_operation(office: Office) -> None:
    assert set(rows()) == set(operations(office))
    assert {len(cells) for cells in rows().values()} == {len(PEOPLE)}


async def test_an_operation_that_somebody_adds_without_a_row_is_noticed(office: Office) -> None:
    app = create_app(office.house.node)

    @app.get("/api/v1/unforeseen")
    async def unforeseen() -> None:
        """Anybody may."""

    added = {operation["operationId"] for item in app.openapi()["paths"].values() for operation in item.values()}
    assert added - set(rows()) == {"unforeseen"}


@pytest.mark.parametrize("operation", rows())
async def test_who_may_do_it_and_with_what(office: Office, operation: str) -> None:
    method, path, documented = operations(office)[operation]
    wrong = []
    for who, cell in zip(PEOPLE, rows()[operation], strict=True):
        for own, expected in zip((True, False), cell.split("/"), strict=False):
            if expected == "-":
                continue
            asked = await MAKE.get(operation, _nothing)(office, who or "officer", own)
            given = {name: asked.pop(name) for name in list(asked) if name not in IN_NO_PATH}
            # Whoever closes the own account is a second administrator, who is not needed any more.
            asker = await _expendable(office) if operation == "close_person" and own and who == "admin" else who
            if asker != who:
                given = {"person_id": office.person(str(asker)).person.id}
            answer = await office.ask(asker, method, path.format(**given), **asked)
            if answer.status_code != int(expected):
                wrong.append(f"{who}, {'own' if own else 'another'}: {answer.status_code}, not {expected}")
            assert answer.status_code in documented, f"the contract of {operation} does not name {answer.status_code}"
            if answer.is_error:
                assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []


READS = re.compile(r"/(reports|evidence|reviews)\b")
"""In the path of an operation that shows reports, evidence, or what was made from them."""


async def test_every_reading_of_a_report_or_evidence_is_on_the_trail(office: Office) -> None:
    me = office.person("reviewer").person.id
    silent, readings = [], 0
    for operation, (method, path, _) in operations(office).items():
        if method != "GET" or not READS.search(path):
            continue
        readings += 1
        asked = await MAKE.get(operation, _nothing)(office, "reviewer", True)
        given = {name: asked.pop(name) for name in list(asked) if name not in IN_NO_PATH}
        before = await _newest_entry(office)
        answer = await office.ask("reviewer", method, path.format(**given), **asked)
        noted = await _newest_entry(office)
        is_noted = noted["number"] == before["number"] + 1 and noted["actor"] == me
        if not is_noted or noted["event"].partition(".")[0] not in ("report", "reports", "evidence"):
            silent.append(operation)
        assert answer.status_code == 200
        # Who may not read has read nothing.
        assert (await office.ask("officer", method, path.format(**given))).status_code == 403
        assert await _newest_entry(office) == noted
    assert silent == []
    assert readings >= 11


async def _newest_entry(office: Office) -> dict[str, Any]:
    return dict((await office.made("admin", "GET", "trail?limit=1"))["items"][0])


async def _expendable(office: Office) -> str:
    await office.house.hire("leaving", "admin")
    return "leaving"


async def test_a_list_of_reports_holds_an_auditors_own_firms_only(office: Office) -> None:
    ours, theirs = await office.report("firm"), await office.report("rival")
    seen = {
        who: {item["id"] for item in (await office.made(who, "GET", "reports?limit=200"))["items"]}
        for who in ("auditor", "auditor 2", "reviewer", "focal")
    }
    assert (ours in seen["auditor"], theirs in seen["auditor"]) == (True, False)
    assert (ours in seen["auditor 2"], theirs in seen["auditor 2"]) == (False, True)
    assert {ours, theirs} <= seen["reviewer"] and {ours, theirs} <= seen["focal"]


async def test_a_list_of_tokens_holds_ones_own_only(office: Office) -> None:
    mine, anothers = await office.token("officer"), await office.token("officer 2")
    listed = {token["id"] for token in await office.made("officer", "GET", "tokens")}
    assert mine in listed and anothers not in listed
