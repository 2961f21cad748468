"""The tables of audit notices, and of what members say of each other's findings, in the view."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import one_of, where
from comity_node.db.rows.view import EntryFields


class CorroborationRow(SQLModel, table=True):
    """One member's evidence on another's finding, under the number of its record, found by what it is about."""

    __tablename__ = "corroboration"
    __table_args__ = (one_of("state", "current", "superseded", "withdrawn"),)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    about: str | None = Field(default=None, index=True)
    handling: str
    corroboration: str | None = None
    state: str
    by: str | None = None
    reason: str | None = None
    earlier_by: str | None = None


class NoticeRow(EntryFields, table=True):
    """One audit notice of the supplier view, under the number of its record."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_notice_unnamed", "id", **where("not named")),
    )
    notice: str | None = None
