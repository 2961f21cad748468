"""What is known of suppliers as JSON values: the same for the API, the commands and exports."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from comity_node.db import Store
from comity_node.db.factory_lists import Standing
from comity_node.db.suppliers import Known
from comity_node.domain.suppliers.account import (
    Sorting,
    Told,
    Way,
    assurance,
    disagreements,
    months_old,
    one_source,
    ordered,
)
from comity_node.domain.suppliers.facts import Fact, FactKind
from comity_node.domain.suppliers.judging import Judged, Judgement
from comity_node.services.answering.answers import (
    describe_assessed,
    describe_audit,
    describe_coverage,
    describe_decisions,
    describe_finding,
    describe_pointer,
)
from comity_node.services.suppliers.showing import MOST_LISTED, Related, Shown
from comity_schemas.subject import NameKind

WORDS = (
    "Statements of members, side by side: nothing is added up or averaged, and several may tell of one event. "
    "No statement is an admission or a determination, and nothing here waives privileges or immunities. "
    "No statement shared is no clearance."
)


async def person_names(store: Store, judgements: Iterable[Judgement], facts: Iterable[Fact] = ()) -> dict[str, str]:
    """Return the names of whoever judged, undid or entered, by id."""
    ids = {person for j in judgements for person in (j.by, j.undone_by)} | {fact.by for fact in facts}
    return await store.accounts.names(sorted(person for person in ids if person is not None))


def describe_judgement(judgement: Judgement, people: Mapping[str, str]) -> dict[str, Any]:
    """Return a judgement with who made it, when and why, and how to undo it."""
    who = people.get(judgement.by, "somebody whose account is gone")
    said = {
        Judged.SAME: f"{judgement.first} and {judgement.second} are one",
        Judged.DIFFERENT: f"{judgement.first} and {judgement.second} are not the same",
        Judged.APART: f"statements put apart from {judgement.first} as {judgement.second}",
    }[judgement.judged]
    undone = None
    if judgement.undone_at is not None:
        undone = {
            "by": people.get(judgement.undone_by or "", "somebody whose account is gone"),
            "at": judgement.undone_at.isoformat(),
            "words": judgement.undone_words,
        }
    return {
        "id": judgement.id,
        "judged": judgement.judged.value,
        "first": judgement.first,
        "second": judgement.second,
        "because": judgement.because.value,
        "words": judgement.words,
        "by": who,
        "at": judgement.at.isoformat(),
        "undone": undone,
        "in_words": f"{said}, judged by {who} on {judgement.at:%Y-%m-%d} ({judgement.because.value})",
    }


def describe_known(known: Known) -> dict[str, Any]:
    """Return who it is, in short."""
    return {
        "number": known.number,
        "kind": known.kind.value,
        "name": known.name,
        "country": known.country or None,
        "joined_as": None if known.whole == known.number else known.whole,
    }


def describe_shown(
    shown: Shown, people: Mapping[str, str], *, sorting: Sorting, skip: int, most: int
) -> dict[str, Any]:
    """Return all that is known of one supplier; of its findings, a part in some order."""
    assert shown.as_of is not None
    assert shown.coverage is not None
    today = shown.as_of.date()
    told = ordered(shown.told, sorting)
    judged = [describe_judgement(j, people) for j in shown.judgements]
    hits = [hit for hit, _, _ in shown.decided]
    orders = [
        {"way": way.value, "whom": _whom(shown, whom), **said}
        for (_, way, whom), said in zip(shown.decided, describe_decisions(hits, today), strict=True)
    ]
    return {
        "supplier": describe_known(shown.known),
        "known_by": _known_by(shown.known),
        "joined": [describe_known(each) for each in shown.joined if each.number != shown.known.number],
        "judgements": judged,
        "names": _names(shown),
        "identifiers": [{"scheme": s, "id": v, "of": n} for n, s, v in shown.identifiers],
        "identifiers_disagree": _disagreeing(shown.identifiers),
        "pointers": [describe_pointer(hit) for hit in shown.pointers],
        "audits": [describe_audit(hit) for hit in shown.audits],
        "assessed": describe_assessed(shown.assessed),
        "perhaps_the_same": [{**describe_known(a.known), "why": a.why} for a in shown.alike],
        "operated_by": _related(shown.operators),
        "sites": _related(shown.sites),
        "labour_providers": _related(shown.providers),
        "supplies_labour_to": _related(shown.clients),
        "entered": [describe_fact(fact, people, shown.whom) for fact in shown.facts],
        "on_lists": [_on_list(shown, each, each.owner) for each in shown.on_lists],
        "listed_sites": [_on_list(shown, each, each.supplier) for each in shown.listed_sites[:MOST_LISTED]],
        "further_listed_sites": len(shown.listed_sites) > MOST_LISTED,
        "publishers": _publishers(shown.told, today),
        "findings": [_finding(shown, each, today) for each in told[skip : skip + most]],
        "further_findings": len(told) > skip + most,
        "older_left_out": shown.more,
        "disagreements": [
            {
                "whom": _whom(shown, d.whom),
                "indicator": d.indicator.value,
                "what": [what.value for what in d.what],
                "statements": list(d.statements),
            }
            for d in disagreements(shown.told)
        ],
        "perhaps_one_source": [list(statements) for statements in one_source(shown.told)],
        "decisions": orders,
        "not_yet_taken_in": shown.behind,
        "as_of": shown.as_of.isoformat(),
        "registry_version": shown.registry_version,
        "positions": shown.positions,
        "coverage": describe_coverage(shown.coverage),
        "words": WORDS,
    }


def describe_fact(fact: Fact, people: Mapping[str, str], whom: Mapping[int, Known]) -> dict[str, Any]:
    """Return something that was entered here, with who entered it."""

    def named(number: int) -> str:
        return f"{number} {whom[number].name}" if number in whom else str(number)

    other = "" if fact.other is None else named(fact.other)
    said = {
        FactKind.ENTERED: named(fact.supplier),
        FactKind.FORMER_NAME: f"{named(fact.supplier)} was called {fact.text}",
        FactKind.ALIAS: f"{named(fact.supplier)} is also called {fact.text}, as somebody recognised it",
        FactKind.OWNED_BY: f"{named(fact.supplier)} is owned by {other}",
        FactKind.IN_CONSORTIUM: f"{named(fact.supplier)} is in the consortium {other}",
        FactKind.SITE_OF: f"{named(fact.supplier)} is a site of {other}",
        FactKind.SUPPLIES_LABOUR_TO: f"{named(fact.supplier)} supplies labour to {other}",
    }[fact.kind]
    since = "" if fact.since is None else f" from {fact.since}"
    until = "" if fact.until is None else f" until {fact.until}"
    who = people.get(fact.by, "somebody whose account is gone")
    return {
        "id": fact.id,
        "fact": fact.kind.value,
        "supplier": fact.supplier,
        "other": fact.other,
        "text": fact.text,
        "since": None if fact.since is None else fact.since.isoformat(),
        "until": None if fact.until is None else fact.until.isoformat(),
        "tier": fact.tier,
        "words": fact.words,
        "by": who,
        "at": fact.at.isoformat(),
        "in_words": f"{said}{since}{until}, entered by {who} on {fact.at:%Y-%m-%d}",
    }


def _on_list(shown: Shown, standing: Standing, whom: int | None) -> dict[str, Any]:
    known = None if whom is None else shown.whom.get(whom)
    return {
        "list": standing.title,
        "line": standing.line,
        "tier": standing.tier,
        "address": standing.address,
        "supplier": None if known is None else describe_known(known),
    }


def _finding(shown: Shown, told: Told, today: date) -> dict[str, Any]:
    met = shown.events.get(told.hit.entry.hash, ())
    same_event = [{"statement": name, "supplier": known.number, "name": known.name} for name, known in met]
    said = describe_finding(told.hit, same_event, today)
    source = None if told.finding is None else told.finding.source
    return {
        "way": told.way.value,
        "whom": _whom(shown, told.whom),
        "months_old": None if source is None else months_old(source.when, today),
        "assurance": None if source is None else assurance(source),
        **said,
    }


def _whom(shown: Shown, number: int) -> dict[str, Any]:
    known = shown.whom.get(number)
    return {"number": number, "name": None if known is None else known.name}


def _known_by(known: Known) -> str:
    kind, _, rest = known.key.partition(":")
    if kind == "id":
        scheme, _, value = rest.partition(":")
        return f"the number {scheme} {value}, by whomever it is told"
    return {
        "written": "name and place as one publisher writes them; no number is told",
        "site": "its organisation's number, its name and its place",
        "listed": "name, country and address as lists have them",
        "apart": "what somebody here put apart",
    }.get(kind, "what somebody here entered")


def _names(shown: Shown) -> list[dict[str, Any]]:
    """Return every name once for each kind, with who says so; registered ones first, former ones last."""
    said: dict[tuple[str, NameKind], set[str]] = {}
    for each in shown.told:
        if each.finding is not None and each.way is not Way.PROVIDER:
            for name in each.finding.names or ():
                said.setdefault((name.text, name.kind), set()).add(each.hit.entry.member)
    for hit, way, _ in shown.decided:
        if hit.entry.decision is not None and way is not Way.PROVIDER:
            for name in hit.entry.decision.names or ():
                said.setdefault((name.text, name.kind), set()).add(hit.entry.member)
    own = {text for _, text, _ in shown.names}
    order = [NameKind.REGISTERED, NameKind.TRADING, NameKind.ROMANISED, NameKind.FORMER]
    found = [
        {"text": text, "kind": kind.value, "said_by": sorted(members)}
        for (text, kind), members in sorted(said.items(), key=lambda s: (order.index(s[0][1]), s[0][0]))
        if text in own
    ]
    mentioned = {each["text"] for each in found}
    rest = [{"text": t, "kind": NameKind.REGISTERED.value, "said_by": []} for t in sorted(own - mentioned)]
    return found + rest


def _disagreeing(identifiers: Sequence[tuple[int, str, str]]) -> list[str]:
    """Return the schemes of which one supplier has several numbers: a register gives one."""
    schemes: dict[str, set[str]] = {}
    for _, scheme, value in identifiers:
        schemes.setdefault(scheme, set()).add(value)
    return sorted(scheme for scheme, values in schemes.items() if len(values) > 1)


def _related(some: Sequence[Related]) -> list[dict[str, Any]]:
    return [{**describe_known(each.known), "statements": list(each.statements)} for each in some]


def _publishers(told: Iterable[Told], today: date) -> list[dict[str, Any]]:
    """Return who says anything, and the newest month each tells of."""
    newest: dict[str, str] = {}
    for each in told:
        when = "" if each.finding is None else each.finding.source.when
        newest[each.hit.entry.member] = max(when, newest.get(each.hit.entry.member, ""))
    return [
        {"member": member, "newest": when or None, "months_old": months_old(when, today) if when else None}
        for member, when in sorted(newest.items())
    ]
