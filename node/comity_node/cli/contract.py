"""`comity contract`: your contracts, what they ask of suppliers and by when; cut only after an exit plan."""

import base64
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.domain.contracts import Answer, ContractState, DutyKind, DutyState, ExitCheck, LabourClause
from comity_node.domain.contracts import TerminationReason as Why
from comity_node.remote import Remote
from comity_schemas.errors import ComityError

app = typer.Typer(
    help="Your contract register: it stays at your node, and nothing of it is ever sent.", no_args_is_help=True
)
duties = typer.Typer(help="What suppliers have to do by a day.", no_args_is_help=True)
app.add_typer(duties, name="duty")

Which = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its reference or its id.")]
DutyId = Annotated[str, typer.Argument(metavar="DUTY", help="The duty's id.")]
Reason = Annotated[str, typer.Option(help="Why, in words that stay at the node.")]
Note = Annotated[str | None, typer.Option(help="In your words; stays at the node.")]


class ContractUnknown(ComityError):
    """No contract of the register has this reference or id; nothing was done."""

    code: ClassVar[str] = "contract.unknown"


@app.command()
def add(
    reference: Annotated[str, typer.Argument(help="Your own reference.")],
    supplier: Annotated[str, typer.Option(help="The supplier's name.")],
    ends: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    clause: Annotated[list[LabourClause] | None, typer.Option(help="A labour clause; may be repeated.")] = None,
    identifier: Annotated[str | None, typer.Option(help="The supplier's number, SCHEME:ID.")] = None,
    note: Note = None,
) -> None:
    """Enter a contract."""
    body = {"reference": reference, "supplier": supplier, "ends": ends, "clauses": clause, "note": note}
    with told_plainly():
        made = Remote().post("/contracts", {**_given(body), **_identified(identifier)})
    typer.echo(f"Entered as {made['id']}: {made['in_words']}.")


@app.command("list")
def list_contracts(
    state: Annotated[ContractState | None, typer.Option(help="Only these.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those with an overdue duty, and which.")] = False,
) -> None:
    """List the contracts in the order of their ends."""
    with told_plainly():
        remote = Remote()
        found = sorted(remote.every("/contracts", state=state), key=lambda c: (c["ends"], c["reference"]))
        late = {c["id"]: _overdue(remote, c) for c in found} if overdue else {}
    shown = [contract for contract in found if not overdue or late[contract["id"]]]
    for contract in shown:
        typer.echo(f"{contract['id']}  {contract['reference']}  {contract['supplier']}  {contract['in_words']}")
        for duty in late.get(contract["id"], ()):
            typer.echo(f"    {duty['id']}  {duty['kind']}  {duty['in_words']}")
    if not shown:
        typer.echo("No duty is overdue." if overdue else "The register is empty: comity contract add, or import.")


@app.command()
def show(contract: Which) -> None:
    """Show a contract: clauses, duties, what hangs on it, its exit plan and its history."""
    with told_plainly():
        found = _find(Remote(), contract)
    typer.echo(f"{found['reference']}  {found['supplier']}  {found['in_words']}  ({found['id']})")
    typer.echo(f"  clauses: {', '.join(found['clauses']) or 'none noted'}")
    for duty in found["duties"]:
        typer.echo(f"  duty {duty['id']}  {duty['kind']}  {duty['in_words']}" + _after(duty["note"]))
    for item in found["plan_items"]:
        typer.echo(f"  plan {item['id']}  {item['remedy']}  {item['in_words']}")
    for check, given in found["exit_plan"].items():
        typer.echo(f"  exit {check}: {given['answer']}" + _after(given["words"]))
    if found["exit_plan"] and found["exit_open"]:
        typer.echo(f"  exit still open: {', '.join(found['exit_open'])}")
    for act in [*found["history"], *(act for duty in found["duties"] for act in duty["history"])]:
        before = "; ".join(f"{name} was {value or 'not said'}" for name, value in act["before"].items())
        typer.echo(f"  {act['at'][:16]}  {act['by']}  {act['act']}" + _after(act["reason"]) + _after(before))


@app.command()
def correct(
    contract: Which,
    reason: Reason,
    reference: Annotated[str | None, typer.Option(help="Your own reference.")] = None,
    supplier: Annotated[str | None, typer.Option(help="The supplier's name.")] = None,
    ends: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    clause: Annotated[list[LabourClause] | None, typer.Option(help="All labour clauses that it has.")] = None,
    identifier: Annotated[str | None, typer.Option(help="The supplier's number, SCHEME:ID.")] = None,
    note: Note = None,
) -> None:
    """Correct what a contract says. Its history keeps what stood there."""
    body = {"reference": reference, "supplier": supplier, "ends": ends, "clauses": clause, "note": note}
    with told_plainly():
        remote = Remote()
        name = _find(remote, contract)["id"]
        done = remote.patch(f"/contracts/{name}", {**_given(body), **_identified(identifier), "reason": reason})
    typer.echo(f"Corrected: {done['reference']}, {done['in_words']}.")


@app.command("exit-plan")
def exit_plan(
    contract: Which,
    answer: Annotated[
        list[str], typer.Option(help="CHECK=yes, CHECK=no or CHECK=not-applicable:WHY; may be repeated.")
    ],
) -> None:
    """Answer checks of the responsible-exit plan. A second person terminates."""
    with told_plainly():
        remote = Remote()
        name = _find(remote, contract)["id"]
        done = remote.put(f"/contracts/{name}/exit-plan", {"answers": dict(map(_answered, answer))})
    left = ", ".join(done["exit_open"])
    typer.echo(f"Still open: {left}." if left else "Every check is answered; a second person may terminate.")


