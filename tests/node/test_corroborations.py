"""Own evidence stands beside another member's finding, from independent sources only, and is never averaged with it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from builders import CORROBORATION_IN_CLEAR, FINDING_IN_CLEAR, IDENTIFIERS, NAMES, Publisher
from comity_node.db import Database
from comity_node.domain.corroborating import Voice, endangers_source, why_not_independent
from comity_node.domain.errors import (
    AlreadyProposed,
    CannotPropose,
    FocalPointNeeded,
    HeldBack,
    NotFound,
    NotIndependent,
    NotPublished,
    ObjectionStands,
)
from comity_node.domain.minimize import Policy, minimize, outgoing_finding
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen
from comity_node.services.operating.check import check
from comity_node.services.receiving.settle import redecide
from comity_node.services.review.concerns import make_objection
from comity_node.services.review.corroborations import Evidence, propose_corroboration
from comity_node.services.review.release import read_outgoing
from comity_node.services.review.supplier_links import make_link
from comity_schemas.corroboration import Corroboration, Says
from comity_schemas.finding import Commitment, Source
from comity_schemas.member import Member, Role
from node_world import NOW, Bench, audit_report, new_sqlite, registry_of
from review_office import Office

AGENCY, BODY = Publisher("agency"), Publisher("body")
UNION = Publisher("union", Role.WORKER_ORGANISATION)
SOURCE = FINDING_IN_CLEAR["source"]
LATER = {**SOURCE, "when": "2026-05"}


# --- at every node


async def hit_of(database: Database, *members: Member, days: int = 0) -> dict[str, Any]:
    """The newest finding that an officer is shown, with what stands beside it."""
    async with database.read() as store:
        question = Question(NAMES[0]["text"])
        answers = await screen(store, [question], registry_of(*members), NOW + timedelta(days=days))
    hits = describe(answers)["answers"][0]["findings"]
    return next(h for h in hits if h["standing"] not in ("superseded", "withdrawn"))


def speaks(publisher: Publisher, about: str, says: str = "supports", source: Any = None, **more: Any) -> Any:
    place = more.pop("place", {})
    change = {"says": says, "indicators": ["FL08"], "source": source or LATER, **more}
    return publisher.corroboration(about, more=change, **place)


async def test_support_and_contradiction_stand_side_by_side_and_are_never_averaged(database: Database) -> None:
    members = (AGENCY.member(), BODY.member(), UNION.member())
    bench, finding = Bench(database), AGENCY.finding()
    voice = speaks(UNION, finding.hash, source={**LATER, "type": "union", "scheme": "interviews"})
    # They may arrive before what they are about.
    await bench.arrive(members[2], voice.raw)
    await bench.arrive(members[1], speaks(BODY, finding.hash, "contradicts").raw)
    await bench.arrive(members[0], finding.raw)
    shown = await hit_of(database, *members)
    assert shown["sources"] == {"supports": 1, "contradicts": 1}
    assert [(c["published_by"], c["says"], c["not_counted"]) for c in shown["corroborations"]] == [
        ("body", "contradicts", None),
        ("union", "supports", None),
    ]
    # The finding itself is what it was.
    assert (shown["standing"], shown["finding"]["severity"]) == ("current", "S2")
    assert await bench.check(*members) == []


NOT_COUNTED = {
    "the own finding": (AGENCY, {}, "cannot be corroborated by itself"),
    "the same audit": (BODY, {"source": SOURCE}, "the same audit seen twice"),
    "the same audit, spelt otherwise": (BODY, {"source": {**SOURCE, "scheme": "smeta"}}, "the same audit"),
    "a year that may be that month": (BODY, {"source": {**SOURCE, "when": "2026"}}, "the same audit"),
    "another indicator": (BODY, {"indicators": ["FL01"]}, "no indicator that this finding reports"),
    "expired": (BODY, {"valid_until": "2026-09-30"}, "expired on 2026-09-30"),
}


@pytest.mark.parametrize("case", NOT_COUNTED)
async def test_what_is_not_independent_is_shown_and_not_counted_with_the_reason(sqlite: Database, case: str) -> None:
    publisher, more, why = NOT_COUNTED[case]
    bench, finding = Bench(sqlite), AGENCY.finding()
    place = AGENCY.after(finding) if publisher is AGENCY else {}
    voice = speaks(publisher, finding.hash, **more, place=place)
    await bench.arrive(AGENCY.member(), finding.raw)
    await bench.arrive(publisher.member(), voice.raw)
    shown = await hit_of(sqlite, AGENCY.member(), BODY.member())
    (said,) = shown["corroborations"]
    assert why in said["not_counted"] and shown["sources"] == {"supports": 0, "contradicts": 0}


async def test_two_members_who_tell_of_one_audit_are_one_source_and_one_member_is_one_voice(sqlite: Database) -> None:
    city, finding = Publisher("city"), AGENCY.finding()
    members = [p.member() for p in (AGENCY, BODY, city)]
    bench = Bench(sqlite)
    await bench.arrive(members[0], finding.raw)
    await bench.arrive(members[1], speaks(BODY, finding.hash).raw)
    told = speaks(city, finding.hash)
    again = speaks(city, finding.hash, source={**LATER, "when": "2026-07"}, place=city.after(told))
    more = speaks(city, finding.hash, source={**LATER, "when": "2026-08"}, place=city.after(again))
    await bench.arrive(members[2], told.raw, again.raw, more.raw)
    shown = await hit_of(sqlite, *members)
    reasons = [c["not_counted"] for c in shown["corroborations"]]
    assert shown["sources"]["supports"] == 2 and len(reasons) == 4
    assert sum("told of the same audit" in (why or "") for why in reasons) == 1
    assert sum("one member is one voice" in (why or "") for why in reasons) == 1


@pytest.mark.parametrize("opens", [True, False])
async def test_a_corroboration_is_revised_and_taken_back_like_others_and_stays_beside_newer_forms(
    sqlite: Database, opens: bool
) -> None:
    first = AGENCY.finding()
    newer = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": first.hash}, **AGENCY.after(first))
    said = speaks(BODY, first.hash)
    turned = speaks(BODY, first.hash, "contradicts", replaces=said.hash, place=BODY.after(said))
    gone = BODY.withdrawal(turned.hash, **BODY.after(turned))
    bench, members = Bench(sqlite, opens=opens), (AGENCY.member(), BODY.member())
    await bench.arrive(members[0], first.raw, newer.raw)
    for made, counted in ((said, (1, 0)), (turned, (0, 1)), (gone, (0, 0))):
        await bench.arrive(members[1], made.raw)
        sources = (await hit_of(sqlite, *members))["sources"]
        assert (sources["supports"], sources["contradicts"]) == counted
    assert await bench.check(*members) == []
    folded = (await bench.snapshot(members[1]))["body"]
    async with sqlite.write() as store:
        await redecide(store, members[1], NOW, why="test")
    assert (await bench.snapshot(members[1]))["body"] == folded


async def test_what_counts_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    finding, seen = AGENCY.finding(), set()
    made = [(BODY, speaks(BODY, finding.hash)), (UNION, speaks(UNION, finding.hash)), (AGENCY, finding)]
    for number, order in enumerate((made, made[::-1])):
        database = Database(new_sqlite(tmp_path, f"{number}.db"))
        for publisher, each in order:
            await Bench(database).arrive(publisher.member(), each.raw)
        shown = await hit_of(database, *[publisher.member() for publisher, _ in made])
        seen.add(str([(c["published_by"], c["not_counted"]) for c in shown["corroborations"]]))
        await database.close()
    assert len(seen) == 1 and "told of the same audit" in seen.pop()


@given(st.sampled_from(["SMETA", "smeta", "RBA"]), st.sampled_from(["2026", "2026-03", "2026-04", "2025"]))
def test_independence_is_the_same_whoever_speaks_first(scheme: str, when: str) -> None:
    one = Voice("agency", Source.from_parsed(SOURCE))
    other = Voice("body", Source.from_parsed({**SOURCE, "scheme": scheme, "when": when}))
    same = scheme.upper() == "SMETA" and when in ("2026", "2026-03")
    assert (why_not_independent(one, other) is not None) == (why_not_independent(other, one) is not None) == same


# --- at the publisher


FOREIGN = {
    **FINDING_IN_CLEAR,
    "indicators": [{"indicator": "FL07", "basis": "stated"}],
    "source": {**SOURCE, "when": "2025-11"},
}


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


async def their_finding(office: Office, **changes: Any) -> str:
    """Another member's finding about whom the reports are about, three months before their audit."""
    party = audit_report().party
    disclosed = {"names": [n.to_parsed() for n in party.names], "identifiers": IDENTIFIERS}
    clear = {**FOREIGN, "country": party.country, **changes}
    finding = BODY.finding(clear=clear, disclosed=disclosed)
    await Bench(office.database).arrive(BODY.member(), finding.raw)
    return finding.hash


