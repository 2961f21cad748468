"""Suppliers as a node knows them: who is mentioned, who is one by people's word, and what is shown of it."""

import json
import re
from dataclasses import replace

import pytest
import pytest_asyncio

from builders import FINDING_IN_CLEAR, NOTHING_GRAVE, Publisher
from comity_node.db import Database
from comity_node.domain.errors import NotFound
from comity_node.domain.suppliers.account import Sorting, months_old
from comity_node.domain.suppliers.judging import AlreadyJudged, JudgementContradicts, wholes
from comity_node.domain.suppliers.keys import strongest
from comity_node.services.answering.answers import describe
from comity_node.services.receiving.settle import redecide
from comity_node.services.searching.indexing import Indexer
from comity_node.services.suppliers.checking import FOLDED_OTHERWISE, OTHER_COUNTRY
from comity_node.services.suppliers.following import catch_up, follow
from comity_schemas.identifiers import Identifier
from filled_database import run
from node_world import NOW
from supplier_desk import CNPJ, LEI, OTHER_CNPJ, WHY, Desk, desk_at, said, screened


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    """A desk on SQLite, for rules that do not depend on the database."""
    return await desk_at(sqlite)


# --- who is one by itself


async def test_two_statements_with_one_number_are_about_one_supplier_whatever_the_names(database: Database) -> None:
    desk = await desk_at(database)
    first = await desk.say("Exemplar Gloves", "agency", LEI)
    second = await desk.say("示例手套", "city", LEI, country="MY")
    number = await desk.number(first)
    assert await desk.number(second) == number
    shown = await desk.show(number)
    assert said(shown) == {first.hash: "about it", second.hash: "about it"}
    assert {n["text"]: n["said_by"] for n in shown["names"]} == {"Exemplar Gloves": ["agency"], "示例手套": ["city"]}
    assert shown["publishers"] == [
        {"member": "agency", "newest": "2026-03", "months_old": 7},
        {"member": "city", "newest": "2026-03", "months_old": 7},
    ]


async def test_an_equal_name_joins_nobody_and_is_shown_to_a_person(desk: Desk) -> None:
    first, second = await desk.say(by="agency"), await desk.say(by="city")
    numbers = await desk.number(first), await desk.number(second)
    assert len(set(numbers)) == 2
    shown = await desk.show(numbers[0])
    assert list(said(shown)) == [first.hash]
    (alike,) = shown["perhaps_the_same"]
    assert (alike["number"], alike["why"]) == (numbers[1], "the name is equal: fazenda exemplo")


async def test_what_one_publisher_writes_alike_is_one_supplier(desk: Desk) -> None:
    first, second = await desk.say(municipality="Ipojuca"), await desk.say("FAZENDA EXEMPLO", municipality="IPOJUCA")
    elsewhere = await desk.say(municipality="Olinda")
    assert await desk.number(first) == await desk.number(second) != await desk.number(elsewhere)


async def test_a_member_that_writes_two_firms_numbers_into_one_statement_joins_nobody(desk: Desk) -> None:
    first, second = await desk.say("First", "agency", CNPJ), await desk.say("Second", "city", OTHER_CNPJ)
    hostile = await desk.say("Both", "rogue", CNPJ, OTHER_CNPJ)
    assert len({await desk.number(made) for made in (first, second, hostile)}) == 3
    bridging = await desk.say("Bridge", "rogue", LEI, CNPJ)
    lei = await desk.say("Third", "city", LEI)
    assert await desk.number(bridging) == await desk.number(lei) != await desk.number(first)
    shown = await desk.show(await desk.number(lei))
    assert [a["why"] for a in shown["perhaps_the_same"] if a["number"] == await desk.number(first)] == [
        "the same BR-CNPJ 00000000000191"
    ]


def test_two_numbers_of_one_scheme_decide_nothing() -> None:
    both = [Identifier.from_parsed(i) for i in (CNPJ, OTHER_CNPJ)]
    assert strongest(both, sites=False) is None
    assert strongest([*both, Identifier.from_parsed(LEI)], sites=False) == Identifier.from_parsed(LEI)


