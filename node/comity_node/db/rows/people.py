"""The tables of people, their tokens, answers given to them, and what holds the node up."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime


class PersonRow(SQLModel, table=True):
    """Somebody with an account."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    roles: str
    firm: str | None = None
    password: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class TokenRow(SQLModel, table=True):
    """An opaque bearer token, stored as its hash."""

    __tablename__ = "token"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    hash: str = Field(unique=True)
    label: str
    made_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)


class GivenAnswerRow(SQLModel, table=True):
    """What was answered to a write under the asker's key, for a day."""

    __tablename__ = "given_answer"
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    key: str = Field(primary_key=True)
    request: str
    status: int
    body: str
    at: datetime = Field(sa_type=UtcTime, index=True)


class ConditionRow(SQLModel, table=True):
    """Something that holds the node up now, in words; gone when it is over."""

    __tablename__ = "condition"
    name: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcTime)
    text: str
