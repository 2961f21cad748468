"""Salted entries of the trail, its anchors and exports, and other members' checkpoints as witnesses of theirs.

What was written before is numbered and chained anew, with salts; a last entry keeps what the old chain came to, and
whether it held.
"""

import hashlib
import json
import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from comity_federation import strict_json
from comity_federation.encoding import b64encode

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_AT_ONCE = 500


def upgrade() -> None:
    """Add the tables and chain anew."""
    op.create_table(
        "trail_anchor",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_anchor")),
    )
    op.create_table(
        "trail_export",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_export")),
    )
    op.create_table(
        "kept_checkpoint",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member", "day", name=op.f("pk_kept_checkpoint")),
    )
    op.add_column("trail", sa.Column("salt", sa.String(), nullable=False, server_default=""))
    _chain_anew(op.get_bind())
    with op.batch_alter_table("trail") as trail:
        trail.alter_column("salt", server_default=None)


def downgrade() -> None:
    """Chain as before, without salts; the proofs are gone."""
    connection = op.get_bind()
    previous = _digest("comity trail")
    for row in _rows(connection):
        previous = _digest(strict_json.dumps([previous, *_fields(row)]))
        connection.execute(sa.text("update trail set hash = :hash where id = :id"), {"hash": previous, "id": row.id})
    with op.batch_alter_table("trail") as trail:
        trail.drop_column("salt")
    op.drop_table("kept_checkpoint")
    op.drop_table("trail_export")
    op.drop_table("trail_anchor")


def _chain_anew(connection: sa.Connection) -> None:
    old = new = _digest("comity trail")
    number, broken = 0, None
    for row in _rows(connection):
        number += 1
        old = _digest(strict_json.dumps([old, *_fields(row)]))
        if old != row.hash and broken is None:
            broken = number
        old = row.hash
        new, salt = _link(new, number, _fields(row))
        # Numbers only become smaller, in order: none meets another.
        values = {"new": number, "salt": salt, "hash": new, "id": row.id}
        connection.execute(sa.text("update trail set id = :new, salt = :salt, hash = :hash where id = :id"), values)
    if not number:
        return
    detail = {"entries": number, "head_before": old, "broken": broken}
    now = datetime.now(UTC)
    words = json.dumps(detail, separators=(",", ":"), sort_keys=True)
    fields = [now.isoformat(), "comity init", "trail.sealed-anew", "trail", words]
    new, salt = _link(new, number + 1, fields)
    connection.execute(
        sa.text(
            "insert into trail (id, at, actor, event, subject, detail, salt, hash) "
            "values (:id, :at, :actor, :event, :subject, :detail, :salt, :hash)"
        ),
        {
            "id": number + 1,
            "at": now.isoformat(timespec="microseconds"),
            "actor": fields[1],
            "event": fields[2],
            "subject": fields[3],
            "detail": words,
            "salt": salt,
            "hash": new,
        },
    )


def _rows(connection: sa.Connection):  # type: ignore[no-untyped-def]
    last = 0
    query = sa.text("select * from trail where id > :last order by id limit :most")
    while rows := connection.execute(query, {"last": last, "most": _AT_ONCE}).all():
        yield from rows
        last = rows[-1].id


def _fields(row: sa.Row) -> list[str]:  # type: ignore[type-arg]
    at = datetime.fromisoformat(row.at).isoformat()
    return [at, row.actor, row.event, row.subject, row.detail]


def _link(previous: str, number: int, fields: list[str]) -> tuple[str, str]:
    salt = b64encode(secrets.token_bytes(16))
    return _digest(previous + _digest(strict_json.dumps([number, salt, *fields]))), salt


def _digest(value: str | bytes) -> str:
    raw = value.encode("ascii") if isinstance(value, str) else value
    return b64encode(hashlib.sha256(raw).digest())
