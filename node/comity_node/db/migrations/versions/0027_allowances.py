"""What two reviewers say to audits outside their firms' authorisations."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "audit_allowance",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("first_by", sa.String(), nullable=False),
        sa.Column("first_at", sa.Text(), nullable=False),
        sa.Column("first_code", sa.String(), nullable=False),
        sa.Column("first_words", sa.String(), nullable=False),
        sa.Column("second_by", sa.String(), nullable=True),
        sa.Column("second_at", sa.Text(), nullable=True),
        sa.Column("second_code", sa.String(), nullable=True),
        sa.Column("second_words", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('proposed', 'allowed', 'declined')", name=op.f("ck_audit_allowance_state")),
        sa.CheckConstraint("second_by is null or second_by <> first_by", name=op.f("ck_audit_allowance_two_people")),
        sa.CheckConstraint("(state = 'proposed') = (second_by is null)", name=op.f("ck_audit_allowance_decided")),
        sa.CheckConstraint("(second_by is null) = (second_code is null)", name=op.f("ck_audit_allowance_says_why")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_audit_allowance_report_id_report")),
        sa.ForeignKeyConstraint(["first_by"], ["person.id"], name=op.f("fk_audit_allowance_first_by_person")),
        sa.ForeignKeyConstraint(["second_by"], ["person.id"], name=op.f("fk_audit_allowance_second_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_allowance")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_allowance_id")),
    )
    op.create_index(op.f("ix_audit_allowance_report_id"), "audit_allowance", ["report_id"])


def downgrade() -> None:
    """Forget them: the reports are marked as before."""
    op.drop_table("audit_allowance")
