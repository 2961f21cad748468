"""The tables. Enumerations are text with a CHECK; times are UTC ISO text, so that both databases give the same back."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, MetaData, Text, TypeDecorator, text
from sqlalchemy import Column as SAColumn
from sqlmodel import Field, SQLModel

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC as ISO text of fixed length, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        """Refuse naive times: a time without a zone is a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def _bytes() -> Any:
    return SAColumn(LargeBinary, nullable=False)


def _one_of(column: str, *allowed: str) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(a) for a in allowed)})", name=column)


def _where(condition: str) -> dict[str, Any]:
    """Return the options of an index over part of a table, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class PersonRow(SQLModel, table=True):
    """Somebody with an account."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    roles: str
    firm: str | None = None
    password: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class TokenRow(SQLModel, table=True):
    """An opaque bearer token, stored as its hash."""

    __tablename__ = "token"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    hash: str = Field(unique=True)
    label: str
    made_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ReportRow(SQLModel, table=True):
    """A report as it came, byte for byte."""

    __tablename__ = "report"
    __table_args__ = (_one_of("origin", "signed", "register"),)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    origin: str
    raw: bytes = Field(sa_column=_bytes())
    firm: str | None = Field(default=None, index=True)
    kid: str | None = None
    root: str | None = None
    signature: str | None = None
    identity: str | None = Field(default=None, index=True)
    """For a register: names the source row; several contents of one row follow each other."""
    marks: str = "[]"
    submitted_by: str = Field(foreign_key="person.id")
    received_at: datetime = Field(sa_type=UtcTime)
    key: str | None = None
    """Names the key of `raw`; None where it lies as it came."""
    keep_until: str | None = Field(default=None, index=True)
    expired_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When its key was shredded; the rest of the row stays."""


class RulingRow(SQLModel, table=True):
    """What this node holds of an authority's decision, with the source's own words."""

    __tablename__ = "ruling"
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    raw: bytes = Field(sa_column=_bytes())
    identity: str | None = Field(default=None, index=True)
    """For a register: names the source row; several contents of one row follow each other."""
    submitted_by: str = Field(foreign_key="person.id")
    received_at: datetime = Field(sa_type=UtcTime)


class ReviewRow(SQLModel, table=True):
    """A proposal to release or withdraw, and what a second person made of it."""

    __tablename__ = "review"
    __table_args__ = (
        _one_of("act", "release", "withdraw"),
        _one_of("state", "proposed", "approved", "rejected"),
        # The same person cannot be both, whatever the code above forgets.
        CheckConstraint("decided_by is null or decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decided"),
        # Few are open, however many were decided.
        Index("ix_review_open", "id", **_where("state = 'proposed'")),
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
        _one_of("outcome", "notify", "postpone"),
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
        _one_of("act", "reply", "dispute"),
        _one_of("outcome", "upheld", "partly-upheld", "dismissed"),
        CheckConstraint("(review_id is null) <> (about is null)", name="one_subject"),
        CheckConstraint("(outcome is null) = (decided_by is null)", name="decided"),
        CheckConstraint("outcome is null or act = 'dispute'", name="disputed"),
        # Whoever wrote it down does not decide it, whatever the code above forgets.
        CheckConstraint("decided_by is null or entered_by is null or decided_by <> entered_by", name="third_person"),
        Index("ix_supplier_word_open", "made_at", **_where("act = 'dispute' and outcome is null")),
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


class OutboxRow(SQLModel, table=True):
    """Exactly what will be said, then what was signed and sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        _one_of("state", "queued", "signed", "sent"),
        CheckConstraint("(state = 'queued') = (seq is null)", name="signed_has_place"),
        CheckConstraint("review_id is not null or state <> 'queued'", name="queued_was_reviewed"),
        Index("ix_outbox_state_seq", "state", "seq", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    review_id: str | None = Field(default=None, foreign_key="review.id", unique=True)
    """None where only the log knew of the statement, as after a restored backup: its review is lost."""
    state: str
    outgoing: str
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
        _one_of("state", "new", "accepted", "kept", "waiting", "refused"),
        Index("ix_received_member_seq", "member", "seq"),
        # All but a few are accepted: what is looked for by state lies in an index of its own, small for ever.
        Index("ix_received_not_accepted", "member", "state", "id", **_where("state <> 'accepted'")),
        Index("ix_received_lacking", "member", **_where(_LACKING)),
    )
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member: str
    bus_offset: int | None = Field(default=None, sa_type=BigInteger)
    raw: bytes = Field(sa_column=_bytes())
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
    raw: bytes = Field(sa_column=_bytes())
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
    repeats: int = 0
    skipped: int = 0
    decided_under: str = ""
    heard_at: datetime | None = Field(default=None, sa_type=UtcTime)
    announced_seq: int | None = Field(default=None, sa_type=BigInteger)
    announced_hash: str | None = None
    announced_registry: int | None = None
    counted_on: str = ""
    counted: int = 0


