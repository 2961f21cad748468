"""Who may do what: what is asked of reports, evidence, reviews, replies and their suppliers. `own` says whose it is."""

from api_world import (
    MEDIA_TYPE,
    PASSWORD,
    PICTURE,
    Office,
    a_plan,
    vendors,
)
from asked_for import Asked, Make, other
from heard import NOBODY_BLAMED


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
}
