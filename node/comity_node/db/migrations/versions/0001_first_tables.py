"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables; CHECK constraints by hand, since autogenerate does not see a change in them."""
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_table(
        "condition",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_condition")),
    )
    op.create_table(
        "entry",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_entry_state")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_member", "entry", ["member"])

    op.create_table(
        "log",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("frozen_from", sa.BigInteger(), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("decided_under", sa.String(), nullable=False),
        sa.Column("heard_at", sa.Text(), nullable=True),
        sa.Column("announced_seq", sa.BigInteger(), nullable=True),
        sa.Column("announced_hash", sa.String(), nullable=True),
        sa.Column("announced_registry", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_log")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("firm", sa.String(), nullable=True),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
    )
    op.create_table(
        "position",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("bus_id", sa.String(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_position")),
    )
    op.create_table(
        "received",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("bus_offset", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.String(), nullable=True),
        sa.Column("prev", sa.String(), nullable=True),
        sa.Column("key", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('new', 'accepted', 'kept', 'waiting', 'refused')", name=op.f("ck_received_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
    )
    op.create_index("ix_received_member_hash", "received", ["member", "hash"])
    op.create_index("ix_received_member_state_seq", "received", ["member", "state", "seq"])

    op.create_table(
        "trail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail")),
    )
    op.create_index("ix_trail_event", "trail", ["event"])

    op.create_table(
        "entry_identifier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["entry.hash"], name=op.f("fk_entry_identifier_hash_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_identifier")),
    )
    op.create_index("ix_entry_identifier_hash", "entry_identifier", ["hash"])
    op.create_index("ix_entry_identifier_scheme_value", "entry_identifier", ["scheme", "value"])

    op.create_table(
        "entry_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["entry.hash"], name=op.f("fk_entry_name_hash_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_name")),
    )
    op.create_index("ix_entry_name_folded", "entry_name", ["folded"])
    op.create_index("ix_entry_name_hash", "entry_name", ["hash"])

    op.create_table(
        "report",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("firm", sa.String(), nullable=True),
        sa.Column("kid", sa.String(), nullable=True),
        sa.Column("root", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("marks", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.CheckConstraint("origin in ('signed', 'register')", name=op.f("ck_report_origin")),
        sa.ForeignKeyConstraint(["submitted_by"], ["person.id"], name=op.f("fk_report_submitted_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_report")),
        sa.UniqueConstraint("id", name=op.f("uq_report_id")),
    )
    op.create_index("ix_report_firm", "report", ["firm"])
    op.create_index("ix_report_identity", "report", ["identity"])

    op.create_table(
        "token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
    )
    op.create_index("ix_token_person_id", "token", ["person_id"])

    op.create_table(
        "review",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=True),
        sa.Column("observation", sa.String(), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'proposed') = (decided_by is null)", name=op.f("ck_review_decided")),
        sa.CheckConstraint("act in ('release', 'withdraw')", name=op.f("ck_review_act")),
        sa.CheckConstraint("state in ('proposed', 'approved', 'rejected')", name=op.f("ck_review_state")),
        sa.CheckConstraint("decided_by is null or decided_by <> proposed_by", name=op.f("ck_review_two_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_review_decided_by_person")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_review_proposed_by_person")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_review_report_id_report")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_review")),
        sa.UniqueConstraint("id", name=op.f("uq_review_id")),
    )
    op.create_index("ix_review_batch", "review", ["batch"])
    op.create_index("ix_review_report_id", "review", ["report_id"])
    op.create_index("ix_review_target", "review", ["target"])

    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outgoing", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.String(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("withheld", sa.String(), nullable=True),
        sa.Column("signed_at", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'queued') = (seq is null)", name=op.f("ck_outbox_signed_has_place")),
        sa.CheckConstraint("state in ('queued', 'signed', 'sent')", name=op.f("ck_outbox_state")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_outbox_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("hash", name=op.f("uq_outbox_hash")),
        sa.UniqueConstraint("review_id", name=op.f("uq_outbox_review_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_outbox_seq")),
    )
    op.create_index("ix_outbox_state", "outbox", ["state"])


def downgrade() -> None:
    """Drop all tables, children first."""
    for table in (
        "outbox",
        "review",
        "token",
        "report",
        "entry_name",
        "entry_identifier",
        "trail",
        "received",
        "position",
        "person",
        "log",
        "entry",
        "condition",
        "change",
    ):
        op.drop_table(table)
