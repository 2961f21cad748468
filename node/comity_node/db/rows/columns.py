"""What all tables share.

Enumerations are text with a CHECK; times are UTC ISO text, so that both databases give the same back.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CheckConstraint, LargeBinary, MetaData, Text, TypeDecorator, text
from sqlalchemy import Column as SAColumn
from sqlmodel import SQLModel

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC as ISO text of fixed length, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        """Refuse naive times: a time without a zone is a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def bytes_column() -> Any:
    """Return a column of bytes that is never empty."""
    return SAColumn(LargeBinary, nullable=False)


def one_of(column: str, *allowed: str) -> CheckConstraint:
    """Return the constraint that a column has one of these values."""
    return CheckConstraint(f"{column} in ({', '.join(repr(a) for a in allowed)})", name=column)


def where(condition: str) -> dict[str, Any]:
    """Return the options of an index over part of a table, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
