"""`comity screen --file`: a whole file at one moment; a bar on stderr, nothing on stdout."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from comity_node.domain.screening_files.results import headings_with
from comity_node.domain.tables.table import TableRefused
from comity_node.domain.tables.writing import NewFile, form_of, writer_for
from comity_node.services.answering.moment import this_moment
from comity_node.services.screening_files.network import NetworkAsker, note_screening, risks_in
from comity_node.services.screening_files.opening import Opened, Told, open_given
from comity_node.services.screening_files.running import Account, Asker, screened
from comity_node.services.suppliers.following import catch_up
from comity_node.vocabulary import countries
from comity_node.wiring import Node

SHOWN_PROBLEMS = 20
_console = Console(stderr=True, soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class FileRun:
    """What somebody asked for."""

    file: Path
    out: Path
    told: Told
    candidates: bool


def read_columns(given: list[str] | None) -> dict[str, str]:
    """Return what somebody said of columns."""
    columns = dict(each.split("=", 1) for each in given or () if "=" in each)
    if len(columns) < len(given or ()):
        raise typer.BadParameter("a column is given as WHAT=HEADING, once for each WHAT; WHAT= alone: none holds it")
    return columns


def say_how_read(file: Path, told: Told) -> None:
    """Print how a file would be read, and do nothing."""
    with file.open("rb") as stream:
        for line in open_given(stream, told).in_words():
            typer.echo(line)


def screen_against_network(home: Path, run: FileRun) -> None:
    """Screen a file against what the network shares, and write the result."""
    asyncio.run(_against_network(home, run))


async def _against_network(home: Path, run: FileRun) -> None:
    node = Node.open(home)
    try:
        registry = node.trusted_registry()
        await catch_up(node.database)
        risks = risks_in(node.settings.goods_risk_file)
        # One view for the whole file: all rows are asked at the same log positions, whatever arrives meanwhile.
        with _opened(run) as (given, stream):
            async with node.database.read() as store:
                moment = await this_moment(store, registry, node.clock())
                account = await write_result(given, NetworkAsker(store, moment, risks), run, stream)
            async with node.database.write() as store:
                await note_screening(store, "comity screen", account, moment)
    finally:
        await node.close()
    _say(account, run)
    places = ", ".join(f"{slug} {head}" for slug, head in moment.positions.items())
    _console.print(f"All asked at log positions: {places or 'none'}; registry version {moment.registry_version}.")
    _console.print(f"As of {moment.at:%Y-%m-%d %H:%M:%S} UTC, {moment.coverage.in_words()}.")
    _console.print("No finding or decision shared is no clearance.")


@contextmanager
def _opened(run: FileRun) -> Iterator[tuple[Opened, IO[bytes]]]:
    form_of(run.out)
    if run.out.exists() and run.out.samefile(run.file):
        raise TableRefused("the result would take the place of the file that is screened; give another --out")
    with run.file.open("rb") as stream:
        given = open_given(stream, run.told)
        for line in given.in_words():
            _console.print(line, markup=False)
        with NewFile(run.out) as written:
            yield given, written


async def write_result(given: Opened, asker: Asker, run: FileRun, stream: IO[bytes]) -> Account:
    """Screen row after row and write each as it comes."""
    writer = writer_for(form_of(run.out), stream, given.table.form)
    headings, kept = headings_with(given.table.headings, candidates=run.candidates)
    writer.write(headings)
    account = Account()
    with _bar(given) as (progress, task):
        async for part in screened(given, asker, countries().read, account):
            for asked, result in part:
                writer.write([*asked.row.cells[:kept], *result.cells(candidates=run.candidates)])
            progress.update(task, completed=account.rows, total=max(account.rows, given.table.expected))
        writer.close()
    return account


@contextmanager
def _bar(given: Opened) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar: AbstractContextManager[Progress] = Progress(*columns, console=_console, transient=True)
    with bar as progress:
        yield progress, progress.add_task("screening", total=given.table.expected)


def _say(account: Account, run: FileRun) -> None:
    for problem in account.problems[:SHOWN_PROBLEMS]:
        _console.print(f"  row {problem.number}: {problem.what}", markup=False)
    further = len(account.problems) + account.further_problems - SHOWN_PROBLEMS
    if further > 0:
        _console.print(f"  and {further} more to look at; each row's reason says it")
    _console.print(f"{run.out}: {account.in_words()}", markup=False)
