"""The tables of people at risk: cases, their steps and staff, who is on duty, and local contacts."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel, col, select

from comity_node.db.rows.columns import UtcTime, one_of
from comity_node.domain.protection import CHILDREN, ContactKind


class CaseRow(SQLModel, table=True):
    """People at risk at one supplier; no person is named."""

    __tablename__ = "protection_case"
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    whom: str
    place: str
    children: bool
    report_id: str | None = Field(default=None, foreign_key="report.id", index=True)
    reference: str | None = None
    opened_by: str = Field(foreign_key="person.id")
    opened_at: datetime = Field(sa_type=UtcTime)
    passed_on_at: datetime = Field(sa_type=UtcTime)
    passed_on: int = 0
    reviewed: bool = Field(default=False, index=True)
    pointer: str | None = Field(default=None, foreign_key="review.id")
    detail: str | None = None


class CaseStepRow(SQLModel, table=True):
    """A step that was taken; one that was taken back stays and says so."""

    __tablename__ = "protection_step"
    __table_args__ = (
        one_of("step", *(step.value for step in CHILDREN)),
        CheckConstraint("(step = 'referral-offered') = (consent is not null)", name="consent"),
        CheckConstraint("(step = 'referral-contacted') = (contact is not null)", name="contacted"),
        CheckConstraint("(undone_by is null) = (undone_at is null)", name="undone"),
    )
    number: int | None = Field(default=None, primary_key=True)
    case_id: str = Field(foreign_key="protection_case.id", index=True)
    step: str
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    contact: str | None = None
    consent: bool | None = None
    undone_by: str | None = Field(default=None, foreign_key="person.id")
    undone_at: datetime | None = Field(default=None, sa_type=UtcTime)


class CaseReportRow(SQLModel, table=True):
    """A report that a case keeps back: the one that it was opened from, and those that stand in its place."""

    __tablename__ = "protection_report"
    case_id: str = Field(primary_key=True, foreign_key="protection_case.id")
    report_id: str = Field(primary_key=True, foreign_key="report.id", index=True)


class CaseStaffRow(SQLModel, table=True):
    """Who is assigned to a case: nobody else can tell that it exists."""

    __tablename__ = "protection_staff"
    case_id: str = Field(primary_key=True, foreign_key="protection_case.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id", index=True)


class OnDutyRow(SQLModel, table=True):
    """The focal point and its deputies, in their order."""

    __tablename__ = "protection_duty"
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    person_id: str = Field(unique=True, foreign_key="person.id")


class ContactRow(SQLModel, table=True):
    """An organisation to which people can be referred."""

    __tablename__ = "referral_contact"
    __table_args__ = (one_of("kind", *(kind.value for kind in ContactKind)),)
    id: str = Field(primary_key=True)
    country: str = Field(index=True)
    name: str
    kind: str
    reach: str
    review_by: str


def kept_from(person: str) -> Any:
    """Return a query for the reports of cases, to none of which somebody is assigned."""
    mine = (
        select(CaseReportRow.report_id)
        .join(CaseStaffRow, col(CaseStaffRow.case_id) == col(CaseReportRow.case_id))
        .where(CaseStaffRow.person_id == person)
    )
    return select(CaseReportRow.report_id).where(col(CaseReportRow.report_id).not_in(mine))


def of_cases() -> Any:
    """Return a query for the reports of cases, whoever is assigned."""
    return select(CaseReportRow.report_id)
