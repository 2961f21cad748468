"""The contract register: entering, correcting, importing; duties; cutting a contract after its exit plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from comity_node.db import Store
from comity_node.db.plans import LocalAct
from comity_node.domain.contract_sheet import RowFault, SheetRow, Written, refuse
from comity_node.domain.contracts import (
    ENDS_SOON,
    REMIND_BEFORE,
    Answered,
    Contract,
    ContractState,
    Duty,
    DutyKind,
    DutyState,
    ExitCheck,
    TerminationReason,
    Terms,
    check_answer,
    check_duty_move,
    open_checks,
    require_exit_plan,
)
from comity_node.domain.errors import ContractMayNot, NotFound, ReferenceTaken, SamePerson
from comity_node.domain.people import Person
from comity_node.domain.plan import OPEN
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id

MOST_DUTIES = 500
"""Duties of one contract."""

MOST_DUE = 200
"""Duties and contracts that are named one by one in a status."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of the register is due, or ends, soon."""

    duties: Sequence[Duty] = ()
    ending: Sequence[Contract] = ()


NOTHING_DUE = Due()


@dataclass(frozen=True, slots=True)
class ImportedContracts:
    """What became of a list."""

    contracts: int
    duties: int
    unchanged: int
    """Duties that were here already."""


async def find_contract(store: Store, contract_id: str) -> Contract:
    """Return a contract.

    Raises:
        NotFound: there is none.
    """
    contract = await store.contracts.find(contract_id)
    if contract is None:
        raise NotFound("no such contract")
    return contract


async def find_duty(store: Store, duty_id: str) -> Duty:
    """Return a duty.

    Raises:
        NotFound: there is none.
    """
    duty = await store.contracts.find_duty(duty_id)
    if duty is None:
        raise NotFound("no such duty")
    return duty


async def add_contract(store: Store, person: Person, terms: Terms, now: datetime) -> Contract:
    """Enter a contract.

    Raises:
        ReferenceTaken: one with this reference is here.
    """
    if await store.contracts.by_reference(terms.reference) is not None:
        raise ReferenceTaken("a contract with this reference is in the register already; nothing was added")
    contract = Contract(new_id(), terms, person.id, now)
    await store.contracts.put(contract)
    await store.trail.add(now, person.id, Event.CONTRACT_ADDED, contract.id)
    return contract


async def correct_contract(
    store: Store, person: Person, contract: Contract, changes: Mapping[str, Any], reason: str, now: datetime
) -> Contract:
    """Correct what a contract says; the history keeps what stood there.

    Raises:
        ContractMayNot: it says so already.
        ReferenceTaken: another contract has this reference.
    """
    terms = replace(contract.terms, **changes)
    if terms == contract.terms:
        raise ContractMayNot("it says so already; nothing was changed")
    if terms.reference != contract.terms.reference and await store.contracts.by_reference(terms.reference) is not None:
        raise ReferenceTaken("a contract with this reference is in the register already; nothing was changed")
    stood = {name: _plain(getattr(contract.terms, name)) for name in changes}
    corrected = replace(contract, terms=terms)
    await store.local_acts.add(contract.id, LocalAct("correct", person.id, now, reason, stood))
    await store.contracts.put(corrected)
    await store.trail.add(now, person.id, Event.CONTRACT_CORRECTED, contract.id, fields=sorted(changes))
    return corrected


async def add_duty(
    store: Store, person: Person, contract: Contract, kind: DutyKind, due: date, note: str | None, now: datetime
) -> Duty:
    """Enter a duty of a running contract.

    Raises:
        ContractMayNot: the contract is terminated, has this duty already, or as many as one may have.
    """
    if contract.state is not ContractState.RUNNING:
        raise ContractMayNot("this contract is terminated; nothing was added")
    there = (await store.contracts.duties([contract.id]))[contract.id]
    if len(there) >= MOST_DUTIES or any((duty.kind, duty.due) == (kind, due) for duty in there):
        raise ContractMayNot(f"this duty is there already, or {MOST_DUTIES} are; nothing was added")
    duty = Duty(new_id(), contract.id, kind, due, person.id, now, note=note)
    await store.contracts.put_duty(duty)
    await store.trail.add(
        now, person.id, Event.DUTY_ADDED, duty.id, contract=contract.id, kind=kind.value, due=due.isoformat()
    )
    return duty


async def move_duty(store: Store, person: Person, duty: Duty, to: DutyState, reason: str | None, now: datetime) -> Duty:
    """Note that a duty was fulfilled or is waived, or open it again.

    Raises:
        ContractMayNot: it does not fit, or lacks a reason.
    """
    check_duty_move(duty, to, reason)
    ended = to is not DutyState.OPEN
    moved = replace(duty, state=to, ended_by=person.id if ended else None, ended_at=now if ended else None)
    await store.local_acts.add(duty.id, LocalAct(to.value, person.id, now, reason, {"state": duty.state.value}))
    await store.contracts.put_duty(moved)
    await store.trail.add(now, person.id, Event.DUTY_MOVED, duty.id, before=duty.state.value, after=to.value)
    return moved


