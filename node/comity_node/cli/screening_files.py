"""`comity screen --file`: a whole file at one moment; a bar on stderr, nothing on stdout."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.db.migrate import require_tables
from comity_node.domain.screening_files.asking import Asked, Reading
from comity_node.domain.screening_files.results import headings_with
from comity_node.domain.tables.table import TableRefused
from comity_node.domain.tables.writing import form_of, writing
from comity_node.services.answering.moment import this_moment
from comity_node.services.screening_files.listed import KnownList, ListAsker, asking_list, laying_out
from comity_node.services.screening_files.network import asking_network, note_screening, risks_in
from comity_node.services.screening_files.opening import Opened, Told, open_given, open_list, open_table
from comity_node.services.screening_files.pairs import COLUMNS as PAIR_COLUMNS
from comity_node.services.screening_files.pairs import compared, comparing_pairs, sides_in_words
from comity_node.services.screening_files.running import Account, Asker, screened
from comity_node.services.suppliers.following import catch_up
from comity_node.vocabulary import countries
from comity_node.wiring import Node
from comity_node.wiring.node import utc_now

SHOWN_PROBLEMS = 20
console = Console(stderr=True, soft_wrap=True, highlight=False)


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
        await require_tables(node.settings.database)
        registry = node.trusted_registry()
        await catch_up(node.database)
        risks = risks_in(node.settings.goods_risk_file)
        # One moment for the whole file: all rows are asked at the same log positions, whatever arrives meanwhile.
        with _opened(run) as (given, stream):
            async with node.database.read() as store:
                moment = await this_moment(store, registry, node.clock())
            async with asking_network(node.database, moment, risks, given.table.expected) as asker:
                account = await write_result(given, asker, run, stream)
            async with node.database.write() as store:
                await note_screening(store, "comity screen", account, moment)
    finally:
        await node.close()
    say_account(account, run.out)
    say_moment(moment.positions, moment.registry_version, moment.at, moment.coverage.in_words())


def screen_against_list(run: FileRun, against: Path) -> None:
    """Screen a file against any list; no node is asked and nothing is known of what the network shares."""
    asyncio.run(_against_list(run, against))


async def _against_list(run: FileRun, against: Path) -> None:
    with _opened(run, against) as (given, stream):
        known = _read_list(against, run.told.encoding)
        asker = ListAsker(known, utc_now().replace(microsecond=0))
        async with asking_list(asker, given.table.expected) as asked:
            account = await write_result(given, asked, run, stream)
    say_account(account, run.out)
    console.print(f"Asked of {len(known.entries)} entries of {against}, and not of the network.", markup=False)


def _open_list(path: Path, stream: BinaryIO, encoding: str | None) -> Opened:
    try:
        return open_list(stream)
    except TableRefused as error:
        if encoding is not None:
            # It is told for whichever of the two is not in UTF-8.
            with suppress(TableRefused):
                stream.seek(0)
                return open_list(stream, Told(encoding=encoding))
        # Which columns hold what is told of the file that is screened only.
        raise TableRefused(f"the list {path}: {error}. Its columns are id,name,country,other_name…") from error


def _read_list(path: Path, encoding: str | None) -> KnownList:
    account = Account()
    with path.open("rb") as stream:
        listed = _open_list(path, stream, encoding)
        console.print(f"{path}: {'; '.join(listed.in_words())}", markup=False)
        reading = Reading(listed.columns, countries().read, account.note)
        rows = (reading.ask(row) for row in listed.table.rows)
        # The processes first: the bar has a thread.
        with (
            laying_out(listed.table.expected) as laid_out,
            bar("reading the list", listed.table.expected) as (progress, task),
        ):
            known = KnownList.of(_counted(rows, lambda count: progress.update(task, completed=count)), laid_out)
    _say_problems(account, "in the list, ")
    return known


def _counted(rows: Iterator[Asked], tell: Callable[[int], None]) -> Iterator[Asked]:
    for count, row in enumerate(rows, start=1):
        if count % 500 == 0:
            tell(count)
        yield row


@contextmanager
def _opened(run: FileRun, against: Path | None = None) -> Iterator[tuple[Opened, IO[bytes]]]:
    checked(run, against)
    with run.file.open("rb") as stream:
        given = open_and_say(run, stream)
        with NewFile(run.out, replaces=True) as written:
            yield given, written


def open_and_say(run: FileRun, stream: BinaryIO) -> Opened:
    """Open a file, and print how it is read before the work begins.

    Raises:
        TableRefused: see there.
    """
    given = open_given(stream, run.told)
    for line in given.in_words():
        console.print(line, markup=False)
    return given


def checked(run: FileRun, against: Path | None = None) -> str:
    """Return in which form the result is written.

    Raises:
        TableRefused: none that can be, or it would take the place of what is read.
    """
    form = form_of(run.out)
    for read in (run.file, against):
        if read is not None and run.out.exists() and run.out.samefile(read):
            raise TableRefused(f"the result would take the place of {read}, which is read; give another --out")
    return form


async def write_result(given: Opened, asker: Asker, run: FileRun, stream: IO[bytes]) -> Account:
    """Screen row after row and write each as it comes."""
    headings, kept = headings_with(given.table.headings, candidates=run.candidates)
    account = Account()
    with (
        writing(form_of(run.out), stream, given.table.form) as writer,
        bar("screening", given.table.expected) as (progress, task),
    ):
        writer.write(headings)
        async with aclosing(screened(given, asker, countries().read, account)) as parts:
            async for part in parts:
                for asked, result in part:
                    writer.write([*asked.row.cells[:kept], *result.cells(candidates=run.candidates)])
                progress.update(task, completed=account.rows, total=max(account.rows, given.table.expected))
    return account


@contextmanager
def bar(what: str, expected: int) -> Iterator[tuple[Progress, TaskID]]:
    """Show on stderr how far something is, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal
    bar: AbstractContextManager[Progress] = Progress(*columns, console=console, transient=True, disable=hidden)
    with bar as progress:
        yield progress, progress.add_task(what, total=expected)


