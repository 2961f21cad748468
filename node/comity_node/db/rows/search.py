"""The tables of the name index: under which keys suppliers are found, and how far it has followed them.

All of it is made from `supplier_name` and can be made anew at any time. The same rows on SQLite and PostgreSQL.
"""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import bytes_column


class SearchPostingRow(SQLModel, table=True):
    """A part of the list of suppliers that have a key, packed (`db.packing`).

    Chunk 0 is the one that grows, and its `n` counts the whole list; a full one is closed under the length that the
    list had then, and never changes again.
    """

    __tablename__ = "search_posting"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    chunk: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    n: int
    ids: bytes = Field(sa_column=bytes_column())


class SearchSizeRow(SQLModel, table=True):
    """Of suppliers of consecutive numbers, a byte each: how many keys its shortest name had when it came into the
    index. What is written of a supplier never changes."""

    __tablename__ = "search_size"
    __table_args__ = ({"sqlite_with_rowid": False},)
    first: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """The number of the first of them."""
    sizes: bytes = Field(sa_column=bytes_column())


class SearchDeltaRow(SQLModel, table=True):
    """That a supplier has a key: not merged into the lists yet."""

    __tablename__ = "search_delta"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class SearchWaitingRow(SQLModel, table=True):
    """A new name of a supplier that is in the index already."""

    __tablename__ = "search_waiting"
    __table_args__ = ({"sqlite_with_rowid": False},)
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str = Field(primary_key=True)


class SearchStateRow(SQLModel, table=True):
    """How far the index is; there is one row."""

    __tablename__ = "search_state"
    __table_args__ = (CheckConstraint("one = 1", name="one"),)
    one: int = Field(default=1, primary_key=True)
    folding: int
    """Under which names were folded into keys."""
    built: int
    """All suppliers up to this number are in the index, but for names that wait."""
    batch: int | None = None
    """Up to this number they are being added, in key order."""
    reached: int | None = None
    """Up to this key, itself included, that is done."""
    delta: int = 0
    """Rows of the delta."""
    since: str | None = None
    """When it began to be built anew, or many suppliers came at once, as ISO 8601; none once it is up with them."""
    stamp: str | None = None
    """Another one after each change of the index, so that what was read of it is known to hold."""
