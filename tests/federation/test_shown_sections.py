"""One section is shown with proof, nothing of the others is; and without it no two findings can be linked."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import REPORT, AuditFirm, Publisher, key_of, report
from comity_federation import strict_json
from comity_federation.encoding import b64decode, b64encode
from comity_federation.merkle import tree_root
from comity_federation.shown_sections import (
    ProofBroken,
    SectionNotShown,
    is_shown_section,
    open_section,
    section_names,
    show_section,
)
from comity_federation.signed_reports import (
    ReportMalformed,
    ReportSignatureBad,
    UnknownAuditor,
    open_report,
    read_sections,
    sign_report,
)
from comity_federation.statements import sign_statement
from comity_node.domain.minimize import Policy, minimize, outgoing_finding
from comity_schemas.finding import Commitment
from comity_schemas.report import Report

FIRM = AuditFirm()
NOW = datetime(2026, 11, 1, tzinfo=UTC)
OBSERVATION = {
    **REPORT["observations"][0],
    "indicators": [{"indicator": "FL08", "basis": "stated"}],
    "testimony": "Canary-testimony",
    "place": "Canary-dormitory",
    "affected_women": 3,
}
WHOLE = report(
    team=["Canary Auditor"],
    client="Canary client",
    client_did="did:web:client.example",
    interviews=40,
    scope={"assessed": ["FL08"]},
    summary="Canary summary",
    sites=[{"type": "site", "ref": "S1", "names": [{"text": "Unit two"}], "country": "BR"}],
    labour_providers=[
        {"type": "labour-provider", "ref": "L1", "names": [{"text": "Agent"}], "country": "BR"},
    ],
    observations=[OBSERVATION, {**OBSERVATION, "ref": "O2", "about": "L1", "evidence": []}],
)


def signed(given: Report = WHOLE, **changes: Any) -> bytes:
    with_whom: dict[str, Any] = {"iss": FIRM.did, "kid": FIRM.kid, "key": FIRM.key, "now": NOW}
    return sign_report(given, **{**with_whom, **changes})


RAW = signed()
NAMES = section_names(RAW)
NEVER = {"team", "visit", "people"}


def changed(shown: bytes, **fields: Any) -> bytes:
    return strict_json.dumps({**strict_json.loads(shown), **fields})


def test_what_is_shown_for_itself_has_a_section_of_its_own() -> None:
    assert NAMES == [
        "head", "team", "visit", "client", "basis", "scope", "summary", "party", "sites", "labour_providers",
        "observations", "observations", "people", "people", "evidence",
    ]  # fmt: skip
    assert open_report(RAW, [FIRM.member()]).report == WHOLE


@pytest.mark.parametrize("number", range(1, len(NAMES) + 1))
def test_every_section_but_those_that_name_people_is_shown_with_proof(number: int) -> None:
    if NAMES[number - 1] in NEVER:
        with pytest.raises(SectionNotShown):
            show_section(RAW, number)
        return
    shown = show_section(RAW, number)
    opened = open_section(shown, [FIRM.member()])
    assert (opened.name, opened.number, opened.of, opened.firm.did) == (NAMES[number - 1], number, len(NAMES), FIRM.did)
    assert is_shown_section(shown) and not is_shown_section(RAW)


def test_nothing_of_the_other_sections_is_in_the_file() -> None:
    sections = strict_json.loads(RAW)["sections"]
    for number, name in enumerate(NAMES, start=1):
        if name in NEVER:
            continue
        shown = show_section(RAW, number)
        told = b"".join([shown, *(b64decode(part) for part in re.findall(r"[A-Za-z0-9_-]{43,}", shown.decode()))])
        others = [b64decode(section) for n, section in enumerate(sections, start=1) if n != number]
        salts = [strict_json.loads(other)[0].encode() for other in others]
        assert not [salt for salt in salts if salt in told]
        if name != "client":
            assert b"Canary client" not in told
        assert not [word for word in (b"testimony", b"dormitory", b"Canary Auditor") if word in told]


def test_two_reports_that_differ_elsewhere_show_the_same_but_hashes() -> None:
    """With the salts of the others unknown, a guess of what they say cannot be checked against their hashes."""
    for other in (signed(), signed(WHOLE.model_copy(update={"summary": "Another one"}))):
        mine, theirs = strict_json.loads(show_section(RAW, 8)), strict_json.loads(show_section(other, 8))
        assert not set(mine["beside"]) & set(theirs["beside"])
        assert [len(each) for each in mine["beside"]] == [len(each) for each in theirs["beside"]]


@pytest.mark.parametrize("number", [0, len(NAMES) + 1, -1])
def test_there_is_no_section_beyond_the_last(number: int) -> None:
    with pytest.raises(SectionNotShown):
        show_section(RAW, number)


def test_what_was_changed_is_not_part_of_what_was_signed() -> None:
    shown = show_section(RAW, 8)
    parts = strict_json.loads(shown)
    salt, name, value = strict_json.loads(b64decode(parts["section"]))
    forged = b64encode(strict_json.dumps([salt, name, {**value, "country": "MY"}]))
    wrong = [
        changed(shown, section=forged),
        changed(shown, number=9),
        changed(shown, of=16),
        changed(shown, beside=parts["beside"][1:]),
        changed(shown, beside=[*parts["beside"][:-1], "A" * 43]),
        changed(shown, beside=list(reversed(parts["beside"]))),
    ]
    for raw in wrong:
        with pytest.raises(ProofBroken):
            open_section(raw, [FIRM.member()])


def test_a_section_of_another_report_does_not_pass_under_this_signature() -> None:
    other = strict_json.loads(show_section(signed(), 8))
    with pytest.raises(ProofBroken):
        open_section(changed(show_section(RAW, 8), section=other["section"], beside=other["beside"]), [FIRM.member()])


def test_an_inner_hash_is_no_section() -> None:
    sections = [section.encode() for section in strict_json.loads(RAW)["sections"]]
    shown = changed(show_section(RAW, 1), section=b64encode(tree_root(sections[:2])))
    with pytest.raises(ProofBroken):
        open_section(shown, [FIRM.member()])


def test_who_signed_is_checked_as_for_a_whole_report() -> None:
    shown = show_section(RAW, 8)
    with pytest.raises(UnknownAuditor):
        open_section(shown, [])
    with pytest.raises(ReportSignatureBad):
        open_section(show_section(signed(key=key_of("impostor")), 8), [FIRM.member()])


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", RAW, b"x" * 300_000])
def test_other_files_show_nothing(raw: bytes) -> None:
    with pytest.raises(ReportMalformed):
        open_section(raw, [FIRM.member()])
    assert not is_shown_section(raw)


# --- sections that lie


def _bent(*sections: list[Any]) -> bytes:
    parts = [b64encode(strict_json.dumps(["c2FsdA", *section])) for section in sections]
    return strict_json.dumps({"signature": strict_json.loads(RAW)["signature"], "sections": parts})


def test_each_way_to_say_a_thing_twice_is_refused() -> None:
    whole = WHOLE.to_parsed()
    apart = {"team", "interviews", "client", "client_did", "sharing_basis", "scope", "summary", "sites"}
    head = {
        k: v for k, v in whole.items() if k not in apart | {"party", "observations", "evidence", "labour_providers"}
    }
    party = ["party", {**whole["party"]}]
    plain = {k: v for k, v in OBSERVATION.items() if k not in ("testimony", "place", "evidence")}
    seen = ["observations", plain]
    of = {"observation": "O1", "testimony": "x"}
    assert read_sections(_bent(["head", head], party, seen, ["people", of])).observations[0].testimony == "x"
    wrong: list[list[list[Any]]] = [
        [["head", {**head, "team": ["a"]}], ["team", {"team": ["b"]}], party],
        [["head", head], ["team", {"team": ["b"]}], ["team", {"team": ["b"]}], party],
        [["head", head], ["team", {"summary": "b"}], party],
        [["head", head], ["team", ["b"]], party],
        [["head", head], party, seen, ["people", of], ["people", of]],
        [["head", head], party, seen, ["people", {**of, "observation": "O9"}]],
        [["head", head], party, seen, ["people", {**of, "affected": 3}]],
        [["head", head], party, seen, ["people", {**of, "severity": "S4"}]],
        [["head", head], party, seen, ["people", ["O1"]]],
        [["head", head], party, ["people", of], seen],
        [["head", head], party, ["unknown", {}]],
    ]
    for sections in wrong:
        with pytest.raises(ReportMalformed):
            read_sections(_bent(*sections))


# --- linking findings


def test_nothing_random_or_withheld_links_two_findings_of_a_report_or_names_its_auditor() -> None:
    """Only what both show in clear can be compared; a shown section links them, and that is its purpose."""
    opened = open_report(RAW, [FIRM.member()])
    commitment = Commitment(root=opened.root, signature=opened.signature)
    agency = Publisher()
    records = []
    for place, draft in enumerate(minimize(WHOLE, Policy(), commitment).drafts, start=1):
        outgoing = outgoing_finding(draft.finding, draft.handling)
        assert outgoing.withheld["commitment"] == commitment.to_parsed()
        by = {"iss": agency.did, "kid": agency.kid(), "key": agency.keys[0]}
        records.append(sign_statement(outgoing, **by, seq=place, prev=agency.genesis, now=NOW).record)
    one, other = (_opened(record) for record in records)
    random = re.compile(r"[A-Za-z0-9_-]{22,}")
    same = {token for token in random.findall(one) if token in other}
    assert same == {agency.genesis, "not-sole-ground-for-exclusion", "supply-chain-due-diligence"}
    for record in (one, other):
        for secret in (FIRM.did, FIRM.kid, opened.root, opened.signature, opened.signature.split(".")[2]):
            assert secret not in record
    section = show_section(RAW, NAMES.index("observations") + 1).decode()
    assert opened.signature in section and opened.root in str(open_section(section.encode(), [FIRM.member()]).root)


def _opened(record: bytes) -> str:
    """A record with everything in it that can be decoded, decoded."""
    statement = strict_json.loads(record)["statement"]
    jwt, *disclosures = statement.split("~")
    header, payload, signature = jwt.split(".")
    parts = [b64decode(part).decode() for part in (header, payload, *filter(None, disclosures))]
    return " ".join([*parts, signature])
