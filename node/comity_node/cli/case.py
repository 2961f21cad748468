"""`comity case`, `comity contact`, `comity focal`: when people are at risk."""

import csv
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import read_country, read_identifier
from comity_node.domain.protection import ContactKind, Step
from comity_node.remote import Remote
from comity_schemas.errors import ComityError
from comity_schemas.finding import Severity

app = typer.Typer(help="People at risk: coded steps, for assigned staff only. Nobody is named, and nothing leaves.",
                  no_args_is_help=True)  # fmt: skip
contacts = typer.Typer(help="Whom people can turn to in each country. Local: never leaves.", no_args_is_help=True)
focal = typer.Typer(help="The focal point and its deputies, in their order.", no_args_is_help=True)
CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
COLUMNS = ("country", "name", "kind", "reach", "review_by")


class ContactsUnreadable(ComityError):
    """The file is no list of contacts; the text says in which line. Nothing was taken in."""

    code: ClassVar[str] = "contacts.unreadable"


@app.command("open")
def open_case(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The supplier's names.")],
    country: Annotated[str, typer.Option(metavar="CC", help="Its country.")],
    place: Annotated[str | None, typer.Option(metavar="CC", help="Where the people are, if elsewhere.")] = None,
    id_: Annotated[list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="May be repeated.")] = None,
    children: Annotated[bool, typer.Option(help="Children are concerned.")] = False,
    report: Annotated[str | None, typer.Option(help="The report; it then opens to assigned staff only.")] = None,
    reference: Annotated[str | None, typer.Option(help="The number of your own file.")] = None,
) -> None:
    """Open a case. You and the first on duty are assigned; nobody else can tell that it exists."""
    body = {
        "names": names,
        "country": read_country(country),
        "place": None if place is None else read_country(place),
        "identifiers": [read_identifier(text).to_parsed() for text in id_ or []],
        "children": children,
        "report": report,
        "reference": reference,
    }
    with told_plainly():
        case = Remote().post("/cases", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Opened as {case['id']}. Nothing left this node. Next: {case['next_step']}")


@app.command("list")
def list_cases() -> None:
    """List the cases you are assigned to. The reading is on the trail."""
    with told_plainly():
        found = list(Remote().every("/cases"))
    for case in found:
        typer.echo(f"{case['id']}  {case['opened_at'][:16]}  next: {case['next_step'] or 'closed'}{_passed_on(case)}")
    if not found:
        typer.echo("You are assigned to no case.")


@app.command()
def show(case: CaseId) -> None:
    """Show a case. The reading is on the trail."""
    with told_plainly():
        found = Remote().get(f"/cases/{case}")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def step(
    case: CaseId,
    step: Annotated[Step, typer.Argument(help="What was done.")],
    contact: Annotated[str | None, typer.Option(help="Which local contact was spoken to.")] = None,
    consent: Annotated[bool | None, typer.Option(help="Referral was offered: with consent, yes or no?")] = None,
) -> None:
    """Record the next step."""
    body = {"step": step, "contact": contact, "consent": consent}
    with told_plainly():
        found = Remote().post(f"/cases/{case}/steps", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Recorded. Next: {found['next_step'] or 'nothing, it is closed'}")


@app.command("take-back")
def take_back(case: CaseId) -> None:
    """Take the last step back, also the closing."""
    with told_plainly():
        found = Remote().post(f"/cases/{case}/steps/take-back")
    typer.echo(f"Taken back. Next: {found['next_step']}")


@app.command()
def pointer(case: CaseId) -> None:
    """Let a pointer stand for the supplier; it tells nobody why."""
    with told_plainly():
        found = Remote().post(f"/cases/{case}/pointer")
    typer.echo(f"The supplier's pointer is {found['pointer']}: comity pointer list")


@app.command()
def detail(
    case: CaseId,
    indicator: Annotated[list[str], typer.Option(help="A code; may be repeated.")],
    severity: Annotated[Severity, typer.Option(help="How grave.")],
    member: Annotated[list[str], typer.Option(help="Whose focal points would read it; may be repeated.")],
) -> None:
    """Decide what focal points of other members would be told. It is recorded and held back."""
    body = {"indicators": indicator, "severity": severity, "members": member}
    with told_plainly():
        found = Remote().post(f"/cases/{case}/detail", body)
    typer.echo(f"Recorded; {found['detail']['held_back']}.")


@app.command()
def assign(case: CaseId, name: Annotated[str, typer.Argument(help="The person's account.")]) -> None:
    """Let another person of the staff see the case."""
    with told_plainly():
        Remote().post(f"/cases/{case}/staff", {"name": name})
    typer.echo(f"{name} sees the case now.")


@app.command()
def remove(case: CaseId, person: Annotated[str, typer.Argument(help="The person's id, as `show` has it.")]) -> None:
    """Let somebody see the case no more."""
    with told_plainly():
        Remote().delete(f"/cases/{case}/staff/{person}")
    typer.echo("Removed.")


@contacts.command("import")
def import_contacts(
    file: Annotated[Path, typer.Argument(help=f"A CSV with the columns {', '.join(COLUMNS)}.")],
) -> None:
    """Take in local contacts; one that is here already, by country and name, is changed. All or none."""
    with told_plainly():
        done = Remote().post("/contacts", {"contacts": _read_contacts(file)})
    typer.echo(f"{done['added']} added, {done['changed']} changed.")


@contacts.command("list")
def list_contacts(country: Annotated[str | None, typer.Option(metavar="CC", help="Only there.")] = None) -> None:
    """List whom people can turn to, and by when somebody looks whether it is still right."""
    with told_plainly():
        code = None if country is None else read_country(country)
        found = Remote().get("/contacts", country=code)["items"]
    for item in found:
        late = ", OVERDUE" if item["overdue"] else ""
        typer.echo(f"{item['id']}  {item['country']}  {item['name']} ({item['kind']}): {item['reach']}")
        typer.echo(f"    to be looked at again by {item['review_by']}{late}")
    if not found:
        typer.echo("No contact is kept. Take some in before they are needed: comity contact import FILE")


@contacts.command("remove")
def remove_contact(contact: Annotated[str, typer.Argument(help="The contact's id.")]) -> None:
    """Forget a contact."""
    with told_plainly():
        Remote().delete(f"/contacts/{contact}")
    typer.echo("Removed.")


@focal.command("list")
def list_focal_points() -> None:
    """List who is asked first, and who next when nobody has looked within 4 hours."""
    with told_plainly():
        found = Remote().get("/focal-points")["items"]
    for place, item in enumerate(found):
        typer.echo(f"{'focal point' if place == 0 else f'deputy {place}':12}{item['name']}")
    if not found:
        typer.echo("Nobody has the role of a focal point: comity person add NAME --role focal-point")


@focal.command("name")
def name_focal_points(names: Annotated[list[str], typer.Argument(help="Accounts, the focal point first.")]) -> None:
    """Name the focal point and its deputies, in their order; for an administrator."""
    with told_plainly():
        Remote().put("/focal-points", {"names": names})
    typer.echo(f"Named: {', '.join(names)}.")


def _passed_on(case: dict[str, Any]) -> str:
    return f", passed on {case['passed_on']} times" if case["passed_on"] else ""


def _read_contacts(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.DictReader(opened)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ContactsUnreadable(f"{file}: the first line must be {','.join(COLUMNS)}. Nothing was taken in")
        return [_read_contact(row, f"{file}, line {number}") for number, row in enumerate(rows, 2)]


def _read_contact(row: dict[str | None, Any], where: str) -> dict[str, str]:
    given = {column: (row.get(column) or "").strip() for column in COLUMNS}
    empty = [column for column, value in given.items() if not value]
    if empty or None in row:
        raise ContactsUnreadable(f"{where}: {', '.join(empty) or 'more columns than names'}. Nothing was taken in")
    if given["kind"] not in set(ContactKind):
        kinds = ", ".join(ContactKind)
        raise ContactsUnreadable(f"{where}: {given['kind']} is none of {kinds}. Nothing was taken in")
    return given
