"""The table of how far other members have said to have applied this node's own log."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from comity_node.db.rows.columns import UtcTime


class DeliveryRow(SQLModel, table=True):
    """One member's word that it has applied this node's log up to a place, and since when it says so."""

    __tablename__ = "delivery"
    member: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcTime)