async def propose(office: Office, about: str, says: Says = Says.SUPPORTS, who: str = "ana", **more: Any) -> Any:
    policy, revises = more.pop("policy", Policy()), more.pop("revises", None)
    given = {"observation": "O1" if says is Says.SUPPORTS else None, "report_id": "R" * 43, **more}
    evidence = Evidence(about=about, says=says, **given)
    return await office.write(
        lambda store: propose_corroboration(
            store, office.people[who], evidence, own="agency", policy=policy, now=NOW, revises=revises
        )
    )


async def test_two_people_let_own_evidence_out_beside_a_finding(office: Office) -> None:
    await office.store_report(origin="signed")
    about = await their_finding(office)
    review = await propose(office, about)
    said = Corroboration.from_parsed(read_outgoing(review).body)
    assert (said.about, said.says, [*said.indicators]) == (about, "supports", ["FL07"])
    assert read_outgoing(review).handling.contact == "none"
    with pytest.raises(AlreadyProposed, match="speaks of the finding already"):
        await propose(office, about)
    # It is no release of the observation itself, which can be proposed as a finding as before.
    await office.propose("ana")
    await office.approve("ben", review)
    (name,) = await office.sign()
    changed = await propose(office, about, revises=name)
    await office.approve("ben", changed)
    withdrawn = await office.withdraw("ana", (await office.sign())[-1])
    await office.approve("ben", withdrawn)
    assert await office.released() == 3
    assert await check(office.database, registry_of(office.member, BODY.member()), NOW) == []


