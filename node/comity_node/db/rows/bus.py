"""The tables of what goes out and what comes in."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, false
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime, bytes_column, one_of, where


class OutboxRow(SQLModel, table=True):
    """Exactly what will be said, then what was signed and sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("state", "queued", "signed", "sent"),
        CheckConstraint("(state = 'queued') = (seq is null)", name="signed_has_place"),
        CheckConstraint("review_id is not null or state <> 'queued'", name="queued_was_reviewed"),
        Index("ix_outbox_state_seq", "state", "seq", "id"),
        Index("ix_outbox_corrects", "id", **where("corrects")),
    )
    id: int | None = Field(default=None, primary_key=True)
    review_id: str | None = Field(default=None, foreign_key="review.id", unique=True)
    """None where only the log knew of the statement, as after a restored backup: its review is lost."""
    state: str
    outgoing: str
    corrects: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether it takes an earlier statement back or stands in its place."""
    seq: int | None = Field(default=None, unique=True, sa_type=BigInteger)
    hash: str | None = Field(default=None, unique=True)
    record: bytes | None = None
    withheld: str | None = None
    signed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)


class PositionRow(SQLModel, table=True):
    """Where reading of one topic goes on."""

    __tablename__ = "position"
    topic: str = Field(primary_key=True)
    bus_id: str
    next_offset: int = Field(sa_type=BigInteger)


_LACKING = "state = 'accepted' and detail is not null"
"""An accepted statement has a detail only where disclosures of it are missing: a small part, found by its index."""


class ReceivedRow(SQLModel, table=True):
    """A record as received; its state says whether it counts. Inbox and quarantine are views of this table.

    Numbers are given by the repository, one writer at a time: what is folded has the number of its record.
    """

    __tablename__ = "received"
    __table_args__ = (
        one_of("state", "new", "accepted", "kept", "waiting", "refused"),
        Index("ix_received_member_seq", "member", "seq"),
        # All but a few are accepted: what is looked for by state lies in an index of its own, small for ever.
        Index("ix_received_not_accepted", "member", "state", "id", **where("state <> 'accepted'")),
        Index("ix_received_lacking", "member", **where(_LACKING)),
    )
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member: str
    bus_offset: int | None = Field(default=None, sa_type=BigInteger)
    raw: bytes = Field(sa_column=bytes_column())
    state: str
    seq: int | None = Field(default=None, sa_type=BigInteger)
    hash: str | None = None
    prev: str | None = None
    key: int | None = None
    kind: str | None = None
    step: int | None = None
    code: str | None = None
    detail: str | None = None
    received_at: datetime = Field(sa_type=UtcTime)
    source: str | None = None
    """The member whose node gave it; None: the bus."""


class CheckpointRow(SQLModel, table=True):
    """The latest verified checkpoint of each member, own one included, as signed."""

    __tablename__ = "checkpoint"
    member: str = Field(primary_key=True)
    raw: bytes = Field(sa_column=bytes_column())
    seq: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcTime)


class ReportedHeadRow(SQLModel, table=True):
    """A head of one member that another one reports and that this node does not have: to be asked for."""

    __tablename__ = "reported_head"
    reporter: str = Field(primary_key=True)
    member: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    hash: str
    at: datetime = Field(sa_type=UtcTime)


class SkippedRow(SQLModel, table=True):
    """A range of offsets that held nothing for us, and why."""

    __tablename__ = "skipped"
    __table_args__ = (Index("ix_skipped_member_topic_last", "member", "topic", "last"),)
    id: int | None = Field(default=None, primary_key=True)
    member: str
    topic: str
    first: int = Field(sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)
    offsets: int = Field(sa_type=BigInteger)
    reason: str
    since: datetime = Field(sa_type=UtcTime)


class LogRow(SQLModel, table=True):
    """What this node knows of one member's log."""

    __tablename__ = "log"
    member: str = Field(primary_key=True)
    head: int = Field(default=0, sa_type=BigInteger)
    head_hash: str = ""
    head_key: int = 0
    frozen_from: int | None = Field(default=None, sa_type=BigInteger)
    repeats: int = Field(default=0, sa_type=BigInteger)
    skipped: int = Field(default=0, sa_type=BigInteger)
    decided_under: str = ""
    heard_at: datetime | None = Field(default=None, sa_type=UtcTime)
    announced_seq: int | None = Field(default=None, sa_type=BigInteger)
    announced_hash: str | None = None
    announced_registry: int | None = Field(default=None, sa_type=BigInteger)
    counted_on: str = ""
    counted: int = 0


class HashFields(SQLModel):
    """A hash, and the number of a record that may carry it."""

    hash: str = Field(primary_key=True)
    record: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class RecentHashRow(HashFields, table=True):
    """The hash of one of the last records."""

    __tablename__ = "recent_hash"
    __table_args__ = ({"sqlite_with_rowid": False},)


class HashRow(HashFields, table=True):
    """The hash of a record."""

    __tablename__ = "hash"
    __table_args__ = ({"sqlite_with_rowid": False},)
