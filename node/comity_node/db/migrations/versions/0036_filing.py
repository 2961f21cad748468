"""Screenings on file."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "filing",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("keep_until", sa.String(), nullable=False),
        sa.Column("moment", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("taken_back_by", sa.String(), nullable=True),
        sa.Column("taken_back_at", sa.Text(), nullable=True),
        sa.Column("taken_back_why", sa.String(), nullable=True),
        sa.Column("destroyed_at", sa.Text(), nullable=True),
        sa.CheckConstraint("stage in ('tender', 'evaluation', 'award')", name=op.f("ck_filing_stage")),
        sa.CheckConstraint("(taken_back_by is null) = (taken_back_at is null)", name=op.f("ck_filing_taken_back")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_filing_by_person")),
        sa.ForeignKeyConstraint(["taken_back_by"], ["person.id"], name=op.f("fk_filing_taken_back_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_filing")),
        sa.UniqueConstraint("id", name=op.f("uq_filing_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_filing_reference")),
    )
    op.create_index(op.f("ix_filing_keep_until"), "filing", ["keep_until"])
    op.create_table(
        "filed_part",
        sa.Column("filing", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["filing"], ["filing.number"], name=op.f("fk_filed_part_filing_filing")),
        sa.PrimaryKeyConstraint("filing", "first", name=op.f("pk_filed_part")),
    )


def downgrade() -> None:
    """Forget what is on file."""
    op.drop_table("filed_part")
    op.drop_index(op.f("ix_filing_keep_until"), "filing")
    op.drop_table("filing")
