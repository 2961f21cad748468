"""The outbox by state and place: what was sent last, and what comes next, is found without looking at the rest."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index by state with one that holds the order too."""
    op.drop_index("ix_outbox_state", "outbox")
    op.create_index("ix_outbox_state_seq", "outbox", ["state", "seq", "id"])


def downgrade() -> None:
    """Make the index by state again."""
    op.drop_index("ix_outbox_state_seq", "outbox")
    op.create_index("ix_outbox_state", "outbox", ["state"])
