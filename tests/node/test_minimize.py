"""What leaves a report and what stays: by allow-list, and never the one because of the other."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from builders import REPORT
from comity_federation import strict_json
from comity_federation.encoding import b64decode
from comity_federation.statements import sign_statement
from comity_node.domain.minimize import (
    _ALLOWED,
    _REASONS_TO_STAY,
    Fate,
    Minimized,
    Policy,
    default_handling,
    endangers_people,
    minimize,
    outgoing_finding,
)
from comity_node.wiring.settings import SettingsRefused, read_settings
from comity_schemas.bands import band_of, share_of
from comity_schemas.finding import WITHHELD_BY_DEFAULT, Commitment, Finding, Severity, SourceType
from comity_schemas.handling import Onward, Tlp
from comity_schemas.report import Report

OBSERVATION = {**REPORT["observations"][0], "indicators": [{"indicator": "FL08", "basis": "stated"}]}
COMMITMENT = Commitment(root="B" * 43, signature="a.b.c")


def report(*, party: dict[str, Any] | None = None, observations: list[dict[str, Any]] | None = None, **changes: Any):  # type: ignore[no-untyped-def]
    """A valid report with one observation that leaves; `observations` change it one by one."""
    changed = [{**OBSERVATION, "ref": f"O{n}", **o} for n, o in enumerate(observations or [{}], start=1)]
    return builders.report(observations=changed, party={**REPORT["party"], **(party or {})}, **changes)


@dataclass(frozen=True)
class Leaving:
    """What would be sent of one draft, and what would be kept behind digests."""

    observation: str
    sent: dict[str, Any]
    withheld: dict[str, Any]


def leaving(minimized: Minimized) -> list[Leaving]:
    drafts = []
    for draft in minimized.drafts:
        out = outgoing_finding(draft.finding, draft.handling)
        sent = {"kind": out.kind, "handling": out.handling.to_parsed(), "body": out.body, "disclosed": out.disclosed}
        drafts.append(Leaving(draft.observation, sent, out.withheld))
    return drafts


def sent_of(source: Report) -> list[dict[str, Any]]:
    return [draft.sent for draft in leaving(minimize(source, Policy(), COMMITMENT))]


def only(source: Report) -> Leaving:
    (draft,) = leaving(minimize(source, Policy(), COMMITMENT))
    return draft


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


# --- reports of every shape

TEXT = st.text("abcñŁЖ工ع ", min_size=1, max_size=12)
REF = st.from_regex(r"[A-Z][0-9]{1,4}", fullmatch=True)
DIGEST = st.sampled_from(["A" * 43, "C" * 43])
MONTH = st.sampled_from(["2026-12", "2027"])
PEOPLE = st.integers(0, 30) | st.integers(0, 1_000_000)
NAME = st.fixed_dictionaries({"text": TEXT}, optional={"kind": st.sampled_from(["registered", "trading"])})
NAMES = st.lists(NAME, min_size=1, max_size=2)
IDENTIFIERS = st.lists(
    st.builds(lambda n: {"scheme": "UNGM", "id": str(n)}, st.integers(1000, 9999)), min_size=1, max_size=2
)
INDICATORS = st.lists(st.sampled_from([f"FL{n:02}" for n in range(1, 11)]), min_size=1, max_size=3, unique=True).map(
    lambda codes: [{"indicator": code, "basis": "inferred"} for code in codes]
)
STATUS = st.sampled_from([{"status": "alleged"}, {"status": "closed-verified", "verified": "desk"}])
PARTY = st.sampled_from(["supplier", "site"]).flatmap(
    lambda kind: st.fixed_dictionaries({"type": st.just(kind), "names": NAMES, "country": st.just("BR")})
) | st.fixed_dictionaries(
    {"type": st.just("labour-provider"), "names": NAMES, "country": st.just("MY")},
    optional={
        "supplies_to": st.lists(
            st.fixed_dictionaries({"names": NAMES}, optional={"identifiers": IDENTIFIERS}), min_size=1, max_size=2
        )
    },
)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {name: value for part in found for name, value in part.items()})


PARTY_THAT_LEAVES = merged(
    PARTY,
    st.fixed_dictionaries(
        {},
        optional={
            "identifiers": IDENTIFIERS,
            "region": TEXT,
            "municipality": TEXT,
            "sector": st.just({"scheme": "ISIC4", "code": "A01"}),
            "named_after_person": st.booleans(),
        },
    ),
)
NAMED = {"names": [{"text": "Unidade Dois", "kind": "trading"}], "country": "BR"}
KNOWN = {"identifiers": [{"scheme": "UNGM", "id": "7777"}], "region": "PE", "municipality": "Ipojuca"}
SITES = st.sampled_from(
    [{**NAMED, **more, "type": "site", "ref": "S1"} for more in ({}, KNOWN, {"named_after_person": True})]
)
PROVIDERS = st.sampled_from(
    [
        {**NAMED, **more, "type": "labour-provider", "ref": "L1"}
        for more in ({}, KNOWN, {"supplies_to": [{"names": NAMED["names"], "identifiers": KNOWN["identifiers"]}]})
    ]
)
FURTHER_THAT_LEAVES = st.builds(lambda s, p: {"sites": [s], "labour_providers": [p]}, SITES, PROVIDERS)
ABOUT = st.sampled_from([{}, {}, {"about": "S1"}, {"about": "L1"}])
REPORT_THAT_LEAVES = st.fixed_dictionaries(
    {
        "v": st.just(1),
        "source": st.sampled_from([*SourceType]).map(str),
        "scheme": st.just("SMETA"),
        "notice": st.just("announced"),
        "access": st.just("full"),
        "finished_precision": st.sampled_from(["day", "year"]),
    },
    optional={"scheme_version": st.just("7"), "valid_until": st.just("2028-01-01"), "event": DIGEST},
)
OBSERVATION_THAT_LEAVES = merged(
    STATUS,
    ABOUT,
    st.fixed_dictionaries(
        {
            "indicators": INDICATORS,
            "severity": st.sampled_from(["S2", "S3", "S4"]),
            "extent": st.sampled_from(["systemic", "isolated"]),
        },
        optional={
            "collaborative_action": st.booleans(),
            "remedies": st.lists(st.sampled_from(["wages-paid", "fees-repaid"]), max_size=2),
            "remedy_due": MONTH,
        },
    ),
)
COUNTED = st.fixed_dictionaries({}, optional={"affected": PEOPLE}) | PEOPLE.flatmap(
    lambda n: st.fixed_dictionaries({"affected": st.just(n), "affected_women": st.integers(0, n)})
)
OBSERVATION_THAT_STAYS = merged(
    COUNTED,
    st.fixed_dictionaries(
        {
            "clause": st.fixed_dictionaries({"clause": REF}, optional={"label": st.just("Wages")}),
            "description": TEXT,
        },
        optional={"testimony": TEXT, "place": TEXT, "evidence": st.lists(st.just("E1"), max_size=1)},
    ),
)
TOO_LIGHT = st.fixed_dictionaries({"severity": st.sampled_from(["S0", "S1"]), "indicators": INDICATORS})
NOT_INDICATED = st.fixed_dictionaries({"severity": st.sampled_from([*Severity]).map(str)})
NOT_CHOSEN = merged(OBSERVATION_THAT_LEAVES, OBSERVATION_THAT_STAYS).flatmap(
    lambda o: (
        TOO_LIGHT.map(lambda change: {**o, **change})
        | NOT_INDICATED.map(lambda change: {k: v for k, v in {**o, **change}.items() if k != "indicators"})
    )
)
PREMISES = st.sampled_from(["business", "housing", "not-confirmed"])
PARTY_THAT_STAYS = st.fixed_dictionaries({}, optional={"address": TEXT, "premises": PREMISES})
LATER = st.sampled_from(["2031-01-31", "2032-02-29"])
CLIENT = st.fixed_dictionaries({}) | st.fixed_dictionaries(
    {"client": TEXT},
    optional={
        "client_did": st.just("did:web:client.example"),
        "client_consent": st.fixed_dictionaries({"given": st.just("2026-01-01"), "scope": TEXT}),
    },
)
INTERVIEWS = PEOPLE.flatmap(
    lambda n: st.fixed_dictionaries({"interviews": st.just(n)}, optional={"interviewed_women": st.integers(0, n)})
)
SCOPE = st.fixed_dictionaries(
    {},
    optional={
        "assessed": st.lists(st.sampled_from(["FL01", "FL02"]), max_size=2, unique=True),
        "not_assessed": st.just([{"indicator": "FL11", "why": "access-denied"}]),
    },
)
ALONE_THAT_STAYS = st.fixed_dictionaries(
    {
        "ref": REF,
        "evidence": st.lists(
            st.fixed_dictionaries(
                {"media_type": st.just("image/png"), "bytes": PEOPLE, "sha256": DIGEST},
                optional={"caption": TEXT, "keep_until": LATER},
            ).map(lambda e: {"ref": "E1", **e}),
            min_size=1,
            max_size=1,
        ),
    },
    optional={
        "auditor": st.sampled_from(["did:web:audit.example", "did:web:b.example"]),
        "team": st.lists(TEXT, max_size=2),
        "supersedes": DIGEST,
        "keep_until": LATER,
        "scope": SCOPE,
        "workforce": PEOPLE,
        "files_reviewed": PEOPLE,
        "started": st.dates(date(2020, 1, 1), date(2022, 1, 1)).map(str),
        "sharing_basis": st.sampled_from(["auditee-consent", "public-register"]),
        "sharing_scope": TEXT,
        "summary": TEXT,
    },
)
REPORT_THAT_STAYS = merged(ALONE_THAT_STAYS, CLIENT, INTERVIEWS)


@dataclass(frozen=True)
class Parts:
    """The part of a report that leaves; the rest is drawn as often as a test likes."""

    report: dict[str, Any]
    party: dict[str, Any]
    further: dict[str, list[dict[str, Any]]]
    observations: list[dict[str, Any]]

    def complete(self, draw: Callable[..., Any]) -> Report:
        day = draw(st.integers(1, 28))
        month = draw(st.integers(1, 12)) if self.report["finished_precision"] == "year" else 5
        observations = [{**o, **draw(OBSERVATION_THAT_STAYS)} for o in self.observations]
        others = draw(st.lists(NOT_CHOSEN, max_size=2))
        numbered = [{**o, "ref": f"{draw(REF)}-{n}"} for n, o in enumerate([*observations, *others])]
        for n, observation in enumerate(numbered):
            if draw(st.booleans()):
                observation["follows_up"] = {"report": draw(DIGEST), "observation": f"{draw(REF)}-{n}"}
        named = {o.get("about") for o in self.observations}
        further = {
            kind: [
                {**(p if p["ref"] in named else draw(FURTHER_THAT_LEAVES)[kind][0]), **draw(PARTY_THAT_STAYS)}
                for p in parties
            ]
            for kind, parties in self.further.items()
        }
        return Report.from_parsed(
            {
                **self.report,
                **draw(REPORT_THAT_STAYS),
                "finished": f"2026-{month:02}-{day:02}",
                "party": {**self.party, **draw(PARTY_THAT_STAYS)},
                **further,
                "observations": numbered,
            }
        )


PARTS = st.builds(
    Parts,
    REPORT_THAT_LEAVES,
    PARTY_THAT_LEAVES,
    FURTHER_THAT_LEAVES,
    st.lists(OBSERVATION_THAT_LEAVES, min_size=1, max_size=2),
)


@st.composite
def reports(draw: Callable[..., Any], parts: st.SearchStrategy[Parts] = PARTS) -> Report:
    return draw(parts).complete(draw)


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


# --- what never leaves


@pytest.mark.parametrize("severity", ["S0", "S1"])
def test_light_observations_never_leave(severity: str) -> None:
    assert sent_of(report(observations=[{"severity": severity}])) == []


@pytest.mark.parametrize("severity", ["S2", "S3", "S4"])
def test_observations_from_s2_on_leave_if_they_name_an_indicator(severity: str) -> None:
    assert len(sent_of(report(observations=[{"severity": severity}]))) == 1
    assert sent_of(report(observations=[{"severity": severity, "indicators": []}])) == []


def test_only_the_chosen_observation_leaves_and_the_others_say_why_not() -> None:
    source = report(observations=[{"severity": "S1"}, {}, {"indicators": []}])
    minimized = minimize(source, Policy())
    assert [draft.observation for draft in minimized.drafts] == ["O2"]
    why = {fate.path: fate.why for fate in minimized.fates}
    assert why["observations.0.severity"] == "below S2: only findings from there on leave"
    assert why["observations.2.severity"] == "no indicator was picked for this observation"


def test_a_stricter_member_lets_less_leave() -> None:
    source = report(observations=[{"severity": "S2"}, {"severity": "S3"}])
    assert [d.observation for d in minimize(source, Policy(least_severity=Severity.S3)).drafts] == ["O2"]


CANARIES = {
    "team": ["Canary team"],
    "client": "Canary client",
    "sharing_scope": "Canary scope",
    "summary": "Canary summary",
    "ref": "CANARY-REF",
    "evidence": [
        {"ref": "CANARY-E", "media_type": "image/canary", "bytes": 1, "sha256": "A" * 43, "caption": "Canary shot"}
    ],
}
CANARY_OBSERVATION = {
    "description": "Canary description",
    "testimony": "Canary testimony",
    "place": "Canary dormitory",
    "evidence": ["CANARY-E"],
    "ref": "CANARY-O",
}


@pytest.mark.parametrize("premises", ["business", "housing", "not-confirmed"])
def test_nothing_said_in_words_is_in_the_outgoing_statement_not_even_withheld(premises: str) -> None:
    source = report(
        party={"address": "Canary Street 7", "premises": premises}, observations=[CANARY_OBSERVATION], **CANARIES
    )
    draft = only(source)
    # Only a confirmed business site's address may be there, and only withheld.
    assert draft.withheld.pop("site_address", None) == ("Canary Street 7" if premises == "business" else None)
    assert "canary" not in json.dumps([draft.sent, draft.withheld], ensure_ascii=False).casefold()
    assert "canary" in json.dumps(source.to_parsed()).casefold()


def test_premises_are_not_confirmed_unless_somebody_said_so() -> None:
    assert "site_address" not in only(report(party={"address": "Rua 7"})).withheld


@settings(max_examples=60, deadline=None)
@given(reports())
def test_no_number_ever_leaves(source: Report) -> None:
    for draft in leaving(minimize(source, Policy(), COMMITMENT)):
        assert [leaf for leaf in leaves([draft.sent, draft.withheld]) if not isinstance(leaf, str | bool)] == []


@pytest.mark.parametrize("field", ["affected", "sample"])
def test_counts_from_1_to_10_are_the_same_band_and_cannot_be_told_apart(field: str) -> None:
    def with_count(count: int) -> Leaving:
        if field == "affected":
            return only(report(observations=[{"affected": count}]))
        return only(report(interviews=count))

    said = [with_count(count) for count in range(1, 11)]
    assert all(draft == said[0] for draft in said)
    assert said[0].withheld[field] == "1-10"
    assert (with_count(0).withheld[field], with_count(11).withheld[field]) == ("0", "11-24")


@given(PEOPLE)
def test_bands_travel_withheld_only(count: int) -> None:
    draft = only(report(interviews=count, observations=[{"affected": count}]))
    assert (draft.withheld["affected"], draft.withheld["sample"]) == (band_of(count), band_of(count))
    assert not {"affected", "sample", "women_share"} & (draft.sent["body"].keys() | draft.sent["disclosed"].keys())


@pytest.mark.parametrize("affected", range(11))
def test_a_share_of_women_is_never_said_below_11_people(affected: int) -> None:
    for women in range(affected + 1):
        source = report(observations=[{"affected": affected, "affected_women": women}])
        assert "women_share" not in only(source).withheld
        fates = {fate.path: fate.fate for fate in minimize(source, Policy()).fates}
        assert fates["observations.0.affected_women"] is Fate.STAYS


@pytest.mark.parametrize(("women", "share"), [(0, "0-25%"), (3, "25-50%"), (6, "50-75%"), (11, "75-100%")])
def test_a_share_of_women_of_11_people_is_a_band(women: int, share: str) -> None:
    assert only(report(observations=[{"affected": 11, "affected_women": women}])).withheld["women_share"] == share


def test_the_commitment_is_withheld_and_absent_where_no_auditor_signed() -> None:
    assert only(report()).withheld["commitment"] == COMMITMENT.to_parsed()
    (draft,) = leaving(minimize(report(), Policy()))
    assert "commitment" not in draft.withheld


# --- time


@pytest.mark.parametrize(
    ("finished", "months", "until"),
    [
        ("2026-03-14", 12, date(2027, 3, 31)),
        ("2024-02-29", 12, date(2025, 2, 28)),
        ("2023-02-01", 12, date(2024, 2, 29)),
        ("2026-12-31", 1, date(2027, 1, 31)),
        ("2025-11-30", 3, date(2026, 2, 28)),
        ("2026-01-01", 24, date(2028, 1, 31)),
    ],
)
def test_without_an_own_date_a_finding_is_valid_to_the_end_of_a_month(finished: str, months: int, until: date) -> None:
    (draft,) = minimize(report(finished=finished), Policy(validity_months=months)).drafts
    assert draft.finding.valid_until == until


@given(st.integers(1, 31))
def test_the_day_on_which_an_audit_ended_cannot_be_told(day: int) -> None:
    source = only(report(finished=f"2026-05-{day:02}", finished_precision="day"))
    assert source.sent == only(report(finished="2026-05-01")).sent
    assert source.sent["body"]["source"]["when"] == "2026-05"


@given(st.integers(1, 12), st.integers(1, 28))
def test_where_only_the_year_is_known_nothing_more_is_said(month: int, day: int) -> None:
    source = only(report(finished=f"2023-{month:02}-{day:02}", finished_precision="year"))
    assert source.sent["body"]["source"]["when"] == "2023"
    assert source.sent["body"]["valid_until"] == "2024-01-31"


def test_the_reports_own_date_of_validity_wins() -> None:
    assert only(report(valid_until="2026-09-09")).sent["body"]["valid_until"] == "2026-09-09"


# --- who must see it first, and under which terms

GRAVE = {"S3", "S4"}
ENDANGERS = {
    "audit": GRAVE,
    "inspection": GRAVE,
    "court": GRAVE,
    "union": {*Severity},
    "ngo": {*Severity},
    "grievance-body": {*Severity},
    "public-register": set(),
}


@pytest.mark.parametrize("source", list(SourceType))
def test_a_focal_point_is_needed_where_people_could_be_blamed(source: SourceType) -> None:
    finding = minimize(report(source=source), Policy()).drafts[0].finding
    found = {severity for severity in Severity if endangers_people(finding.model_copy(update={"severity": severity}))}
    assert found == ENDANGERS[source]


@pytest.mark.parametrize("named_after_person", [False, True])
@pytest.mark.parametrize("source", list(SourceType))
def test_only_registers_are_clear_and_never_where_the_firm_bears_a_persons_name(
    source: SourceType, named_after_person: bool
) -> None:
    given = report(source=source, party={"named_after_person": named_after_person})
    handling = default_handling(given, given.party)
    clear = source is SourceType.PUBLIC_REGISTER and not named_after_person
    assert handling.tlp is (Tlp.CLEAR if clear else Tlp.GREEN)
    assert handling.onward is (Onward.ANYONE if clear else Onward.MEMBERS)


# --- what bands hide


def _same_band(count: int) -> st.SearchStrategy[int]:
    ends = [(0, 0), (1, 10), (11, 24), (25, 49), (50, 99), (100, 249), (250, 499), (500, 10_000)]
    return st.integers(*next(end for end in ends if end[0] <= count <= max(end[1], 0) or end[0] == 500))


def _another_count(observation: dict[str, Any], draw: Callable[..., Any]) -> dict[str, Any]:
    """The same observation with other counts that fall into the same bands."""
    if "affected" not in observation:
        return observation
    count = draw(_same_band(observation["affected"]))
    if "affected_women" not in observation:
        return {**observation, "affected": count}
    share = share_of(observation["affected_women"], observation["affected"])
    women = [n for n in (*range(min(count, 40) + 1), count * 3 // 8, count * 5 // 8, count) if n <= count]
    fitting = [n for n in women if share_of(n, count) == share]
    if not fitting:
        return observation
    return {**observation, "affected": count, "affected_women": draw(st.sampled_from(fitting))}


@settings(max_examples=40, deadline=None)
@given(source=reports(), data=st.data())
def test_two_reports_with_the_same_allowed_and_banded_projection_give_the_same_drafts_withheld_fields_included(
    source: Report, data: st.DataObject
) -> None:
    parsed = source.to_parsed()
    other = {**parsed, "observations": [_another_count(o, data.draw) for o in parsed["observations"]]}
    if "interviews" in parsed:
        other["interviews"] = data.draw(_same_band(parsed["interviews"]))
        other.pop("interviewed_women", None)
    for free in ("summary", "client", "client_did", "client_consent", "team", "workforce", "scope"):
        other.pop(free, None)
    one, two = (minimize(r, Policy(), COMMITMENT).drafts for r in (source, Report.from_parsed(other)))
    assert [(d.finding, d.handling) for d in one] == [(d.finding, d.handling) for d in two]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10)), min_size=2, max_size=12), st.integers(11, 24))
def test_no_count_under_11_can_be_told_from_any_number_of_revisions_and_totals(
    counts: list[tuple[int, int]], rest: int
) -> None:
    """Whatever is added up or subtracted: two histories that differ below 11 are one to a reader."""

    def history(which: int) -> list[Any]:
        told = []
        for pair in counts:
            revised = report(interviews=pair[which], observations=[{"affected": pair[which]}, {"affected": rest}])
            told.append([(d.finding, d.handling) for d in minimize(revised, Policy(), COMMITMENT).drafts])
        return told

    assert history(0) == history(1)


@settings(max_examples=25, deadline=None)
@given(parts=PARTS, data=st.data())
def test_the_number_and_length_of_digests_and_of_the_record_tell_nothing_of_what_is_withheld(
    parts: Parts, data: st.DataObject
) -> None:
    member = builders.Publisher()
    by = {"iss": member.did, "kid": member.kid(), "key": member.keys[0], "seq": 1, "prev": member.genesis}
    told = []
    for _ in range(2):
        minimized = minimize(parts.complete(data.draw), Policy(), data.draw(st.sampled_from([None, COMMITMENT])))
        out = [outgoing_finding(draft.finding, draft.handling) for draft in minimized.drafts]
        signed = [sign_statement(each, **by, now=datetime(2026, 11, 1, tzinfo=UTC)) for each in out]  # type: ignore[arg-type]
        digests = [_digests(each.record) for each in signed]
        assert {len(each) for each in digests} == {16} and {len(d) for each in digests for d in each} == {43}
        told.append([len(each.record) for each in signed])
    assert told[0] == told[1]


def _digests(record: bytes) -> list[str]:
    payload = strict_json.loads(b64decode(strict_json.loads(record)["statement"].split("~")[0].split(".")[1]))
    found: list[str] = payload["body"]["_sd"]
    return found


@settings(max_examples=40, deadline=None)
@given(source=reports())
def test_the_place_of_an_inspection_is_never_sent_and_withheld_only_where_it_is_a_confirmed_business_site(
    source: Report,
) -> None:
    marked = source.to_parsed()
    for party in (marked["party"], *marked["sites"], *marked["labour_providers"]):
        party["address"] = "Canary Street 7, Dormitory"
    given = Report.from_parsed(marked)
    for draft, told in zip(minimize(given, Policy()).drafts, leaving(minimize(given, Policy())), strict=True):
        assert "Canary Street" not in json.dumps(told.sent)
        observation = next(o for o in given.observations if o.ref == draft.observation)
        confirmed = given.party_of(observation).premises == "business"
        assert ("site_address" in told.withheld) is confirmed


@pytest.mark.parametrize(
    ("setting", "taken"),
    [
        ({"least_severity": "S0"}, False),
        ({"least_severity": "S1"}, False),
        ({"least_severity": "S3"}, True),
        ({"least_severity": "S4"}, True),
        ({"validity_months": 13}, False),
        ({"validity_months": 6}, True),
    ],
)
def test_a_members_policy_may_be_stricter_than_the_default_and_looser_is_refused(
    setting: dict[str, Any], taken: bool, tmp_path: Path
) -> None:
    given = {"member": "agency", "database": "sqlite+aiosqlite:///x", "bus": "local:x", "registry": "x", **setting}
    file = tmp_path / "settings.toml"
    file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in given.items()))
    if taken:
        assert read_settings(file).policy != Policy()
    else:
        with pytest.raises(SettingsRefused, match=next(iter(setting))):
            read_settings(file)


def test_what_a_labour_provider_did_is_said_of_it_and_shows_on_its_client_as_supplied_only() -> None:
    """ICAT: labour providers are subjects of their own; a client never appears as the one who did it."""
    provider = {"type": "labour-provider", "ref": "L1", "names": [{"text": "Agent"}], "country": "NP"}
    source = report(labour_providers=[provider], observations=[{"about": "L1"}], party={"address": "Rua 7"})
    body = only(source).sent["body"] | only(source).sent["disclosed"]
    assert (body["subject"], body["names"][0]["text"], body["country"]) == ("labour-provider", "Agent", "NP")
    assert body["supplies_to"][0]["names"][0]["text"] == REPORT["party"]["names"][0]["text"]
    fates = {fate.path: (fate.fate, fate.becomes) for fate in minimize(source, Policy()).fates}
    assert fates["party.names.0.text"] == (Fate.LEAVES, "supplies_to")
    assert fates["party.country"] == fates["party.address"] == (Fate.STAYS, None)
