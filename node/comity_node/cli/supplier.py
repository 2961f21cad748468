"""`comity supplier`: who says what of a supplier, and who is the same."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from comity_node.cli.new_file import NewFile
from comity_node.cli.terminal import told_plainly
from comity_node.cli.vocabulary import read_country, read_identifier
from comity_node.cli.words import TAKES_HASHES, say_audits, say_decisions, say_finding, say_pointers
from comity_node.domain.suppliers.account import Sorting
from comity_node.domain.suppliers.judging import Because
from comity_node.remote import Remote
from comity_schemas.subject import SubjectType

app = typer.Typer(help="Suppliers as this node knows them: who says what, who is the same.", no_args_is_help=True)


class Noted(StrEnum):
    """What can be noted of a supplier."""

    FORMER_NAME = "former-name"
    OWNED_BY = "owned-by"
    IN_CONSORTIUM = "in-consortium"
    SITE_OF = "site-of"
    SUPPLIES_LABOUR_TO = "supplies-labour-to"


AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
Number = Annotated[int, typer.Argument(metavar="SUPPLIER", help="Its number, from the list.")]
Why = Annotated[Because, typer.Option("--because", help="Why, as a code.")]
Words = Annotated[str | None, typer.Option(help="What else there is to say; it stays at this node.")]


@app.command("list")
def list_suppliers(
    name: Annotated[str | None, typer.Option(help="Names that begin so.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code or name, in any UN language.")] = None,
    identifier: Annotated[str | None, typer.Option("--id", metavar="SCHEME:VALUE", help="A number it has.")] = None,
    kind: Annotated[SubjectType | None, typer.Option(help="Only these.")] = None,
    newest: Annotated[bool, typer.Option(help="Newest statements first, in place of names.")] = False,
    skip: Annotated[int, typer.Option(min=0, help="So many further down.")] = 0,
    as_json: AsJson = False,
) -> None:
    """List suppliers, sites and labour providers that statements mention, 50 at a time."""
    code = None if country is None else read_country(country)
    asked: dict[str, Any] = {"name": name, "country": code, "kind": kind, "newest_first": newest, "skip": skip}
    if identifier is not None:
        asked["identifier"] = read_identifier(identifier).to_parsed()
    with told_plainly():
        found = Remote().post("/suppliers/search", {k: v for k, v in asked.items() if v is not None})
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for each in found["suppliers"]:
        typer.echo(f"{_who(each)}: {_counts(each)}")
    if found["further"]:
        typer.echo(f"Further ones: --skip {skip + len(found['suppliers'])}")
    if found["not_yet_taken_in"]:
        typer.echo(f"{found['not_yet_taken_in']} changes are still being taken in.")
    typer.echo("Next: comity supplier show SUPPLIER" if found["suppliers"] else "Nobody like this is known.")


@app.command()
def show(
    supplier: Number,
    sort: Annotated[Sorting, typer.Option(help="Order of the findings.")] = Sorting.NEWEST,
    skip: Annotated[int, typer.Option(min=0, help="So many findings further down.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say who says what of a supplier, how recently, how surely, and who disagrees."""
    with told_plainly():
        found = Remote().get(f"/suppliers/{supplier}", sort=sort.value, skip=skip)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    _say_who(found)
    say_pointers({"pointers": found["pointers"], "unreadable_pointers": 0})
    say_audits(found)
    _say_beside(found)
    for finding in found["findings"]:
        typer.echo(f"  {finding['way']}" + ("" if finding["way"] == "about it" else f": {_named(finding['whom'])}"))
        say_finding({"verdict": _age(finding), "reason": finding["assurance"], **finding})
        for other in finding["same_event"]:
            typer.echo(f"    tells of the same event as {other['statement']}, about {other['name']}")
    if found["further_findings"]:
        typer.echo(f"  Further findings: --skip {skip + len(found['findings'])}")
    for each in found["disagreements"]:
        typer.echo(f"  PUBLISHERS DIFFER on {each['indicator']} in {', '.join(each['what'])}:")
        typer.echo(f"    {' '.join(each['statements'])}")
    for statements in found["perhaps_one_source"]:
        typer.echo(f"  perhaps one audit, seen twice: {' '.join(statements)}")
    orders = [{"verdict": d["way"], "reason": _named(d["whom"]), **d} for d in found["decisions"]]
    say_decisions({"decisions": orders, "unreadable_decisions": 0, "decision_state": "as this node has them"})
    typer.echo(f"As of {found['as_of'][:19].replace('T', ' ')} UTC, {found['coverage']['in_words']}.")
    typer.echo(found["words"])


