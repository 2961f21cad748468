"""What leaves a report and what stays: by allow-list, and never the one because of the other."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from comity_node.domain.minimize import (
    _ALLOWED,
    _REASONS_TO_STAY,
    Fate,
    Policy,
    minimize,
)
from comity_schemas.finding import WITHHELD_BY_DEFAULT, Finding
from comity_schemas.report import Report
from report_shapes import COMMITMENT, OBSERVATION, PARTS, Parts, leaving, reports, sent_of

# --- what is sent does not depend on what stays


@settings(max_examples=80, deadline=None)
@given(parts=PARTS, data=st.data())
def test_what_is_sent_does_not_depend_on_what_stays_or_is_withheld(parts: Parts, data: st.DataObject) -> None:
    first, second = parts.complete(data.draw), parts.complete(data.draw)
    assert sent_of(first) == sent_of(second)
    assert len(sent_of(first)) == len(parts.observations)


def _other(*pair: Any) -> Callable[[Any], Any]:
    return lambda value: pair[1] if value == pair[0] else pair[0]


def _longer(value: str) -> str:
    return f"{value}x"


OTHER_VALUE: dict[str, Callable[[Any], Any]] = {
    "ref": _longer,
    "auditor": _longer,
    "team": lambda _: ["A. N. Other"],
    "team.*": _longer,
    "client": _longer,
    "client_did": _longer,
    "client_consent.given": _other("2026-01-01", "2026-01-02"),
    "client_consent.scope": _longer,
    "supersedes": _other("A" * 43, "C" * 43),
    "keep_until": _other("2031-01-31", "2032-02-29"),
    "scope": lambda _: {"assessed": ["FL01"]},
    "scope.assessed": lambda _: ["FL01"],
    "scope.assessed.*": lambda value: value,
    "scope.not_assessed": lambda _: [{"indicator": "FL11", "why": "access-denied"}],
    "scope.not_assessed.*.indicator": lambda value: value,
    "scope.not_assessed.*.why": _other("access-denied", "not-in-scheme"),
    "workforce": lambda value: value + 1,
    "files_reviewed": lambda value: value + 1,
    "interviewed_women": lambda value: max(0, value - 1),
    "sites": lambda value: value,
    "labour_providers": lambda value: value,
    "observations.*.follows_up.report": _other("A" * 43, "C" * 43),
    "observations.*.follows_up.observation": _longer,
    "evidence.*.keep_until": _other("2031-01-31", "2032-02-29"),
    "started": lambda value: str(date.fromisoformat(value) - timedelta(days=1)),
    "interviews": lambda value: value + 300,
    "scheme": _other("SMETA", "amfori BSCI"),
    "scheme_version": _longer,
    "notice": _other("announced", "unannounced"),
    "access": _other("full", "denied"),
    "finished_precision": _other("day", "year"),
    "event": _other("A" * 43, "C" * 43),
    "sharing_basis": _other("auditee-consent", "legal-mandate"),
    "sharing_scope": _longer,
    "summary": _longer,
    "observations.*.ref": _longer,
    "observations.*.clause.clause": _longer,
    "observations.*.clause.label": _longer,
    "observations.*.description": _longer,
    "observations.*.testimony": _longer,
    "observations.*.place": _longer,
    "observations.*.affected": lambda value: value + 300,
    "observations.*.affected_women": lambda value: max(0, value - 1),
    "observations.*.evidence": lambda _: ["E1"],
    "observations.*.evidence.*": lambda value: value,
    "evidence.*.ref": lambda value: value,
    "evidence.*.media_type": _other("image/png", "image/gif"),
    "evidence.*.bytes": lambda value: value + 1,
    "evidence.*.sha256": _other("A" * 43, "D" * 43),
    "evidence.*.caption": _longer,
    "v": lambda value: value,
}
"""Another valid value for everything that stays or is withheld. What has only one valid value keeps it."""


OF_PARTIES_THAT_STAY: dict[str, Callable[[Any], Any]] = {
    "ref": lambda value: value,
    "type": lambda value: value,
    "names.*.text": _longer,
    "names.*.kind": _other("registered", "trading"),
    "identifiers.*.scheme": lambda value: value,
    "identifiers.*.id": lambda value: str(int(value) ^ 1),
    "supplies_to.*.names.*.text": _longer,
    "supplies_to.*.names.*.kind": _other("registered", "trading"),
    "supplies_to.*.identifiers.*.scheme": lambda value: value,
    "supplies_to.*.identifiers.*.id": lambda value: str(int(value) ^ 1),
    "country": _other("BR", "MY"),
    "region": _longer,
    "municipality": _longer,
    "address": _longer,
    "premises": _other("business", "housing"),
    "sector.scheme": _other("ISIC4", "ISIC5"),
    "sector.code": _other("A01", "A02"),
    "named_after_person": lambda value: not value,
}


OF_OBSERVATIONS_THAT_STAY: dict[str, Callable[[Any], Any]] = {
    "observations.*.severity": _other("S0", "S1"),
    "observations.*.extent": _other("systemic", "isolated"),
    "observations.*.collaborative_action": lambda value: not value,
    "observations.*.indicators": lambda value: value,
    "observations.*.indicators.*.indicator": lambda value: "FL01" if value != "FL01" else "FL02",
    "observations.*.indicators.*.basis": _other("stated", "inferred"),
    "observations.*.status": lambda value: "overturned" if value != "closed-verified" else value,
    "observations.*.about": lambda value: value,
    "observations.*.verified": _other("desk", "by-workers"),
    "observations.*.remedies": lambda _: ["wages-paid"],
    "observations.*.remedies.*": _other("wages-paid", "fees-repaid"),
    "observations.*.remedy_due": _other("2026-12", "2027"),
}
PARTIES = ("party", "sites.*", "labour_providers.*")


def pattern_of(path: str) -> str:
    return ".".join("*" if part.isdigit() else part for part in path.split("."))


def with_value(parsed: Any, path: list[str], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(parsed)
    if isinstance(parsed, list):
        index = int(path[0])
        return [with_value(inner, path[1:], change) if n == index else inner for n, inner in enumerate(parsed)]
    return {k: with_value(inner, path[1:], change) if k == path[0] else inner for k, inner in parsed.items()}


@settings(max_examples=40, deadline=None)
@given(reports())
def test_every_field_said_to_stay_or_to_be_withheld_can_change_and_what_is_sent_is_the_same(source: Report) -> None:
    sent = sent_of(source)
    of_parties = {f"{p}.{path}": change for p in PARTIES for path, change in OF_PARTIES_THAT_STAY.items()}
    changes = OTHER_VALUE | OF_OBSERVATIONS_THAT_STAY | of_parties
    for fate in minimize(source, Policy(), COMMITMENT).fates:
        if fate.fate is not Fate.LEAVES:
            change = changes[pattern_of(fate.path)]
            changed = Report.from_parsed(with_value(source.to_parsed(), fate.path.split("."), change))
            assert sent_of(changed) == sent, fate.path


# --- the account of every field


@settings(max_examples=60, deadline=None)
@given(reports())
def test_every_leaf_of_the_report_has_exactly_one_fate(source: Report) -> None:
    def paths(value: Any, path: str) -> Iterator[str]:
        named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        inner = [deeper for name, child in named for deeper in paths(child, f"{path}.{name}" if path else str(name))]
        yield from inner or [path]

    fates = [fate.path for fate in minimize(source, Policy()).fates]
    assert fates == list(paths(source.to_parsed(), ""))
    assert len(set(fates)) == len(fates)


@settings(max_examples=60, deadline=None)
@given(reports())
def test_the_account_says_where_a_field_goes_and_it_is_there(source: Report) -> None:
    minimized = minimize(source, Policy(), COMMITMENT)
    drafts = {draft.observation: draft for draft in leaving(minimized)}
    for fate in minimized.fates:
        parts = fate.path.split(".")
        mine = list(drafts.values())
        if parts[0] == "observations":
            mine = [drafts[ref] for ref in [source.observations[int(parts[1])].ref] if ref in drafts]
        elif parts[0] in ("party", "sites", "labour_providers"):
            party = source.party if parts[0] == "party" else getattr(source, parts[0])[int(parts[1])]
            about = [o.ref for o in source.observations if source.party_of(o) == party]
            mine = [drafts[ref] for ref in about if ref in drafts]
            if fate.becomes == "supplies_to" and party is source.party:
                # Said of whoever supplies labour to it, or of whom it supplies where it is a provider itself.
                mine = [draft for draft in drafts.values() if "supplies_to" in draft.sent["disclosed"]]
        match fate.fate:
            case Fate.STAYS:
                assert fate.becomes is None
            case Fate.WITHHELD:
                assert mine
                assert all(fate.becomes in draft.withheld for draft in mine), fate
            case Fate.LEAVES:
                top, _, inner = str(fate.becomes).partition(".")
                clear = [{**draft.sent["body"], **draft.sent["disclosed"]} for draft in mine]
                assert clear
                assert all(top in body and (not inner or inner in body[top]) for body in clear), fate
        assert fate.why


@settings(max_examples=40, deadline=None)
@given(reports())
def test_a_report_without_a_finding_is_said_to_stay_whole(source: Report) -> None:
    quiet = {**source.to_parsed(), "observations": [{**OBSERVATION, "severity": "S1", "evidence": []}]}
    minimized = minimize(Report.from_parsed(quiet), Policy())
    assert minimized.drafts == ()
    assert {fate.fate for fate in minimized.fates} == {Fate.STAYS}


def schema_paths(schema: dict[str, Any], defs: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every path in a JSON schema, inner ones too, with `*` for members of a list."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    yield path
    for option in schema.get("anyOf", ()):
        yield from schema_paths(option, defs, path)
    for name, inner in schema.get("properties", {}).items():
        yield from schema_paths(inner, defs, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from schema_paths(schema["items"], defs, f"{path}.*")


def paths_of(model: type[Report] | type[Finding]) -> set[str]:
    schema = model.model_json_schema()
    return set(schema_paths(schema, schema["$defs"]))


def test_every_row_of_the_lists_names_a_field_of_the_report_and_one_of_the_finding() -> None:
    assert sorted({*_ALLOWED, *_REASONS_TO_STAY} - paths_of(Report)) == []
    assert sorted({becomes for _, becomes, _ in _ALLOWED.values()} - paths_of(Finding)) == []
    assert sorted(_ALLOWED.keys() & _REASONS_TO_STAY.keys()) == []


def test_the_allow_list_withholds_exactly_what_the_schema_withholds() -> None:
    for path, (fate, becomes, _) in _ALLOWED.items():
        assert (fate is Fate.WITHHELD) == (becomes in WITHHELD_BY_DEFAULT), path


def test_a_dead_row_would_be_seen() -> None:
    assert "party.phone" not in paths_of(Report)
    assert {"party.supplies_to.*.names.*.text", "observations.*.remedies.*", "team"} <= paths_of(Report)
