"""The contract register: contracts, the duties in them, and which items of plans hang on them."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and the column of plan items."""
    op.create_table(
        "contract",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("ends", sa.String(), nullable=False),
        sa.Column("clauses", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("exit_plan", sa.String(), nullable=False),
        sa.Column("exit_by", sa.String(), nullable=True),
        sa.Column("exit_at", sa.Text(), nullable=True),
        sa.Column("terminated_by", sa.String(), nullable=True),
        sa.Column("terminated_at", sa.Text(), nullable=True),
        sa.Column("termination", sa.String(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('running', 'terminated')", name=op.f("ck_contract_state")),
        sa.CheckConstraint("(state = 'terminated') = (terminated_by is not null)", name=op.f("ck_contract_terminated")),
        sa.CheckConstraint("(state = 'terminated') = (termination is not null)", name=op.f("ck_contract_why")),
        sa.CheckConstraint("state = 'running' or exit_by is not null", name=op.f("ck_contract_exit_plan_first")),
        sa.CheckConstraint("terminated_by is null or terminated_by <> exit_by", name=op.f("ck_contract_two_people")),
        sa.ForeignKeyConstraint(["exit_by"], ["person.id"], name=op.f("fk_contract_exit_by_person")),
        sa.ForeignKeyConstraint(["terminated_by"], ["person.id"], name=op.f("fk_contract_terminated_by_person")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_contract_made_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_contract")),
        sa.UniqueConstraint("id", name=op.f("uq_contract_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_contract_reference")),
    )
    op.create_index(op.f("ix_contract_ends"), "contract", ["ends"])
    op.create_table(
        "duty",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('open', 'done', 'waived')", name=op.f("ck_duty_state")),
        sa.CheckConstraint("(state = 'open') = (ended_by is null)", name=op.f("ck_duty_ended")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_duty_contract_id_contract")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_duty_ended_by_person")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_duty_made_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_duty")),
        sa.UniqueConstraint("id", name=op.f("uq_duty_id")),
    )
    op.create_index(op.f("ix_duty_contract_id"), "duty", ["contract_id"])
    waiting = sa.text("state = 'open'")
    op.create_index("ix_duty_open", "duty", ["due"], sqlite_where=waiting, postgresql_where=waiting)
    op.add_column("plan_item", sa.Column("contract_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_plan_item_contract_id"), "plan_item", ["contract_id"])


def downgrade() -> None:
    """Forget the register."""
    op.drop_index(op.f("ix_plan_item_contract_id"), "plan_item")
    op.drop_column("plan_item", "contract_id")
    op.drop_table("duty")
    op.drop_table("contract")
