"""However many rows a file has, no more than a part of it is held in memory, while it is read and while written."""

import io
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity_node.cli.screening_files import FileRun, write_result
from comity_node.domain.tables.writing import writer_for
from comity_node.services.answering.moment import Coverage, Moment
from comity_node.services.screening_files.jobs import FileJob, Finished, Packing, write
from comity_node.services.screening_files.listed import KnownList, ListAsker
from comity_node.services.screening_files.opening import Told, open_given
from comity_node.services.screening_files.running import Account, screened
from comity_node.vocabulary import countries
from node_world import NOW

FEW, MANY = 300, 800
"""Both more than the parts that are under way at once."""
KEPT_OF_A_ROW = 1_000
"""Bytes: its id is kept, to tell of a second one. A row that is held has three times as many."""

NOBODY = ListAsker(KnownList.of([]), NOW)
"""Answers at once: what is measured here is the file."""


def file_of(form: str, rows: int) -> bytes:
    """Rows that ask about the same few, so that no cache grows, each with a note that is its own."""
    written = io.BytesIO()
    writer = writer_for(form, written, None)
    writer.write(["id", "name", "note"])
    for number in range(rows):
        writer.write([f"V{number}", f"Exemplar Works {number % 20}", f"{number} " + "x" * 2_000])
    writer.close()
    return written.getvalue()


async def by_command(raw: bytes, out: Path) -> int:
    """Screen it as `comity screen --file` does."""
    with out.open("wb") as stream:
        run = FileRun(out, out, Told(), candidates=True)
        return (await write_result(open_given(io.BytesIO(raw)), NOBODY, run, stream)).rows


async def as_a_job(raw: bytes, out: Path) -> int:
    """Screen it, and give its result out, as a node does."""
    packed, account = Packing(), Account()
    async for part in screened(open_given(io.BytesIO(raw)), NOBODY, countries().read, account):
        packed.add(part, candidates=True)
    moment = Moment(datetime.now(UTC), {}, {}, 1, Coverage(0, (), (), (), (), None))
    with out.open("wb") as stream:
        write(Finished(FileJob(out.name, Told(), True, moment), raw, packed.end()), out.suffix[1:], stream)
    return account.rows


@pytest.mark.parametrize(("form", "screen"), [("csv", by_command), ("xlsx", as_a_job)])
async def test_a_file_of_many_rows_takes_no_more_memory_than_one_of_few(
    tmp_path: Path, form: str, screen: Callable[[bytes, Path], Awaitable[int]]
) -> None:
    out, peaks = tmp_path / f"out.{form}", {}
    # What is loaded once, and the few names that are compared, is there before anything is measured.
    await screen(file_of(form, 20), out)
    for rows in (FEW, MANY):
        raw = file_of(form, rows)
        tracemalloc.start()
        assert await screen(raw, out) == rows
        peaks[rows] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[MANY] - peaks[FEW] < KEPT_OF_A_ROW * (MANY - FEW), peaks
