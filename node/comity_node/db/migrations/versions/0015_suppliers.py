"""Suppliers as this node knows them, and what people judge of them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_STANDS = sa.text("undone_at is null")
_EVENT = sa.text("event is not null")


def upgrade() -> None:
    """Add the tables; they fill from the supplier view by themselves."""
    op.create_table(
        "supplier",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sorting", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("newest", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('supplier', 'site', 'labour-provider')", name=op.f("ck_supplier_kind")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_supplier")),
        sa.UniqueConstraint("key", name=op.f("uq_supplier_key")),
    )
    op.create_index("ix_supplier_whole_sorting", "supplier", ["whole", "sorting"])
    op.create_index("ix_supplier_sorting", "supplier", ["sorting", "number"])
    op.create_index("ix_supplier_newest", "supplier", ["newest", "number"])
    op.create_table(
        "supplier_name",
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("supplier", "text", name=op.f("pk_supplier_name")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_supplier_name_folded", "supplier_name", ["folded", "supplier"])
    op.create_table(
        "supplier_identifier",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "supplier", name=op.f("pk_supplier_identifier")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_supplier_identifier_supplier", "supplier_identifier", ["supplier"])
    op.create_table(
        "supplier_mention",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("supplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("decision", sa.Boolean(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=True),
        sa.CheckConstraint("role in ('subject', 'operator', 'client')", name=op.f("ck_supplier_mention_role")),
        sa.PrimaryKeyConstraint("entry", "supplier", name=op.f("pk_supplier_mention")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_supplier_mention_supplier", "supplier_mention", ["supplier", "entry"])
    op.create_index(
        "ix_supplier_mention_event", "supplier_mention", ["event"], sqlite_where=_EVENT, postgresql_where=_EVENT
    )
    op.create_table(
        "followed",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_followed")),
    )
    _create_judgements()


def _create_judgements() -> None:
    op.create_table(
        "judgement",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("judged", sa.String(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.Text(), nullable=True),
        sa.Column("undone_words", sa.String(), nullable=True),
        sa.CheckConstraint("judged in ('same', 'different', 'apart')", name=op.f("ck_judgement_judged")),
        sa.CheckConstraint("first <> second", name=op.f("ck_judgement_two")),
        sa.CheckConstraint("(undone_at is null) = (undone_by is null)", name=op.f("ck_judgement_undone")),
        sa.ForeignKeyConstraint(["first"], ["supplier.number"], name=op.f("fk_judgement_first_supplier")),
        sa.ForeignKeyConstraint(["second"], ["supplier.number"], name=op.f("fk_judgement_second_supplier")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_judgement_by_person")),
        sa.ForeignKeyConstraint(["undone_by"], ["person.id"], name=op.f("fk_judgement_undone_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_judgement")),
        sa.UniqueConstraint("id", name=op.f("uq_judgement_id")),
    )
    for side in ("first", "second"):
        op.create_index(f"ix_judgement_{side}", "judgement", [side], sqlite_where=_STANDS, postgresql_where=_STANDS)
    op.create_table(
        "apart",
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("judgement", sa.String(), nullable=False),
        sa.Column("supplier", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["judgement"], ["judgement.id"], name=op.f("fk_apart_judgement_judgement")),
        sa.ForeignKeyConstraint(["supplier"], ["supplier.number"], name=op.f("fk_apart_supplier_supplier")),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_apart")),
    )
    op.create_index(op.f("ix_apart_judgement"), "apart", ["judgement"])


def downgrade() -> None:
    """Forget what people judged; nothing that was received is lost."""
    for table in (
        "apart",
        "judgement",
        "followed",
        "supplier_mention",
        "supplier_identifier",
        "supplier_name",
        "supplier",
    ):
        op.drop_table(table)
