"""The tables of screenings on file. They stay at the node; what was asked and answered lies sealed."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, bytes_column, one_of


class FilingRow(SQLModel, table=True):
    """One screening on file."""

    __tablename__ = "filing"
    __table_args__ = (
        one_of("stage", "tender", "evaluation", "award"),
        CheckConstraint("(taken_back_by is null) = (taken_back_at is null)", name="taken_back"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    reference: str = Field(unique=True)
    stage: str
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    keep_until: str = Field(index=True)
    moment: str
    engine: str
    asked: int
    taken_back_by: str | None = Field(default=None, foreign_key="person.id")
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcTime)
    taken_back_why: str | None = None
    destroyed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class FiledPartRow(SQLModel, table=True):
    """Some of the questions of a screening with their answers, sealed under a key of their own."""

    __tablename__ = "filed_part"
    filing: int = Field(primary_key=True, foreign_key="filing.number")
    first: int = Field(primary_key=True)
    rows: int
    key: str | None = None
    content: bytes = Field(sa_column=bytes_column())
