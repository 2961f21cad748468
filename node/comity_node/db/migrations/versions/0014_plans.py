"""Corrective-action plans: their items, and what was done to each."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "plan_item",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("report_id", sa.String(), nullable=True),
        sa.Column("observation", sa.String(), nullable=True),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("escalated", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("done_at", sa.Text(), nullable=True),
        sa.Column("verified", sa.String(), nullable=True),
        sa.Column("verifier", sa.String(), nullable=True),
        sa.Column("verified_by", sa.String(), nullable=True),
        sa.Column("follow_up", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state in ('agreed', 'under-way', 'done', 'verified', 'dropped')", name=op.f("ck_plan_item_state")
        ),
        sa.CheckConstraint("(finding is null) <> (report_id is null)", name=op.f("ck_plan_item_one_subject")),
        sa.CheckConstraint("(report_id is null) = (observation is null)", name=op.f("ck_plan_item_of_an_observation")),
        sa.CheckConstraint("(state = 'verified') = (verified_by is not null)", name=op.f("ck_plan_item_verified")),
        sa.CheckConstraint(
            "verified_by is null or done_by is null or verified_by <> done_by", name=op.f("ck_plan_item_two_people")
        ),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_plan_item_report_id_report")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_plan_item_made_by_person")),
        sa.ForeignKeyConstraint(["done_by"], ["person.id"], name=op.f("fk_plan_item_done_by_person")),
        sa.ForeignKeyConstraint(["verified_by"], ["person.id"], name=op.f("fk_plan_item_verified_by_person")),
        sa.ForeignKeyConstraint(["follow_up"], ["report.id"], name=op.f("fk_plan_item_follow_up_report")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_plan_item")),
        sa.UniqueConstraint("id", name=op.f("uq_plan_item_id")),
    )
    op.create_index(op.f("ix_plan_item_finding"), "plan_item", ["finding"])
    op.create_index("ix_plan_item_report_id_observation", "plan_item", ["report_id", "observation"])
    waiting = sa.text("state in ('agreed', 'under-way', 'done')")
    op.create_index("ix_plan_item_open", "plan_item", ["due"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "local_act",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("before", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_local_act_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_local_act")),
    )
    op.create_index(op.f("ix_local_act_subject"), "local_act", ["subject"])


def downgrade() -> None:
    """Forget all plans; what was published of them stands."""
    op.drop_table("local_act")
    op.drop_table("plan_item")
