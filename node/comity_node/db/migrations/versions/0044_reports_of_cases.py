"""Which reports a case keeps back: the one that it was opened from, and those that stand in its place."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, with the reports that cases were opened from."""
    op.create_table(
        "protection_report",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["protection_case.id"], name=op.f("fk_protection_report_case_id_protection_case")
        ),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_protection_report_report_id_report")),
        sa.PrimaryKeyConstraint("case_id", "report_id", name=op.f("pk_protection_report")),
    )
    op.create_index(op.f("ix_protection_report_report_id"), "protection_report", ["report_id"])
    op.execute(
        "insert into protection_report (case_id, report_id) "
        "select id, report_id from protection_case where report_id is not null"
    )


def downgrade() -> None:
    """Drop it: a case keeps back the report that it was opened from."""
    op.drop_index(op.f("ix_protection_report_report_id"), "protection_report")
    op.drop_table("protection_report")
