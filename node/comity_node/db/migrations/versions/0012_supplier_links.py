"""Suppliers' personal links."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "supplier_link",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.Column("draft", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_supplier_link_review_id_review")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_supplier_link_made_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_supplier_link_hash")),
    )
    op.create_index(op.f("ix_supplier_link_review_id"), "supplier_link", ["review_id"])


def downgrade() -> None:
    """Forget the links: none of them is good any more."""
    op.drop_table("supplier_link")
