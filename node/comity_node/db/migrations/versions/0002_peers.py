"""What peers say and give: checkpoints, heads they report, whence a record came, own statements taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables, a column and an index; let the outbox hold statements whose review is lost."""
    op.create_table(
        "checkpoint",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "reported_head",
        sa.Column("reporter", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reporter", "member", name=op.f("pk_reported_head")),
    )
    op.add_column("received", sa.Column("source", sa.String(), nullable=True))
    lacking = sa.text("state = 'accepted' and detail is not null")
    op.create_index("ix_received_lacking", "received", ["member"], sqlite_where=lacking, postgresql_where=lacking)
    with op.batch_alter_table("outbox", table_args=_checks()) as batch:
        batch.alter_column("review_id", existing_type=sa.String(), nullable=True)
        batch.create_check_constraint(
            op.f("ck_outbox_queued_was_reviewed"), "review_id is not null or state <> 'queued'"
        )


def downgrade() -> None:
    """Forget what peers said; what was taken back from the own log has no place in the older outbox."""
    op.execute("delete from outbox where review_id is null")
    with op.batch_alter_table("outbox", table_args=_checks()) as batch:
        batch.drop_constraint(op.f("ck_outbox_queued_was_reviewed"))
        batch.alter_column("review_id", existing_type=sa.String(), nullable=False)
    op.drop_index("ix_received_lacking", "received")
    with op.batch_alter_table("received") as batch:
        batch.drop_column("source")
    op.drop_table("reported_head")
    op.drop_table("checkpoint")


def _checks() -> tuple[sa.CheckConstraint, ...]:
    # Rebuilding a table on SQLite keeps only the checks that are given.
    return (
        sa.CheckConstraint("(state = 'queued') = (seq is null)", name=op.f("ck_outbox_signed_has_place")),
        sa.CheckConstraint("state in ('queued', 'signed', 'sent')", name=op.f("ck_outbox_state")),
    )