async def test_a_supplier_gets_no_link_to_a_corroboration(office: Office) -> None:
    await office.store_report(origin="signed")
    review = await propose(office, await their_finding(office))
    with pytest.raises(NotFound):
        await office.write(lambda store: make_link(store, office.people["ana"], review.id, NOW))


async def test_the_same_audit_seen_twice_is_refused_with_the_reason(office: Office) -> None:
    await office.store_report(origin="signed")
    own = audit_report()
    same = {**SOURCE, "scheme": own.scheme.lower(), "when": own.finished.strftime("%Y-%m")}
    about = await their_finding(office, source=same)
    with pytest.raises(NotIndependent, match="the same audit seen twice"):
        await propose(office, about)


async def test_a_relayed_register_corroborates_nothing(office: Office) -> None:
    await office.store_report(source="public-register")
    about = await their_finding(office)
    with pytest.raises(NotIndependent, match="relayed"):
        await propose(office, about)


async def test_an_own_finding_is_not_corroborated_by_itself(office: Office) -> None:
    await office.store_report(origin="signed")
    await office.approve("fay", await office.heard("ana"))
    (own,) = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(own)
    assert item is not None and item.record is not None
    await Bench(office.database).arrive(office.member, item.record)
    await office.store_report("S" * 43, origin="signed", finished="2026-12-01")
    with pytest.raises(NotIndependent, match="cannot be corroborated by itself"):
        await propose(office, own, report_id="S" * 43)


