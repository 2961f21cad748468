"""The tables of the supplier view."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where

# The tables of the view grow with every finding. They name their record by its number and carry no foreign key: on
# PostgreSQL one costs as much as the row itself. `comity check` compares them with the records instead.


class EntryFields(SQLModel):
    """What an entry of any kind has."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    handling: str
    named: bool
    """Whether anybody can find it by name."""
    state: str
    by: str | None = None
    reason: str | None = None
    earlier_by: str | None = None


class EntryRow(EntryFields, table=True):
    """One finding of the supplier view, under the number of its record."""

    __tablename__ = "entry"
    __table_args__ = (
        one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_entry_unnamed", "id", **where("not named")),
    )
    finding: str | None = None


class DecisionRow(EntryFields, table=True):
    """One decision of the supplier view, under the number of its record."""

    __tablename__ = "decision"
    __table_args__ = (
        one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_decision_unnamed", "id", **where("not named")),
    )
    decision: str | None = None


class ReplyRow(SQLModel, table=True):
    """One supplier's reply or dispute in the view, under the number of its record, found by what it is about."""

    __tablename__ = "reply"
    __table_args__ = (one_of("state", "current", "superseded", "withdrawn"),)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    about: str | None = Field(default=None, index=True)
    handling: str
    reply: str | None = None
    state: str
    by: str | None = None
    reason: str | None = None
    earlier_by: str | None = None


class ChangeRow(SQLModel, table=True):
    """Something in the supplier view changed; what follows the view reads on from its own cursor.

    `entry` is the number of the record; of a supplier that people joined or parted it is 0, and `supplier` says which.
    """

    __tablename__ = "change"
    __table_args__ = (
        one_of("what", "added", "superseded", "withdrawn", "removed", "expired", "joined", "parted"),
        CheckConstraint("(what in ('joined', 'parted')) = (supplier is not null)", name="whose"),
    )
    id: int | None = Field(default=None, primary_key=True)
    entry: int
    at: datetime = Field(sa_type=UtcTime)
    what: str = Field(default="added", sa_column_kwargs={"server_default": "added"})
    supplier: int | None = None


class EndingRow(SQLModel, table=True):
    """The last day on which something in the view stands, until it has been told that it is over."""

    __tablename__ = "ending"
    __table_args__ = ({"sqlite_with_rowid": False},)
    day: str = Field(primary_key=True)
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
