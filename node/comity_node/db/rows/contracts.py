"""The tables of the contract register. They stay at the node: nothing that leaves is made from them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where

OPEN = "state = 'open'"


class ContractRow(SQLModel, table=True):
    """One contract of this member, and the exit plan that must come before it is cut."""

    __tablename__ = "contract"
    __table_args__ = (
        one_of("state", "running", "terminated"),
        CheckConstraint("(state = 'terminated') = (terminated_by is not null)", name="terminated"),
        CheckConstraint("(state = 'terminated') = (termination is not null)", name="why"),
        CheckConstraint("state = 'running' or exit_by is not null", name="exit_plan_first"),
        # Who answered the checks does not cut the contract, whatever the code above forgets.
        CheckConstraint("terminated_by is null or terminated_by <> exit_by", name="two_people"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    reference: str = Field(unique=True)
    supplier: str
    ends: str = Field(index=True)
    clauses: str
    identifier: str | None = None
    note: str | None = None
    state: str
    exit_plan: str
    exit_by: str | None = Field(default=None, foreign_key="person.id")
    exit_at: datetime | None = Field(default=None, sa_type=UtcTime)
    terminated_by: str | None = Field(default=None, foreign_key="person.id")
    terminated_at: datetime | None = Field(default=None, sa_type=UtcTime)
    termination: str | None = None
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime = Field(sa_type=UtcTime)


class DutyRow(SQLModel, table=True):
    """Something a supplier has to do by a day."""

    __tablename__ = "duty"
    __table_args__ = (
        one_of("state", "open", "done", "waived"),
        CheckConstraint("(state = 'open') = (ended_by is null)", name="ended"),
        Index("ix_duty_open", "due", **where(OPEN)),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    contract_id: str = Field(foreign_key="contract.id", index=True)
    kind: str
    due: str
    state: str
    note: str | None = None
    ended_by: str | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime = Field(sa_type=UtcTime)
