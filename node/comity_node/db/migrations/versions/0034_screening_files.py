"""The screening of a whole file is a job that keeps what it was given and what it made."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let jobs be of one more kind, with a result as bytes."""
    op.add_column("job", sa.Column("output", sa.LargeBinary(), nullable=True))
    _allow("'import', 'release', 'screening'")


def downgrade() -> None:
    """Forget the files."""
    op.execute("delete from job where kind = 'screening'")
    _allow("'import', 'release'")
    op.drop_column("job", "output")


def _allow(kinds: str) -> None:
    # Rebuilding a table on SQLite keeps only the checks that are given.
    kept = (
        sa.CheckConstraint("state in ('running', 'done', 'cancelled', 'failed')", name=op.f("ck_job_state")),
        sa.CheckConstraint("(state = 'running') = (ended_at is null)", name=op.f("ck_job_ended")),
    )
    with op.batch_alter_table("job", table_args=kept) as job:
        job.drop_constraint(op.f("ck_job_kind"), type_="check")
        job.create_check_constraint(op.f("ck_job_kind"), f"kind in ({kinds})")
