"""What was done for a proposal before its release."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "due_process",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("blamed", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("review_by", sa.String(), nullable=True),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("checked_at", sa.Text(), nullable=False),
        sa.Column("notified_by", sa.String(), nullable=True),
        sa.Column("notified_at", sa.Text(), nullable=True),
        sa.Column("window_ends", sa.Text(), nullable=True),
        sa.Column("extended_at", sa.Text(), nullable=True),
        sa.CheckConstraint("outcome in ('notify', 'postpone')", name=op.f("ck_due_process_outcome")),
        sa.CheckConstraint(
            "(outcome = 'postpone') = (review_by is not null)", name=op.f("ck_due_process_postponed_until")
        ),
        sa.CheckConstraint("(outcome = 'postpone') = (reason is not null)", name=op.f("ck_due_process_postponed_why")),
        sa.CheckConstraint("outcome = 'notify' or notified_at is null", name=op.f("ck_due_process_notified")),
        sa.CheckConstraint("(notified_at is null) = (window_ends is null)", name=op.f("ck_due_process_window")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_due_process_review_id_review")),
        sa.ForeignKeyConstraint(["checked_by"], ["person.id"], name=op.f("fk_due_process_checked_by_person")),
        sa.ForeignKeyConstraint(["notified_by"], ["person.id"], name=op.f("fk_due_process_notified_by_person")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_due_process")),
    )
    still_open = sa.text("state = 'proposed'")
    op.create_index("ix_review_open", "review", ["id"], sqlite_where=still_open, postgresql_where=still_open)


def downgrade() -> None:
    """Forget what was done before releases; the releases stand."""
    op.drop_index("ix_review_open", "review")
    op.drop_table("due_process")
