"""Evidence files, objections of auditors, and what two people decide together about a report."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "evidence",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("keep_until", sa.String(), nullable=False),
        sa.Column("begun_by", sa.String(), nullable=False),
        sa.Column("begun_at", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('receiving', 'kept', 'shredded')", name=op.f("ck_evidence_state")),
        sa.CheckConstraint("(kept_at is null) or (state <> 'receiving')", name=op.f("ck_evidence_kept")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_evidence_report_id_report")),
        sa.ForeignKeyConstraint(["begun_by"], ["person.id"], name=op.f("fk_evidence_begun_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_evidence")),
        sa.UniqueConstraint("id", name=op.f("uq_evidence_id")),
    )
    op.create_index("uq_evidence_report_id_ref", "evidence", ["report_id", "ref"], unique=True)
    op.create_index(op.f("ix_evidence_keep_until"), "evidence", ["keep_until"])
    op.create_table(
        "objection",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("observation", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('standing', 'withdrawn', 'overruled')", name=op.f("ck_objection_state")),
        sa.CheckConstraint("(state = 'standing') = (ended_by is null)", name=op.f("ck_objection_ended")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_objection_report_id_report")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_objection_made_by_person")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_objection_ended_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_objection")),
        sa.UniqueConstraint("id", name=op.f("uq_objection_id")),
    )
    op.create_index(op.f("ix_objection_report_id"), "objection", ["report_id"])
    op.create_table(
        "joint_act",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("objection_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.CheckConstraint("act in ('overrule', 'hold', 'let-go')", name=op.f("ck_joint_act_act")),
        sa.CheckConstraint("state in ('proposed', 'confirmed', 'declined')", name=op.f("ck_joint_act_state")),
        sa.CheckConstraint("decided_by is null or decided_by <> proposed_by", name=op.f("ck_joint_act_two_people")),
        sa.CheckConstraint("(state = 'proposed') = (decided_by is null)", name=op.f("ck_joint_act_decided")),
        sa.CheckConstraint("(act = 'overrule') = (objection_id is not null)", name=op.f("ck_joint_act_overrules_one")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_joint_act_report_id_report")),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_joint_act_objection_id_objection")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_joint_act_proposed_by_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_joint_act_decided_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_joint_act")),
        sa.UniqueConstraint("id", name=op.f("uq_joint_act_id")),
    )
    op.create_index(op.f("ix_joint_act_report_id"), "joint_act", ["report_id"])


def downgrade() -> None:
    """Drop them: the files themselves stay in the vault, unreadable without their report."""
    op.drop_table("joint_act")
    op.drop_table("objection")
    op.drop_table("evidence")
