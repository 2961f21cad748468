"""Lists of factories, and what people enter of suppliers."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "factory_list",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.Column("unread", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("taken_back_by", sa.String(), nullable=True),
        sa.Column("taken_back_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(taken_back_at is null) = (taken_back_by is null)", name=op.f("ck_factory_list_taken_back")
        ),
        sa.ForeignKeyConstraint(["owner"], ["supplier.number"], name=op.f("fk_factory_list_owner_supplier")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_factory_list_by_person")),
        sa.ForeignKeyConstraint(["taken_back_by"], ["person.id"], name=op.f("fk_factory_list_taken_back_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_factory_list")),
        sa.UniqueConstraint("id", name=op.f("uq_factory_list_id")),
    )
    op.create_index(op.f("ix_factory_list_owner"), "factory_list", ["owner"])
    op.create_table(
        "factory_row",
        sa.Column("list", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("supplier", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("cells", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("outcome in ('site', 'repeated', 'refused')", name=op.f("ck_factory_row_outcome")),
        sa.CheckConstraint("(outcome = 'refused') = (supplier is null)", name=op.f("ck_factory_row_named")),
        sa.PrimaryKeyConstraint("list", "line", name=op.f("pk_factory_row")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_factory_row_supplier", "factory_row", ["supplier"])
    _create_facts()


def _create_facts() -> None:
    facts = "'entered', 'former-name', 'owned-by', 'in-consortium', 'site-of', 'supplies-labour-to'"
    op.create_table(
        "supplier_fact",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("supplier", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("folded", sa.String(), nullable=True),
        sa.Column("since", sa.String(), nullable=True),
        sa.Column("until", sa.String(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("taken_back_by", sa.String(), nullable=True),
        sa.Column("taken_back_at", sa.Text(), nullable=True),
        sa.CheckConstraint(f"fact in ({facts})", name=op.f("ck_supplier_fact_fact")),
        sa.CheckConstraint(
            "(fact in ('entered', 'former-name')) = (other is null)", name=op.f("ck_supplier_fact_other")
        ),
        sa.CheckConstraint("(fact = 'former-name') = (text is not null)", name=op.f("ck_supplier_fact_text")),
        sa.CheckConstraint(
            "(taken_back_at is null) = (taken_back_by is null)", name=op.f("ck_supplier_fact_taken_back")
        ),
        sa.ForeignKeyConstraint(["supplier"], ["supplier.number"], name=op.f("fk_supplier_fact_supplier_supplier")),
        sa.ForeignKeyConstraint(["other"], ["supplier.number"], name=op.f("fk_supplier_fact_other_supplier")),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_supplier_fact_by_person")),
        sa.ForeignKeyConstraint(["taken_back_by"], ["person.id"], name=op.f("fk_supplier_fact_taken_back_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_supplier_fact")),
        sa.UniqueConstraint("id", name=op.f("uq_supplier_fact_id")),
    )
    op.create_index(op.f("ix_supplier_fact_supplier"), "supplier_fact", ["supplier"])
    op.create_index(op.f("ix_supplier_fact_other"), "supplier_fact", ["other"])
    op.create_index("ix_supplier_fact_folded", "supplier_fact", ["folded"])


def downgrade() -> None:
    """Forget what lists and people said."""
    for table in ("supplier_fact", "factory_row", "factory_list"):
        op.drop_table(table)