@app.command()
def export(
    supplier: Number,
    file: Annotated[Path, typer.Argument(help="A new file: .xlsx for all, .csv for findings.")],
    decisions: Annotated[bool, typer.Option("--decisions", help="In the .csv, not findings.")] = False,
) -> None:
    """Write what is known of a supplier to a file, with the terms of every statement."""
    if file.suffix not in (".xlsx", ".csv"):
        raise typer.BadParameter("the file ends in .xlsx or .csv")
    form = "xlsx" if file.suffix == ".xlsx" else "decisions.csv" if decisions else "findings.csv"
    with told_plainly():
        content = Remote().get_bytes(f"/suppliers/{supplier}/export?form={form}")
        with NewFile(file) as written:
            written.write(content)
    typer.echo(f"Written to {file}. The terms of each statement stand beside it and go with it.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name.")],
    country: Annotated[str, typer.Option(help="ISO code or name, in any UN language.")],
    identifier: Annotated[
        list[str] | None, typer.Option("--id", metavar="SCHEME:VALUE", help="May be repeated.")
    ] = None,
    kind: Annotated[SubjectType, typer.Option(help="What it is.")] = SubjectType.SUPPLIER,
) -> None:
    """Enter a supplier that no statement mentions yet, such as the owner of a list."""
    numbers = [read_identifier(each).to_parsed() for each in identifier or ()]
    with told_plainly():
        body = {"name": name, "country": read_country(country), "kind": kind, "identifiers": numbers}
        made = Remote().post("/suppliers", body)["supplier"]
    typer.echo(f"{_who(made)}. It stays at this node.")


