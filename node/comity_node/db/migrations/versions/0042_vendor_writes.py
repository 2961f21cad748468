"""Versions of vendors' rows that never go back, judgements found by supplier, and no watch of a closed account."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_ENDED = """
update watch set ended_at = (select closed_at from person where person.id = watch.owner)
where ended_at is null and owner in (select id from person where closed_at is not null)
"""
_DROPPED = """
update watch_delivery set state = 'dropped', next_at = null, said = 'the watch was ended',
    ended_at = (select ended_at from watch where watch.number = watch_delivery.watch)
where state = 'waiting' and watch in (select number from watch where ended_at is not null)
"""


def upgrade() -> None:
    """Add the count of writings, the index, and end what tells people who are here no more."""
    op.create_table(
        "vendor_writes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_writes")),
    )
    op.execute("insert into vendor_writes (id, version) select 1, coalesce(max(version), 0) from vendor")
    stands = sa.text("undone_at is null")
    op.create_index(
        "ix_vendor_judgement_supplier",
        "vendor_judgement",
        ["supplier"],
        sqlite_where=stands,
        postgresql_where=stands,
    )
    op.execute(_ENDED)
    op.execute(_DROPPED)


def downgrade() -> None:
    """Drop both; the watches stay ended."""
    op.drop_index("ix_vendor_judgement_supplier", "vendor_judgement")
    op.drop_table("vendor_writes")
