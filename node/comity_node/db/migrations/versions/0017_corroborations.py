"""Corroborations: what a member's own evidence says of another's finding, as the supplier view has it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "corroboration",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("corroboration", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_corroboration_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corroboration")),
    )
    op.create_index(op.f("ix_corroboration_about"), "corroboration", ["about"])


def downgrade() -> None:
    """Forget them; they are folded anew from the logs."""
    op.drop_table("corroboration")
