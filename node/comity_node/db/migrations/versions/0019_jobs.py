"""Imports and releases of many, done a little at a time, and what of a batch somebody has opened."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "job",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.CheckConstraint("kind in ('import', 'release')", name=op.f("ck_job_kind")),
        sa.CheckConstraint("state in ('running', 'done', 'cancelled', 'failed')", name=op.f("ck_job_state")),
        sa.CheckConstraint("(state = 'running') = (ended_at is null)", name=op.f("ck_job_ended")),
        sa.ForeignKeyConstraint(["started_by"], ["person.id"], name=op.f("fk_job_started_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_job")),
        sa.UniqueConstraint("id", name=op.f("uq_job_id")),
    )
    op.create_index(op.f("ix_job_batch"), "job", ["batch"])
    running = sa.text("state = 'running'")
    op.create_index("ix_job_running", "job", ["number"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "opened_proposal",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_opened_proposal_review_id_review")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_opened_proposal_person_id_person")),
        sa.PrimaryKeyConstraint("review_id", "person_id", name=op.f("pk_opened_proposal")),
    )


def downgrade() -> None:
    """Forget them; what they did stays."""
    op.drop_table("opened_proposal")
    op.drop_table("job")