async def correct_duty(
    store: Store, person: Person, duty: Duty, changes: Mapping[str, Any], reason: str, now: datetime
) -> Duty:
    """Correct an open duty; the history keeps what stood there.

    Raises:
        ContractMayNot: it is done or waived, or says so already.
    """
    corrected = replace(duty, **changes)
    if duty.state is not DutyState.OPEN or corrected == duty:
        raise ContractMayNot("this duty is not open, or says so already; nothing was changed")
    stood = {name: _plain(getattr(duty, name)) for name in changes}
    await store.local_acts.add(duty.id, LocalAct("correct", person.id, now, reason, stood))
    await store.contracts.put_duty(corrected)
    await store.trail.add(now, person.id, Event.DUTY_CORRECTED, duty.id, fields=sorted(changes))
    return corrected


async def answer_exit_plan(
    store: Store, person: Person, contract: Contract, answers: Mapping[ExitCheck, Answered], now: datetime
) -> Contract:
    """Answer checks of the exit plan; what was answered before stays unless it is answered anew.

    Raises:
        ContractMayNot: the contract is terminated, or an answer does not fit.
    """
    _require_running(contract)
    for check, answered in answers.items():
        check_answer(check, answered)
    before = {c.value: [a.answer.value, a.words] for c, a in contract.exit_plan.items() if c in answers}
    changed = replace(contract, exit_plan={**contract.exit_plan, **answers}, exit_by=person.id, exit_at=now)
    await store.local_acts.add(contract.id, LocalAct("exit-plan", person.id, now, None, before))
    await store.contracts.put(changed)
    left = [check.value for check in await checks_left(store, changed)]
    await store.trail.add(now, person.id, Event.EXIT_PLAN_ANSWERED, contract.id, open=left)
    return changed


async def checks_left(store: Store, contract: Contract) -> list[ExitCheck]:
    """Return which checks of the exit plan are open."""
    items = await store.plans.of_contract(contract.id)
    return open_checks(contract, remedies_owed=any(item.state in OPEN for item in items))


async def terminate(
    store: Store, person: Person, contract: Contract, reason: TerminationReason, now: datetime
) -> Contract:
    """Note that a contract is cut, once its exit plan stands, as a second person.

    Raises:
        ContractMayNot: it is terminated already.
        ExitPlanMissing: the text names the open checks.
        SamePerson: whoever answered the checks does not cut the contract.
    """
    _require_running(contract)
    require_exit_plan(await checks_left(store, contract))
    if contract.exit_by == person.id:
        raise SamePerson("you answered the exit plan; a second person terminates. The contract runs on")
    ended = replace(
        contract, state=ContractState.TERMINATED, terminated_by=person.id, terminated_at=now, termination=reason
    )
    await store.local_acts.add(contract.id, LocalAct("terminate", person.id, now, reason.value, {}))
    await store.contracts.put(ended)
    await store.trail.add(now, person.id, Event.CONTRACT_TERMINATED, contract.id, reason=reason.value)
    return ended


async def resume(store: Store, person: Person, contract: Contract, reason: str, now: datetime) -> Contract:
    """Take a termination back: the contract runs, and its exit plan must be answered anew.

    Raises:
        ContractMayNot: it is not terminated.
    """
    if contract.state is not ContractState.TERMINATED:
        raise ContractMayNot("this contract is not terminated; nothing was changed")
    before = {"termination": None if contract.termination is None else contract.termination.value}
    running = Contract(contract.id, contract.terms, contract.made_by, contract.made_at)
    await store.local_acts.add(contract.id, LocalAct("resume", person.id, now, reason, before))
    await store.contracts.put(running)
    await store.trail.add(now, person.id, Event.CONTRACT_RESUMED, contract.id)
    return running


async def import_contracts(store: Store, person: Person, rows: Sequence[SheetRow], now: datetime) -> ImportedContracts:
    """Take in a list, all of it or nothing. Rows of one reference are one contract.

    Raises:
        ContractSheetRefused: a row contradicts another, or what is here; the text names each.
    """
    faults: list[RowFault] = []
    merged = _merge(rows, faults)
    refuse(faults)
    known = {name: await _known(store, row, faults) for name, row in merged.items()}
    refuse(faults)
    contracts = {name: known[name] or Contract(new_id(), row.terms, person.id, now) for name, row in merged.items()}
    new = [name for name in merged if known[name] is None]
    for name in new:
        await store.contracts.put(contracts[name])
    duties = 0
    for row in rows:
        if row.duty is not None:
            duties += await _add_from_sheet(store, person, contracts[row.terms.reference], row, faults, now)
    refuse(faults)
    await store.trail.add(
        now, person.id, Event.CONTRACTS_IMPORTED, new_id(), rows=len(rows), contracts=len(new), duties=duties
    )
    return ImportedContracts(len(new), duties, sum(row.duty is not None for row in rows) - duties)


