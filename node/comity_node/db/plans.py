"""Corrective-action plans and their history. Nothing that leaves is made from these tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.cases import kept_from
from comity_node.db.rows.plans import LocalActRow, PlanItemRow
from comity_node.domain.plan import OPEN, Escalated, EscalationStep, ItemState, PlanItem
from comity_schemas.finding import Remedy, Verified


@dataclass(frozen=True, slots=True)
class LocalAct:
    """What somebody did, and what stood there before."""

    act: str
    by: str
    at: datetime
    reason: str | None
    before: Mapping[str, Any]


class LocalActs:
    """Repository of the history of what stays here; it only grows."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, subject: str, act: LocalAct) -> None:
        """Store what somebody did."""
        before = self._seals.seal_words(json.dumps(dict(act.before), ensure_ascii=False)) or ""
        reason = self._seals.seal_words(act.reason)
        self._session.add(LocalActRow(subject=subject, act=act.act, by=act.by, at=act.at, reason=reason, before=before))
        await self._session.flush()

    async def of(self, subject: str) -> list[LocalAct]:
        """Return what was done to one thing, oldest first."""
        query = select(LocalActRow).where(LocalActRow.subject == subject).order_by(col(LocalActRow.number))
        rows = await self._session.exec(query)
        opened = self._seals.open_words
        return [
            LocalAct(row.act, row.by, row.at, opened(row.reason), json.loads(opened(row.before) or "{}"))
            for row in rows
        ]


class Plans:
    """Repository of the items of plans."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def put(self, item: PlanItem) -> None:
        """Store an item, new or changed."""
        row, fields = await self._row(item.id), self._fields(item)
        if row is None:
            self._session.add(PlanItemRow(id=item.id, **fields))
        else:
            for name, value in fields.items():
                setattr(row, name, value)
        await self._session.flush()

    async def find(self, item_id: str) -> PlanItem | None:
        """Return an item by its id."""
        row = await self._row(item_id)
        return None if row is None else self._item(row)

    async def of_finding(self, finding: str) -> list[PlanItem]:
        """Return the items of a finding without a report, in the order of their due months."""
        return await self._items(col(PlanItemRow.finding) == finding)

    async def of_observation(self, report_id: str, observation: str) -> list[PlanItem]:
        """Return the items of an observation, in the order of their due months."""
        return await self._items(col(PlanItemRow.report_id) == report_id, col(PlanItemRow.observation) == observation)

    async def of_contract(self, contract_id: str, *, seen_by: str | None = None) -> list[PlanItem]:
        """Return the items that hang on a contract, in the order of their due months; all, or what somebody may see."""
        seen = [] if seen_by is None else [_seen_by(seen_by)]
        return await self._items(col(PlanItemRow.contract_id) == contract_id, *seen)

    async def page(
        self, *, states: frozenset[ItemState], before: int | None, most: int, seen_by: str
    ) -> list[PlanItem]:
        """Return items in some states, newest first, but for those of reports that are kept from somebody."""
        in_state = col(PlanItemRow.state).in_([state.value for state in states])
        query = select(PlanItemRow).where(in_state, _seen_by(seen_by))
        if before is not None:
            query = query.where(col(PlanItemRow.number) < before)
        query = query.order_by(col(PlanItemRow.number).desc()).limit(most)
        return [self._item(row) for row in await self._session.exec(query)]

    async def due_before(self, month: str, *, most: int) -> list[PlanItem]:
        """Return items that are not done and were due before a month, the longest overdue first."""
        open_states = [state.value for state in OPEN]
        query = select(PlanItemRow).where(col(PlanItemRow.state).in_(open_states), col(PlanItemRow.due) < month)
        query = query.order_by(col(PlanItemRow.due), col(PlanItemRow.number)).limit(most)
        return [self._item(row) for row in await self._session.exec(query)]

    async def done_before(self, at: datetime, *, most: int) -> list[PlanItem]:
        """Return items that were called done before a time and that nobody has verified, oldest first."""
        query = select(PlanItemRow).where(PlanItemRow.state == "done", col(PlanItemRow.done_at) < at)
        query = query.order_by(col(PlanItemRow.done_at), col(PlanItemRow.number)).limit(most)
        return [self._item(row) for row in await self._session.exec(query)]

    async def counts(self) -> dict[str, int]:
        """Return how many items there are in each state."""
        query = select(PlanItemRow.state, func.count()).group_by(PlanItemRow.state)
        return dict((await self._session.exec(query)).all())

    async def _items(self, *where: Any) -> list[PlanItem]:
        query = select(PlanItemRow).where(*where).order_by(col(PlanItemRow.due), col(PlanItemRow.number))
        return [self._item(row) for row in await self._session.exec(query)]

    async def _row(self, item_id: str) -> PlanItemRow | None:
        return (await self._session.exec(select(PlanItemRow).where(PlanItemRow.id == item_id))).first()

    def _fields(self, item: PlanItem) -> dict[str, Any]:
        return {
            "finding": item.finding,
            "report_id": item.report_id,
            "observation": item.observation,
            "remedy": item.remedy.value,
            "due": item.due,
            "state": item.state.value,
            "made_by": item.made_by,
            "made_at": item.made_at,
            "note": self._seals.seal_words(item.note),
            "contract_id": item.contract_id,
            "done_by": item.done_by,
            "done_at": item.done_at,
            "verified": None if item.verified is None else item.verified.value,
            "verifier": self._seals.seal_words(item.verifier),
            "verified_by": item.verified_by,
            "follow_up": item.follow_up,
            "escalated": json.dumps([[e.step.value, e.by, e.at.isoformat()] for e in item.escalated]),
        }

    def _item(self, row: PlanItemRow) -> PlanItem:
        return PlanItem(
            id=row.id,
            finding=row.finding,
            report_id=row.report_id,
            observation=row.observation,
            remedy=Remedy(row.remedy),
            due=row.due,
            state=ItemState(row.state),
            made_by=row.made_by,
            made_at=row.made_at,
            note=self._seals.open_words(row.note),
            contract_id=row.contract_id,
            done_by=row.done_by,
            done_at=row.done_at,
            verified=None if row.verified is None else Verified(row.verified),
            verifier=self._seals.open_words(row.verifier),
            verified_by=row.verified_by,
            follow_up=row.follow_up,
            escalated=tuple(
                Escalated(EscalationStep(step), by, datetime.fromisoformat(at))
                for step, by, at in json.loads(row.escalated)
            ),
            number=row.number or 0,
        )


def _seen_by(person: str) -> Any:
    """Everything but items of reports of cases to none of which this person is assigned."""
    return or_(col(PlanItemRow.report_id).is_(None), col(PlanItemRow.report_id).not_in(kept_from(person)))
