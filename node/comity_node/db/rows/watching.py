"""The tables of vendors, what was judged of them, watches, alerts and deliveries. Nothing of them leaves the node but
what a watch sends to its own officer's address; whom it is about is sealed.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where


class VendorRow(SQLModel, table=True):
    """One row of an officer's own list, sealed."""

    __tablename__ = "vendor"
    __table_args__ = (UniqueConstraint("owner", "row", name="uq_vendor_owner_row"),)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    owner: str = Field(foreign_key="person.id")
    row: str
    party: str
    at: datetime = Field(sa_type=UtcTime)
    version: int = Field(index=True)


class VendorWritesRow(SQLModel, table=True):
    """How often rows of officers' lists were written or removed; it never goes back, whatever is removed."""

    __tablename__ = "vendor_writes"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int


class WatchRow(SQLModel, table=True):
    """A standing interest of an officer; one that was ended stays, and is told nothing any more."""

    __tablename__ = "watch"
    __table_args__ = (
        one_of("channel", "feed", "mail", "webhook"),
        one_of("timing", "at-once", "daily", "weekly"),
        CheckConstraint("(channel = 'feed') = (target is null)", name="target"),
        CheckConstraint("(channel = 'webhook') = (secret is not null)", name="secret"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    owner: str = Field(foreign_key="person.id", index=True)
    title: str
    interest: str
    channel: str
    timing: str
    target: str | None = None
    secret: str | None = None
    made_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class AlertRow(SQLModel, table=True):
    """That a change answers to a watch, perhaps for one vendor; each once, whatever comes twice."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_to_send", "watch", "number", **where("delivery is null")),
        Index("ix_alert_watch", "watch", "number"),
        Index("ix_alert_vendor", "vendor"),
        Index("ix_alert_delivery", "delivery"),
        Index("ix_alert_statement", "statement", "watch"),
    )
    number: int | None = Field(default=None, primary_key=True)
    watch: int = Field(foreign_key="watch.number")
    change: int
    once: str = Field(unique=True)
    news: str
    statement: str | None = None
    vendor: int | None = Field(default=None, foreign_key="vendor.number")
    supplier: int | None = None
    verdict: str | None = None
    reason: str
    at: datetime = Field(sa_type=UtcTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcTime)
    delivery: int | None = Field(default=None, foreign_key="watch_delivery.number")


class ForgottenAlertRow(SQLModel, table=True):
    """What is left of an alert whose time is over: that it was told, so that it is never told again."""

    __tablename__ = "forgotten_alert"
    __table_args__ = (
        Index("ix_forgotten_alert_statement", "statement", "watch"),
        Index("ix_forgotten_alert_vendor", "vendor"),
        {"sqlite_with_rowid": False},
    )
    once: str = Field(primary_key=True)
    watch: int = Field(foreign_key="watch.number")
    statement: str | None = None
    vendor: int | None = None


class WatchDeliveryRow(SQLModel, table=True):
    """One mail or call of a webhook: it keeps its id however often it is tried."""

    __tablename__ = "watch_delivery"
    __table_args__ = (
        one_of("state", "waiting", "sent", "given-up", "dropped"),
        CheckConstraint("(state = 'waiting') = (next_at is not null)", name="next"),
        Index("ix_watch_delivery_waiting", "next_at", **where("state = 'waiting'")),
        Index("ix_watch_delivery_watch", "watch", "number"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    watch: int = Field(foreign_key="watch.number")
    is_test: bool
    state: str
    tries: int
    made_at: datetime = Field(sa_type=UtcTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    said: str | None = None
    """What came of the last try, in words; never what was sent."""


class VendorJudgementRow(SQLModel, table=True):
    """What a person judged of a vendor and a supplier; one that was undone or followed by another stays."""

    __tablename__ = "vendor_judgement"
    __table_args__ = (
        one_of("judged", "same", "not-same", "unsure"),
        CheckConstraint("(undone_at is null) = (undone_by is null)", name="undone"),
        CheckConstraint("(confirmed_at is null) = (confirmed_by is null)", name="confirmed"),
        CheckConstraint('confirmed_by is null or confirmed_by <> "by"', name="two_people"),
        Index("ix_vendor_judgement_stands", "vendor", **where("undone_at is null")),
        Index("ix_vendor_judgement_supplier", "supplier", **where("undone_at is null")),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    vendor: int = Field(foreign_key="vendor.number")
    supplier: int = Field(foreign_key="supplier.number")
    judged: str
    words: str | None = None
    vendor_facts: str
    """The row's identifying facts as they were, sealed."""
    supplier_facts: str
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    confirmed_by: str | None = Field(default=None, foreign_key="person.id")
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    undone_by: str | None = Field(default=None, foreign_key="person.id")
    undone_at: datetime | None = Field(default=None, sa_type=UtcTime)
