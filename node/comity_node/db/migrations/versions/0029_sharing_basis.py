"""Two people may record that a report's sharing basis was withdrawn, and that it holds again."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let joint acts be of two more kinds."""
    _allow("'overrule', 'hold', 'let-go', 'withdraw-basis', 'restore-basis'")


def downgrade() -> None:
    """Forget what was recorded of it; the trail keeps the fact."""
    op.execute("delete from joint_act where act in ('withdraw-basis', 'restore-basis')")
    _allow("'overrule', 'hold', 'let-go'")


def _allow(acts: str) -> None:
    # Rebuilding a table on SQLite keeps only the checks that are given.
    kept = (
        sa.CheckConstraint("state in ('proposed', 'confirmed', 'declined')", name=op.f("ck_joint_act_state")),
        sa.CheckConstraint("decided_by is null or decided_by <> proposed_by", name=op.f("ck_joint_act_two_people")),
        sa.CheckConstraint("(state = 'proposed') = (decided_by is null)", name=op.f("ck_joint_act_decided")),
        sa.CheckConstraint("(act = 'overrule') = (objection_id is not null)", name=op.f("ck_joint_act_overrules_one")),
    )
    with op.batch_alter_table("joint_act", table_args=kept) as joint_act:
        joint_act.drop_constraint(op.f("ck_joint_act_act"), type_="check")
        joint_act.create_check_constraint(op.f("ck_joint_act_act"), f"act in ({acts})")
