"""Pointers: their part of the supplier view, and for whom this member has proposed one."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UNNAMED = sa.text("not named")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "pointer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("pointer", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_pointer_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pointer")),
    )
    op.create_index("ix_pointer_unnamed", "pointer", ["id"], sqlite_where=_UNNAMED, postgresql_where=_UNNAMED)
    op.create_table(
        "pointer_name",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name=op.f("pk_pointer_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pointer_identifier",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "entry", name=op.f("pk_pointer_identifier")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pointer_mark",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_pointer_mark_review_id_review")),
        sa.PrimaryKeyConstraint("review_id", "mark", name=op.f("pk_pointer_mark")),
    )
    op.create_index(op.f("ix_pointer_mark_mark"), "pointer_mark", ["mark"])


def downgrade() -> None:
    """Forget them; what was published is folded anew from the logs."""
    for table in ("pointer_mark", "pointer_identifier", "pointer_name", "pointer"):
        op.drop_table(table)
