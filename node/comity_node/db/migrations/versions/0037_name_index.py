"""The name index, and which suppliers pointers and audit notices name."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_KINDS = ("entry", "decision", "pointer", "notice")


def upgrade() -> None:
    """Add the tables; they fill from the suppliers by themselves, those from the view."""
    op.create_table(
        "search_posting",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "chunk", name=op.f("pk_search_posting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_delta",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "supplier", name=op.f("pk_search_delta")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_waiting",
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("supplier", "text", name=op.f("pk_search_waiting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_state",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("folding", sa.Integer(), nullable=False),
        sa.Column("built", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("reached", sa.Integer(), nullable=True),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_search_state_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_search_state")),
    )
    op.create_table(
        "supplier_aside",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("entry", "supplier", name=op.f("pk_supplier_aside")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_supplier_aside_supplier", "supplier_aside", ["supplier"])
    # The index folds names, and those that it has not reached are folded when somebody searches: receiving folds none.
    for kind in _KINDS:
        op.drop_column(f"{kind}_name", "folded")
    # The suppliers have followed past pointers and notices: back to the first of them.
    named = "select id from pointer union select id from notice"
    first = f"select min(id) - 1 from change where entry in ({named})"  # noqa: S608 (our own names)
    op.execute(f"update followed set change = ({first}) where name = 'suppliers' and change > ({first})")  # noqa: S608


def downgrade() -> None:
    """Forget the index, and let every log be folded anew."""
    for kind in _KINDS:
        op.add_column(f"{kind}_name", sa.Column("folded", sa.String(), nullable=False, server_default=""))
    # No member has this for the hash of its entry, so the exchange decides the whole log again.
    op.execute("update log set decided_under = 'another view' where decided_under <> ''")
    op.drop_table("supplier_aside")
    for table in ("search_state", "search_waiting", "search_delta", "search_posting"):
        op.drop_table(table)
