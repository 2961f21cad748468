"""The tables of corrective-action plans. They stay at the node: nothing that leaves is made from them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where

_OPEN = "state in ('agreed', 'under-way', 'done')"
"""What may become overdue: small, however many items were verified."""


class PlanItemRow(SQLModel, table=True):
    """One thing that was agreed to be put right, of one finding or observation."""

    __tablename__ = "plan_item"
    __table_args__ = (
        one_of("state", "agreed", "under-way", "done", "verified", "dropped"),
        CheckConstraint("(finding is null) <> (report_id is null)", name="one_subject"),
        CheckConstraint("(report_id is null) = (observation is null)", name="of_an_observation"),
        CheckConstraint("(state = 'verified') = (verified_by is not null)", name="verified"),
        # Who noted that it was done does not verify it, whatever the code above forgets.
        CheckConstraint("verified_by is null or done_by is null or verified_by <> done_by", name="two_people"),
        Index("ix_plan_item_report_id_observation", "report_id", "observation"),
        Index("ix_plan_item_open", "due", **where(_OPEN)),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    finding: str | None = Field(default=None, index=True)
    report_id: str | None = Field(default=None, foreign_key="report.id")
    observation: str | None = None
    remedy: str
    due: str
    state: str
    note: str | None = None
    contract_id: str | None = Field(default=None, index=True)
    escalated: str = "[]"
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime = Field(sa_type=UtcTime)
    done_by: str | None = Field(default=None, foreign_key="person.id")
    done_at: datetime | None = Field(default=None, sa_type=UtcTime)
    verified: str | None = None
    verifier: str | None = None
    verified_by: str | None = Field(default=None, foreign_key="person.id")
    follow_up: str | None = Field(default=None, foreign_key="report.id")


class LocalActRow(SQLModel, table=True):
    """What somebody did to an item of a plan, with what stood there before: so that it can be undone."""

    __tablename__ = "local_act"
    number: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    act: str
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    reason: str | None = None
    before: str
