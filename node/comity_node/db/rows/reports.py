"""The tables of reports and rulings, and beside them: evidence files, objections, what two people decide."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, bytes_column, one_of


class ReportRow(SQLModel, table=True):
    """A report as it came, byte for byte."""

    __tablename__ = "report"
    __table_args__ = (one_of("origin", "signed", "register"),)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    origin: str
    raw: bytes = Field(sa_column=bytes_column())
    firm: str | None = Field(default=None, index=True)
    kid: str | None = None
    root: str | None = None
    signature: str | None = None
    identity: str | None = Field(default=None, index=True)
    """For a register: names the source row; several contents of one row follow each other."""
    marks: str = "[]"
    submitted_by: str = Field(foreign_key="person.id")
    received_at: datetime = Field(sa_type=UtcTime)
    key: str | None = None
    """Names the key of `raw`; None where it lies as it came."""
    keep_until: str | None = Field(default=None, index=True)
    expired_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When its key was shredded; the rest of the row stays."""


class RulingRow(SQLModel, table=True):
    """What this node holds of an authority's decision, with the source's own words."""

    __tablename__ = "ruling"
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    raw: bytes = Field(sa_column=bytes_column())
    identity: str | None = Field(default=None, index=True)
    """For a register: names the source row; several contents of one row follow each other."""
    submitted_by: str = Field(foreign_key="person.id")
    received_at: datetime = Field(sa_type=UtcTime)


class EvidenceRow(SQLModel, table=True):
    """A file that a report lists; its content lies in the vault, under `id`."""

    __tablename__ = "evidence"
    __table_args__ = (
        one_of("state", "receiving", "kept", "shredded"),
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
        one_of("state", "standing", "withdrawn", "overruled"),
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
        one_of("act", "overrule", "hold", "let-go", "withdraw-basis", "restore-basis"),
        one_of("state", "proposed", "confirmed", "declined"),
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


class AllowanceRow(SQLModel, table=True):
    """What two reviewers say to one audit; the same person cannot be both."""

    __tablename__ = "audit_allowance"
    __table_args__ = (
        one_of("state", "proposed", "allowed", "declined"),
        CheckConstraint("second_by is null or second_by <> first_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (second_by is null)", name="decided"),
        CheckConstraint("(second_by is null) = (second_code is null)", name="says_why"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    report_id: str = Field(foreign_key="report.id", index=True)
    state: str
    first_by: str = Field(foreign_key="person.id")
    first_at: datetime = Field(sa_type=UtcTime)
    first_code: str
    first_words: str
    second_by: str | None = Field(default=None, foreign_key="person.id")
    second_at: datetime | None = Field(default=None, sa_type=UtcTime)
    second_code: str | None = None
    second_words: str | None = None
