"""The tables of pointers: their part of the supplier view, and for whom this member has proposed one."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import one_of, where
from comity_node.db.rows.view import EntryFields


class PointerRow(EntryFields, table=True):
    """One pointer of the supplier view, under the number of its record."""

    __tablename__ = "pointer"
    __table_args__ = (
        one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_pointer_unnamed", "id", **where("not named")),
    )
    pointer: str | None = None


class PointerMarkRow(SQLModel, table=True):
    """A name with its country, or an identifier, of a supplier for which this member proposed a pointer."""

    __tablename__ = "pointer_mark"
    review_id: str = Field(primary_key=True, foreign_key="review.id")
    mark: str = Field(primary_key=True, index=True)
