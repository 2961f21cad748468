"""A supplier can be found by a spelling under which an officer recognised it."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_OTHERS = "'owned-by', 'in-consortium', 'site-of', 'supplies-labour-to'"


def upgrade() -> None:
    """Widen the checks."""
    _put(_checks("'former-name', 'also-called'"))


def downgrade() -> None:
    """Forget the spellings, and narrow the checks."""
    op.execute("delete from supplier_fact where fact = 'also-called'")
    _put(_checks("'former-name'"))


def _put(checks: dict[str, str]) -> None:
    with op.batch_alter_table("supplier_fact") as batch:
        for name, sql in checks.items():
            batch.drop_constraint(op.f(f"ck_supplier_fact_{name}"), type_="check")
            batch.create_check_constraint(op.f(f"ck_supplier_fact_{name}"), sql)


def _checks(names: str) -> dict[str, str]:
    name = "fact = 'former-name'" if "," not in names else f"fact in ({names})"
    return {
        "fact": f"fact in ('entered', {names}, {_OTHERS})",
        "other": f"(fact in ('entered', {names})) = (other is null)",
        "text": f"({name}) = (text is not null)",
    }
