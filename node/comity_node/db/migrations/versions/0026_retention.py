"""Reports have a last day, are sealed with a key of their own, and expire; what stays says when."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the next round of retention seals what lies as it came, and enters the days."""
    op.add_column("report", sa.Column("key", sa.String(), nullable=True))
    op.add_column("report", sa.Column("keep_until", sa.String(), nullable=True))
    op.add_column("report", sa.Column("expired_at", sa.Text(), nullable=True))
    op.create_index(op.f("ix_report_keep_until"), "report", ["keep_until"])


def downgrade() -> None:
    """Forget the days and the names of keys: what was sealed stays unreadable for the release before."""
    op.drop_index(op.f("ix_report_keep_until"), "report")
    op.drop_column("report", "expired_at")
    op.drop_column("report", "keep_until")
    op.drop_column("report", "key")
