"""Answers as people read them in a terminal. Never a percentage, never green."""

from typing import Any

import typer

from comity_schemas.corroboration import Says
from comity_schemas.decision import End, Lifted, Measure, Stand
from comity_schemas.indicators import Indicator
from comity_schemas.meanings import reported

TAKES_HASHES = {"ignore_unknown_options": True}
"""For commands whose arguments are hashes: one that begins with `-` is no option."""


def newest(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a list's first page; where it does not hold all, say so on stderr."""
    items: list[dict[str, Any]] = page["items"]
    if page["next"] is not None:
        typer.echo(f"Only the newest {len(items)} are shown; there are further ones.", err=True)
    return items


def say_answer(given: dict[str, Any], *, numbered: bool = False) -> None:
    """Print answers that were given together; numbered, each with its row and all that was asked."""
    for row, answer in enumerate(given["answers"], start=1):
        asked = answer["asked"]
        numbers = ", ".join(f"{i['scheme']}:{i['id']}" for i in asked["identifiers"])
        typer.echo(f"{f'row {row}: ' if numbered else ''}{asked['name'] or numbers}: {answer['state']}")
        if numbered:
            # What was filed before addresses and other names were asked has none.
            others = (*asked.get("other_names", ()), *asked.get("addresses", ()))
            given_too = [part for part in (asked["country"], numbers, *others) if part]
            typer.echo(f"  asked with: {'; '.join(given_too) or 'its name alone'}")
        # What was filed before rows were named does not say.
        for each in answer.get("judged_not_to_be", ()):
            typer.echo(f"  left out: judged on {each['on']} not to be supplier {each['supplier']}")
        for hit in answer["findings"]:
            say_finding(hit)
        for each in answer["through_labour_providers"]:
            typer.echo(
                f"  through its labour provider {each['name']}, not its own: {len(each['findings'])} findings, "
                f"comity supplier show {each['supplier']}"
            )
        # What was filed before further ones were counted says nothing of them.
        for what, count in answer.get("further", {}).items():
            if count:
                typer.echo(f"  ({count} further {what} are not shown)")
        if answer["unreadable"]:
            typer.echo(f"  ({answer['unreadable']} further findings name nobody this node may read)")
        say_decisions(answer)
        say_audits(answer)
        say_pointers(answer)
    typer.echo(f"As of {given['as_of'][:19].replace('T', ' ')} UTC, {given['coverage']['in_words']}.")
    places = ", ".join(f"{slug} {head}" for slug, head in given["positions"].items())
    typer.echo(f"Asked at log positions: {places or 'none'}; registry version {given['registry_version']}.")
    typer.echo("No finding or decision shared is no clearance: it says only what these members have shared.")


_MEASURES = {
    Measure.EXCLUSION: "excluded",
    Measure.SUSPENSION: "suspended",
    Measure.CONDITION: "admitted under conditions",
}
_STANDS = {
    Stand.OWN: "{member} says that this is its own decision",
    Stand.RECOGNISES: "{member} recognises it",
    Stand.RELAYS: "{member} only relays it",
}
_ENDS = {
    End.ONGOING: "ongoing",
    End.INDEFINITE: "for an indefinite time",
    End.PERMANENT: "permanently",
    End.PLACEHOLDER: "without an end (the source writes a date that is none)",
    End.NOT_STATED: "the source states no end",
}
_LIFTED = {
    Lifted.RESCINDED: "rescinded by the authority itself",
    Lifted.OVERTURNED: "overturned on appeal or by a court",
}


def say_audits(answer: dict[str, Any]) -> None:
    """Print audits, planned and done, under a heading of their own, and in what nothing is open."""
    if answer["audits"]:
        typer.echo("  Audits, as their publishers tell of them:")
    for hit in answer["audits"]:
        typer.echo(f"    {hit['verdict']} ({hit['reason']}): {audit_in_words(hit)}, published by {hit['published_by']}")
    if clean := answer["assessed"]["nothing_open"]:
        typer.echo(f"  Assessed, nothing open: {', '.join(clean)}. Of all other indicators nothing is said.")


def audit_in_words(told: dict[str, Any]) -> str:
    """Return one audit as a line."""
    notice = told["notice"]
    if notice is None:
        return "an audit that this node may not read"
    names = " / ".join(name["text"] for name in notice.get("names", [])) or "(name withheld)"
    scope = f"looks for {', '.join(notice['assessed'])}" if notice["assessed"] else "its scope is not stated"
    result = notice.get("result")
    counts = ", ".join(f"{what.replace('_', ' ')} {band}" for what, band in result.items()) if result else "not told"
    came_out = "" if notice["stage"] == "planned" else f"; open: {counts}"
    when = f"{notice['scheme']} {notice['month']}, {notice['stage']}, {told['standing']} until {notice['valid_until']}"
    return f"{names}, {notice['country']}: {when}; {scope}{came_out}"


def say_decisions(answer: dict[str, Any]) -> None:
    """Print the decisions under a heading of their own; those that recognise one stand below it."""
    if not (answer["decisions"] or answer["unreadable_decisions"]):
        return
    typer.echo(f"  Decisions of authorities (orders, not findings): {answer['decision_state']}")
    by_hash = {hit["statement"]: hit for hit in answer["decisions"]}
    tied = {name for hit in answer["decisions"] for name in hit["recognised_by"]}
    for hit in answer["decisions"]:
        if hit["statement"] in tied:
            continue
        _say_decision(hit, "  ")
        for name in hit["recognised_by"]:
            typer.echo("    recognised, which is no further decision on the case:")
            _say_decision(by_hash[name], "    ")
    if answer["unreadable_decisions"]:
        typer.echo(f"  ({answer['unreadable_decisions']} further decisions name nobody this node may read)")


def _say_decision(hit: dict[str, Any], margin: str) -> None:
    decision = hit["decision"]
    if decision is None:
        typer.echo(f"{margin}{hit['verdict']}: a decision of {hit['published_by']} that this node may not read")
        return
    names = " / ".join(name["text"] for name in decision.get("names", [])) or "(name withheld)"
    typer.echo(f"{margin}{hit['verdict']} ({hit['reason']})")
    by, act = decision["authority"], decision["act"]
    whose = "" if act["type"] == "original" else f", recognising a decision of {act['of']['code']}"
    measure = _MEASURES[Measure(decision["measure"])]
    country = decision.get("country", "country not stated")
    typer.echo(f"{margin}  {names}, {country}: {measure} by {by['code']} ({by['country']}){whose}")
    grounds = ", ".join(decision.get("grounds", [])) or "not stated"
    typer.echo(f"{margin}  {hit['standing']}; grounds: {grounds}; {_stand(hit)}")
    if len(decision["terms"]) > 1:
        typer.echo(f"{margin}  sources disagree on dates:")
    for term in decision["terms"]:
        typer.echo(f"{margin}  {_term(term)}")
    if decision.get("lifted"):
        typer.echo(f"{margin}  {_LIFTED[Lifted(decision['lifted'])]}")
    if hit["contradicted_by"]:
        typer.echo(f"{margin}  MEMBERS DISAGREE on this decision, both stand there: {' '.join(hit['contradicted_by'])}")
        typer.echo(f"{margin}  ask {by['code']} which is true before you rely on either")
    if hit["taken_back"]:
        typer.echo(f"{margin}  taken back: {hit['taken_back']}")


def _stand(hit: dict[str, Any]) -> str:
    return _STANDS[Stand(hit["decision"]["stand"])].format(member=hit["published_by"])


def _term(term: dict[str, Any]) -> str:
    start = f"from {term['start']}" if term.get("start") else "start not stated"
    end = f"to {term['until']}" if term.get("until") else _ENDS[End(term["end"])]
    return f"{start} {end}" + (f" ({term['source']})" if term.get("source") else "")


def say_pointers(answer: dict[str, Any]) -> None:
    """Print whom to speak to before anybody contacts the supplier."""
    for hit in answer["pointers"]:
        typer.echo(f"  Speak to {hit['speak_to']} before contacting this supplier ({hit['verdict']}: {hit['reason']})")
        typer.echo(f"    until {hit['pointer']['valid_until']}; it says nothing about the supplier and is no ground")
    if answer["unreadable_pointers"]:
        typer.echo(f"  ({answer['unreadable_pointers']} further pointers name nobody this node may read)")


def say_finding(hit: dict[str, Any]) -> None:
    """Print one finding with why it was found."""
    finding = hit["finding"]
    if finding is None:
        typer.echo(f"  {hit['verdict']}: a finding of {hit['published_by']} that this node may not read")
        return
    names = " / ".join(name["text"] for name in finding.get("names", [])) or "(name withheld)"
    place = ", ".join(p for p in (finding.get("municipality"), finding.get("region"), finding["country"]) if p)
    typer.echo(f"  {hit['verdict']} ({hit['reason']})")
    typer.echo(f"    {names}, {place}; {hit['standing']}, valid until {finding['valid_until']}")
    for found in finding["indicators"]:
        typer.echo(f"    {reported(Indicator(found['indicator']))} ({found['basis']})")
    source = finding["source"]
    typer.echo(
        f"    severity {finding['severity']}, status {finding['status']}, {source['type']} "
        f"{source['scheme']} {source['when']}, published by {hit['published_by']}"
    )
    if hit["relayed"]:
        typer.echo("    relayed from a public register; its authority's own appeal procedure applies")
    if hit["disputed"] is not None:
        typer.echo(f"    DISPUTED by the supplier: {hit['disputed']}")
    for reply in hit["replies"]:
        _say_reply(reply)
    for each in hit["corroborations"]:
        _say_corroboration(each)
    if hit["credit"] is not None:
        _say_credit(hit["credit"])
    if hit["taken_back"]:
        typer.echo(f"    taken back: {hit['taken_back']}")
    if "raising" in hit:
        _say_raising(hit["raising"])


def _say_raising(raising: dict[str, Any]) -> None:
    first = f", after speaking to {', '.join(raising['first'])}" if raising["may"] and raising["first"] else ""
    why = "; ".join(raising["why"])
    may = f"may be raised with the supplier{first}" if raising["may"] else "may NOT be raised with the supplier"
    typer.echo(f"    {may}{': ' if why else ''}{why}")


def _say_corroboration(each: dict[str, Any]) -> None:
    says = {Says.SUPPORTS: "supported", Says.CONTRADICTS: "CONTRADICTED"}[Says(each["says"])]
    source = each["source"]
    typer.echo(
        f"    {says} by {each['published_by']}: {', '.join(each['indicators'])}, {source['type']} {source['scheme']} "
        f"{source['when']}, until {each['valid_until']}"
    )
    if each["not_counted"]:
        typer.echo(f"      not counted as a further source: {each['not_counted']}")


def _say_credit(credit: dict[str, Any]) -> None:
    done = ", ".join(credit["remedies"]) or "what was done is not stated"
    how = {
        "closed-claimed": "closed, as the supplier says",
        "closed-verified": f"closed and verified {str(credit['verified']).replace('-', ' ')}",
    }
    typer.echo(f"    credit: {how.get(credit['status'], 'on the way')}; {done}")


def _say_reply(reply: dict[str, Any]) -> None:
    since = f", unanswered since {reply['unanswered_since']}" if reply["unanswered_since"] else ""
    if reply["decided_here"]:
        since = f", decided here on {reply['decided_here']}; the network is not told yet"
    late = ", after its window" if reply.get("late") else ""
    what = "disputes" if reply["act"] == "dispute" else "replied"
    typer.echo(f"    supplier {what} on {reply['made']}{late}{since}: {', '.join(reply['codes'])}")
    if reply.get("text"):
        typer.echo(f"      {reply['text']}")
