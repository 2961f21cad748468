"""Focal points' consents that members of the site's own country read a finding."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "audience_consent",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_audience_consent_review_id_review")),
        sa.ForeignKeyConstraint(["given_by"], ["person.id"], name=op.f("fk_audience_consent_given_by_person")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_audience_consent")),
    )


def downgrade() -> None:
    """Forget the consents: what waits needs them anew."""
    op.drop_table("audience_consent")