async def test_names_that_were_folded_otherwise_are_folded_anew_a_part_at_a_time(desk: Desk) -> None:
    for name in ("Exemplar Gloves Ltd", "華為有限公司", "Exemplar Shoes"):
        await desk.say(name, "agency")
    await catch_up(desk.database)
    wanted = {"exemplar gloves", "huawei", "exemplar shoes"}
    async with desk.database.write() as store:
        connection = await store._session.connection()
        await connection.exec_driver_sql("update supplier set sorting = 'of an earlier folding'")
    parts = 0
    while True:
        async with desk.database.write() as store:
            if not await store.foldings.fold_anew(2):
                break
        parts += 1
    assert parts >= 3
    async with desk.database.read() as store:
        connection = await store._session.connection()
        assert {row[0] for row in await connection.exec_driver_sql("select sorting from supplier")} == wanted
        assert not await store.foldings.fold_anew(2), "it is done once"


# --- sites, labour providers, events


async def test_a_site_stands_under_its_organisation_and_its_findings_are_shown_as_the_sites(desk: Desk) -> None:
    klang = await desk.say("Exemplar Gloves", "agency", LEI, subject="site", municipality="Klang", country="MY")
    ipoh = await desk.say("Exemplar Gloves", "city", LEI, subject="site", municipality="Ipoh", country="MY")
    firm = await desk.say("Exemplar Gloves", "city", LEI)
    assert len({await desk.number(made) for made in (klang, ipoh, firm)}) == 3
    shown = await desk.show(await desk.number(firm))
    assert said(shown) == {firm.hash: "about it", klang.hash: "about its site", ipoh.hash: "about its site"}
    assert {site["number"] for site in shown["sites"]} == {await desk.number(klang), await desk.number(ipoh)}
    site = await desk.show(await desk.number(klang))
    assert list(said(site)) == [klang.hash]
    assert [o["number"] for o in site["operated_by"]] == [await desk.number(firm)]
    async with desk.database.read() as store:
        counted = (await store.mentions.counted([await desk.number(firm)]))[await desk.number(firm)]
    assert (counted.findings, counted.findings_of_sites, counted.decisions) == (1, 2, 0)
    with pytest.raises(JudgementContradicts, match="site-of"):
        await desk.join(await desk.number(klang), await desk.number(firm))
    alike = [each["number"] for each in site["perhaps_the_same"]]
    assert alike == [await desk.number(ipoh)], "its organisation has its name and is no second site"


async def test_what_a_labour_provider_did_is_shown_on_its_client_as_that_and_never_as_the_clients_own(
    desk: Desk,
) -> None:
    client = await desk.say("Client Ltd", "agency", CNPJ)
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    named = await desk.say("Agent Ltd", "city", LEI, subject="labour-provider", more=supplies)
    unnamed = await desk.say("Agent Ltd", "union", LEI, subject="labour-provider")
    shown = await desk.show(await desk.number(client))
    through = "through its labour provider"
    assert said(shown) == {client.hash: "about it", named.hash: through, unnamed.hash: through}
    assert {f["whom"]["name"] for f in shown["findings"] if f["way"] == through} == {"Agent Ltd"}
    assert [p["statements"] for p in shown["labour_providers"]] == [[named.hash]]
    assert [n["text"] for n in shown["names"]] == ["Client Ltd"]
    provider = await desk.show(await desk.number(named))
    assert said(provider) == {named.hash: "about it", unnamed.hash: "about it"}
    assert provider["supplier"]["kind"] == "labour-provider"
    assert [c["name"] for c in provider["supplies_labour_to"]] == ["Client Ltd"]
    await desk.withdraw("city", named)
    shown = await desk.show(await desk.number(client))
    assert unnamed.hash not in said(shown), "whose word was taken back relates nobody"


async def test_four_suppliers_of_one_event_are_linked_not_merged_and_nothing_is_added_up(desk: Desk) -> None:
    source = {**FINDING_IN_CLEAR["source"], "type": "public-register", "event": "E" * 43}
    four = [await desk.say(f"Oficina {n} Ltda", "agency", more={"affected": "1-10"}, source=source) for n in range(4)]
    numbers = [await desk.number(made) for made in four]
    assert len(set(numbers)) == 4
    for made, number in zip(four, numbers, strict=True):
        shown = await desk.show(number)
        (finding,) = shown["findings"]
        others = {(m.hash, n) for m, n in zip(four, numbers, strict=True) if m is not made}
        assert {(s["statement"], s["supplier"]) for s in finding["same_event"]} == others
        assert finding["finding"]["affected"] == "1-10"
        bands = re.findall(r'"affected": "([^"]*)"', json.dumps(shown))
        assert bands == ["1-10"], "the event's people are not added up, whatever the form"


# --- disagreement, order, decisions


