"""What was released and waits to be signed and sent, and what was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_federation.statements import Outgoing, Signed
from comity_node.db.bulk import stored_time, update_rows
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import OutboxRow
from comity_node.db.rows.review import ReviewRow
from comity_schemas.handling import Handling


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One released statement on its way out."""

    id: int
    review_id: str | None
    """None where only the log knew of the statement: its review is lost."""
    state: str
    """`queued`, `signed` or `sent`."""
    outgoing: Outgoing
    seq: int | None
    hash: str | None
    record: bytes | None
    sent_at: datetime | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A statement of our own as the log holds it."""

    outgoing: Outgoing
    seq: int
    hash: str
    record: bytes
    signed_at: datetime
    """As claimed in it."""
    sent_at: datetime | None
    """None: the topic lacks it, so it is sent again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What is needed to send a signed statement."""

    seq: int
    kind: str
    record: bytes
    signed_at: datetime | None
    """None for what was taken back from the log."""


@dataclass(frozen=True, slots=True)
class OwnLog:
    """How far the own log is, as the outbox has it."""

    signed: tuple[int, str] | None
    """Place and hash of the last statement that was signed."""
    sent: tuple[int, str] | None
    """Of the last that the bus has stored."""
    waits_for_signature: bool
    waits_for_sending: bool
    anchor_wanted: bool
    """Whether an export of the trail waits for a checkpoint."""

    @classmethod
    def of(cls, row: Sequence[Any]) -> "OwnLog":
        """Return what the answer to `OWN_LOG` says."""
        signed, signed_hash, sent, sent_hash, queued, unsent, wanted = row
        return cls(
            None if signed is None else (signed, signed_hash),
            None if sent is None else (sent, sent_hash),
            bool(queued),
            bool(unsent),
            bool(wanted),
        )


_IN_ORDER = (col(OutboxRow.seq), col(OutboxRow.id))
"""By place; what has none yet in the order of its release. The order of the index by state: nothing is sorted."""


class Outbox:
    """Repository of the outbox."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, review_id: str, outgoing: Outgoing) -> None:
        """Queue exactly what will be said."""
        row = OutboxRow(review_id=review_id, state="queued", outgoing=_dump(outgoing), corrects=outgoing.corrects)
        self._session.add(row)
        await self._session.flush()

    async def in_state(self, state: str, *, most: int) -> list[OutboxItem]:
        """Return items in the order in which they must go out."""
        query = select(OutboxRow).where(OutboxRow.state == state).order_by(*_IN_ORDER).limit(most)
        return [_item(row) for row in await self._session.exec(query)]

    async def head(self) -> tuple[int, str] | None:
        """Return place and hash of the last statement that was signed here."""
        return await self._last(col(OutboxRow.seq).is_not(None))

    async def queued(self, *, most: int) -> list[tuple[int, Outgoing]]:
        """Return what waits to be signed, by the items' numbers, in the order of its release."""
        query = select(OutboxRow.id, OutboxRow.outgoing).where(OutboxRow.state == "queued")
        rows = await self._session.exec(query.order_by(*_IN_ORDER).limit(most))
        return [(number, _load(outgoing)) for number, outgoing in rows if number is not None]

    async def ready(self, *, most: int) -> list[Ready]:
        """Return what is signed and waits to be sent, in the order of its places."""
        query = select(OutboxRow.seq, OutboxRow.outgoing, OutboxRow.record, OutboxRow.signed_at)
        query = query.where(OutboxRow.state == "signed").order_by(*_IN_ORDER).limit(most)
        return [
            Ready(seq, orjson.loads(outgoing)["kind"], record, signed_at)
            for seq, outgoing, record, signed_at in await self._session.exec(query)
            if seq is not None and record is not None
        ]

    async def put_signed(self, signed: Sequence[tuple[int, Signed]], now: datetime) -> None:
        """Keep the exact signed bytes, each beside its item's number, before they are sent anywhere."""
        at = stored_time(now)
        rows = [
            (
                "signed",
                s.seq,
                s.hash,
                s.record,
                orjson.dumps({d.name: d.encoded for d in s.withheld}).decode(),
                at,
                number,
            )
            for number, s in signed
        ]
        columns = ("state", "seq", "hash", "record", "withheld", "signed_at")
        await update_rows(self._session, OutboxRow, columns, rows)

    async def mark_sent(self, first: int, last: int, now: datetime) -> None:
        """Mark that the bus has stored the statements of these places, both ends included."""
        waiting = (col(OutboxRow.seq) >= first, col(OutboxRow.seq) <= last, col(OutboxRow.state) == "signed")
        await self._session.exec(update(OutboxRow).where(*waiting).values(state="sent", sent_at=now))

    async def unsign(self, seq: int) -> None:
        """Put an item that was signed but never left back in the queue: its place is taken by another statement."""
        row = (await self._session.exec(select(OutboxRow).where(OutboxRow.seq == seq))).one()
        if row.review_id is None:
            # What nobody here approved is never signed again.
            await self._session.delete(row)
            await self._session.flush()
            return
        row.state, row.seq, row.hash, row.record, row.signed_at, row.withheld = "queued", None, None, None, None, None
        await self._session.flush()

    async def resend_after(self, seq: int) -> None:
        """Let everything sent after a place be sent again: the bus lost it. The bytes stay the same."""
        lost = (col(OutboxRow.seq) > seq, col(OutboxRow.state) == "sent")
        await self._session.exec(update(OutboxRow).where(*lost).values(state="signed", sent_at=None))

    async def sent(self, first: int, *, most: int) -> list[OutboxItem]:
        """Return what the bus has stored, from a place on, in order."""
        query = select(OutboxRow).where(OutboxRow.state == "sent", col(OutboxRow.seq) >= first)
        return [_item(row) for row in await self._session.exec(query.order_by(col(OutboxRow.seq)).limit(most))]

    async def corrections(self, *, most: int) -> list[OutboxItem]:
        """Return what was sent and takes back or replaces something, newest first."""
        query = select(OutboxRow).where(text("corrects"), col(OutboxRow.sent_at).is_not(None))
        return [_item(row) for row in await self._session.exec(query.order_by(col(OutboxRow.id).desc()).limit(most))]

    async def last_sent(self) -> tuple[int, str] | None:
        """Return place and hash of the last statement that the bus has stored."""
        return await self._last(col(OutboxRow.state) == "sent")

    async def _last(self, which: ColumnElement[bool]) -> tuple[int, str] | None:
        query = select(OutboxRow.seq, OutboxRow.hash).where(which).order_by(col(OutboxRow.seq).desc()).limit(1)
        seq, name = (await self._session.exec(query)).first() or (None, None)
        return None if seq is None or name is None else (seq, name)

    async def own_log(self) -> OwnLog:
        """Return how far the own log is."""
        return OwnLog.of((await Reading(self._session).rows(OWN_LOG))[0])

    async def take_back(self, statements: Sequence[TakenBack]) -> None:
        """Enter statements of our own that only the log knew.

        What is still queued and was said already, after it was approved, is not said again: its row becomes the
        statement. Else the row has no review.
        """
        queued: dict[str, list[tuple[OutboxRow, datetime]]] = {}
        query = select(OutboxRow, ReviewRow.decided_at).join(ReviewRow, col(ReviewRow.id) == col(OutboxRow.review_id))
        for row, approved_at in await self._session.exec(query.where(OutboxRow.state == "queued").order_by(*_IN_ORDER)):
            if approved_at is not None:
                queued.setdefault(_said(_item(row).outgoing), []).append((row, approved_at))
        for said in statements:
            row = _take_same(queued.get(_said(said.outgoing), []), said) or OutboxRow(
                state="queued", outgoing=_dump(said.outgoing), corrects=said.outgoing.corrects
            )
            row.state = "signed" if said.sent_at is None else "sent"
            row.seq, row.hash, row.record = said.seq, said.hash, said.record
            row.signed_at, row.sent_at = said.signed_at, said.sent_at
            self._session.add(row)
        await self._session.flush()

    async def without_review(self) -> list[OutboxItem]:
        """Return the statements that only the log knew, in order."""
        query = select(OutboxRow).where(col(OutboxRow.review_id).is_(None)).order_by(col(OutboxRow.seq))
        return [_item(row) for row in await self._session.exec(query)]

    async def corrections_without_review(self, statement: str) -> list[OutboxItem]:
        """Return what only the log knew and takes this statement back or stands in its place, in order."""
        query = select(OutboxRow).where(text("corrects"), col(OutboxRow.review_id).is_(None))
        query = query.where(col(OutboxRow.outgoing).contains(statement, autoescape=True))
        return [_item(row) for row in await self._session.exec(query.order_by(col(OutboxRow.seq)))]

    async def at(self, seq: int) -> OutboxItem | None:
        """Return the item signed at a place."""
        row = (await self._session.exec(select(OutboxRow).where(OutboxRow.seq == seq))).first()
        return None if row is None else _item(row)

    async def of_hash(self, name: str) -> OutboxItem | None:
        """Return the item by its statement's hash."""
        row = (await self._session.exec(select(OutboxRow).where(OutboxRow.hash == name))).first()
        return None if row is None else _item(row)

    async def of_review(self, review_id: str) -> OutboxItem | None:
        """Return the item that a release or withdrawal made."""
        row = (await self._session.exec(select(OutboxRow).where(OutboxRow.review_id == review_id))).first()
        return None if row is None else _item(row)

    async def counts(self) -> dict[str, int]:
        """Return how many items are in each state."""
        query = select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
        return dict((await self._session.exec(query)).all())

    async def review_ids(self) -> set[str]:
        """Return which reviews are in the outbox."""
        return {review for review in await self._session.exec(select(OutboxRow.review_id)) if review is not None}

    async def page(self, *, before: int | None, most: int) -> list[tuple[OutboxItem, str | None]]:
        """Return items newest first, each with the act of its review, where that is known."""
        query = (
            select(OutboxRow, ReviewRow.act)
            .join(ReviewRow, col(ReviewRow.id) == col(OutboxRow.review_id), isouter=True)
            .order_by(col(OutboxRow.id).desc())
            .limit(most)
        )
        if before is not None:
            query = query.where(col(OutboxRow.id) < before)
        return [(_item(row), act) for row, act in await self._session.exec(query)]


