"""Changes say what became of what they are about, also of suppliers that people join; what ends by itself is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_WHAT = "what in ('added', 'superseded', 'withdrawn', 'removed', 'expired', 'joined', 'parted')"
_WHOSE = "(what in ('joined', 'parted')) = (supplier is not null)"


def upgrade() -> None:
    """Add the columns in place: the table has a row for every change of a node's life, and is not copied."""
    op.execute(
        f"alter table change add column what varchar default 'added' not null constraint ck_change_what check ({_WHAT})"
    )
    op.execute(f"alter table change add column supplier integer constraint ck_change_whose check ({_WHOSE})")
    # What was noted more than once of a record changed it; by now its state says how.
    for table in ("entry", "decision", "pointer", "notice"):
        op.execute(
            f"update change set what = (select state from {table} where {table}.id = change.entry) "  # noqa: S608
            f"where exists (select 1 from {table} where {table}.id = change.entry and state <> 'current') "
            "and id not in (select min(id) from change group by entry)"
        )
    op.create_table(
        "ending",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("day", "entry", name=op.f("pk_ending")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget it; changes that are not about a record go too."""
    op.execute("delete from change where supplier is not null")
    op.drop_table("ending")
    # In this order: the check of the first names the second.
    op.execute("alter table change drop column supplier")
    op.execute("alter table change drop column what")