async def test_publishers_that_say_different_things_are_named_side_by_side(desk: Desk) -> None:
    one = await desk.say("A", "agency", LEI, severity="S2")
    two = await desk.say("A", "city", LEI, severity="S4", status="closed-claimed")
    shown = await desk.show(await desk.number(one))
    (found,) = shown["disagreements"]
    assert found["indicator"] == "FL08"
    assert found["what"] == ["severity", "status", "closed or open"]
    assert found["statements"] == sorted([one.hash, two.hash])
    assert shown["perhaps_one_source"] == [sorted([one.hash, two.hash])], "one scheme, one subject, one month"
    assert [f["assurance"] for f in shown["findings"]] == ["audit, announced, full access"] * 2


async def test_one_publisher_does_not_disagree_with_itself_and_what_was_withdrawn_disagrees_with_nobody(
    desk: Desk,
) -> None:
    await desk.say("A", "agency", LEI, severity="S2")
    one = await desk.say("A", "agency", LEI, severity="S3")
    two = await desk.say("A", "city", LEI, severity="S4")
    await desk.withdraw("city", two)
    shown = await desk.show(await desk.number(one))
    assert shown["disagreements"] == []
    assert {f["statement"]: f["standing"] for f in shown["findings"]}[two.hash] == "withdrawn"


async def test_findings_are_sorted_and_shown_in_parts(desk: Desk) -> None:
    months = {"2026-01": "S4", "2026-03": "S2", "2025": "S3"}
    made = {}
    for when, severity in months.items():
        source = {**FINDING_IN_CLEAR["source"], "when": when}
        made[when] = await desk.say("A", "agency", LEI, source=source, severity=severity)
    number = await desk.number(made["2025"])
    newest = [f["finding"]["source"]["when"] for f in (await desk.show(number))["findings"]]
    assert newest == ["2026-03", "2026-01", "2025"]
    gravest = await desk.show(number, Sorting.SEVERITY, most=2)
    assert [f["finding"]["severity"] for f in gravest["findings"]] == ["S4", "S3"]
    assert gravest["further_findings"]
    rest = await desk.show(number, Sorting.SEVERITY, skip=2)
    assert [f["finding"]["severity"] for f in rest["findings"]] == ["S2"]
    assert not rest["further_findings"]


def test_a_year_has_no_age_in_months() -> None:
    assert (months_old("2026-01", NOW.date()), months_old("2025", NOW.date())) == (9, None)


async def test_decisions_stand_apart_from_findings(desk: Desk) -> None:
    finding = await desk.say("A", "agency", LEI)
    decision = await desk.say("A", "city", LEI, kind="decision")
    shown = await desk.show(await desk.number(finding))
    assert list(said(shown)) == [finding.hash]
    assert [(d["statement"], d["way"], d["standing"]) for d in shown["decisions"]] == [
        (decision.hash, "about it", "in force")
    ]
    assert shown["publishers"] == [{"member": "agency", "newest": "2026-03", "months_old": 7}]


async def test_a_reply_stands_beside_the_finding(desk: Desk) -> None:
    finding = await desk.say("A", "agency", LEI)
    publisher = desk.publishers["agency"]
    await desk.arrive("agency", publisher.reply(finding.hash, **publisher.after(desk.last["agency"])))
    (shown,) = (await desk.show(await desk.number(finding)))["findings"]
    assert (shown["disputed"], [r["codes"] for r in shown["replies"]]) == ("disputed", [["facts-disputed"]])


# --- judging


async def test_what_a_person_joins_is_shown_together_says_by_whom_and_leaves_every_statement_as_it_is(
    database: Database,
) -> None:
    desk = await desk_at(database)
    one, two = await desk.say(by="agency"), await desk.say(by="city")
    numbers = [await desk.number(one), await desk.number(two)]
    async with database.read() as store:
        before = await store.view.of_log("agency"), await store.view.of_log("city")
    judgement = await desk.join(*numbers)
    for number in numbers:
        shown = await desk.show(number)
        assert said(shown) == {one.hash: "about it", two.hash: "about it"}
        (said_so,) = shown["judgements"]
        assert (
            said_so["in_words"]
            == f"{numbers[0]} and {numbers[1]} are one, judged by Ana on 2026-10-01 (register-extract)"
        )
        assert shown["perhaps_the_same"] == []
    async with database.read() as store:
        assert (await store.view.of_log("agency"), await store.view.of_log("city")) == before
    later = await desk.say(by="city")
    assert said(await desk.show(numbers[0])).keys() == {one.hash, two.hash, later.hash}
    await desk.undo(judgement)
    assert list(said(await desk.show(numbers[0]))) == [one.hash]
    async with database.read() as store:
        (kept,) = await store.judgements.page(before=None, most=5)
    assert (kept.judgement.words, kept.judgement.undone_by) == (WHY.words, desk.person.id)