@app.command()
def terminate(contract: Which, reason: Annotated[Why, typer.Option(help="Why it is cut.")]) -> None:
    """Note that a contract is cut: refused before its exit plan stands, and to whoever answered it."""
    with told_plainly():
        remote = Remote()
        done = remote.post(f"/contracts/{_find(remote, contract)['id']}/terminate", {"reason": reason})
    typer.echo(f"{done['reference']}: {done['in_words']}. Taken back with: comity contract resume")


@app.command()
def resume(contract: Which, reason: Reason) -> None:
    """Take a termination back. The exit plan must then be answered anew."""
    with told_plainly():
        remote = Remote()
        done = remote.post(f"/contracts/{_find(remote, contract)['id']}/resume", {"reason": reason})
    typer.echo(f"{done['reference']}: {done['in_words']}.")


@app.command("import")
def import_contracts(file: Annotated[Path, typer.Argument(help="A CSV or XLSX, one duty a row.")]) -> None:
    """Take in a list, all of it or nothing; what does not fit is named by row and column."""
    form = "xlsx" if file.suffix.lower() == ".xlsx" else "csv"
    with told_plainly():
        content = base64.b64encode(file.read_bytes()).decode("ascii")
        done = Remote().post("/contracts/import", {"form": form, "content": content})
    typer.echo(
        f"{done['contracts']} contracts and {done['duties']} duties added; {done['unchanged']} were here already."
    )


@app.command("export")
def export_contracts(out: Annotated[Path, typer.Argument(help="Where it goes; .xlsx makes a workbook.")]) -> None:
    """Write the whole register to a file that an import reads. It is on the trail."""
    form = "xlsx" if out.suffix.lower() == ".xlsx" else "csv"
    with told_plainly(), NewFile(out) as written:
        written.write(Remote().get_bytes(f"/contracts/export?form={form}"))
    typer.echo(f"{out}: {out.stat().st_size} bytes. It names your suppliers: keep it at home.")


@duties.command("add")
def add_duty(
    contract: Which,
    kind: Annotated[DutyKind, typer.Argument(help="What the supplier has to do.")],
    due: Annotated[str, typer.Option(help="By which day, YYYY-MM-DD.")],
    note: Note = None,
) -> None:
    """Enter a duty of a running contract."""
    with told_plainly():
        remote = Remote()
        name = _find(remote, contract)["id"]
        made = remote.post(f"/contracts/{name}/duties", _given({"kind": kind, "due": due, "note": note}))
    typer.echo(f"Entered as {made['id']}: {made['kind']}, {made['in_words']}.")


@duties.command("move")
def move_duty(
    duty: DutyId,
    to: Annotated[DutyState, typer.Argument(help="done, waived, or open again.")],
    reason: Annotated[str | None, typer.Option(help="Why it is waived or opened again.")] = None,
) -> None:
    """Note that a duty was fulfilled or is waived; or open it again."""
    with told_plainly():
        moved = Remote().post(f"/duties/{duty}/move", _given({"to": to, "reason": reason}))
    typer.echo(f"{moved['kind']}: {moved['in_words']}.")


@duties.command("correct")
def correct_duty(
    duty: DutyId,
    reason: Reason,
    kind: Annotated[DutyKind | None, typer.Option(help="What the supplier has to do.")] = None,
    due: Annotated[str | None, typer.Option(help="By which day, YYYY-MM-DD.")] = None,
    note: Note = None,
) -> None:
    """Correct an open duty. Its history keeps what stood there."""
    body = {"kind": kind, "due": due, "note": note, "reason": reason}
    with told_plainly():
        corrected = Remote().patch(f"/duties/{duty}", _given(body))
    typer.echo(f"{corrected['kind']}: {corrected['in_words']}.")


def _find(remote: Remote, which: str) -> dict[str, Any]:
    """Return a contract by reference or id. References are compared here, so that none stands in a URL or a log."""
    for contract in remote.every("/contracts"):
        if which in (contract["reference"], contract["id"]):
            found: dict[str, Any] = remote.get(f"/contracts/{contract['id']}")
            return found
    raise ContractUnknown("no contract of the register has this reference or id; nothing was done")


def _overdue(remote: Remote, contract: dict[str, Any]) -> list[dict[str, Any]]:
    if contract["state"] != ContractState.RUNNING:
        return []
    return [duty for duty in remote.get(f"/contracts/{contract['id']}")["duties"] if duty["overdue"]]


def _given(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _identified(written: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    scheme, _, number = written.partition(":")
    return {"identifier": {"scheme": scheme, "id": number}}


def _answered(written: str) -> tuple[str, dict[str, str]]:
    check, _, said = written.partition("=")
    answer, _, words = said.partition(":")
    if check not in list(ExitCheck) or answer not in list(Answer):
        known = ", ".join(ExitCheck)
        raise typer.BadParameter(f"write CHECK=yes, CHECK=no or CHECK=not-applicable:WHY; CHECK is one of {known}")
    return check, {"answer": answer, **({"words": words} if words else {})}


def _after(words: str | None) -> str:
    return f": {words}" if words else ""
