"""What suppliers reply and dispute: as this node holds it, and as the supplier view has it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_reply_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    op.create_index(op.f("ix_reply_about"), "reply", ["about"])
    op.create_table(
        "supplier_word",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("codes", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("carried", sa.String(), nullable=True),
        sa.CheckConstraint("act in ('reply', 'dispute')", name=op.f("ck_supplier_word_act")),
        sa.CheckConstraint(
            "outcome in ('upheld', 'partly-upheld', 'dismissed')", name=op.f("ck_supplier_word_outcome")
        ),
        sa.CheckConstraint("(review_id is null) <> (about is null)", name=op.f("ck_supplier_word_one_subject")),
        sa.CheckConstraint("(outcome is null) = (decided_by is null)", name=op.f("ck_supplier_word_decided")),
        sa.CheckConstraint("outcome is null or act = 'dispute'", name=op.f("ck_supplier_word_disputed")),
        sa.CheckConstraint(
            "decided_by is null or entered_by is null or decided_by <> entered_by",
            name=op.f("ck_supplier_word_third_person"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_supplier_word_review_id_review")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_supplier_word_entered_by_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_supplier_word_decided_by_person")),
        sa.ForeignKeyConstraint(["carried"], ["review.id"], name=op.f("fk_supplier_word_carried_review")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_supplier_word")),
        sa.UniqueConstraint("id", name=op.f("uq_supplier_word_id")),
    )
    op.create_index(op.f("ix_supplier_word_about"), "supplier_word", ["about"])
    op.create_index(op.f("ix_supplier_word_review_id"), "supplier_word", ["review_id"])
    undecided = sa.text("act = 'dispute' and outcome is null")
    op.create_index(
        "ix_supplier_word_open", "supplier_word", ["made_at"], sqlite_where=undecided, postgresql_where=undecided
    )


def downgrade() -> None:
    """Forget what suppliers said here; what they said to the network is folded anew from the logs."""
    op.drop_table("supplier_word")
    op.drop_table("reply")