_LAST_SIGNED = "from outbox where seq is not null order by seq desc limit 1"
_LAST_SENT = "from outbox where state = 'sent' order by seq desc limit 1"
_LAST_ANCHOR = "coalesce((select number from trail_anchor order by number desc limit 1), 0)"
OWN_LOG = (
    f"select (select seq {_LAST_SIGNED}), (select hash {_LAST_SIGNED}), "  # noqa: S608 (names of our own tables)
    f"(select seq {_LAST_SENT}), (select hash {_LAST_SENT}), "
    "exists(select 1 from outbox where state = 'queued'), exists(select 1 from outbox where state = 'signed'), "
    f"exists(select 1 from trail_export where number > {_LAST_ANCHOR})"
)
"""Asked in a transaction or at a glance."""


def _take_same(queued: list[tuple[OutboxRow, datetime]], said: TakenBack) -> OutboxRow | None:
    """Take out the first row that says the same and was approved before it was signed: a later one is another act."""
    for number, (_, approved_at) in enumerate(queued):
        if approved_at.replace(microsecond=0) <= said.signed_at:
            return queued.pop(number)[0]
    return None


def _said(outgoing: Outgoing) -> str:
    """What a statement says, comparable; withheld values cannot be read from the log."""
    said = [outgoing.kind, outgoing.handling.to_parsed(), outgoing.body, outgoing.disclosed]
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _dump(outgoing: Outgoing) -> str:
    return json.dumps(
        {
            "kind": outgoing.kind,
            "handling": outgoing.handling.to_parsed(),
            "body": outgoing.body,
            "disclosed": outgoing.disclosed,
            "withheld": outgoing.withheld,
        },
        ensure_ascii=False,
    )


@lru_cache
def _terms(parsed: bytes) -> Handling:
    # Nearly all statements have the same terms.
    return Handling.model_validate_json(parsed)


def _load(outgoing: str) -> Outgoing:
    parts = orjson.loads(outgoing)
    parts["handling"] = _terms(orjson.dumps(parts["handling"]))
    return Outgoing(**parts)


def _item(row: OutboxRow) -> OutboxItem:
    return OutboxItem(
        row.id or 0,
        row.review_id,
        row.state,
        _load(row.outgoing),
        row.seq,
        row.hash,
        row.record,
        row.sent_at,
        row.signed_at,
    )
