"""The tables beside reports: evidence files, objections of auditors, and what two people decide together."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows import UtcTime, _one_of


class EvidenceRow(SQLModel, table=True):
    """A file that a report lists; its content lies in the vault, under `id`."""

    __tablename__ = "evidence"
    __table_args__ = (
        _one_of("state", "receiving", "kept", "shredded"),
        CheckConstraint("(kept_at is null) or (state <> 'receiving')", name="kept"),
        Index("uq_evidence_report_id_ref", "report_id", "ref", unique=True),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    report_id: str = Field(foreign_key="report.id")
    ref: str
    state: str
    scanned: bool = False
    keep_until: str = Field(index=True)
    begun_by: str = Field(foreign_key="person.id")
    begun_at: datetime = Field(sa_type=UtcTime)
    kept_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ObjectionRow(SQLModel, table=True):
    """An auditor's objection to what would leave of a report."""

    __tablename__ = "objection"
    __table_args__ = (
        _one_of("state", "standing", "withdrawn", "overruled"),
        CheckConstraint("(state = 'standing') = (ended_by is null)", name="ended"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    report_id: str = Field(foreign_key="report.id", index=True)
    observation: str | None = None
    reason: str
    state: str
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime = Field(sa_type=UtcTime)
    ended_by: str | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class JointActRow(SQLModel, table=True):
    """What two people decide together about a report."""

    __tablename__ = "joint_act"
    __table_args__ = (
        _one_of("act", "overrule", "hold", "let-go"),
        _one_of("state", "proposed", "confirmed", "declined"),
        CheckConstraint("decided_by is null or decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decided"),
        CheckConstraint("(act = 'overrule') = (objection_id is not null)", name="overrules_one"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    act: str
    report_id: str = Field(foreign_key="report.id", index=True)
    objection_id: str | None = Field(default=None, foreign_key="objection.id")
    reason: str
    state: str
    proposed_by: str = Field(foreign_key="person.id")
    proposed_at: datetime = Field(sa_type=UtcTime)
    decided_by: str | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ConsentRow(SQLModel, table=True):
    """One consent; a proposal has one at most."""

    __tablename__ = "audience_consent"
    review_id: str = Field(primary_key=True, foreign_key="review.id")
    given_by: str = Field(foreign_key="person.id")
    given_at: datetime = Field(sa_type=UtcTime)
