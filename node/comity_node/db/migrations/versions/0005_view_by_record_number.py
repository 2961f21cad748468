"""The view under the numbers of its records: what grows with every finding gets short keys and few indexes.

The view is a fold, so nothing is copied: every log is decided and folded anew at the next start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NOT_ACCEPTED = sa.text("state <> 'accepted'")
_UNNAMED = sa.text("not named")


def upgrade() -> None:
    """Drop the view, make its new tables, and let every log be folded anew."""
    for table in ("entry_name", "entry_identifier", "entry", "change"):
        op.drop_table(table)
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_entry_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_unnamed", "entry", ["id"], sqlite_where=_UNNAMED, postgresql_where=_UNNAMED)
    op.create_table(
        "entry_name",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name=op.f("pk_entry_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entry_identifier",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "entry", name=op.f("pk_entry_identifier")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.drop_index("ix_received_member_hash", "received")
    op.drop_index("ix_received_member_state_seq", "received")
    op.create_index("ix_received_member_seq", "received", ["member", "seq"])
    op.create_index("ix_received_hash", "received", ["hash"])
    op.create_index(
        "ix_received_not_accepted",
        "received",
        ["member", "state", "id"],
        sqlite_where=_NOT_ACCEPTED,
        postgresql_where=_NOT_ACCEPTED,
    )
    op.add_column("log", sa.Column("head_hash", sa.String(), nullable=False, server_default=""))
    op.add_column("log", sa.Column("head_key", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("log") as log:
        # Only for the rows that were there: what comes says it.
        log.alter_column("head_hash", server_default=None)
        log.alter_column("head_key", server_default=None)
    if op.get_bind().dialect.name == "postgresql":
        # A record is random to a compressor, and short enough to stay beside its row.
        op.execute("alter table received alter column raw set storage external")
        op.execute("alter table received set (toast_tuple_target = 8160)")
    _fold_anew()


def downgrade() -> None:
    """Make the first view's tables again, and let every log be folded anew."""
    for table in ("entry_name", "entry_identifier", "entry", "change"):
        op.drop_table(table)
    with op.batch_alter_table("log") as log:
        log.drop_column("head_hash")
        log.drop_column("head_key")
    for index in ("ix_received_member_seq", "ix_received_hash", "ix_received_not_accepted"):
        op.drop_index(index, "received")
    op.create_index("ix_received_member_hash", "received", ["member", "hash"])
    op.create_index("ix_received_member_state_seq", "received", ["member", "state", "seq"])
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_table(
        "entry",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("handling", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('current', 'superseded', 'withdrawn')", name=op.f("ck_entry_state")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_member", "entry", ["member"])
    for table, columns in (("entry_identifier", ("scheme", "value")), ("entry_name", ("text", "folded", "country"))):
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("hash", sa.String(), nullable=False),
            *(sa.Column(column, sa.String(), nullable=False) for column in columns),
            sa.ForeignKeyConstraint(["hash"], ["entry.hash"], name=op.f(f"fk_{table}_hash_entry")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_hash", table, ["hash"])
    op.create_index("ix_entry_identifier_scheme_value", "entry_identifier", ["scheme", "value"])
    op.create_index("ix_entry_name_folded", "entry_name", ["folded"])
    _fold_anew()


def _fold_anew() -> None:
    # No member has this for the hash of its entry, so the exchange decides the whole log again.
    op.execute("update log set decided_under = 'another view' where decided_under <> ''")
