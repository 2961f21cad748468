"""When the name index fell far behind, so that an administrator is told since when."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when it fell behind; what is being built at this moment says it from its next batch on."""
    op.add_column("search_state", sa.Column("since", sa.String(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("search_state", "since")
