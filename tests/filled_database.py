"""A database with one row of most kinds, raw SQL on it, and migrations up and down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from comity_federation.statements import Outgoing
from comity_node.db import Database, Store, migrate
from comity_node.db.accounts import Token
from comity_node.db.migrate import run_on
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.people import Person, PersonRole
from comity_schemas.handling import Handling

ROOM = Path(migrate.__file__).parent
NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


HANDLING = Handling.from_parsed(
    {
        "tlp": "GREEN",
        "contact": "none",
        "purpose": "supply-chain-due-diligence",
        "permitted_use": ["due-diligence"],
        "onward": "members",
    }
)


async def run(store: Store, statement: str, **values: Any) -> Any:
    """Raw SQL inside the store's transaction, for what no repository would ever do."""
    return await (await connection_of(store)).execute(text(statement), values)


async def connection_of(store: Store) -> AsyncConnection:
    return await store._session.connection()


async def add_people(store: Store, *names: str) -> None:
    for name in names:
        await store.accounts.add_person(Person(name, name, frozenset({PersonRole.REVIEWER})), "hash")


def stored_report(**changes: Any) -> StoredReport:
    given = {
        "id": "r1",
        "origin": "signed",
        "raw": b"{}",
        "firm": None,
        "kid": None,
        "root": None,
        "signature": None,
        "identity": None,
        "marks": (),
        "submitted_by": "ana",
        "received_at": NOW,
    }
    return StoredReport(**{**given, **changes})  # type: ignore[arg-type]


def proposal(**changes: Any) -> Review:
    given = {"id": "v1", "act": "release", "state": "proposed", "content": "{}", "proposed_by": "ana"}
    return Review(**{**given, "proposed_at": NOW, "report_id": "r1", **changes})  # type: ignore[arg-type]


async def fill(database: Database) -> None:
    """A row in every table that is a parent, and its children."""
    async with database.write() as store:
        await add_people(store, "ana", "ben")
        await store.accounts.add_token(Token("t1", "ana", "laptop", NOW, NOW + timedelta(days=1), None), "digest")
        await store.reports.add(stored_report())
        await store.reviews.add(proposal())
        await store.reviews.decide("v1", state="approved", by="ben", now=NOW)
        await store.outbox.add("v1", Outgoing("finding", HANDLING, {}, {}, {}))
        await run(store, "insert into entry (id, handling, named, state) values (1, '{}', true, 'current')")


async def count(database: Database, table: str) -> int:
    async with database.read() as store:
        return int((await run(store, f"select count(*) from {table}")).scalar_one())


async def migrated(url: str, *steps: tuple[str, bool], scan: Callable[[Connection], Any] | None = None) -> Any:
    """Run migrations up and down over one connection of a bare engine, then look."""
    engine = create_async_engine(url)
    try:
        for revision, down in steps:
            async with engine.begin() as connection:
                await connection.run_sync(lambda c, r=revision, d=down: run_on(c, r, down=d))
        async with engine.connect() as connection:
            return await connection.run_sync(scan) if scan else None
    finally:
        await engine.dispose()
