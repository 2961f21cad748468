"""The tables of what members say of each other's findings, in the view."""

from sqlmodel import Field, SQLModel

from comity_node.db.rows import _one_of


class CorroborationRow(SQLModel, table=True):
    """One member's evidence on another's finding, under the number of its record, found by what it is about."""

    __tablename__ = "corroboration"
    __table_args__ = (_one_of("state", "current", "superseded", "withdrawn"),)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    about: str | None = Field(default=None, index=True)
    handling: str
    corroboration: str | None = None
    state: str
    by: str | None = None
    reason: str | None = None
