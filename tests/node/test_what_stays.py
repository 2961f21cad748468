"""What never leaves, what is told of time, who must look first, and what bands and digests hide."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
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
    WORKER_SOURCES,
    Fate,
    Policy,
    default_handling,
    endangers_people,
    minimize,
    outgoing_finding,
)
from comity_node.wiring.settings import SettingsRefused, read_settings
from comity_schemas.bands import band_of, share_of
from comity_schemas.finding import Severity, SourceType
from comity_schemas.handling import Contact, Onward, Tlp
from comity_schemas.report import Report
from report_shapes import COMMITMENT, PARTS, PEOPLE, Leaving, Parts, leaves, leaving, only, report, reports, sent_of

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


@given(st.integers(1, 31))
def test_the_reports_own_date_of_validity_wins_and_does_not_tell_the_day_either(day: int) -> None:
    # Two years from the audit, to the day.
    own = {"finished": f"2026-05-{day:02}", "valid_until": f"2028-05-{day:02}"}
    source = only(report(scheme="amfori BSCI", **own))
    first = {"finished": "2026-05-01", "valid_until": "2028-05-01"}
    assert source.sent == only(report(scheme="amfori BSCI", **first)).sent
    assert source.sent["body"]["valid_until"] == "2028-05-31"


def test_the_last_day_that_a_public_register_has_published_is_told() -> None:
    published = only(report(source="public-register", valid_until="2026-09-09"))
    assert published.sent["body"]["valid_until"] == "2026-09-09"


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
    # Whom to ask before the supplier hears of it: of what a public register says, nobody.
    assert handling.contact is (Contact.OPEN if source is SourceType.PUBLIC_REGISTER else Contact.DESK)


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


@pytest.mark.parametrize("source", SourceType)
@pytest.mark.parametrize("all_protected", [False, True])
def test_what_could_identify_a_protected_source_stays_and_nothing_of_others(
    source: SourceType, *, all_protected: bool
) -> None:
    policy = Policy(protect_sources=all_protected)
    worker_sourced = source in WORKER_SOURCES
    protected = worker_sourced or (all_protected and source is not SourceType.PUBLIC_REGISTER)
    assert policy.protects(source) is protected
    minimized = minimize(report(source=source, interviews=40), policy, COMMITMENT)
    (draft,) = minimized.drafts
    assert (draft.finding.auditor is None, draft.finding.sample is None, draft.finding.commitment is None) == (
        (protected,) * 3
    )
    fates = {fate.path: fate for fate in minimized.fates}
    assert (fates["finished"].why == "to the year only: the source is protected") is protected
