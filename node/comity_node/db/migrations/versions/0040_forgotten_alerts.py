"""Alerts whose time is over leave only that they were told."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is left of them."""
    op.create_table(
        "forgotten_alert",
        sa.Column("once", sa.String(), nullable=False),
        sa.Column("watch", sa.Integer(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.Column("vendor", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["watch"], ["watch.number"], name=op.f("fk_forgotten_alert_watch_watch")),
        sa.PrimaryKeyConstraint("once", name=op.f("pk_forgotten_alert")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_forgotten_alert_statement", "forgotten_alert", ["statement", "watch"])
    op.create_index("ix_forgotten_alert_vendor", "forgotten_alert", ["vendor"])


def downgrade() -> None:
    """Drop it: a log that is decided anew may tell them a second time."""
    op.drop_table("forgotten_alert")
