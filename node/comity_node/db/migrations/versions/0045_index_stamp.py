"""The name index says by a stamp whether it is what somebody read before."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the stamp; what is there gets one."""
    op.add_column("search_state", sa.Column("stamp", sa.String(), nullable=True))
    op.execute("update search_state set stamp = 'first'")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("search_state", "stamp")
