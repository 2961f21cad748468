"""How far other members have said to have applied this node's own log."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "delivery",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("member", "seq", name=op.f("pk_delivery")),
    )


def downgrade() -> None:
    """Forget it; members say it again within a day."""
    op.drop_table("delivery")
