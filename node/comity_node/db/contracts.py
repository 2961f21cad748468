"""The contract register. Nothing that leaves is made from these tables."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.contracts import ContractRow, DutyRow
from comity_node.domain.contracts import (
    Answer,
    Answered,
    Contract,
    ContractState,
    Duty,
    DutyKind,
    DutyState,
    ExitCheck,
    LabourClause,
    TerminationReason,
    Terms,
)
from comity_schemas.identifiers import Identifier

_CHUNK = 500


class Contracts:
    """Repository of contracts and of the duties that stand in them."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def put(self, contract: Contract) -> None:
        """Store a contract, new or changed."""
        row, fields = await self._row(contract.id), self._fields(contract)
        if row is None:
            self._session.add(ContractRow(id=contract.id, **fields))
        else:
            for name, value in fields.items():
                setattr(row, name, value)
        await self._session.flush()

    async def find(self, contract_id: str) -> Contract | None:
        """Return a contract by its id."""
        row = await self._row(contract_id)
        return None if row is None else self._contract(row)

    async def by_reference(self, reference: str) -> Contract | None:
        """Return a contract by its reference."""
        row = (await self._session.exec(select(ContractRow).where(ContractRow.reference == reference))).first()
        return None if row is None else self._contract(row)

    async def page(self, *, state: ContractState | None, before: int | None, most: int) -> list[Contract]:
        """Return contracts newest first."""
        query = select(ContractRow).order_by(col(ContractRow.number).desc()).limit(most)
        if state is not None:
            query = query.where(ContractRow.state == state.value)
        if before is not None:
            query = query.where(col(ContractRow.number) < before)
        return [self._contract(row) for row in await self._session.exec(query)]

    async def all(self) -> list[Contract]:
        """Return the whole register, by reference, for its export."""
        return [
            self._contract(row) for row in await self._session.exec(select(ContractRow).order_by(ContractRow.reference))
        ]

    async def ending(self, first: date, last: date, *, most: int) -> list[Contract]:
        """Return the contracts that run and end between two days, the soonest first."""
        between = (col(ContractRow.ends) >= first.isoformat(), col(ContractRow.ends) <= last.isoformat())
        query = select(ContractRow).where(ContractRow.state == "running", *between)
        query = query.order_by(col(ContractRow.ends), col(ContractRow.number)).limit(most)
        return [self._contract(row) for row in await self._session.exec(query)]

    async def put_duty(self, duty: Duty) -> None:
        """Store a duty, new or changed."""
        row, fields = await self._duty_row(duty.id), self._duty_fields(duty)
        if row is None:
            self._session.add(DutyRow(id=duty.id, **fields))
        else:
            for name, value in fields.items():
                setattr(row, name, value)
        await self._session.flush()

    async def find_duty(self, duty_id: str) -> Duty | None:
        """Return a duty by its id."""
        row = await self._duty_row(duty_id)
        return None if row is None else self._duty(row)

    async def duties(self, contract_ids: Sequence[str]) -> dict[str, list[Duty]]:
        """Return the duties of some contracts, each in the order of their days."""
        found: dict[str, list[Duty]] = {name: [] for name in contract_ids}
        for start in range(0, len(contract_ids), _CHUNK):
            query = select(DutyRow).where(col(DutyRow.contract_id).in_(contract_ids[start : start + _CHUNK]))
            for row in await self._session.exec(query.order_by(col(DutyRow.due), col(DutyRow.number))):
                found[row.contract_id].append(self._duty(row))
        return found

    async def due_until(self, day: date, *, most: int) -> list[Duty]:
        """Return the open duties of running contracts that are due by a day, the longest overdue first."""
        query = select(DutyRow).join(ContractRow, col(ContractRow.id) == DutyRow.contract_id)
        query = query.where(DutyRow.state == "open", ContractRow.state == "running", DutyRow.due <= day.isoformat())
        query = query.order_by(col(DutyRow.due), col(DutyRow.number)).limit(most)
        return [self._duty(row) for row in await self._session.exec(query)]

    async def _row(self, contract_id: str) -> ContractRow | None:
        return (await self._session.exec(select(ContractRow).where(ContractRow.id == contract_id))).first()

    async def _duty_row(self, duty_id: str) -> DutyRow | None:
        return (await self._session.exec(select(DutyRow).where(DutyRow.id == duty_id))).first()

    def _fields(self, contract: Contract) -> dict[str, Any]:
        terms, number = contract.terms, contract.terms.identifier
        return {
            "reference": terms.reference,
            "supplier": self._seals.seal_words(terms.supplier),
            "ends": terms.ends.isoformat(),
            "clauses": json.dumps(sorted(terms.clauses)),
            "identifier": self._seals.seal_words(None if number is None else json.dumps(number.to_parsed())),
            "note": self._seals.seal_words(terms.note),
            "state": contract.state.value,
            "exit_plan": self._seals.seal_words(
                json.dumps(
                    {c.value: [a.answer.value, a.words] for c, a in contract.exit_plan.items()}, ensure_ascii=False
                )
            ),
            "exit_by": contract.exit_by,
            "exit_at": contract.exit_at,
            "terminated_by": contract.terminated_by,
            "terminated_at": contract.terminated_at,
            "termination": None if contract.termination is None else contract.termination.value,
            "made_by": contract.made_by,
            "made_at": contract.made_at,
        }

    def _contract(self, row: ContractRow) -> Contract:
        opened = self._seals.open_words
        number = opened(row.identifier)
        terms = Terms(
            reference=row.reference,
            supplier=opened(row.supplier) or "",
            ends=date.fromisoformat(row.ends),
            clauses=frozenset(map(LabourClause, json.loads(row.clauses))),
            identifier=None if number is None else Identifier.from_parsed(json.loads(number)),
            note=opened(row.note),
        )
        return Contract(
            id=row.id,
            terms=terms,
            made_by=row.made_by,
            made_at=row.made_at,
            state=ContractState(row.state),
            exit_plan={
                ExitCheck(check): Answered(Answer(answer), words)
                for check, (answer, words) in json.loads(opened(row.exit_plan) or "{}").items()
            },
            exit_by=row.exit_by,
            exit_at=row.exit_at,
            terminated_by=row.terminated_by,
            terminated_at=row.terminated_at,
            termination=None if row.termination is None else TerminationReason(row.termination),
            number=row.number or 0,
        )

    def _duty_fields(self, duty: Duty) -> dict[str, Any]:
        return {
            "contract_id": duty.contract_id,
            "kind": duty.kind.value,
            "due": duty.due.isoformat(),
            "state": duty.state.value,
            "note": self._seals.seal_words(duty.note),
            "ended_by": duty.ended_by,
            "ended_at": duty.ended_at,
            "made_by": duty.made_by,
            "made_at": duty.made_at,
        }

    def _duty(self, row: DutyRow) -> Duty:
        return Duty(
            id=row.id,
            contract_id=row.contract_id,
            kind=DutyKind(row.kind),
            due=date.fromisoformat(row.due),
            made_by=row.made_by,
            made_at=row.made_at,
            state=DutyState(row.state),
            note=self._seals.open_words(row.note),
            ended_by=row.ended_by,
            ended_at=row.ended_at,
            number=row.number or 0,
        )
