"""The tables of the trail: its entries, what fixes it, and what other members' checkpoints said of theirs."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime


class TrailRow(SQLModel, table=True):
    """One entry of the trail, bound to the one before. Numbers are given by the repository: 1, 2, 3 …"""

    __tablename__ = "trail"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    actor: str
    event: str = Field(index=True)
    subject: str
    detail: str
    salt: str
    hash: str


class TrailAnchorRow(SQLModel, table=True):
    """A checkpoint of this node that fixes its trail up to a place, as signed."""

    __tablename__ = "trail_anchor"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    hash: str
    checkpoint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_type=UtcTime)


class TrailExportRow(SQLModel, table=True):
    """An export of the trail, by the number of its entry: a checkpoint has to fix it soon."""

    __tablename__ = "trail_export"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class KeptCheckpointRow(SQLModel, table=True):
    """The first checkpoint that came of another member on a day, as signed: a witness of its trail."""

    __tablename__ = "kept_checkpoint"
    member: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
