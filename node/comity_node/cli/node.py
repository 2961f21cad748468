"""Commands on a node of this machine: init, check, screen."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from pydantic import ValidationError

from comity_federation.keys import load_public
from comity_node.cli.asked_together import PastedOption, read_pasted
from comity_node.cli.screening_files import (
    FileRun,
    read_columns,
    say_how_read,
    screen_against_list,
    screen_against_network,
)
from comity_node.cli.screening_remote import fetch_from_node, screen_at_node, screen_file_at_node
from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import read_country, read_identifier
from comity_node.cli.words import say_answer
from comity_node.db.migrate import require_tables
from comity_node.domain.asked_names import read_name
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import Answer, screen_and_note
from comity_node.services.operating.check import check as check_node
from comity_node.services.screening_files.opening import Told
from comity_node.wiring import Node
from comity_node.wiring.founding import Founded, Founding, found_node
from comity_schemas.member import Authorisation, Basis, Role
from comity_schemas.wire import misfits

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="COMITY_HOME", metavar="DIR", help="The node's home on this machine.")
]


def init(
    home: HomeOption,
    member: Annotated[str, typer.Option(metavar="SLUG", help="Short name, a-z 0-9 and -, such as undp.")],
    did: Annotated[str, typer.Option(help="did:web name in signatures, such as did:web:procurement.example.")],
    name: Annotated[str, typer.Option(help="The organisation's name.")],
    role: Annotated[Role, typer.Option(help="What it is in the network.")],
    country: Annotated[str, typer.Option(help="ISO code, or international.")],
    registry: Annotated[str, typer.Option(help="Directory or https URL of the registry.")],
    bus: Annotated[str, typer.Option(help="kafka://HOST:PORT or local:FILE (one machine, for trying).")],
    root: Annotated[Path | None, typer.Option(help="The registry's trusted root, from the registrar.")] = None,
    database: Annotated[str | None, typer.Option(help="PostgreSQL URL; else SQLite in the home.")] = None,
    admin: Annotated[str, typer.Option(help="Name of the first administrator.")] = "admin",
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen; 0 for any.")] = 8400,
    endpoint: Annotated[str | None, typer.Option(help="URL under which peers reach this node.")] = None,
    report_key: Annotated[
        list[Path] | None, typer.Option(help="An auditor's .pub file, for audit firms; repeat.")
    ] = None,
    authorised: Annotated[
        list[str] | None,
        typer.Option(metavar="SCHEME=BASIS:FROM..UNTIL", help="An audit firm's right to audit; repeat."),
    ] = None,
) -> None:
    """Make a node's home: settings, keys, database, first administrator, and the member.json for the registrar."""
    with told_plainly():
        founding = Founding(
            slug=member,
            did=did,
            name=name,
            role=role,
            country=country,
            registry=registry if registry.startswith("http") else str(Path(registry).absolute()),
            bus=_absolute(bus),
            admin=admin,
            database=database,
            host=host,
            port=port,
            endpoint=endpoint,
            report_keys=[load_public(path) for path in report_key or []],
            authorisations=[_authorisation(text) for text in authorised or []],
            root=None if root is None else root.read_bytes(),
        )
        try:
            founded = asyncio.run(found_node(home, founding, datetime.now(UTC)))
        except ValidationError as error:
            raise typer.BadParameter(f"the member entry does not fit: {misfits(error)}; nothing was made") from error
    _say_founded(founded)


def check(home: HomeOption) -> None:
    """Decide and fold everything anew and compare; exit 1 on any difference. Changes nothing."""
    with told_plainly():
        problems = asyncio.run(_check(home))
    for problem in problems:
        typer.echo(problem)
    if problems:
        typer.echo(f"{len(problems)} differences: stop using this node's answers and restore a backup", err=True)
        raise typer.Exit(1)
    typer.echo("clean: every statement, the supplier view, the outbox and the trail agree")


