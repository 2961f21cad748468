"""Decisions of authorities: what this node holds of them, and their part of the supplier view."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UNNAMED = sa.text("not named")


def upgrade() -> None:
    """Add the tables, and let a review name a ruling."""
    op.create_table(
        "ruling",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submitted_by"], ["person.id"], name=op.f("fk_ruling_submitted_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ruling")),
        sa.UniqueConstraint("id", name=op.f("uq_ruling_id")),
    )
    op.create_index("ix_ruling_identity", "ruling", ["identity"])
    with op.batch_alter_table("review") as review:
        review.add_column(sa.Column("ruling_id", sa.String(), nullable=True))
        review.create_foreign_key(op.f("fk_review_ruling_id_ruling"), "ruling", ["ruling_id"], ["id"])
        review.create_index("ix_review_ruling_id", ["ruling_id"])
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_decision_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_unnamed", "decision", ["id"], sqlite_where=_UNNAMED, postgresql_where=_UNNAMED)
    op.create_table(
        "decision_name",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name=op.f("pk_decision_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decision_identifier",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "entry", name=op.f("pk_decision_identifier")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them; nothing that was published is lost, since the records stay."""
    for table in ("decision_identifier", "decision_name", "decision"):
        op.drop_table(table)
    with op.batch_alter_table("review") as review:
        review.drop_index("ix_review_ruling_id")
        review.drop_constraint(op.f("fk_review_ruling_id_ruling"), type_="foreignkey")
        review.drop_column("ruling_id")
    op.drop_index("ix_ruling_identity", "ruling")
    op.drop_table("ruling")