async def exported(store: Store, person: Person, now: datetime) -> list[Written]:
    """Return the whole register, one duty a row, and put that on the trail."""
    contracts = await store.contracts.all()
    duties = await store.contracts.duties([contract.id for contract in contracts])
    rows: list[Written] = []
    for contract in contracts:
        if contract.terms.note is not None or not duties[contract.id]:
            rows.append(Written(contract.terms, None, contract.termination))
        for duty in duties[contract.id]:
            said = replace(duty, note=await _says(store, duty))
            rows.append(Written(contract.terms, said, contract.termination))
    await store.trail.add(now, person.id, Event.CONTRACTS_EXPORTED, "contracts", rows=len(rows))
    return rows


async def due_soon(store: Store, today: date) -> Due:
    """Return what of the register is overdue, due or ends soon."""
    return Due(
        await store.contracts.due_until(today + REMIND_BEFORE, most=MOST_DUE),
        await store.contracts.ending(today, today + ENDS_SOON, most=MOST_DUE),
    )


def _merge(rows: Sequence[SheetRow], faults: list[RowFault]) -> dict[str, SheetRow]:
    """Return for each reference its first row, with the note of whichever row has one."""
    merged: dict[str, SheetRow] = {}
    for row in rows:
        first = merged.setdefault(row.terms.reference, row)
        same_terms = replace(first.terms, note=None) == replace(row.terms, note=None)
        if not same_terms or first.terminated is not row.terminated:
            faults.append(RowFault(row.row, "reference", "another row with this reference says otherwise"))
        elif None not in (first.terms.note, row.terms.note) and first.terms.note != row.terms.note:
            faults.append(RowFault(row.row, "note", "another row with this reference has another note of the contract"))
        elif row.terms.note is not None:
            merged[row.terms.reference] = replace(first, terms=row.terms)
    return merged


async def _known(store: Store, row: SheetRow, faults: list[RowFault]) -> Contract | None:
    """Return the contract that is here under a row's reference; note where it says otherwise than the list."""
    known = await store.contracts.by_reference(row.terms.reference)
    if row.terminated is not None and (known is None or known.state is ContractState.RUNNING):
        faults.append(RowFault(row.row, "terminated", "a list cuts no contract: comity contract terminate"))
    if known is None:
        return None
    same_terms = replace(known.terms, note=None) == replace(row.terms, note=None)
    if known.termination is not row.terminated and known.state is ContractState.TERMINATED:
        faults.append(RowFault(row.row, "reference", "the register has it as terminated, and the list says otherwise"))
    elif not same_terms or row.terms.note not in (None, known.terms.note):
        faults.append(RowFault(row.row, "reference", "the register says otherwise: correct it there first"))
    return known


async def _add_from_sheet(
    store: Store, person: Person, contract: Contract, row: SheetRow, faults: list[RowFault], now: datetime
) -> bool:
    """Add the duty of a row unless it is here; return whether it was added."""
    given = row.duty
    assert given is not None
    there = (await store.contracts.duties([contract.id]))[contract.id]
    same = next((duty for duty in there if (duty.kind, duty.due) == (given.kind, given.due)), None)
    if same is not None:
        if same.state is not given.state:
            faults.append(RowFault(row.row, "state", f"the register has this duty as {same.state}"))
        elif given.note not in (None, await _says(store, same)):
            faults.append(RowFault(row.row, "note", "of this duty the register says otherwise: correct it there first"))
        return False
    if contract.state is ContractState.TERMINATED:
        faults.append(RowFault(row.row, "duty", "the register has this contract as terminated, without this duty"))
        return False
    if len(there) >= MOST_DUTIES:
        faults.append(RowFault(row.row, "duty", f"a contract has at most {MOST_DUTIES} duties"))
        return False
    ended = given.state is not DutyState.OPEN
    duty = Duty(
        id=new_id(),
        contract_id=contract.id,
        kind=given.kind,
        due=given.due,
        made_by=person.id,
        made_at=now,
        state=given.state,
        note=given.note,
        ended_by=person.id if ended else None,
        ended_at=now if ended else None,
    )
    await store.contracts.put_duty(duty)
    return True


async def _says(store: Store, duty: Duty) -> str | None:
    """Return the note of a duty; of one that was waived without any, why."""
    if duty.note is not None or duty.state is not DutyState.WAIVED:
        return duty.note
    acts = await store.local_acts.of(duty.id)
    return next((act.reason for act in reversed(acts) if act.act == DutyState.WAIVED.value), None)


def _require_running(contract: Contract) -> None:
    if contract.state is not ContractState.RUNNING:
        raise ContractMayNot("this contract is terminated already; nothing was changed")


def _plain(value: Any) -> Any:
    """Return a value as the history keeps it."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.to_parsed() if hasattr(value, "to_parsed") else value
