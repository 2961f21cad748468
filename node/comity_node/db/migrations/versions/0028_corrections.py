"""What was taken back or corrected is found in the outbox without looking at the rest."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark what corrects something."""
    op.add_column("outbox", sa.Column("corrects", sa.Boolean(), nullable=False, server_default=sa.false()))
    # As `json.dumps` writes them; of the fields only `replaces` of a body has a digest.
    op.execute(
        'update outbox set corrects = true where outgoing like \'{"kind": "withdrawal"%\''
        ' or outgoing like \'%"replaces": "%\''
    )
    op.create_index(
        "ix_outbox_corrects", "outbox", ["id"], sqlite_where=sa.text("corrects"), postgresql_where=sa.text("corrects")
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_outbox_corrects", "outbox")
    op.drop_column("outbox", "corrects")