async def test_a_judgement_survives_that_a_log_is_decided_anew(desk: Desk) -> None:
    one, two = await desk.say(by="agency"), await desk.say(by="city")
    numbers = [await desk.number(one), await desk.number(two)]
    await desk.join(*numbers)
    async with desk.database.write() as store:
        await redecide(store, desk.publishers["city"].member(), NOW, why="test")
    assert said(await desk.show(numbers[0])).keys() == {one.hash, two.hash}
    assert [await desk.number(one), await desk.number(two)] == numbers


async def test_undoing_one_of_two_joints_leaves_the_other(desk: Desk) -> None:
    made = [await desk.say(by=by) for by in ("agency", "city", "union")]
    a, b, c = [await desk.number(each) for each in made]
    await desk.join(b, c)
    judgement = await desk.join(a, c)
    assert len(said(await desk.show(a))) == 3
    await desk.undo(judgement)
    assert list(said(await desk.show(a))) == [made[0].hash]
    assert said(await desk.show(c)).keys() == {made[1].hash, made[2].hash}


async def test_what_was_judged_to_be_different_is_not_asked_again_and_cannot_be_joined_on_a_detour(
    desk: Desk,
) -> None:
    made = [await desk.say(by=by) for by in ("agency", "city", "union")]
    a, b, c = [await desk.number(each) for each in made]
    judgement = await desk.keep_apart(a, c)
    assert [x["number"] for x in (await desk.show(a))["perhaps_the_same"]] == [b]
    await desk.join(a, b)
    with pytest.raises(JudgementContradicts, match=judgement):
        await desk.join(b, c)
    with pytest.raises(JudgementContradicts, match="joined"):
        await desk.keep_apart(a, b)
    with pytest.raises(AlreadyJudged):
        await desk.keep_apart(c, a)
    with pytest.raises(AlreadyJudged):
        await desk.join(b, a)
    await desk.undo(judgement)
    await desk.join(b, c)
    with pytest.raises(AlreadyJudged, match="undone before"):
        await desk.undo(judgement)


async def test_statements_put_apart_take_their_revisions_along_and_come_back_when_it_is_undone(desk: Desk) -> None:
    first, wrong = await desk.say("A", "agency", LEI), await desk.say("Namesake", "city", LEI)
    number = await desk.number(first)
    judgement = await desk.split(number, wrong)
    apart = await desk.number(wrong)
    assert apart != number
    assert said(await desk.show(number)).keys() == {first.hash}
    revised = await desk.say("Namesake", "city", LEI, replaces=wrong.hash)
    assert said(await desk.show(apart)).keys() == {wrong.hash, revised.hash}
    with pytest.raises(JudgementContradicts):
        await desk.join(number, apart)
    await desk.undo(judgement)
    assert said(await desk.show(number)).keys() == {first.hash, wrong.hash, revised.hash}


async def test_nothing_is_put_apart_that_is_not_there_and_something_is_left(desk: Desk) -> None:
    first, other = await desk.say("A", "agency", LEI), await desk.say("B", "city", CNPJ)
    with pytest.raises(NotFound):
        await desk.split(await desk.number(first), other)
    with pytest.raises(JudgementContradicts, match="nothing would be left"):
        await desk.split(await desk.number(first), first)
    with pytest.raises(NotFound):
        await desk.join(await desk.number(first), 4_711)
    with pytest.raises(NotFound):
        await desk.show(4_711)


def test_joined_ones_go_by_the_smallest_number() -> None:
    assert wholes([(5, 3), (9, 5), (7, 8)], [3, 4, 5, 7, 8, 9]) == {3: 3, 4: 4, 5: 3, 9: 3, 7: 7, 8: 7}


async def test_following_in_parts_ends_where_following_at_once_does(desk: Desk) -> None:
    made = [await desk.say(f"Firm {n}", "agency", LEI, subject="site", municipality=f"M{n % 2}") for n in range(5)]
    async with desk.database.write() as store:
        assert await follow(store, 2) == 2
        assert await store.suppliers.behind() == 3
    numbers = [await desk.number(each) for each in made]
    assert len(set(numbers)) == 5
    async with desk.database.read() as store:
        assert await store.suppliers.behind() == 0


# --- in screening