# The tables of the view grow with every finding. They name their record by its number and carry no foreign key: on
# PostgreSQL one costs as much as the row itself. `comity check` compares them with the records instead.


class _EntryFields(SQLModel):
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    handling: str
    named: bool
    """Whether anybody can find it by name."""
    state: str
    by: str | None = None
    reason: str | None = None


class _NameFields(SQLModel):
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str
    folded: str
    country: str


class _IdentifierFields(SQLModel):
    scheme: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class EntryRow(_EntryFields, table=True):
    """One finding of the supplier view, under the number of its record."""

    __tablename__ = "entry"
    __table_args__ = (
        _one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_entry_unnamed", "id", **_where("not named")),
    )
    finding: str | None = None


class EntryNameRow(_NameFields, table=True):
    """A name under which a finding can be found."""

    __tablename__ = "entry_name"
    __table_args__ = ({"sqlite_with_rowid": False},)


class EntryIdentifierRow(_IdentifierFields, table=True):
    """An identifier under which a finding can be found."""

    __tablename__ = "entry_identifier"
    __table_args__ = ({"sqlite_with_rowid": False},)


class DecisionRow(_EntryFields, table=True):
    """One decision of the supplier view, under the number of its record."""

    __tablename__ = "decision"
    __table_args__ = (
        _one_of("state", "current", "superseded", "withdrawn"),
        Index("ix_decision_unnamed", "id", **_where("not named")),
    )
    decision: str | None = None


class DecisionNameRow(_NameFields, table=True):
    """A name under which a decision can be found."""

    __tablename__ = "decision_name"
    __table_args__ = ({"sqlite_with_rowid": False},)


class DecisionIdentifierRow(_IdentifierFields, table=True):
    """An identifier under which a decision can be found."""

    __tablename__ = "decision_identifier"
    __table_args__ = ({"sqlite_with_rowid": False},)


class ReplyRow(SQLModel, table=True):
    """One supplier's reply or dispute in the view, under the number of its record, found by what it is about."""

    __tablename__ = "reply"
    __table_args__ = (_one_of("state", "current", "superseded", "withdrawn"),)
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    about: str | None = Field(default=None, index=True)
    handling: str
    reply: str | None = None
    state: str
    by: str | None = None
    reason: str | None = None


class ChangeRow(SQLModel, table=True):
    """Something in the supplier view changed; what follows the view reads on from its own cursor."""

    __tablename__ = "change"
    id: int | None = Field(default=None, primary_key=True)
    entry: int
    at: datetime = Field(sa_type=UtcTime)


class GivenAnswerRow(SQLModel, table=True):
    """What was answered to a write under the asker's key, for a day."""

    __tablename__ = "given_answer"
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    key: str = Field(primary_key=True)
    request: str
    status: int
    body: str
    at: datetime = Field(sa_type=UtcTime, index=True)


class ConditionRow(SQLModel, table=True):
    """Something that holds the node up now, in words; gone when it is over."""

    __tablename__ = "condition"
    name: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcTime)
    text: str
