"""The view can be read as it was: of what was withdrawn, by which statement it had been superseded before."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TABLES = {
    "entry": "finding",
    "decision": "decision",
    "pointer": "pointer",
    "notice": "notice",
    "reply": "reply",
    "corroboration": "corroboration",
}
"""Table to the column of what is said."""


def upgrade() -> None:
    """Add the column; logs in which it may have to be filled are decided anew, which writes it."""
    for table, said in _TABLES.items():
        op.add_column(table, sa.Column("earlier_by", sa.String(), nullable=True))
        of_log = f"select 1 from {table} e join received r on r.id = e.id where r.member = log.member and"  # noqa: S608
        op.execute(
            f"update log set decided_under = 'refolded'"  # noqa: S608 (our own names)
            f" where exists ({of_log} e.state = 'withdrawn') and exists ({of_log} e.{said} like '%\"replaces\"%')"
        )


def downgrade() -> None:
    """Forget it."""
    for table in _TABLES:
        op.drop_column(table, "earlier_by")
