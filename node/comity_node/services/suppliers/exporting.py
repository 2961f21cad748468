"""What is known of one supplier as tables; findings and decisions never in one, and the terms with every row."""

from collections.abc import Mapping, Sequence
from typing import Any

from comity_node.domain.export import Cell, Table

FINDING_HEADINGS = (
    "concerns", "about number", "about", "published by", "standing", "indicators", "severity", "status", "verified",
    "source", "scheme", "told of", "months old", "valid until", "disputed", "supplier replied", "same event",
    "taken back", "tlp", "contact", "permitted use", "onward", "statement",
)  # fmt: skip
DECISION_HEADINGS = (
    "concerns", "about number", "about", "published by", "standing", "authority", "measure", "act", "stand", "grounds",
    "terms", "lifted", "disputed", "taken back", "tlp", "contact", "permitted use", "onward", "statement",
)  # fmt: skip


def findings_table(shown: Mapping[str, Any]) -> Table:
    """Return the findings of a described supplier."""
    return [FINDING_HEADINGS, *(_finding(each) for each in shown["findings"])]


def decisions_table(shown: Mapping[str, Any]) -> Table:
    """Return the decisions of a described supplier: orders, not findings."""
    return [DECISION_HEADINGS, *(_decision(each) for each in shown["decisions"])]


def notes(shown: Mapping[str, Any]) -> list[str]:
    """Return what has to be said beside every export."""
    said = [
        f"As of {shown['as_of']}, {shown['coverage']['in_words']}.",
        shown["words"],
        *(judgement["in_words"] for judgement in shown["judgements"]),
    ]
    if shown["older_left_out"] or shown["further_findings"]:
        said.append("Older statements are left out.")
    return said


def about_table(shown: Mapping[str, Any]) -> Table:
    """Return who it is and what has to be said beside it."""
    supplier = shown["supplier"]
    rows: list[Sequence[Cell]] = [("supplier", supplier["number"]), ("country", supplier["country"])]
    rows += [("name", f"{n['text']} ({n['kind']})", ", ".join(n["said_by"])) for n in shown["names"]]
    rows += [("number", f"{i['scheme']} {i['id']}") for i in shown["identifiers"]]
    return [*rows, *(("note", each) for each in notes(shown))]


def _whom(each: Mapping[str, Any]) -> tuple[Cell, ...]:
    return each["way"], each["whom"]["number"], each["whom"]["name"], each["published_by"], each["standing"]


def _terms(each: Mapping[str, Any]) -> tuple[Cell, ...]:
    handling = each["handling"]
    uses = "; ".join(handling["permitted_use"])
    return each["taken_back"], handling["tlp"], handling["contact"], uses, handling["onward"], each["statement"]


def _finding(each: Mapping[str, Any]) -> Sequence[Cell]:
    finding = each["finding"] or {}
    source = finding.get("source", {})
    indicators = "; ".join(f"{i['indicator']} ({i['basis']})" for i in finding.get("indicators", ()))
    replied = "; ".join(f"{r['made']} {', '.join(r['codes'])}" for r in each["replies"])
    met = "; ".join(f"{s['name']}: {s['statement']}" for s in each["same_event"])
    about = (indicators, finding.get("severity"), finding.get("status"), finding.get("verified"), each["assurance"])
    when = (source.get("scheme"), source.get("when"), each["months_old"], finding.get("valid_until"))
    taken_back, *terms = _terms(each)
    return (*_whom(each), *about, *when, each["disputed"], replied, met, taken_back, *terms)


def _decision(each: Mapping[str, Any]) -> Sequence[Cell]:
    decision = each["decision"] or {}
    authority, act = decision.get("authority", {}), decision.get("act", {})
    terms = "; ".join(
        f"{t.get('start') or 'start not stated'} to {t.get('until') or t['end']}" for t in decision.get("terms", ())
    )
    recognised = f" of {act['of']['code']}" if "of" in act else ""
    order = (
        authority.get("code"),
        decision.get("measure"),
        f"{act.get('type', '')}{recognised}",
        decision.get("stand"),
    )
    why = ("; ".join(decision.get("grounds", ())), terms, decision.get("lifted"), each["disputed"])
    return (*_whom(each), *order, *why, *_terms(each))
