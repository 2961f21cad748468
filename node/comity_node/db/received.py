"""Records received, with what was decided about each.

One table holds every record with a state: `new` (the inbox), `accepted`, `kept` (refused at step 10 or later: its
place is used up), `waiting`, `refused`. Quarantine is what is `kept` or `refused`.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from comity_federation.decision import Earlier, Place
from comity_federation.log_state import Peek
from comity_node.db.bulk import insert_rows, stored_time, values_of
from comity_node.db.hashes import forget_hash, has_hash, note_again, note_hashes
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import LogRow, ReceivedRow

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


class Volume(NamedTuple):
    """So many records of so many bytes."""

    records: int
    size: int

    def reaches(self, most: "Volume") -> bool:
        """Tell whether either is used up."""
        return self.records >= most.records or self.size >= most.size

    def and_one(self, raw: bytes) -> "Volume":
        """Return it with one more record."""
        return Volume(self.records + 1, self.size + len(raw))


class Arrived(NamedTuple):
    """A record on its way into the table, in the order of the columns."""

    member: str
    bus_offset: int | None
    raw: bytes
    state: str
    seq: int | None = None
    hash: str | None = None
    prev: str | None = None
    key: int | None = None
    kind: str | None = None
    step: int | None = None
    code: str | None = None
    detail: str | None = None


_ARRIVED_COLUMNS = ("id", *Arrived._fields, "received_at")


class ReceivedRecords:
    """Repository of received records."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._last_id: int | None = None

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
        number = await self._next_id()
        self._session.add(
            ReceivedRow(
                id=number,
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
        if claimed is not None:
            await note_hashes(self._session, [(claimed.hash, number)])

    async def add_arrived(self, arrived: Sequence[Arrived], now: datetime) -> list[int]:
        """Store many records with what was made of them, and return their numbers."""
        first = await self._next_id()
        at = stored_time(now)
        rows = [(first + n, *record, at) for n, record in enumerate(arrived)]
        self._last_id = first + len(rows) - 1
        await insert_rows(self._session, ReceivedRow, _ARRIVED_COLUMNS, rows)
        await note_hashes(
            self._session,
            [(record.hash, first + n) for n, record in enumerate(arrived) if record.hash is not None],
        )
        return [row[0] for row in rows]

    async def _next_id(self) -> int:
        if self._last_id is None:
            # Writers take turns, so nobody else counts meanwhile.
            self._last_id = (await Reading(self._session).rows("select max(id) from received"))[0][0] or 0
        self._last_id += 1
        return self._last_id

    async def inbox(self, member: str, *, most: int) -> list[Received]:
        """Return the oldest undecided records of a member."""
        query = _of(member).where(in_state("new")).order_by(col(ReceivedRow.id)).limit(most)
        return [_received(row) for row in await self._session.exec(query)]

    async def members_in_state(self, *states: str) -> set[str]:
        """Return whose records are in one of these states, `accepted` excepted."""
        places = ", ".join("?" * len(states))
        # Said twice, as in `in_state`.
        of_state = f"select distinct member from received where state <> 'accepted' and state in ({places})"  # noqa: S608
        return {member for (member,) in await Reading(self._session).rows(of_state, (), states)}

    async def undecided(self, members: Collection[str] | None = None) -> dict[str, Volume]:
        """Return by member how much waits on a decision, what waits for the registry's word on a branch excepted: of
        that all must be there before any of it can be decided.

        Args:
            members: of whom to ask; by default of all.
        """
        parked = or_(col(ReceivedRow.code).is_(None), col(ReceivedRow.code).not_in(("branch", "frozen")))
        return await self._volumes(and_(in_state("new", "waiting"), parked), members)

    async def gaps(self, members: Collection[str]) -> dict[str, set[int]]:
        """Return the places at which statements wait for those before them, of these members; of those of whom
        anything else is undecided, but what waits for its key, nothing."""
        code, of_these = col(ReceivedRow.code), col(ReceivedRow.member).in_(sorted(members))
        other = or_(col(ReceivedRow.state) == "new", code.is_(None), code.not_in(("gap", "unknown-key")))
        query = select(ReceivedRow.member).where(of_these, in_state("new", "waiting"), other).distinct()
        contested = set(await self._session.exec(query))
        found: dict[str, set[int]] = {member: set() for member in members if member not in contested}
        waiting = select(ReceivedRow.member, ReceivedRow.seq).where(in_state("waiting"), code == "gap")
        for member, seq in await self._session.exec(waiting.where(col(ReceivedRow.member).in_(sorted(found)))):
            if seq is not None:
                found[member].add(seq)
        return found

    async def quarantined(self, members: Collection[str] | None = None) -> dict[str, Volume]:
        """Return by member how much is refused and kept with its bytes; of all members or of these."""
        return await self._volumes(in_state("refused"), members)

    async def _volumes(self, condition: ColumnElement[bool], members: Collection[str] | None) -> dict[str, Volume]:
        query = select(ReceivedRow.member, func.count(), func.sum(func.length(ReceivedRow.raw))).where(condition)
        if members is not None:
            query = query.where(col(ReceivedRow.member).in_(sorted(members)))
        rows = await self._session.exec(query.group_by(ReceivedRow.member))
        return {member: Volume(records, int(size or 0)) for member, records, size in rows}

    async def settle(self, verdicts: Mapping[int, Verdict]) -> None:
        """Write verdicts beside records; what one claimed to be stays where its verdict has nothing better."""
        if verdicts:
            await self._session.flush()
            rows = [{"n": number, **values_of(verdict)} for number, verdict in verdicts.items()]
            await (await self._session.connection()).execute(_SETTLE, rows)
            await note_again(self._session, [(v.hash, n) for n, v in verdicts.items() if v.hash is not None])

    async def drop(self, record_id: int) -> None:
        """Remove a record that says nothing new, or for which there is no room."""
        await forget_hash(self._session, record_id)
        await self._session.exec(delete(ReceivedRow).where(col(ReceivedRow.id) == record_id))

    async def replace_raw(self, member: str, name: str, raw: bytes) -> None:
        """Keep a fuller copy of an accepted record: it has disclosures that the first copy lacked."""
        of_name = and_(has_hash([name], member), _holds_place())
        await self._session.exec(update(ReceivedRow).where(of_name).values(raw=raw))

    async def whole(self, member: str, seqs: Iterable[int]) -> dict[int, str]:
        """Return the hashes of what stands at these positions with nothing missing."""
        query = select(ReceivedRow.seq, ReceivedRow.hash).where(
            ReceivedRow.member == member,
            ReceivedRow.state == "accepted",
            col(ReceivedRow.detail).is_(None),
            col(ReceivedRow.seq).in_(sorted(set(seqs))),
        )
        return {seq: name for seq, name in await self._session.exec(query) if seq is not None and name is not None}

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
        query = select(ReceivedRow).where(_holds_place(), has_hash(set(hashes), member))
        return {
            row.hash: Earlier(row.seq, row.kind or "")
            for row in await self._session.exec(query)
            if row.seq is not None and row.hash is not None
        }

    async def waiting_among(self, member: str, seqs: Collection[int]) -> set[int]:
        """Return those of these places at which records wait."""
        query = select(ReceivedRow.seq).where(ReceivedRow.member == member, in_state("waiting"))
        found = await self._session.exec(query.where(col(ReceivedRow.seq).in_(sorted(seqs))))
        return {seq for seq in found if seq is not None}

    async def waiting_from(self, member: str, seq: int, *, most: int) -> list[Received]:
        """Return the records that wait at a place and those right after it, up to the first place without one, in log
        order and the oldest of a place first."""
        query = _of(member).where(in_state("waiting"), col(ReceivedRow.seq).between(seq, seq + most - 1))
        rows = await self._session.exec(query.order_by(col(ReceivedRow.seq), col(ReceivedRow.id)).limit(most))
        found, last = list[Received](), seq - 1
        for record in map(_received, rows):
            if record.seq is None or record.seq > last + 1:
                break
            found.append(record)
            last = record.seq
        return found

    async def holder(self, member: str, name: str) -> Received | None:
        """Return the record of a statement that has its place in the log."""
        row = (await self._session.exec(select(ReceivedRow).where(has_hash([name], member), _holds_place()))).first()
        return None if row is None else _received(row)

    async def find(self, name: str) -> Received | None:
        """Return the accepted or kept record of a statement's hash, whoever published it."""
        row = (await self._session.exec(select(ReceivedRow).where(has_hash([name]), _holds_place()))).first()
        return None if row is None else _received(row)

    async def links(self, member: str) -> dict[str, Peek]:
        """Return every record of a member by hash, for tracing a branch."""
        query = select(ReceivedRow.hash, ReceivedRow.seq, ReceivedRow.prev).where(ReceivedRow.member == member)
        return {h: Peek(s, h, p, ()) for h, s, p in await self._session.exec(query) if h and s and p}

    async def reopen(self, member: str) -> None:
        """Put all records of a member back in the inbox, to be decided anew."""
        await self._reopen(col(ReceivedRow.member) == member)

    async def reopen_waiting(self, member: str, code: str | None = None) -> None:
        """Put back in the inbox what waits of a member, for whatever reason or for one."""
        which = and_(col(ReceivedRow.member) == member, in_state("waiting"))
        await self._reopen(which if code is None else and_(which, col(ReceivedRow.code) == code))

    async def reopen_gap(self, member: str, first: int, last: int) -> None:
        """Put back in the inbox what waits at these places for the statement before them, which has come."""
        places = col(ReceivedRow.seq).between(first, last)
        gap = and_(col(ReceivedRow.member) == member, places, in_state("waiting"), col(ReceivedRow.code) == "gap")
        await self._reopen(gap)

    async def _reopen(self, which: ColumnElement[bool]) -> None:
        anew = {"state": "new", "step": None, "code": None, "detail": None, "key": None}
        await self._session.exec(update(ReceivedRow).where(which).values(**anew))

    async def hashes_with_code(self, member: str, code: str) -> set[str]:
        """Return the hashes of a member's records that carry one code."""
        query = select(ReceivedRow.hash).where(
            ReceivedRow.member == member, ReceivedRow.code == code, in_state("new", "kept", "waiting", "refused")
        )
        return {name for name in await self._session.exec(query) if name is not None}

    async def inbox_in_log_order(self, member: str) -> list[int]:
        """Return the ids of undecided records by claimed position, then arrival: the order of every replay."""
        query = (
            select(ReceivedRow.id)
            .where(ReceivedRow.member == member, in_state("new"))
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
        query = select(ReceivedRow).where(has_hash([name], member)).order_by(col(ReceivedRow.id))
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

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return member to state to number of records; as quick with millions accepted as with none."""
        query = (
            select(ReceivedRow.member, ReceivedRow.state, func.count())
            .where(in_state("new", "kept", "waiting", "refused"))
            .group_by(ReceivedRow.member, ReceivedRow.state)
        )
        counts: dict[str, dict[str, int]] = {}
        for member, state, count in await self._session.exec(query):
            counts.setdefault(member, {})[state] = count
        for member, head in await self._session.exec(select(LogRow.member, LogRow.head)):
            # Every place of the chain holds one record, accepted or kept.
            accepted = head - counts.get(member, {}).get("kept", 0)
            if accepted:
                counts.setdefault(member, {})["accepted"] = accepted
        return counts


_SETTLE = text(
    "update received set state = :state, key = :key, kind = :kind, step = :step, code = :code, detail = :detail,"
    " seq = coalesce(:seq, seq), hash = coalesce(:hash, hash), prev = coalesce(:prev, prev) where id = :n"
)


def _of(member: str) -> SelectOfScalar[ReceivedRow]:
    return select(ReceivedRow).where(ReceivedRow.member == member)


def in_state(*states: str) -> ColumnElement[bool]:
    """Return the condition that a record is in one of these states, `accepted` excepted: always a quick question."""
    # Said twice, so that SQLite sees that the index over what is not accepted will do.
    return and_(col(ReceivedRow.state) != "accepted", col(ReceivedRow.state).in_(states))


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