async def test_only_what_was_looked_for_and_not_found_contradicts(office: Office) -> None:
    about = await their_finding(office)
    looked = {"assessed": ["FL07"]}
    # It observed it; it did not look; it looked for something else.
    await office.store_report("A" * 43, origin="signed", scope=looked)
    nothing_seen = {"indicators": [{"indicator": "FL11", "basis": "stated"}]}
    for name, scope in (("C", None), ("D", {"assessed": ["FL11"]}), ("E", looked)):
        content = {} if scope is None else {"scope": scope}
        observed = [{**audit_report().observations[0].to_parsed(), **nothing_seen}]
        await office.store_report(name * 43, origin="signed", observations=observed, **content)
    for name in ("A", "C", "D"):
        with pytest.raises(CannotPropose, match="nobody looked is no contradiction"):
            await propose(office, about, Says.CONTRADICTS, report_id=name * 43)
    review = await propose(office, about, Says.CONTRADICTS, report_id="E" * 43)
    assert read_outgoing(review).body["says"] == "contradicts"
    with pytest.raises(CannotPropose, match="supports nothing"):
        await propose(office, about, report_id="E" * 43)


async def test_a_report_about_another_corroborates_only_when_a_person_made_sure(office: Office) -> None:
    await office.store_report(origin="signed")
    about = await their_finding(office, country="TH")
    with pytest.raises(CannotPropose, match="neither a name nor an identifier"):
        await propose(office, about)
    await propose(office, about, same_subject=True)


async def test_a_report_without_a_sharing_basis_corroborates_nothing(office: Office) -> None:
    await office.store_report(origin="signed", marks=("no-sharing-basis",))
    about = await their_finding(office)
    with pytest.raises(CannotPropose, match="no sharing basis"):
        await propose(office, about)


async def test_nothing_is_said_of_a_finding_that_does_not_stand(office: Office) -> None:
    await office.store_report(origin="signed")
    about = await their_finding(office)
    review = await propose(office, about)
    gone = BODY.withdrawal(about, seq=2, prev=about)
    with pytest.raises(CannotPropose, match="no finding with this hash"):
        await propose(office, "A" * 43)
    await Bench(office.database).arrive(BODY.member(), gone.raw)
    with pytest.raises(CannotPropose, match="taken back"):
        await propose(office, about)
    # Also between proposal and release.
    with pytest.raises(CannotPropose, match="taken back"):
        await office.approve("ben", review)


async def test_only_the_publisher_corrects_a_corroboration(office: Office) -> None:
    await office.store_report(origin="signed")
    about = await their_finding(office)
    with pytest.raises(NotPublished):
        await propose(office, about, revises=about)


async def test_an_auditors_objection_holds_a_corroboration_back(office: Office) -> None:
    await office.store_report(origin="signed")
    review = await propose(office, await their_finding(office))
    async with office.database.write() as store:
        stored = await store.reports.find("R" * 43)
        assert stored is not None
        await make_objection(store, office.people["ana"], stored, "O1", "it is another site", NOW)
    with pytest.raises(ObjectionStands):
        await office.approve("ben", review)


# --- source protection


async def test_a_union_speaks_under_source_protection_and_with_a_focal_point(office: Office) -> None:
    await office.store_report(origin="signed", source="union", scheme="Canary Network talks", interviews=3)
    about = await their_finding(office)
    review = await propose(office, about)
    sent = read_outgoing(review).body
    year = str(audit_report().finished.year)
    protected = {"type": "union", "scheme": "protected", "notice": "not-stated", "access": "not-stated", "when": year}
    assert sent["source"] == protected and sent["valid_until"].endswith("-12-31")
    assert "anary" not in review.content
    with pytest.raises(FocalPointNeeded):
        await office.approve("ben", review)
    # Members of the site's own country would read it too: that somebody else has spoken endangers them as well.
    with pytest.raises(HeldBack, match="of BR, the site's own country: its source is protected"):
        await office.approve("fay", review)
    assert await office.released() == 0
    await office.consent(review)
    await office.approve("fay", review)


