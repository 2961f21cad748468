"""The list of vendors' contacts, sealed whole."""

import sqlalchemy as sa
from alembic import op

from comity_node.db.rows.columns import UtcTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its table."""
    op.create_table(
        "vendor_contacts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("vendors", sa.Integer(), nullable=False),
        sa.Column("keep_until", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_vendor_contacts_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_contacts")),
    )


def downgrade() -> None:
    """Forget the list."""
    op.drop_table("vendor_contacts")
