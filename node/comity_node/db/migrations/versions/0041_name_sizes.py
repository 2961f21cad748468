"""How large suppliers' names are; the name index is built anew, with them."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and let the index begin anew: whoever searches meanwhile looks at all names."""
    op.create_table(
        "search_size",
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sizes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_search_size")),
        sqlite_with_rowid=False,
    )
    op.execute("update search_state set folding = -1")


def downgrade() -> None:
    """Drop it: nothing else needs it."""
    op.drop_table("search_size")