@app.command()
def note(
    supplier: Number,
    fact: Annotated[Noted, typer.Argument(help="What you know of it.")],
    other: Annotated[
        int | None, typer.Option(metavar="SUPPLIER", help="The owner, consortium, operator, client.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The former name.")] = None,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    tier: Annotated[int | None, typer.Option(min=1, max=9, help="Of a site.")] = None,
    words: Annotated[str | None, typer.Option(help="How you know; it stays at this node.")] = None,
) -> None:
    """Note a former name, an owner, a consortium, whose site it is, or whom it supplies labour to."""
    body = {"fact": fact, "other": other, "name": name, "since": since, "until": until, "tier": tier, "words": words}
    with told_plainly():
        made = Remote().post(f"/suppliers/{supplier}/facts", {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Noted: {made['in_words']}.")
    typer.echo(f"To take it back: comity supplier take-back {made['id']}")


@app.command("take-back", context_settings=TAKES_HASHES)
def take_back(noted: Annotated[str, typer.Argument(metavar="NOTE", help="Its id.")]) -> None:
    """Let something that was noted count no more."""
    with told_plainly():
        made = Remote().post(f"/facts/{noted}/take-back")
    typer.echo(f"Taken back: {made['in_words']}.")


@app.command()
def merge(first: Number, second: Number, because: Why, words: Words = None) -> None:
    """Judge that two suppliers are one. No statement is changed, and it can be undone."""
    _judge("/suppliers/join", {"first": first, "second": second, "because": because, "words": words})


@app.command("not-same")
def not_same(first: Number, second: Number, because: Why, words: Words = None) -> None:
    """Judge that two suppliers are not the same, however alike they look."""
    _judge("/suppliers/keep-apart", {"first": first, "second": second, "because": because, "words": words})


@app.command(context_settings=TAKES_HASHES)
def split(
    supplier: Number,
    statements: Annotated[list[str], typer.Argument(metavar="STATEMENT...", help="Hashes, from `show`.")],
    because: Why,
    words: Words = None,
) -> None:
    """Judge that statements are about another supplier, which gets a number of its own."""
    _judge(f"/suppliers/{supplier}/split", {"statements": statements, "because": because, "words": words})


@app.command("undo", context_settings=TAKES_HASHES)
def undo_judgement(
    judgement: Annotated[str, typer.Argument(metavar="JUDGEMENT", help="Its id.")], words: Words = None
) -> None:
    """Undo a judgement: all is shown as if it had never been made; it stays in the list."""
    with told_plainly():
        made = Remote().post(f"/judgements/{judgement}/undo", {} if words is None else {"words": words})
    typer.echo(f"Undone: {made['in_words']}. It stays in the list: comity supplier judgements")


@app.command()
def judgements(as_json: AsJson = False) -> None:
    """List the newest 200 judgements, undone ones too."""
    with told_plainly():
        found = list(Remote().every("/judgements"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for made in found:
        _say_judgement(made, "")
    if not found:
        typer.echo("Nobody has judged anything here.")


def _judge(path: str, body: dict[str, Any]) -> None:
    with told_plainly():
        made = Remote().post(path, {k: v for k, v in body.items() if v is not None})
    typer.echo(f"Done: {made['in_words']}. No statement was changed.")
    typer.echo(f"To undo it: comity supplier undo {made['id']}")


def _say_judgement(made: dict[str, Any], margin: str) -> None:
    typer.echo(f"{margin}{made['in_words']}")
    if made["undone"] is not None:
        typer.echo(f"{margin}  undone by {made['undone']['by']} on {made['undone']['at'][:10]}")
    else:
        typer.echo(f"{margin}  to undo it: comity supplier undo {made['id']}")


def _say_who(found: dict[str, Any]) -> None:
    typer.echo(_who(found["supplier"]))
    typer.echo(f"  known by {found['known_by']}")
    for each in found["joined"]:
        typer.echo(f"  joined with {_who(each)}")
    for made in found["judgements"]:
        _say_judgement(made, "  ")
    for name in found["names"]:
        by = f", said by {', '.join(name['said_by'])}" if name["said_by"] else ""
        typer.echo(f"  name       {name['text']} ({name['kind']}{by})")
    for each in found["identifiers"]:
        typer.echo(f"  number     {each['scheme']} {each['id']}")
    if found["identifiers_disagree"]:
        typer.echo(f"  NUMBERS DISAGREE: several of {', '.join(found['identifiers_disagree'])}")
    for each in found["perhaps_the_same"]:
        typer.echo(f"  perhaps the same: {_who(each)} ({each['why']})")


def _say_beside(found: dict[str, Any]) -> None:
    for what, words in (
        ("operated_by", "site of"),
        ("sites", "its site"),
        ("labour_providers", "its labour provider"),
        ("supplies_labour_to", "supplies labour to"),
    ):
        for each in found[what]:
            typer.echo(f"  {words}: {_who(each)}")
    for fact in found["entered"]:
        typer.echo(f"  {fact['in_words']}; to take it back: comity supplier take-back {fact['id']}")
    for each in found["on_lists"]:
        typer.echo(f"  on the list {each['list']}, line {each['line']}{_tier(each)}: {each['address'] or 'no address'}")
    for each in found["listed_sites"]:
        typer.echo(f"  site on the list {each['list']}{_tier(each)}: {_who(each['supplier'])}")
    if found["further_listed_sites"]:
        typer.echo("  and further sites: comity factories list")


def _who(known: dict[str, Any]) -> str:
    return f"{known['number']}  {known['name']}, {known['country'] or 'country not stated'} ({known['kind']})"


def _tier(listed: dict[str, Any]) -> str:
    return "" if listed["tier"] is None else f", tier {listed['tier']}"


def _named(whom: dict[str, Any]) -> str:
    return f"{whom['number']} {whom['name'] or ''}".strip()


def _counts(known: dict[str, Any]) -> str:
    beside = {"findings_of_sites": "about its sites", "findings_through_providers": "through its labour providers"}
    more = [f"{known[what]} {words}" for what, words in beside.items() if known[what]]
    return ", ".join([f"{known['findings']} findings about it", *more, f"{known['decisions']} decisions"])


def _age(finding: dict[str, Any]) -> str:
    months = finding["months_old"]
    return "age not told to the month" if months is None else f"{months} {'month' if months == 1 else 'months'} old"
