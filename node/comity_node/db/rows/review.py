"""The tables of proposals, and of what a proposal needs before its release."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, one_of, where


class ReviewRow(SQLModel, table=True):
    """A proposal to release or withdraw, and what a second person made of it."""

    __tablename__ = "review"
    __table_args__ = (
        one_of("act", "release", "withdraw"),
        one_of("state", "proposed", "approved", "rejected"),
        # The same person cannot be both, whatever the code above forgets.
        CheckConstraint("decided_by is null or decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decided"),
        # Few are open, however many were decided.
        Index("ix_review_open", "id", **where("state = 'proposed'")),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    act: str
    state: str
    report_id: str | None = Field(default=None, foreign_key="report.id", index=True)
    observation: str | None = None
    ruling_id: str | None = Field(default=None, foreign_key="ruling.id", index=True)
    content: str
    batch: str | None = Field(default=None, index=True)
    target: str | None = Field(default=None, index=True)
    proposed_by: str = Field(foreign_key="person.id")
    proposed_at: datetime = Field(sa_type=UtcTime)
    decided_by: str | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)


class DueProcessRow(SQLModel, table=True):
    """What was done for a proposal before its release: the retaliation check, the notice, the reply window."""

    __tablename__ = "due_process"
    __table_args__ = (
        one_of("outcome", "notify", "postpone"),
        CheckConstraint("(outcome = 'postpone') = (review_by is not null)", name="postponed_until"),
        CheckConstraint("(outcome = 'postpone') = (reason is not null)", name="postponed_why"),
        CheckConstraint("outcome = 'notify' or notified_at is null", name="notified"),
        CheckConstraint("(notified_at is null) = (window_ends is null)", name="window"),
    )
    review_id: str = Field(primary_key=True, foreign_key="review.id")
    blamed: str
    outcome: str
    contact: str
    reason: str | None = None
    review_by: str | None = None
    checked_by: str = Field(foreign_key="person.id")
    checked_at: datetime = Field(sa_type=UtcTime)
    notified_by: str | None = Field(default=None, foreign_key="person.id")
    notified_at: datetime | None = Field(default=None, sa_type=UtcTime)
    window_ends: datetime | None = Field(default=None, sa_type=UtcTime)
    extended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class SupplierLinkRow(SQLModel, table=True):
    """A supplier's personal link to one finding, stored as its hash; good until it is revoked."""

    __tablename__ = "supplier_link"
    id: str = Field(primary_key=True)
    review_id: str = Field(foreign_key="review.id", index=True)
    hash: str = Field(unique=True)
    made_by: str = Field(foreign_key="person.id")
    made_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    draft: str | None = None
    """What it has begun to say; nobody here reads it."""


class SupplierWordRow(SQLModel, table=True):
    """What a supplier replied or disputed, as this node holds it."""

    __tablename__ = "supplier_word"
    __table_args__ = (
        one_of("act", "reply", "dispute"),
        one_of("outcome", "upheld", "partly-upheld", "dismissed"),
        CheckConstraint("(review_id is null) <> (about is null)", name="one_subject"),
        CheckConstraint("(outcome is null) = (decided_by is null)", name="decided"),
        CheckConstraint("outcome is null or act = 'dispute'", name="disputed"),
        # Whoever wrote it down does not decide it, whatever the code above forgets.
        CheckConstraint("decided_by is null or entered_by is null or decided_by <> entered_by", name="third_person"),
        Index("ix_supplier_word_open", "made_at", **where("act = 'dispute' and outcome is null")),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    review_id: str | None = Field(default=None, foreign_key="review.id", index=True)
    about: str | None = Field(default=None, index=True)
    act: str
    codes: str
    text: str | None = None
    made_at: datetime = Field(sa_type=UtcTime)
    late: bool
    entered_by: str | None = Field(default=None, foreign_key="person.id")
    """None where the supplier itself said it through its link."""
    outcome: str | None = None
    decided_by: str | None = Field(default=None, foreign_key="person.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)
    carried: str | None = Field(default=None, foreign_key="review.id")
    """The newest proposal to let it leave."""


class VendorContactsRow(SQLModel, table=True):
    """The list of vendors' contacts, sealed whole; there is one or none."""

    __tablename__ = "vendor_contacts"
    id: str = Field(primary_key=True)
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcTime)
    vendors: int
    keep_until: str
    key: str | None = None
    content: bytes
