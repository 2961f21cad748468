"""Hashes in tables of their own, in place of an index whose pages every batch changed."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move what is known of hashes into the large table."""
    for table in ("recent_hash", "hash"):
        op.create_table(
            table,
            sa.Column("hash", sa.String(), nullable=False),
            sa.Column("record", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("hash", "record", name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
    op.execute("insert into hash (hash, record) select hash, id from received where hash is not null order by hash")
    op.drop_index("ix_received_hash", "received")


def downgrade() -> None:
    """Make the index again."""
    op.create_index("ix_received_hash", "received", ["hash"])
    op.drop_table("hash")
    op.drop_table("recent_hash")