def screen(
    name: Annotated[str | None, typer.Argument(help="The supplier's name, in any script.")] = None,
    home: Annotated[
        Path | None,
        typer.Option("--home", envvar="COMITY_HOME", metavar="DIR", help="The node's home; else the running node's."),
    ] = None,
    country: Annotated[
        str | None, typer.Option(metavar="CC", help="Its country: ISO code or name, in any UN language.")
    ] = None,
    id_: Annotated[
        list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="Such as BR-CNPJ:54.951.803/0001-50.")
    ] = None,
    row: Annotated[
        str | None, typer.Option(help="Which row of your own list it is: what you judged of it counts.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    names: PastedOption = None,
    file: Annotated[
        Path | None, typer.Option(help="Screen a whole file: CSV, XLSX, or an OCDS 1.1 package (JSON).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The same rows with the result beside each: .csv or .xlsx.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="LIST", help="Screen against this list and not the network; needs no node.")
    ] = None,
    candidates: Annotated[bool, typer.Option("--candidates", help="Add a column of at most five candidates.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT=HEADING", help="Which column holds what, if the guess is wrong; repeat."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV that is not in UTF-8, such as windows-1252.")] = None,
    look: Annotated[bool, typer.Option("--look", help="Only say how the file is read.")] = False,
    job: Annotated[str | None, typer.Option(help="Fetch the result of a file that the node has already.")] = None,
) -> None:
    """Ask what the network knows of a supplier, or of all in a file. Answered at the own node: nobody learns of it.

    With --home from its database; without, from the running node as yourself, where what you judged of rows counts.

    With --file: 0 the result is written; 1 nothing was written; 2 the command was wrong.
    """
    if job is not None:
        if file is not None or name is not None or names is not None or out is None:
            raise typer.BadParameter("--job goes with --out, and with nothing else")
        with told_plainly():
            fetch_from_node(job, out)
        return
    if file is not None:
        _refuse_beside_a_file(country, id_, row, as_json)
        run = FileRun(file, out or file, Told(read_columns(column), encoding), candidates)
        _screen_file(home, run, against, look=look, name=name or names)
        return
    if any((out, against, candidates, column, encoding, look)):
        raise typer.BadParameter("this goes with --file")
    if row is not None and (home or names):
        raise typer.BadParameter("--row asks the running node of one supplier; leave --home and --names out")
    given = _answer(home, _questions(names, name, country, id_), row)
    if as_json:
        typer.echo(json.dumps(given, ensure_ascii=False, indent=2))
    else:
        say_answer(given)


def _refuse_beside_a_file(*given: object) -> None:
    if any(given):
        raise typer.BadParameter("--file says itself whom it asks about: leave --country, --id, --row and --json out")


def _questions(
    names: BinaryIO | None, name: str | None, country: str | None, id_: list[str] | None
) -> Sequence[Question]:
    if names is not None:
        if any((name, country, id_)):
            raise typer.BadParameter("--names asks about those in the list, and goes with nobody else")
        with told_plainly():
            return read_pasted(names)
    if name is None and not id_:
        raise typer.BadParameter("give a NAME, an --id, or both; or --names, or a --file")
    asked = Question(
        _read_name(name, alone=not id_),
        None if country is None else read_country(country),
        tuple(read_identifier(text) for text in id_ or []),
    )
    return [asked]


def _answer(home: Path | None, questions: Sequence[Question], row: str | None) -> dict[str, Any]:
    with told_plainly():
        return screen_at_node(questions, row) if home is None else describe(asyncio.run(_screen(home, questions)))


def _read_name(written: str | None, *, alone: bool) -> str | None:
    """Return a name as it is asked for; None where it names nobody and something else is asked for beside it."""
    if written is None:
        return None
    read = read_name(written)
    if read.name is None and alone:
        raise typer.BadParameter(f"{read.why}: give the whole name, or an --id. Nothing was asked")
    for note in (*([] if read.why is None else [f"{read.why}, and was not used"]), *read.notes):
        typer.echo(note, err=True)
    return read.name


def _screen_file(home: Path | None, run: FileRun, against: Path | None, *, look: bool, name: object | None) -> None:
    if name is not None:
        raise typer.BadParameter("give a NAME, --names, or a --file, and nothing beside it")
    if run.out == run.file and not look:
        raise typer.BadParameter("say where the result goes: --out FILE.csv or FILE.xlsx")
    with told_plainly():
        if look:
            say_how_read(run.file, run.told)
        elif against is not None:
            screen_against_list(run, against)
        elif home is None:
            screen_file_at_node(run)
        else:
            screen_against_network(home, run)


async def _check(home: Path) -> list[str]:
    node = Node.open(home)
    try:
        await require_tables(node.settings.database)
        return await check_node(node.database, node.trusted_registry(), node.clock())
    finally:
        await node.close()


async def _screen(home: Path, questions: Sequence[Question]) -> list[Answer]:
    node = Node.open(home)
    try:
        await require_tables(node.settings.database)
        registry = node.trusted_registry()
        return await screen_and_note(node.database, questions, registry, "comity screen", node.clock())
    finally:
        await node.close()


def _authorisation(text: str) -> Authorisation:
    try:
        scheme, _, rest = text.partition("=")
        basis, _, span = rest.partition(":")
        basis, _, appointed_by = basis.partition("/")
        start, _, end = span.partition("..")
        return Authorisation(
            scheme=scheme,
            basis=Basis(basis),
            appointed_by=appointed_by or None,
            valid_from=date.fromisoformat(start),
            valid_until=date.fromisoformat(end),
        )
    except ValueError as error:
        raise typer.BadParameter(
            f"{text} is not SCHEME=BASIS:FROM..UNTIL, as SMETA=accredited:2025-01-01..2027-12-31, or "
            "SMETA=appointed/MEMBER:2025-01-01..2027-12-31"
        ) from error


def _absolute(bus: str) -> str:
    kind, _, where = bus.partition(":")
    return f"local:{Path(where).absolute()}" if kind == "local" else bus


def _say_founded(founded: Founded) -> None:
    typer.echo(f"Made a node in {founded.home.path}")
    typer.echo(f"  administrator  {founded.admin.name}")
    typer.echo(f"  password       {founded.password}")
    typer.echo(f"  token          {founded.token.secret}")
    typer.echo("Password and token are shown this once. Everything in the home is readable by you only.")
    typer.echo(f"Next: hand {founded.home.member_file} to the registrar, then: comity serve --home {founded.home.path}")
