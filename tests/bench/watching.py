"""A poll of the feed of changes at a size, and whom of 10,000 rows a statement concerns.

    ./comity bench watching [--size 1M]

`changes-poll`: a page of 50 at the end of the feed, and one at a cursor in its middle, from a database of so many
findings, as the API reads it. `reverse-probe`: every name of 2,000 statements against 10,000 rows in memory.
"""

import asyncio
import json
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.frame.results import Goal, arguments, report
from builders import FINDING_IN_CLEAR, HANDLING
from comity_federation.encoding import digest
from comity_node.db import Database
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.portfolio import Portfolio
from comity_node.domain.watching.vendors import Vendor
from comity_node.services.watching.feed import describe_item, make_cursor, tell_changes
from node_world import new_sqlite

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
ROWS = 10_000
PAGE = 50


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="1M").parse_args()
    with tempfile.TemporaryDirectory(prefix="comity-bench-watching-") as place:
        asyncio.run(_poll(Path(place), asked.size))
    _probe(min(ROWS, max(200, asked.size)))


async def _poll(place: Path, size: int) -> None:
    database = Database(new_sqlite(place))
    await _fill(database, size)
    for metric, cursor in (("changes-poll", size - PAGE), ("changes-poll-middle", size // 2)):
        spans = []
        for _ in range(200):
            async with database.read() as store:
                at = await store.changes.at(max(cursor, 1))
            begun = time.perf_counter()
            async with database.read() as store:
                told = await tell_changes(store, make_cursor(max(cursor, 1), at), PAGE)
            described = [describe_item(item, NOW.date()) for item in told.items]
            spans.append((time.perf_counter() - begun) * 1000)
            assert described and described[0]["says"] is not None
        spans.sort()
        report(
            metric,
            spans[len(spans) // 2],
            f"ms a page of {PAGE}, median, at {size:,} findings",
            goal=Goal(value_at_most=10),
            p99=round(spans[int(len(spans) * 0.99)], 2),
            findings=size,
        )
    await database.close()


async def _fill(database: Database, size: int) -> None:
    """Findings as the feed reads them; only those that are read say something, and the records' bytes are of no
    account here."""
    clear = {k: v for k, v in FINDING_IN_CLEAR.items() if k != "_sd"}
    body = json.dumps({**clear, "names": [{"text": "Fazenda Exemplo Ltda"}], "country": "BR"})
    at, handling, read = NOW.isoformat(timespec="microseconds"), json.dumps(HANDLING), (size - PAGE, size // 2)
    async with database.write() as store:
        connection = await store._session.connection()
        for first in range(1, size + 1, 20_000):
            numbers = range(first, min(first + 20_000, size + 1))
            await connection.exec_driver_sql(
                "insert into received (id, member, raw, state, seq, hash, kind, received_at) "
                "values (?, 'agency', x'00', 'accepted', ?, ?, 'finding', ?)",
                [(n, n, digest(str(n)), at) for n in numbers],
            )
            await connection.exec_driver_sql(
                "insert into entry (id, handling, named, state, finding) values (?, ?, 1, 'current', ?)",
                [(n, handling, body if min(abs(n - place) for place in read) <= PAGE else None) for n in numbers],
            )
            await connection.exec_driver_sql(
                "insert into change (entry, at, what) values (?, ?, 'added')", [(n, at) for n in numbers]
            )
        await store.changes.set_followed("suppliers", size)


def _probe(rows: int) -> None:
    chance = random.Random(7)
    words = [f"{a}{b}" for a in _SYLLABLES for b in _SYLLABLES]
    trades = "textiles garments trading industries gloves seafood plastics electronics furniture foods".split()
    forms = ("Ltd", "Sdn. Bhd.", "Co., Ltd.", "S.A.", "GmbH", "Ltda")

    def name() -> str:
        return f"{chance.choice(words)} {chance.choice(words)} {chance.choice(trades)} {chance.choice(forms)}".title()

    countries = ("MY", "BR", "CN", "TH", "IN")
    vendors = [
        Vendor(n, f"v{n}", "ove", f"V{n}", Party((name(),), chance.choice(countries)), NOW, n)
        for n in range(1, rows + 1)
    ]
    begun = time.thread_time()
    portfolio = Portfolio(vendors)
    built = time.thread_time() - begun
    spans, found = [], 0
    for turn in range(2_000 if rows == ROWS else 100):
        listed = turn % 4 == 0
        party = chance.choice(vendors).party if listed else Party((name(),), chance.choice(countries))
        begun = time.thread_time()
        touched = portfolio.touched_by(party)
        spans.append((time.thread_time() - begun) * 1000)
        found += bool(touched) if listed else 0
    spans.sort()
    report(
        "reverse-probe",
        spans[int(len(spans) * 0.99)],
        f"ms of one core a statement, p99, against {rows:,} rows",
        goal=Goal(value_at_most=3),
        holds=found == len(spans) // 4,
        p50=round(spans[len(spans) // 2], 2),
        built_s=round(built, 2),
    )


_SYLLABLES = ("ka", "mo", "ri", "ten", "sul", "vor", "hai", "ban", "lo", "shi", "dra", "wen", "pol", "tas", "ge", "nur")

if __name__ == "__main__":
    main()
