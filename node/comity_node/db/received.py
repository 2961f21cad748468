"""Records received, the logs they belong to, and where reading goes on.

One table holds every record with a state: `new` (the inbox), `accepted`, `kept` (refused at step 10 or later: its
place is used up), `waiting`, `refused`. Quarantine is what is `kept` or `refused`.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from comity_federation.decision import Earlier, Place
from comity_federation.log_state import Peek
from comity_node.db.rows import LogRow, PositionRow, ReceivedRow

_HOLDS_PLACE = ("accepted", "kept")


@dataclass(frozen=True, slots=True)
class Received:
    """One record with what was decided about it."""

    id: int
    member: str
    raw: bytes
    state: str
    seq: int | None
    hash: str | None
    prev: str | None
    kind: str | None
    step: int | None
    code: str | None
    detail: str | None
    received_at: datetime
    bus_offset: int | None = None
    source: str | None = None
    """The member whose node gave it; None: the bus."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is written beside a record after it was decided."""

    state: str
    seq: int | None = None
    hash: str | None = None
    prev: str | None = None
    key: int | None = None
    kind: str | None = None
    step: int | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class LogStatus:
    """What this node knows of one member's log."""

    member: str
    head: int = 0
    frozen_from: int | None = None
    repeats: int = 0
    skipped: int = 0
    decided_under: str = ""
    """Hash of the member's registry entry under which all of the log was decided."""
    heard_at: datetime | None = None
    announced_seq: int | None = None
    announced_hash: str | None = None
    announced_registry: int | None = None