async def test_screening_finds_what_is_said_of_a_joined_supplier_and_says_who_joined_it(database: Database) -> None:
    desk = await desk_at(database)
    one, two = await desk.say("Alpha", "agency", LEI), await desk.say("Beta", "city", CNPJ)
    judgement = await desk.join(await desk.number(one), await desk.number(two))
    answer = await screened(desk, CNPJ)
    assert {hit.entry.hash: hit.likeness.verdict.value for hit in answer.hits} == {one.hash: "match", two.hash: "match"}
    (reason,) = [hit.likeness.reason for hit in answer.hits if hit.entry.hash == one.hash]
    assert reason == f"joined with what was found, by Ana on 2026-10-01; to undo it: comity supplier undo {judgement}"
    by_name = await screened(desk, name="Beta")
    assert {hit.likeness.verdict.value for hit in by_name.hits} == {"review"}, "no stronger than what was found"
    assert len(by_name.hits) == 2
    await desk.undo(judgement)
    assert [hit.entry.hash for hit in (await screened(desk, CNPJ)).hits] == [two.hash]


async def test_screening_a_client_names_its_labour_provider_and_leaves_its_own_state_as_it_is(desk: Desk) -> None:
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    agent = await desk.say("Agent Ltd", "city", LEI, subject="labour-provider", more=supplies)
    answer = await screened(desk, CNPJ)
    assert (answer.state.value, answer.hits) == ("no supplier by this name", ())
    assert [(t.provider.name, t.statements) for t in answer.through] == [("Agent Ltd", (agent.hash,))]
    (said_so,) = describe([answer])["answers"]
    assert said_so["through_labour_providers"][0]["findings"] == [agent.hash]
    await desk.withdraw("city", agent)
    assert (await screened(desk, CNPJ)).through == ()


async def test_whom_to_speak_to_first_stands_on_the_suppliers_page(desk: Desk) -> None:
    finding = await desk.say("A", "agency", LEI)
    city = desk.publishers.setdefault("city", Publisher("city"))
    pointer = city.pointer(disclosed={"names": [{"text": "A"}], "identifiers": [LEI]})
    await desk.arrive("city", pointer)
    shown = await desk.show(await desk.number(finding))
    assert [p["statement"] for p in shown["pointers"]] == [pointer.hash]


async def test_audits_and_in_what_nothing_is_open_stand_on_the_suppliers_page(desk: Desk) -> None:
    finding = await desk.say("A", "agency", LEI)
    city = desk.publishers.setdefault("city", Publisher("city"))
    shown_as = {"names": [{"text": "A"}], "identifiers": [LEI]}
    audit = city.notice(more={"result": NOTHING_GRAVE, "subject": "supplier"}, disclosed=shown_as)
    await desk.arrive("city", audit)
    shown = await desk.show(await desk.number(finding))
    assert [(a["published_by"], a["standing"]) for a in shown["audits"]] == [("city", "current")]
    # A finding is open on FL08, whatever the audit says.
    assert shown["assessed"]["nothing_open"] == ["FL07"]


@pytest.mark.parametrize(
    ("tampered", "noticed"),
    [
        ("update supplier set country = 'SE' where number = {0}", OTHER_COUNTRY),
        ("update supplier_name set country = 'SE' where supplier = {0}", OTHER_COUNTRY),
        ("update supplier_name set folded = 'nobody' where supplier = {0}", FOLDED_OTHERWISE),
    ],
)
async def test_check_notices_a_country_or_folding_that_somebody_altered(
    desk: Desk, tampered: str, noticed: str
) -> None:
    number = await desk.number(await desk.say("A Firm", "agency", LEI, country="BR"))
    await desk.say("Another Name", "agency", LEI, country="MY")
    await desk.say("Only a Name", "agency")
    await Indexer(desk.database).finish()
    member = desk.publishers["agency"].member()
    assert await desk.bench.check(member) == []
    async with desk.database.write() as store:
        await run(store, tampered.format(number))
    assert await desk.bench.check(member) == [f"supplier {number}: {noticed}"]


async def test_check_notices_a_mention_that_follows_from_no_statement(desk: Desk) -> None:
    one, two = await desk.say("A", "agency", LEI), await desk.say("B", "agency", CNPJ)
    numbers = [await desk.number(one), await desk.number(two)]
    await desk.say("C", "agency", OTHER_CNPJ)
    member = desk.publishers["agency"].member()
    assert await desk.bench.check(member) == [], "what was not followed yet is no difference"
    async with desk.database.write() as store:
        (record,) = (await store.view.numbers([one.hash])).values()
        (mention,) = await store.mentions.by([record])
        await store.mentions.put([record], [replace(mention, supplier=numbers[1])])
    assert await desk.bench.check(member) == [f"agency: record {record} mentions other suppliers than are kept"]
