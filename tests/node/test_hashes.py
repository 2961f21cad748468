"""Records are found by hash wherever the hash stands by now, and never by one that is gone."""

import asyncio
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import text

from comity_federation.log_state import Peek
from comity_node.db import Database, hashes
from comity_node.db.received import Arrived, Verdict

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


def name_of(number: int) -> str:
    return urlsafe_b64encode(sha256(str(number).encode()).digest()).decode().rstrip("=")


def arrived(numbers: range) -> list[Arrived]:
    return [Arrived("m", n, b"raw", "accepted", n, name_of(n), name_of(n - 1), 0, "finding") for n in numbers]


@pytest.fixture(autouse=True)
def moved_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "MOVED_TOGETHER", 8)


async def in_tables(database: Database) -> tuple[int, int]:
    async with database.read() as store:
        connection = await store._session.connection()
        return tuple(
            [  # type: ignore[return-value]
                (await connection.execute(text(f"select count(*) from {table}"))).scalar_one()
                for table in ("recent_hash", "hash")
            ]
        )


@pytest.mark.parametrize("size", [1, 3, 8, 20])
async def test_every_record_is_found_by_its_hash_however_they_came(database: Database, size: int) -> None:
    for start in range(1, 41, size):
        async with database.write() as store:
            await store.received.add_arrived(arrived(range(start, min(start + size, 41))), NOW)
    async with database.read() as store:
        for number in range(1, 41):
            found = await store.received.find(name_of(number))
            assert found is not None
            assert found.seq == number
        assert len(await store.received.earlier("m", [name_of(n) for n in range(1, 50)])) == 40
        assert await store.received.find(name_of(41)) is None
    recent, older = await in_tables(database)
    assert recent + older == 40
    assert recent < 8 + size
    assert older


async def test_what_was_dropped_is_not_found_and_its_number_can_be_given_again(database: Database) -> None:
    async with database.write() as store:
        await store.received.add_arrived(arrived(range(1, 10)), NOW)
    for again in range(3):
        async with database.write() as store:
            await store.received.add("m", b"raw", Peek(99, name_of(99), name_of(98), ()), NOW, None)
        async with database.write() as store:
            (copy,) = await store.received.of_hash("m", name_of(99))
            assert copy.id == 10, again
            await store.received.drop(copy.id)
            assert await store.received.of_hash("m", name_of(99)) == []
    assert sum(await in_tables(database)) == 9


async def test_a_hash_that_only_the_decision_knows_is_found(database: Database) -> None:
    async with database.write() as store:
        await store.received.add("m", b"raw", None, NOW, None)
        await store.received.add_arrived(arrived(range(2, 40)), NOW)
        await store.received.settle({1: Verdict("accepted", 1, name_of(1), name_of(0), key=0, kind="finding")})
        await store.received.settle({2: Verdict("accepted", 2, name_of(2), name_of(1), key=0, kind="finding")})
        await store.received.add_arrived(arrived(range(40, 60)), NOW)
        for number in (1, 2, 59):
            found = await store.received.find(name_of(number))
            assert found is not None
            assert found.seq == number


async def test_no_hash_is_looked_for_in_all_records_or_in_a_whole_log(database: Database) -> None:
    async with database.write() as store:
        await store.received.add_arrived(arrived(range(1, 40)), NOW)
    async with database.read() as store:
        connection = await store._session.connection()
        explain = "explain query plan"
        if connection.dialect.name == "postgresql":
            await connection.execute(text("set local enable_seqscan = off"))
            explain = "explain"
        condition = hashes.has_hash([name_of(1)], "m").compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = "\n".join(
            str(row) for row in await connection.execute(text(f"{explain} select id from received where {condition}"))
        )
    for slow in ("SCAN received", "Seq Scan on received", "member_seq"):
        assert slow not in plan


async def test_two_who_write_at_once_move_each_hash_once(database: Database) -> None:
    async def bring(start: int) -> None:
        async with database.write() as store:
            await store.received.add_arrived(arrived(range(start, start + 5)), NOW)

    await asyncio.gather(*(bring(n) for n in range(1, 60, 5)))
    async with database.read() as store:
        assert len(await store.received.earlier("m", [name_of(n) for n in range(1, 61)])) == 60
