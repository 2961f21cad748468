"""Audit notices, as the supplier view has them, and the names and identifiers under which they are found."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_UNNAMED = sa.text("not named")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("notice", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_notice_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_unnamed", "notice", ["id"], sqlite_where=_UNNAMED, postgresql_where=_UNNAMED)
    op.create_table(
        "notice_name",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name=op.f("pk_notice_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notice_identifier",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "entry", name=op.f("pk_notice_identifier")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them; what was published is folded anew from the logs."""
    for table in ("notice_identifier", "notice_name", "notice"):
        op.drop_table(table)
