"""People at risk: cases with their steps and staff, who is on duty, local contacts."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_STEPS = (
    "'reviewed', 'best-interests', 'safety-plan', 'referral-contacted', 'no-dismissal', 'schooling-and-income', "
    "'referral-offered', 'closed'"
)
_KINDS = (
    "'referral-mechanism', 'hotline', 'international-organisation', 'ngo', 'child-protection', "
    "'labour-inspectorate', 'specialised-police'"
)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "protection_case",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("children", sa.Boolean(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("passed_on_at", sa.Text(), nullable=False),
        sa.Column("passed_on", sa.Integer(), nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("pointer", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_protection_case_report_id_report")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_protection_case_opened_by_person")),
        sa.ForeignKeyConstraint(["pointer"], ["review.id"], name=op.f("fk_protection_case_pointer_review")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_protection_case")),
        sa.UniqueConstraint("id", name=op.f("uq_protection_case_id")),
    )
    op.create_index(op.f("ix_protection_case_report_id"), "protection_case", ["report_id"])
    op.create_index(op.f("ix_protection_case_reviewed"), "protection_case", ["reviewed"])
    op.create_table(
        "protection_step",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.Text(), nullable=True),
        sa.CheckConstraint(f"step in ({_STEPS})", name=op.f("ck_protection_step_step")),
        sa.CheckConstraint(
            "(step = 'referral-offered') = (consent is not null)", name=op.f("ck_protection_step_consent")
        ),
        sa.CheckConstraint(
            "(step = 'referral-contacted') = (contact is not null)", name=op.f("ck_protection_step_contacted")
        ),
        sa.CheckConstraint("(undone_by is null) = (undone_at is null)", name=op.f("ck_protection_step_undone")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["protection_case.id"], name=op.f("fk_protection_step_case_id_protection_case")
        ),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_protection_step_by_person")),
        sa.ForeignKeyConstraint(["undone_by"], ["person.id"], name=op.f("fk_protection_step_undone_by_person")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_protection_step")),
    )
    op.create_index(op.f("ix_protection_step_case_id"), "protection_step", ["case_id"])
    op.create_table(
        "protection_staff",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["protection_case.id"], name=op.f("fk_protection_staff_case_id_protection_case")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_protection_staff_person_id_person")),
        sa.PrimaryKeyConstraint("case_id", "person_id", name=op.f("pk_protection_staff")),
    )
    op.create_index(op.f("ix_protection_staff_person_id"), "protection_staff", ["person_id"])
    op.create_table(
        "protection_duty",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_protection_duty_person_id_person")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_protection_duty")),
        sa.UniqueConstraint("person_id", name=op.f("uq_protection_duty_person_id")),
    )
    op.create_table(
        "referral_contact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.Column("review_by", sa.String(), nullable=False),
        sa.CheckConstraint(f"kind in ({_KINDS})", name=op.f("ck_referral_contact_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_contact")),
    )
    op.create_index(op.f("ix_referral_contact_country"), "referral_contact", ["country"])


def downgrade() -> None:
    """Forget all cases and contacts."""
    for table in ("referral_contact", "protection_duty", "protection_staff", "protection_step", "protection_case"):
        op.drop_table(table)
