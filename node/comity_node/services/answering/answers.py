"""Answers as JSON values: the same for the API, `comity screen --json` and the demo."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from comity_node.domain.corroborating import Weighed, sources
from comity_node.domain.disagreeing import contradictions
from comity_node.domain.matching.likeness import Likeness
from comity_node.domain.noticing import Assessed
from comity_node.domain.raising import Raising, may_raise
from comity_node.domain.screening import DecisionHit, Hit, NoticeHit, PointerHit, Question, recognitions_of
from comity_node.domain.supplier_view import (
    DisputeStanding,
    Entry,
    ReplyEntry,
    Standing,
    dispute_standing,
)
from comity_node.services.answering.moment import Coverage
from comity_node.services.answering.screen import Answer
from comity_schemas.corroboration import Says
from comity_schemas.finding import SourceType
from comity_schemas.identifiers import Identifier
from comity_schemas.reply import DECIDED_WITHIN, Reply


def describe(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return answers that were given together, with what they rest on."""
    first = answers[0]
    met = _met_in_one_event(answers)
    return {
        "as_of": first.as_of.isoformat(),
        "registry_version": first.registry_version,
        "positions": first.positions,
        "coverage": describe_coverage(first.coverage),
        "answers": [_answer(answer, met) for answer in answers],
    }


def describe_coverage(coverage: Coverage) -> dict[str, Any]:
    """Return whom an answer rests on."""
    return {
        "complete": coverage.complete,
        "in_words": coverage.in_words(),
        "members": coverage.members,
        "heard": list(coverage.heard),
        "not_heard": [
            {"member": slug, "since": None if since is None else since.isoformat()}
            for slug, since in coverage.not_heard
        ],
        "behind": [{"member": slug, "missing": count} for slug, count in coverage.behind],
        "frozen": list(coverage.frozen),
        "newer_registry": list(coverage.newer_registry),
    }


Events = dict[tuple[str, str] | None, list[str]]
"""Publisher and its reference of an event, to the findings that name it."""


def _met_in_one_event(answers: Sequence[Answer]) -> Events:
    """Return the findings in these answers that tell of one event: linked, never merged, their counts never added."""
    met: Events = {}
    for hit in {hit.entry.hash: hit for answer in answers for hit in answer.hits}.values():
        if (event := _event(hit.entry)) is not None:
            met.setdefault(event, []).append(hit.entry.hash)
    return met


def _event(entry: Entry) -> tuple[str, str] | None:
    event = None if entry.finding is None else entry.finding.source.event
    return None if event is None else (entry.member, event)


def _answer(answer: Answer, met: Events) -> dict[str, Any]:
    question = answer.question
    pointers = [describe_pointer(hit) for hit in answer.pointers]
    found = [_hit(hit, met, answer.as_of.date()) for hit in answer.hits]
    return {
        "asked": {
            "name": question.name,
            "country": question.country,
            "identifiers": [i.to_parsed() for i in question.identifiers],
            "addresses": list(question.addresses),
            "other_names": list(question.other_names),
        },
        "verdict": answer.verdict.value,
        "state": answer.state.value,
        "judged_not_to_be": [
            {"supplier": each.judgement.supplier, "on": each.judgement.at.date().isoformat()}
            for each in answer.set_aside
        ],
        "suppliers": [
            {
                "number": like.known.number,
                "name": like.known.name,
                "country": like.known.country or None,
                "kind": like.known.kind.value,
                **describe_likeness(like.likeness),
            }
            for like in answer.suppliers
        ],
        "unreadable": answer.unreadable,
        "findings": [{**hit, "raising": _raising(may_raise(hit, pointers))} for hit in found],
        "further": answer.further,
        "decision_state": answer.decision_state.value,
        "unreadable_decisions": answer.unreadable_decisions,
        "decisions": _decisions(answer.decisions, answer.as_of.date()),
        "through_labour_providers": [
            {"supplier": t.provider.number, "name": t.provider.name, "findings": list(t.statements)}
            for t in answer.through
        ],
        "pointers": pointers,
        "unreadable_pointers": answer.unreadable_pointers,
        "audits": [describe_audit(hit) for hit in answer.audits],
        "unreadable_audits": answer.unreadable_audits,
        "assessed": describe_assessed(answer.assessed),
    }


def describe_likeness(likeness: Likeness) -> dict[str, Any]:
    """Return why something was found: a sentence, and the lines whose points add up to the score."""
    lines = [
        {"about": p.about.value, "asked": p.asked, "known": p.known, "reason": p.reason, "points": p.points}
        for p in likeness.parts
    ]
    return {
        "verdict": likeness.verdict.value,
        "reason": likeness.reason,
        "score": likeness.score,
        "explanation": lines,
    }


def question_of(asked: Mapping[str, Any]) -> Question:
    """Return the question that an answer says was asked."""
    identifiers = tuple(Identifier.from_parsed(each) for each in asked["identifiers"])
    addresses, other_names = tuple(asked.get("addresses", ())), tuple(asked.get("other_names", ()))
    return Question(asked["name"], asked["country"], identifiers, addresses, other_names)


def _hit(hit: Hit, met: Events, today: date) -> dict[str, Any]:
    same_event = [other for other in met.get(_event(hit.entry), ()) if other != hit.entry.hash]
    return {
        **describe_likeness(hit.likeness),
        **describe_finding(hit, same_event, today),
    }


def _raising(raising: Raising) -> dict[str, Any]:
    """Return whether a finding may be raised with the supplier itself, after whom, and on what terms."""
    return {
        "may": raising.may,
        "first": list(raising.first),
        "why": list(raising.why),
        "in_detail": raising.in_detail,
    }


