"""Who may do what: what is asked of suppliers, screenings, watches, the network, the trail. `own` says whose it is."""

import uuid

from api_world import (
    SCREENED,
    Office,
    factories,
)
from asked_for import Asked, Make


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


MAKE: dict[str, Make] = {
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
    "keep_file_of_rows": _file,
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