def say_moment(positions: Mapping[str, int], registry_version: int, at: datetime, heard: str) -> None:
    """Print at which moment all rows were asked, and that nothing found clears nobody."""
    places = ", ".join(f"{slug} {head}" for slug, head in positions.items())
    console.print(f"All asked at log positions: {places or 'none'}; registry version {registry_version}.")
    console.print(f"As of {at:%Y-%m-%d %H:%M:%S} UTC, {heard}.")
    console.print("No finding or decision shared is no clearance.")


def say_account(account: Account, out: Path) -> None:
    """Print what is to be looked at, and what was found."""
    _say_problems(account, "", "; each row's reason says it")
    console.print(f"{out}: {account.in_words()}", markup=False)


def _say_problems(account: Account, where: str, besides: str = "") -> None:
    for problem in account.problems[:SHOWN_PROBLEMS]:
        console.print(f"  {where}row {problem.number}: {problem.what}", markup=False)
    further = len(account.problems) + account.further_problems - SHOWN_PROBLEMS
    if further > 0:
        console.print(f"  {where}and {further} more to look at{besides}")


def compare(
    file: Annotated[Path, typer.Option(help="Pairs: name1,country1,address1,name2,country2,address2 and others.")],
    out: Annotated[Path, typer.Option(help="The same rows with verdict, score and reason: .csv or .xlsx.")],
    encoding: Annotated[str | None, typer.Option(help="Of a CSV that is not in UTF-8, such as windows-1252.")] = None,
) -> None:
    """Say of each pair whether the two are the same party, and why; needs no node."""
    run = FileRun(file, out, Told(encoding=encoding), candidates=False)
    with told_plainly():
        asyncio.run(_compare_pairs(run))


async def _compare_pairs(run: FileRun) -> None:
    account = Account()
    form = checked(run)
    with run.file.open("rb") as stream:
        table = open_table(stream, run.told)
        for line in (table.in_words(), *sides_in_words(table.headings)):
            console.print(line, markup=False)
        with NewFile(run.out, replaces=True) as written, writing(form, written, table.form) as writer:
            writer.write([*table.headings, *PAIR_COLUMNS])
            # The processes first: the bar has a thread.
            async with comparing_pairs(table.expected) as comparing:
                with bar("comparing", table.expected) as (progress, task):
                    async with aclosing(compared(table, countries().read, account, comparing)) as parts:
                        async for part in parts:
                            for row, said in part:
                                writer.write([*row.cells, *said])
                            progress.update(task, completed=account.rows)
    say_account(account, run.out)