def test_a_protected_corroboration_names_no_source() -> None:
    said = Corroboration.from_parsed({**CORROBORATION_IN_CLEAR, "source": {**LATER, "type": "ngo"}})
    assert endangers_source(said)
    assert not endangers_source(Corroboration.from_parsed(CORROBORATION_IN_CLEAR))


IDENTIFYING = st.fixed_dictionaries(
    {
        "scheme": st.sampled_from(["Canary Network", "SMETA"]),
        "scheme_version": st.sampled_from(["1", "2"]),
        "notice": st.sampled_from(["announced", "unannounced", "not-stated"]),
        "access": st.sampled_from(["full", "partial", "denied"]),
        "auditor": st.sampled_from(["did:web:firm.example", "did:web:network.example"]),
        "interviews": st.integers(0, 900),
        "valid_until": st.sampled_from(["2027-03-07", "2027-09-01"]),
        "finished": st.integers(1, 12).map(lambda month: f"2026-{month:02}-07"),
    }
)


@pytest.mark.parametrize(
    ("source", "policy"),
    [
        ("union", Policy()),
        ("ngo", Policy()),
        ("grievance-body", Policy()),
        ("inspection", Policy(protect_sources=True)),
    ],
)
@given(one=IDENTIFYING, other=IDENTIFYING)
def test_what_identifies_a_protected_source_never_leaves_not_even_as_a_digest(
    source: str, policy: Policy, one: dict[str, Any], other: dict[str, Any]
) -> None:
    commitments = (Commitment(root="A" * 43, signature="a.b.c"), Commitment(root="B" * 43, signature="d.e.f"))
    said = []
    for identifying, commitment in zip((one, other), commitments, strict=True):
        report = audit_report(source=source, **identifying)
        (draft,) = minimize(report, policy, commitment).drafts
        out = outgoing_finding(draft.finding, draft.handling)
        said.append((out.body, out.disclosed, out.withheld))
    assert said[0] == said[1]
    assert not {"auditor", "sample", "commitment"} & set(said[0][2])


def test_an_audit_is_not_protected_unless_the_member_says_so() -> None:
    (draft,) = minimize(audit_report(), Policy(), Commitment(root="A" * 43, signature="a.b.c")).drafts
    assert draft.finding.source.scheme == "SMETA" and draft.finding.commitment is not None
    assert len(draft.finding.source.when) == len("2026-09")
    register = audit_report(source="public-register")
    (relayed,) = minimize(register, Policy(protect_sources=True)).drafts
    assert relayed.finding.source.scheme == "SMETA"


async def test_what_was_taken_back_and_is_true_after_all_is_said_anew(office: Office) -> None:
    await office.store_report(origin="signed")
    about = await their_finding(office)
    await office.approve("ben", await propose(office, about))
    (name,) = await office.sign()
    await office.approve("ben", await office.withdraw("ana", name))
    await office.approve("ben", await propose(office, about))
    with pytest.raises(AlreadyProposed):
        await propose(office, about)


async def test_another_site_of_the_same_company_corroborates_only_when_a_person_made_sure(office: Office) -> None:
    name = audit_report().party.names[0].text
    mine = {"type": "site", "names": [{"text": name}], "country": "BR"}
    branch = {"scheme": "BR-CNPJ", "id": "00000000000272"}
    await office.store_report(origin="signed", party={**mine, "identifiers": [branch]})
    about = await their_finding(office, subject="site", country="BR")
    with pytest.raises(CannotPropose, match="two numbers"):
        await propose(office, about)
    assert await propose(office, about, same_subject=True)
