"""The tables of long work: jobs, and which proposals of a batch somebody has opened."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where


class JobRow(SQLModel, table=True):
    """An import, a release of many or the screening of a file, done a little at a time; goes on after a restart."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("kind", "import", "release", "screening"),
        one_of("state", "running", "done", "cancelled", "failed"),
        CheckConstraint("(state = 'running') = (ended_at is null)", name="ended"),
        Index("ix_job_running", "number", **where("state = 'running'")),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    kind: str
    state: str
    batch: str = Field(index=True)
    started_by: str = Field(foreign_key="person.id")
    started_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    total: int
    done: int
    place: int
    """Up to where it is done: a row of the table, or the number of a proposal."""
    result: str
    input: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """What is imported or screened; of an import forgotten when it is done."""
    output: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """What was said of each row of a file that was screened, compressed; only of a whole run."""
    why: str | None = None


class OpenedRow(SQLModel, table=True):
    """Somebody has opened a proposal of a batch."""

    __tablename__ = "opened_proposal"
    review_id: str = Field(primary_key=True, foreign_key="review.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