class ReceivedRecords:
    """Repository of received records."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        member: str,
        raw: bytes,
        claimed: Peek | None,
        now: datetime,
        offset: int | None,
        *,
        source: str | None = None,
    ) -> None:
        """Put a record in the inbox, with what it claims to be."""
        self._session.add(
            ReceivedRow(
                member=member,
                bus_offset=offset,
                raw=raw,
                state="new",
                seq=claimed.seq if claimed else None,
                hash=claimed.hash if claimed else None,
                prev=claimed.prev if claimed else None,
                received_at=now,
                source=source,
            )
        )

    async def position(self, topic: str, bus_id: str) -> int:
        """Return where reading of a topic goes on; the beginning on a bus not read before."""
        row = await self._session.get(PositionRow, topic)
        return 0 if row is None or row.bus_id != bus_id else row.next_offset

    async def move(self, topic: str, bus_id: str, next_offset: int) -> None:
        """Note where reading goes on, in the transaction that stores what was read."""
        row = await self._session.get(PositionRow, topic)
        if row is None:
            self._session.add(PositionRow(topic=topic, bus_id=bus_id, next_offset=next_offset))
        else:
            row.bus_id, row.next_offset = bus_id, next_offset
        await self._session.flush()

    async def inbox(self, member: str, *, most: int) -> list[Received]:
        """Return the oldest undecided records of a member."""
        query = _of(member).where(ReceivedRow.state == "new").order_by(col(ReceivedRow.id)).limit(most)
        return [_received(row) for row in await self._session.exec(query)]

    async def members_with_inbox(self) -> list[str]:
        """Return whose records are undecided."""
        query = select(ReceivedRow.member).where(ReceivedRow.state == "new").distinct()
        return sorted(await self._session.exec(query))

    async def settle(self, record_id: int, verdict: Verdict) -> None:
        """Write the verdict beside a record; what it claimed to be stays where the verdict has nothing better."""
        row = await self._session.get_one(ReceivedRow, record_id)
        row.state, row.key, row.kind = verdict.state, verdict.key, verdict.kind
        row.step, row.code, row.detail = verdict.step, verdict.code, verdict.detail
        row.seq = row.seq if verdict.seq is None else verdict.seq
        row.hash = row.hash if verdict.hash is None else verdict.hash
        row.prev = row.prev if verdict.prev is None else verdict.prev

    async def drop_repeat(self, record_id: int) -> None:
        """Remove a record that says nothing new."""
        await self._session.delete(await self._session.get_one(ReceivedRow, record_id))

    async def replace_raw(self, member: str, name: str, raw: bytes) -> None:
        """Keep a fuller copy of an accepted record: it has disclosures that the first copy lacked."""
        row = (await self._session.exec(_of(member).where(ReceivedRow.hash == name, _holds_place()))).one()
        row.raw = raw

    async def places(self, member: str, seqs: Iterable[int]) -> dict[int, Place]:
        """Return what stands at these positions of a log."""
        query = _of(member).where(_holds_place(), col(ReceivedRow.seq).in_(sorted(set(seqs))))
        return {
            row.seq: Place(row.hash, row.key)
            for row in await self._session.exec(query)
            if row.seq is not None and row.hash is not None and row.key is not None
        }

    async def earlier(self, member: str, hashes: Iterable[str]) -> dict[str, Earlier]:
        """Return the statements of these hashes that have a place in the log."""
        query = _of(member).where(_holds_place(), col(ReceivedRow.hash).in_(sorted(set(hashes))))
        return {
            row.hash: Earlier(row.seq, row.kind or "")
            for row in await self._session.exec(query)
            if row.seq is not None and row.hash is not None
        }

    async def waiting_at(self, member: str, seq: int) -> list[Received]:
        """Return records that wait for a position, oldest first."""
        query = _of(member).where(ReceivedRow.state == "waiting", ReceivedRow.seq == seq).order_by(col(ReceivedRow.id))
        return [_received(row) for row in await self._session.exec(query)]

    async def holder(self, member: str, name: str) -> Received | None:
        """Return the record of a statement that has its place in the log."""
        row = (await self._session.exec(_of(member).where(ReceivedRow.hash == name, _holds_place()))).first()
        return None if row is None else _received(row)

    async def find(self, name: str) -> Received | None:
        """Return the accepted or kept record of a statement's hash, whoever published it."""
        row = (await self._session.exec(select(ReceivedRow).where(ReceivedRow.hash == name, _holds_place()))).first()
        return None if row is None else _received(row)

    async def links(self, member: str) -> dict[str, Peek]:
        """Return every record of a member by hash, for tracing a branch."""
        query = select(ReceivedRow.hash, ReceivedRow.seq, ReceivedRow.prev).where(ReceivedRow.member == member)
        return {h: Peek(s, h, p, ()) for h, s, p in await self._session.exec(query) if h and s and p}

    async def reopen(self, member: str, *, only_code: str | None = None) -> None:
        """Put a member's records back in the inbox, to be decided anew: all, or those that wait for one reason."""
        query = update(ReceivedRow).where(col(ReceivedRow.member) == member)
        if only_code is not None:
            query = query.where(col(ReceivedRow.state) == "waiting", col(ReceivedRow.code) == only_code)
        await self._session.exec(query.values(state="new", step=None, code=None, detail=None, key=None))

    async def hashes_with_code(self, member: str, code: str) -> set[str]:
        """Return the hashes of a member's records that carry one code."""
        query = select(ReceivedRow.hash).where(ReceivedRow.member == member, ReceivedRow.code == code)
        return {name for name in await self._session.exec(query) if name is not None}

    async def inbox_in_log_order(self, member: str) -> list[int]:
        """Return the ids of undecided records by claimed position, then arrival: the order of every replay."""
        query = (
            select(ReceivedRow.id)
            .where(ReceivedRow.member == member, ReceivedRow.state == "new")
            .order_by(func.coalesce(ReceivedRow.seq, 0), col(ReceivedRow.id))
        )
        return [i for i in await self._session.exec(query) if i is not None]

    async def by_ids(self, ids: Sequence[int]) -> list[Received]:
        """Return records in the given order."""
        rows = await self._session.exec(select(ReceivedRow).where(col(ReceivedRow.id).in_(ids)))
        by_id = {row.id: _received(row) for row in rows}
        return [by_id[i] for i in ids if i in by_id]

    async def freeze(self, member: str, frozen_from: int) -> None:
        """Let accepted and kept statements from a position on wait: a fork was proven there."""
        await self._session.exec(
            update(ReceivedRow)
            .where(
                col(ReceivedRow.member) == member,
                col(ReceivedRow.state).in_(_HOLDS_PLACE),
                col(ReceivedRow.seq) >= frozen_from,
            )
            .values(state="waiting", code="frozen", detail="a fork was proven at or before this place")
        )

    async def accepted(self, member: str) -> AsyncIterator[Received]:
        """Yield the accepted records of a log in order."""
        query = _of(member).where(ReceivedRow.state == "accepted").order_by(col(ReceivedRow.seq))
        for row in await self._session.exec(query.execution_options(yield_per=200)):
            yield _received(row)

    async def run(self, member: str, first: int, *, most: int) -> list[Received]:
        """Return what stands in a log from a place on, accepted or kept, in order."""
        query = _of(member).where(_holds_place(), col(ReceivedRow.seq) >= first)
        return [_received(r) for r in await self._session.exec(query.order_by(col(ReceivedRow.seq)).limit(most))]

    async def copies(self, member: str, seqs: Iterable[int]) -> list[Received]:
        """Return every record that claims one of these places, whatever was decided about it."""
        query = _of(member).where(col(ReceivedRow.seq).in_(sorted(set(seqs)))).order_by(col(ReceivedRow.id))
        return [_received(row) for row in await self._session.exec(query)]

    async def of_hash(self, member: str, name: str) -> list[Received]:
        """Return every copy of a statement, whatever was decided about it."""
        query = _of(member).where(ReceivedRow.hash == name).order_by(col(ReceivedRow.id))
        return [_received(row) for row in await self._session.exec(query)]

    async def lacking(self, member: str, *, after: int, most: int) -> list[Received]:
        """Return accepted statements whose disclosures did not all come, by id."""
        query = _of(member).where(text("state = 'accepted' and detail is not null"), col(ReceivedRow.id) > after)
        return [_received(row) for row in await self._session.exec(query.order_by(col(ReceivedRow.id)).limit(most))]

    async def beyond(self, member: str, seq: int, *, most: int) -> list[Received]:
        """Return every record that claims a place after this one, whatever was decided about it, by place."""
        query = _of(member).where(col(ReceivedRow.seq) > seq).order_by(col(ReceivedRow.seq), col(ReceivedRow.id))
        return [_received(row) for row in await self._session.exec(query.limit(most))]

    async def first_beyond_gap(self, member: str, head: int) -> int | None:
        """Return the lowest place beyond the next one at which a record waits; None when nothing is missing."""
        query = select(func.min(ReceivedRow.seq)).where(
            ReceivedRow.member == member, ReceivedRow.state == "waiting", col(ReceivedRow.seq) > head + 1
        )
        return (await self._session.exec(query)).one()

    async def all_members(self) -> list[str]:
        """Return whose records were ever received."""
        return sorted(await self._session.exec(select(ReceivedRow.member).distinct()))

    async def quarantine(self, *, before: int | None, most: int) -> list[Received]:
        """Return what was refused, newest first."""
        query = select(ReceivedRow).where(col(ReceivedRow.state).in_(("refused", "kept")))
        if before is not None:
            query = query.where(col(ReceivedRow.id) < before)
        return [_received(r) for r in await self._session.exec(query.order_by(col(ReceivedRow.id).desc()).limit(most))]

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return member to state to number of records."""
        query = select(ReceivedRow.member, ReceivedRow.state, func.count()).group_by(
            ReceivedRow.member, ReceivedRow.state
        )
        counts: dict[str, dict[str, int]] = {}
        for member, state, count in await self._session.exec(query):
            counts.setdefault(member, {})[state] = count
        return counts

    async def log(self, member: str) -> LogStatus:
        """Return what is known of a log; an empty one when nothing is."""
        row = await self._session.get(LogRow, member)
        return LogStatus(member) if row is None else _log(row)

    async def logs(self) -> list[LogStatus]:
        """Return all known logs by member."""
        return [_log(row) for row in await self._session.exec(select(LogRow).order_by(LogRow.member))]

    async def put_log(self, log: LogStatus) -> None:
        """Store what is known of a log."""
        await self._session.merge(
            LogRow(
                member=log.member,
                head=log.head,
                frozen_from=log.frozen_from,
                repeats=log.repeats,
                skipped=log.skipped,
                decided_under=log.decided_under,
                heard_at=log.heard_at,
                announced_seq=log.announced_seq,
                announced_hash=log.announced_hash,
                announced_registry=log.announced_registry,
            )
        )
        await self._session.flush()


def _of(member: str) -> SelectOfScalar[ReceivedRow]:
    return select(ReceivedRow).where(ReceivedRow.member == member)


def _holds_place() -> ColumnElement[bool]:
    return col(ReceivedRow.state).in_(_HOLDS_PLACE)


def _received(row: ReceivedRow) -> Received:
    return Received(
        row.id or 0,
        row.member,
        row.raw,
        row.state,
        row.seq,
        row.hash,
        row.prev,
        row.kind,
        row.step,
        row.code,
        row.detail,
        row.received_at,
        row.bus_offset,
        row.source,
    )


def _log(row: LogRow) -> LogStatus:
    return LogStatus(
        row.member,
        row.head,
        row.frozen_from,
        row.repeats,
        row.skipped,
        row.decided_under,
        row.heard_at,
        row.announced_seq,
        row.announced_hash,
        row.announced_registry,
    )
