"""What suppliers replied and disputed, as the supplier view has it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, delete, func
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows import ReceivedRow, ReplyRow
from comity_node.domain.supplier_view import EntryState, ReplyEntry
from comity_schemas.handling import Handling
from comity_schemas.reply import Reply

_CHUNK = 500


class Replies:
    """Repository of replies in the view; they are found by the statement they are about, not by a name."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def load(self, hashes: Iterable[str]) -> dict[str, ReplyEntry]:
        """Return the named replies and everything that superseded them."""
        found: dict[str, ReplyEntry] = {}
        wanted = set(hashes)
        while wanted:
            entries = await self._where(ReceivedRow.hash, sorted(wanted))
            found.update({entry.hash: entry for entry in entries})
            wanted = {e.by for e in entries if e.state is EntryState.SUPERSEDED and e.by} - set(found)
        return found

    async def about(self, hashes: Sequence[str]) -> list[ReplyEntry]:
        """Return what counts of the replies to these statements, whoever carries them, in the order of their days."""
        entries = await self._where(ReplyRow.about, hashes)
        current = [entry for entry in entries if entry.state is EntryState.CURRENT and entry.reply is not None]
        return sorted(current, key=lambda e: (e.reply is None or e.reply.made, e.hash))

    async def put(self, entries: Sequence[ReplyEntry]) -> None:
        """Add or change replies whose records are accepted."""
        if not entries:
            return
        await self._session.flush()
        numbered = select(ReceivedRow.hash, ReceivedRow.id).where(
            ReceivedRow.state == "accepted", col(ReceivedRow.hash).in_([entry.hash for entry in entries])
        )
        numbers = {name: number for name, number in await self._session.exec(numbered) if name is not None}
        for entry in entries:
            row = await self._session.get(ReplyRow, numbers[entry.hash]) or _row(numbers[entry.hash], entry)
            row.state, row.by, row.reason = entry.state.value, entry.by, entry.reason
            self._session.add(row)
        await self._session.flush()

    async def forget_log(self, member: str) -> None:
        """Remove a member's replies, to be folded anew."""
        of_member = select(ReceivedRow.id).where(ReceivedRow.member == member).scalar_subquery()
        await self._session.exec(delete(ReplyRow).where(col(ReplyRow.id).in_(of_member)))
        self._session.expire_all()

    async def of_log(self, member: str) -> dict[str, ReplyEntry]:
        """Return all replies of one member's log."""
        return {entry.hash: entry for entry in await self._where(ReceivedRow.member, [member])}

    async def members(self) -> list[str]:
        """Return whose replies the view holds."""
        query = select(ReceivedRow.member).join(ReplyRow, col(ReplyRow.id) == ReceivedRow.id).distinct()
        return sorted(await self._session.exec(query))

    async def orphans(self) -> int:
        """Return how many replies belong to no record that was received, for `comity check`."""
        query = select(func.count()).where(col(ReplyRow.id).not_in(select(ReceivedRow.id).scalar_subquery()))
        return (await self._session.exec(query)).one()

    async def _where(self, column: Any, values: Sequence[str]) -> list[ReplyEntry]:
        found: list[ReplyEntry] = []
        connection = await self._session.connection()
        for start in range(0, len(values), _CHUNK):
            rows = await connection.execute(_REPLIES.where(col(column).in_(values[start : start + _CHUNK])))
            found.extend(map(_entry, rows))
        return found


_REPLIES: Select[*tuple[Any, ...]] = sa_select(
    col(ReceivedRow.hash),
    col(ReceivedRow.member),
    col(ReceivedRow.seq),
    col(ReplyRow.handling),
    col(ReplyRow.reply),
    col(ReplyRow.state),
    col(ReplyRow.by),
    col(ReplyRow.reason),
).join(ReplyRow, col(ReplyRow.id) == col(ReceivedRow.id))


def _row(number: int, entry: ReplyEntry) -> ReplyRow:
    reply = entry.reply
    return ReplyRow(
        id=number,
        about=None if reply is None else reply.about,
        handling=json.dumps(entry.handling.to_parsed()),
        reply=None if reply is None else json.dumps(reply.to_parsed(), ensure_ascii=False),
        state=entry.state.value,
    )


def _entry(row: Any) -> ReplyEntry:
    hash_, member, seq, handling, reply, state, by, reason = row
    body = None if reply is None else Reply.model_validate_json(reply)
    return ReplyEntry(hash_, member, seq, Handling.model_validate_json(handling), body, EntryState(state), by, reason)
