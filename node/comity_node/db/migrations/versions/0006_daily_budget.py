"""How much a member has published today."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the day and the count."""
    op.add_column("log", sa.Column("counted_on", sa.String(), nullable=False, server_default=""))
    op.add_column("log", sa.Column("counted", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("log") as log:
        log.alter_column("counted_on", server_default=None)
        log.alter_column("counted", server_default=None)


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("log") as log:
        log.drop_column("counted_on")
        log.drop_column("counted")
