"""Statements are found by their suppliers' names and identifiers: the view keeps none of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_KINDS = ("entry", "decision", "pointer", "notice")


def upgrade() -> None:
    """Drop the names and identifiers of the view: what the suppliers have not followed is read from the statements."""
    for kind in _KINDS:
        op.drop_table(f"{kind}_name")
        op.drop_table(f"{kind}_identifier")


def downgrade() -> None:
    """Add them again, and let every log be folded anew."""
    for kind in _KINDS:
        op.create_table(
            f"{kind}_name",
            sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("text", sa.String(), nullable=False),
            sa.Column("country", sa.String(), nullable=False),
            sa.PrimaryKeyConstraint("entry", "number", name=op.f(f"pk_{kind}_name")),
            sqlite_with_rowid=False,
        )
        op.create_table(
            f"{kind}_identifier",
            sa.Column("scheme", sa.String(), nullable=False),
            sa.Column("value", sa.String(), nullable=False),
            sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
            sa.PrimaryKeyConstraint("scheme", "value", "entry", name=op.f(f"pk_{kind}_identifier")),
            sqlite_with_rowid=False,
        )
    # No member has this for the hash of its entry, so the exchange decides the whole log again.
    op.execute("update log set decided_under = 'another view' where decided_under <> ''")
