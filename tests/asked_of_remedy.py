"""Who may do what: what is asked of plans, contracts, cases, decisions and registers. `own` says whose it is."""

import uuid

from api_cases import CONTRACTS
from api_world import (
    EXIT_PLAN,
    Office,
    a_decision,
    register,
)
from asked_for import Asked, Make


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


MAKE: dict[str, Make] = {
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
    "get_batch": _batch,
    "approve_batch": _batch,
    "get_job": _job,
    "cancel_job": _job,
    "resume_job": _job,
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
}
