"""The tables of suppliers as this node knows them.

`supplier`, `supplier_name`, `supplier_identifier` and `supplier_mention` follow the supplier view from a cursor of
their own and can be made anew from it; a supplier's number and key stay. What people judge stands in tables of its own.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where


class SupplierRow(SQLModel, table=True):
    """A supplier, site or labour provider; `whole` is the smallest number of those that people joined with it."""

    __tablename__ = "supplier"
    __table_args__ = (
        one_of("kind", "supplier", "site", "labour-provider"),
        Index("ix_supplier_whole_sorting", "whole", "sorting"),
        Index("ix_supplier_sorting", "sorting", "number"),
        Index("ix_supplier_newest", "newest", "number"),
    )
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str = Field(unique=True)
    kind: str
    name: str
    sorting: str
    country: str
    whole: int
    newest: str = ""
    """The newest month that a statement about it tells of."""


class SupplierNameRow(SQLModel, table=True):
    """A name under which a supplier can be found."""

    __tablename__ = "supplier_name"
    __table_args__ = (Index("ix_supplier_name_folded", "folded", "supplier"), {"sqlite_with_rowid": False})
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str = Field(primary_key=True)
    folded: str
    country: str


class SupplierIdentifierRow(SQLModel, table=True):
    """An identifier under which a supplier can be found."""

    __tablename__ = "supplier_identifier"
    __table_args__ = (Index("ix_supplier_identifier_supplier", "supplier"), {"sqlite_with_rowid": False})
    scheme: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class SupplierMentionRow(SQLModel, table=True):
    """That a finding or decision, by the number of its record, mentions a supplier, and as what."""

    __tablename__ = "supplier_mention"
    __table_args__ = (
        one_of("role", "subject", "operator", "client"),
        Index("ix_supplier_mention_supplier", "supplier", "entry"),
        Index("ix_supplier_mention_event", "event", **where("event is not null")),
        {"sqlite_with_rowid": False},
    )
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    role: str
    decision: bool
    told: str
    """The month or day that it tells of, for sorting."""
    severity: str
    event: str | None = None
    """Its publisher and the publisher's reference of an event."""


class AsideRow(SQLModel, table=True):
    """That a pointer or an audit notice, by the number of its record, names a supplier: no finding or decision."""

    __tablename__ = "supplier_aside"
    __table_args__ = (Index("ix_supplier_aside_supplier", "supplier"), {"sqlite_with_rowid": False})
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    supplier: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class FollowedRow(SQLModel, table=True):
    """How far something has followed the changes of the supplier view."""

    __tablename__ = "followed"
    name: str = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger)


class JudgementRow(SQLModel, table=True):
    """What a person judged of two suppliers; an undone one stays."""

    __tablename__ = "judgement"
    __table_args__ = (
        one_of("judged", "same", "different", "apart"),
        CheckConstraint("first <> second", name="two"),
        CheckConstraint("(undone_at is null) = (undone_by is null)", name="undone"),
        Index("ix_judgement_first", "first", **where("undone_at is null")),
        Index("ix_judgement_second", "second", **where("undone_at is null")),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    judged: str
    first: int = Field(foreign_key="supplier.number")
    second: int = Field(foreign_key="supplier.number")
    because: str
    words: str | None = None
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    undone_by: str | None = Field(default=None, foreign_key="person.id")
    undone_at: datetime | None = Field(default=None, sa_type=UtcTime)
    undone_words: str | None = None


class ApartRow(SQLModel, table=True):
    """A statement that a judgement took for another supplier's; what revises it follows."""

    __tablename__ = "apart"
    statement: str = Field(primary_key=True)
    judgement: str = Field(foreign_key="judgement.id", index=True)
    supplier: int = Field(foreign_key="supplier.number")


class FactoryListRow(SQLModel, table=True):
    """A list of factories that somebody gave; one that was taken back stays, and says nothing any more."""

    __tablename__ = "factory_list"
    __table_args__ = (CheckConstraint("(taken_back_at is null) = (taken_back_by is null)", name="taken_back"),)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    title: str
    owner: int | None = Field(default=None, foreign_key="supplier.number", index=True)
    tier: int | None = None
    file: str
    """SHA-256 of the file."""
    columns: str
    unread: str
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    taken_back_by: str | None = Field(default=None, foreign_key="person.id")
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcTime)


class FactoryRow(SQLModel, table=True):
    """A row of a list, as it is written, and the site it names."""

    __tablename__ = "factory_row"
    __table_args__ = (
        one_of("outcome", "site", "repeated", "refused"),
        CheckConstraint("(outcome = 'refused') = (supplier is null)", name="named"),
        Index("ix_factory_row_supplier", "supplier"),
        {"sqlite_with_rowid": False},
    )
    list: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    line: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    outcome: str
    supplier: int | None = None
    tier: int | None = None
    cells: str
    reason: str | None = None


class FactRow(SQLModel, table=True):
    """What somebody here entered of a supplier; one that was taken back stays, and says nothing any more."""

    __tablename__ = "supplier_fact"
    __table_args__ = (
        one_of(
            "fact",
            "entered",
            "former-name",
            "also-called",
            "owned-by",
            "in-consortium",
            "site-of",
            "supplies-labour-to",
        ),
        CheckConstraint("(fact in ('entered', 'former-name', 'also-called')) = (other is null)", name="other"),
        CheckConstraint("(fact in ('former-name', 'also-called')) = (text is not null)", name="text"),
        CheckConstraint("(taken_back_at is null) = (taken_back_by is null)", name="taken_back"),
        Index("ix_supplier_fact_folded", "folded"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    fact: str
    supplier: int = Field(foreign_key="supplier.number", index=True)
    other: int | None = Field(default=None, foreign_key="supplier.number", index=True)
    text: str | None = None
    folded: str | None = None
    since: str | None = None
    until: str | None = None
    tier: int | None = None
    words: str | None = None
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    taken_back_by: str | None = Field(default=None, foreign_key="person.id")
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcTime)