def describe_finding(hit: Hit, same_event: Sequence[Any], today: date) -> dict[str, Any]:
    """Return one finding with all that stands beside it; not why it was found.

    Args:
        hit: with the replies to it.
        same_event: What else tells of its event: linked, never merged, no counts added.
        today: for its disputes.
    """
    entry = hit.entry
    return {
        "standing": hit.standing.value,
        "published_by": entry.member,
        "statement": entry.hash,
        "seq": entry.seq,
        "handling": entry.handling.to_parsed(),
        "finding": None if entry.finding is None else entry.finding.to_parsed(),
        "same_event": list(same_event),
        "credit": _credit(hit),
        **_answered(hit, today),
        **_corroborated(hit.corroborations),
        "relayed": entry.finding is not None and entry.finding.source.type is SourceType.PUBLIC_REGISTER,
        "taken_back": entry.reason,
        "changed_by": entry.by,
    }


def _credit(hit: Hit) -> dict[str, Any] | None:
    """Return what speaks for the supplier: how a closed finding was closed, and what was done for the people."""
    finding = hit.entry.finding
    if finding is None or not (hit.standing is Standing.CLOSED or finding.remedies):
        return None
    return {
        "status": finding.status.value,
        "verified": None if finding.verified is None else finding.verified.value,
        "remedies": [remedy.value for remedy in finding.remedies],
    }


def _decisions(hits: Sequence[DecisionHit], today: date) -> list[dict[str, Any]]:
    return [
        {**describe_likeness(hit.likeness), **said}
        for hit, said in zip(hits, describe_decisions(hits, today), strict=True)
    ]


def describe_decisions(hits: Sequence[DecisionHit], today: date) -> list[dict[str, Any]]:
    """Return decisions with all that stands beside them, each tied to those that recognise it."""
    tied, otherwise = recognitions_of(hits), contradictions(hits)
    return [
        _decision(
            hit, [other.entry.hash for other in tied.get(hit.entry.hash, [])], otherwise.get(hit.entry.hash, []), today
        )
        for hit in hits
    ]


def _decision(hit: DecisionHit, recognised_by: list[str], contradicted_by: list[str], today: date) -> dict[str, Any]:
    entry = hit.entry
    return {
        "standing": hit.standing.value,
        "published_by": entry.member,
        "statement": entry.hash,
        "seq": entry.seq,
        "handling": entry.handling.to_parsed(),
        "decision": None if entry.decision is None else entry.decision.to_parsed(),
        "recognised_by": recognised_by,
        "contradicted_by": contradicted_by,
        **_answered(hit, today),
        "taken_back": entry.reason,
        "changed_by": entry.by,
    }


def describe_pointer(hit: PointerHit) -> dict[str, Any]:
    """Return whom to speak to first. It has no state and no count: it says nothing about the supplier."""
    entry = hit.entry
    return {
        **describe_likeness(hit.likeness),
        "speak_to": entry.member,
        "statement": entry.hash,
        "seq": entry.seq,
        "handling": entry.handling.to_parsed(),
        "pointer": None if entry.pointer is None else entry.pointer.to_parsed(),
    }


def describe_assessed(said: Assessed) -> dict[str, list[str]]:
    """Return what audits say by indicator: where nothing is open, and where nobody looked or told."""
    return {
        "nothing_open": [indicator.value for indicator in said.nothing_open],
        "not_assessed": [indicator.value for indicator in said.not_assessed],
    }


def describe_audit(hit: NoticeHit) -> dict[str, Any]:
    """Return an audit, planned or done, as its publisher tells of it."""
    entry = hit.entry
    return {
        **describe_likeness(hit.likeness),
        "standing": hit.standing.value,
        "published_by": entry.member,
        "statement": entry.hash,
        "seq": entry.seq,
        "handling": entry.handling.to_parsed(),
        "notice": None if entry.notice is None else entry.notice.to_parsed(),
        "taken_back": entry.reason,
        "changed_by": entry.by,
    }


def _answered(hit: Hit | DecisionHit, today: date) -> dict[str, Any]:
    """Return what the supplier says, beside what is said of it; `disputed` in words, the gravest first."""
    said = [_reply(entry, entry.reply, today, hit.decided_here) for entry in hit.replies if entry.reply is not None]
    standings = {each["standing"] for each in said}
    order = (DisputeStanding.UNANSWERED, *DisputeStanding)
    return {"replies": said, "disputed": next((s.value for s in order if s.value in standings), None)}


def _corroborated(weighed: Sequence[Weighed]) -> dict[str, Any]:
    """Return what other members' evidence says, each by itself, and how many sources say what: never one number."""
    said = [_corroboration(each) for each in weighed]
    return {"corroborations": said, "sources": {says.value: sources(weighed, says) for says in Says}}


def _corroboration(weighed: Weighed) -> dict[str, Any]:
    return {
        **weighed.said.to_parsed(),
        "not_counted": weighed.not_counted,
        "published_by": weighed.entry.member,
        "statement": weighed.entry.hash,
        "handling": weighed.entry.handling.to_parsed(),
    }


def _reply(entry: ReplyEntry, reply: Reply, today: date, decided_here: Mapping[str, date]) -> dict[str, Any]:
    decided = decided_here.get(entry.hash)
    standing = dispute_standing(reply, today) if decided is None else DisputeStanding.DECIDED
    unanswered = standing is DisputeStanding.UNANSWERED
    return {
        **reply.to_parsed(),
        "standing": None if standing is None else standing.value,
        "unanswered_since": (reply.made + DECIDED_WITHIN).isoformat() if unanswered else None,
        "decided_here": None if decided is None else decided.isoformat(),
        "carried_by": entry.member,
        "statement": entry.hash,
    }
