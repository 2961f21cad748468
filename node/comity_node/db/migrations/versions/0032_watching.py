"""Vendors, what was judged of them, watches, alerts and what is sent of them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "vendor",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["person.id"], name=op.f("fk_vendor_owner_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vendor")),
        sa.UniqueConstraint("id", name=op.f("uq_vendor_id")),
        sa.UniqueConstraint("owner", "row", name="uq_vendor_owner_row"),
    )
    op.create_index(op.f("ix_vendor_version"), "vendor", ["version"])
    op.create_table(
        "watch",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("interest", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("timing", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.CheckConstraint("channel in ('feed', 'mail', 'webhook')", name=op.f("ck_watch_channel")),
        sa.CheckConstraint("timing in ('at-once', 'daily', 'weekly')", name=op.f("ck_watch_timing")),
        sa.CheckConstraint("(channel = 'feed') = (target is null)", name=op.f("ck_watch_target")),
        sa.CheckConstraint("(channel = 'webhook') = (secret is not null)", name=op.f("ck_watch_secret")),
        sa.ForeignKeyConstraint(["owner"], ["person.id"], name=op.f("fk_watch_owner_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_watch")),
        sa.UniqueConstraint("id", name=op.f("uq_watch_id")),
    )
    op.create_index(op.f("ix_watch_owner"), "watch", ["owner"])
    _deliveries()
    _alerts()
    _judgements()


def _deliveries() -> None:
    op.create_table(
        "watch_delivery",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("watch", sa.Integer(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("said", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'sent', 'given-up', 'dropped')", name=op.f("ck_watch_delivery_state")),
        sa.CheckConstraint("(state = 'waiting') = (next_at is not null)", name=op.f("ck_watch_delivery_next")),
        sa.ForeignKeyConstraint(["watch"], ["watch.number"], name=op.f("fk_watch_delivery_watch_watch")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_watch_delivery")),
        sa.UniqueConstraint("id", name=op.f("uq_watch_delivery_id")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_watch_delivery_waiting", "watch_delivery", ["next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_watch_delivery_watch", "watch_delivery", ["watch", "number"])


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("watch", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("once", sa.String(), nullable=False),
        sa.Column("news", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.Column("vendor", sa.Integer(), nullable=True),
        sa.Column("supplier", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=True),
        sa.Column("delivery", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["watch"], ["watch.number"], name=op.f("fk_alert_watch_watch")),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.number"], name=op.f("fk_alert_vendor_vendor")),
        sa.ForeignKeyConstraint(["delivery"], ["watch_delivery.number"], name=op.f("fk_alert_delivery_watch_delivery")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alert")),
        sa.UniqueConstraint("once", name=op.f("uq_alert_once")),
    )
    unsent = sa.text("delivery is null")
    op.create_index("ix_alert_to_send", "alert", ["watch", "number"], sqlite_where=unsent, postgresql_where=unsent)
    op.create_index("ix_alert_watch", "alert", ["watch", "number"])
    op.create_index("ix_alert_vendor", "alert", ["vendor"])
    op.create_index("ix_alert_delivery", "alert", ["delivery"])
    op.create_index("ix_alert_statement", "alert", ["statement", "watch"])


def _judgements() -> None:
    op.create_table(
        "vendor_judgement",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("vendor", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.Integer(), nullable=False),
        sa.Column("judged", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("vendor_facts", sa.String(), nullable=False),
        sa.Column("supplier_facts", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.Text(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.Text(), nullable=True),
        sa.CheckConstraint("judged in ('same', 'not-same', 'unsure')", name=op.f("ck_vendor_judgement_judged")),
        sa.CheckConstraint("(undone_at is null) = (undone_by is null)", name=op.f("ck_vendor_judgement_undone")),
        sa.CheckConstraint(
            "(confirmed_at is null) = (confirmed_by is null)", name=op.f("ck_vendor_judgement_confirmed")
        ),
        sa.CheckConstraint('confirmed_by is null or confirmed_by <> "by"', name=op.f("ck_vendor_judgement_two_people")),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.number"], name=op.f("fk_vendor_judgement_vendor_vendor")),
        sa.ForeignKeyConstraint(["supplier"], ["supplier.number"], name=op.f("fk_vendor_judgement_supplier_supplier")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_vendor_judgement_by_person")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"], name=op.f("fk_vendor_judgement_confirmed_by_person")),
        sa.ForeignKeyConstraint(["undone_by"], ["person.id"], name=op.f("fk_vendor_judgement_undone_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vendor_judgement")),
        sa.UniqueConstraint("id", name=op.f("uq_vendor_judgement_id")),
    )
    stands = sa.text("undone_at is null")
    op.create_index(
        "ix_vendor_judgement_stands", "vendor_judgement", ["vendor"], sqlite_where=stands, postgresql_where=stands
    )


def downgrade() -> None:
    """Forget all of it."""
    for table in ("vendor_judgement", "alert", "watch_delivery", "watch", "vendor"):
        op.drop_table(table)
