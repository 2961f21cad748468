"""Objections of auditors, and what two people decide together about a report: to overrule one, hold it, let it go."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.reports import JointActRow, ObjectionRow


@dataclass(frozen=True, slots=True)
class Objection:
    """An auditor's objection to the drafts made from a report, or to one of them."""

    id: str
    report_id: str
    observation: str | None
    reason: str
    made_by: str
    made_at: datetime
    state: str = "standing"
    """`standing`, `withdrawn` or `overruled`."""
    ended_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JointAct:
    """What one person proposed about a report and a second one confirms or declines."""

    id: str
    act: str
    """`overrule`, `hold` or `let-go`."""
    report_id: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    objection_id: str | None = None
    state: str = "proposed"
    """`proposed`, `confirmed` or `declined`."""
    decided_by: str | None = None
    decided_at: datetime | None = None


class Concerns:
    """Repository of objections and joint acts."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def object(self, objection: Objection) -> None:
        """Store a new objection."""
        self._session.add(
            ObjectionRow(
                id=objection.id,
                report_id=objection.report_id,
                observation=objection.observation,
                reason=self._seals.seal_words(objection.reason) or "",
                state=objection.state,
                made_by=objection.made_by,
                made_at=objection.made_at,
            )
        )
        await self._session.flush()

    async def find_objection(self, objection_id: str) -> Objection | None:
        """Return an objection by its id."""
        row = (await self._session.exec(select(ObjectionRow).where(ObjectionRow.id == objection_id))).first()
        return None if row is None else self._objection(row)

    async def objections(self, report_id: str) -> list[Objection]:
        """Return a report's objections, oldest first."""
        query = select(ObjectionRow).where(ObjectionRow.report_id == report_id).order_by(col(ObjectionRow.number))
        return [self._objection(row) for row in await self._session.exec(query)]

    async def end_objection(self, objection_id: str, *, state: str, by: str, now: datetime) -> None:
        """Withdraw or overrule an objection."""
        row = (await self._session.exec(select(ObjectionRow).where(ObjectionRow.id == objection_id))).one()
        row.state, row.ended_by, row.ended_at = state, by, now
        await self._session.flush()

    async def propose(self, act: JointAct) -> None:
        """Store what one person proposes."""
        self._session.add(
            JointActRow(
                id=act.id,
                act=act.act,
                report_id=act.report_id,
                objection_id=act.objection_id,
                reason=self._seals.seal_words(act.reason) or "",
                state=act.state,
                proposed_by=act.proposed_by,
                proposed_at=act.proposed_at,
            )
        )
        await self._session.flush()

    async def find_act(self, act_id: str) -> JointAct | None:
        """Return a joint act by its id."""
        row = (await self._session.exec(select(JointActRow).where(JointActRow.id == act_id))).first()
        return None if row is None else self._joint_act(row)

    async def acts(self, report_id: str) -> list[JointAct]:
        """Return a report's joint acts, oldest first."""
        query = select(JointActRow).where(JointActRow.report_id == report_id).order_by(col(JointActRow.number))
        return [self._joint_act(row) for row in await self._session.exec(query)]

    async def decide(self, act_id: str, *, state: str, by: str, now: datetime) -> None:
        """Record the second person's decision; the database refuses the same person twice."""
        row = (await self._session.exec(select(JointActRow).where(JointActRow.id == act_id))).one()
        row.state, row.decided_by, row.decided_at = state, by, now
        await self._session.flush()

    async def is_held(self, report_id: str) -> bool:
        """Tell whether a legal hold stands on a report and its evidence."""
        confirmed = [
            a.act for a in await self.acts(report_id) if a.state == "confirmed" and a.act in ("hold", "let-go")
        ]
        return confirmed[-1:] == ["hold"]

    def _objection(self, row: ObjectionRow) -> Objection:
        return Objection(
            row.id,
            row.report_id,
            row.observation,
            self._seals.open_words(row.reason) or "",
            row.made_by,
            row.made_at,
            row.state,
            row.ended_by,
            row.ended_at,
        )

    def _joint_act(self, row: JointActRow) -> JointAct:
        return JointAct(
            row.id,
            row.act,
            row.report_id,
            self._seals.open_words(row.reason) or "",
            row.proposed_by,
            row.proposed_at,
            row.objection_id,
            row.state,
            row.decided_by,
            row.decided_at,
        )
