"""Numbers of a log that others write: PostgreSQL refused what is beyond 2^31."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_WRITTEN_BY_OTHERS = {"repeats": False, "skipped": False, "announced_registry": True}
"""Columns, and whether they may be empty."""


def upgrade() -> None:
    """Widen them."""
    _change(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    """Narrow them; what does not fit is as large as it can be."""
    for column in _WRITTEN_BY_OTHERS:
        op.execute(f"update log set {column} = 2147483647 where {column} > 2147483647")  # noqa: S608 (our own names)
    _change(sa.BigInteger(), sa.Integer())


def _change(before: sa.types.TypeEngine[int], after: sa.types.TypeEngine[int]) -> None:
    with op.batch_alter_table("log") as log:
        for column, nullable in _WRITTEN_BY_OTHERS.items():
            log.alter_column(column, existing_type=before, type_=after, existing_nullable=nullable)
