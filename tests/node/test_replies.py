"""A supplier's answer stands beside the finding at every node, whoever carries it; a dispute does not lie forgotten."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import FINDING_IN_CLEAR, NAMES, Publisher
from comity_node.db import Database
from comity_node.domain.due_process import FIXED, AtRisk, Outcome, RetaliationCheck
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    Contradictory,
    NotFound,
    NotYet,
    SamePerson,
    TextRefused,
)
from comity_node.domain.lifecycle import Step
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import this_moment
from comity_node.services.answering.screen import screen, screen_at
from comity_node.services.operating.check import check
from comity_node.services.receiving.settle import redecide
from comity_node.services.review.due_process import check_retaliation, notify_supplier
from comity_node.services.review.release import approve, read_outgoing
from comity_node.services.review.replies import Said, decide_dispute, propose_reply, write_down
from comity_node.services.review.revision import propose_revision
from comity_schemas.finding import Status
from comity_schemas.handling import Contact
from comity_schemas.member import Member, Role
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from node_world import NOW, Bench, registry_of
from review_office import Office

NOTIFY = RetaliationCheck(frozenset({AtRisk.NOBODY}), Outcome.NOTIFY, Contact.ENGAGE)
DENIED = (ReplyCode.FACTS_DISPUTED,)
AGENCY, BODY = Publisher("agency"), Publisher("body")


# --- at every node


async def hit_of(database: Database, *members: Member, days: int = 0) -> dict[str, Any]:
    """The newest finding that an officer is shown, with what stands beside it."""
    async with database.read() as store:
        question = Question(NAMES[0]["text"])
        answers = await screen(store, [question], registry_of(*members), NOW + timedelta(days=days))
    hits = describe(answers)["answers"][0]["findings"]
    return next(h for h in hits if h["standing"] not in ("superseded", "withdrawn"))


async def test_a_dispute_carried_by_another_member_stands_beside_the_finding(database: Database) -> None:
    bench, members = Bench(database), (AGENCY.member(), BODY.member())
    finding = AGENCY.finding()
    carried = BODY.reply(finding.hash, text="We never ran this site.", more={"codes": ["wrong-site"]})
    # It may arrive before what it is about.
    await bench.arrive(members[1], carried.raw)
    await bench.arrive(members[0], finding.raw)
    shown = await hit_of(database, *members)
    (reply,) = shown["replies"]
    assert shown["disputed"] == "disputed"
    assert (reply["carried_by"], reply["text"], reply["codes"]) == ("body", "We never ran this site.", ["wrong-site"])
    assert await bench.check(*members) == []


@pytest.mark.parametrize(
    ("more", "days", "said", "since"),
    [
        ({"made": "2026-09-15"}, 0, "disputed", None),
        ({"made": "2026-09-15"}, 14, "disputed", None),
        ({"made": "2026-09-15"}, 15, "disputed, unanswered", "2026-10-15"),
        ({"made": "2026-09-15", "outcome": "dismissed", "decided": "2026-09-20"}, 400, "dispute dismissed", None),
        ({"made": "2026-09-15", "outcome": "upheld", "decided": "2026-09-20"}, 0, "dispute upheld", None),
        ({"made": "2026-09-15", "outcome": "partly-upheld", "decided": "2026-12-20"}, 0, "dispute partly upheld", None),
        ({"act": "reply", "codes": ["remedied"]}, 400, None, None),
    ],
)
async def test_an_undecided_dispute_shows_as_unanswered_at_every_node_after_thirty_days(
    sqlite: Database, more: dict[str, Any], days: int, said: str | None, since: str | None
) -> None:
    long = {**FINDING_IN_CLEAR, "valid_until": "2030-01-01"}
    finding = AGENCY.finding(clear=long)
    reply = AGENCY.reply(finding.hash, more=more, **AGENCY.after(finding))
    await Bench(sqlite).arrive(AGENCY.member(), finding.raw, reply.raw)
    shown = await hit_of(sqlite, AGENCY.member(), days=days)
    assert (shown["disputed"], shown["replies"][0]["unanswered_since"]) == (said, since)


@pytest.mark.parametrize("opens", [True, False])
async def test_what_was_said_to_an_earlier_form_stands_beside_the_newest_until_it_is_taken_back(
    sqlite: Database, opens: bool
) -> None:
    first = AGENCY.finding()
    disputed = AGENCY.reply(first.hash, **AGENCY.after(first))
    newer = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": first.hash}, **AGENCY.after(disputed))
    decided = AGENCY.reply(
        first.hash,
        more={"replaces": disputed.hash, "outcome": "dismissed", "decided": "2026-09-20"},
        **AGENCY.after(newer),
    )
    gone = AGENCY.withdrawal(decided.hash, **AGENCY.after(decided))
    bench, member = Bench(sqlite, opens=opens), AGENCY.member()
    await bench.arrive(member, first.raw, disputed.raw, newer.raw)
    assert (await hit_of(sqlite, member))["disputed"] == "disputed"
    await bench.arrive(member, decided.raw)
    shown = await hit_of(sqlite, member)
    assert (shown["disputed"], len(shown["replies"])) == ("dispute dismissed", 1)
    await bench.arrive(member, gone.raw)
    assert (await hit_of(sqlite, member))["replies"] == []
    assert await bench.check(member) == []


async def test_what_was_said_to_a_form_between_stands_beside_a_revision_that_names_the_first(sqlite: Database) -> None:
    first = AGENCY.finding()
    second = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": first.hash}, **AGENCY.after(first))
    dispute = AGENCY.reply(second.hash, **AGENCY.after(second))
    third = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": first.hash}, **AGENCY.after(dispute))
    await Bench(sqlite).arrive(AGENCY.member(), *(made.raw for made in (first, second, dispute, third)))
    shown = await hit_of(sqlite, AGENCY.member())
    assert (shown["statement"], shown["disputed"]) == (third.hash, "disputed")


async def test_the_view_of_replies_does_not_depend_on_how_they_arrived(sqlite: Database, tmp_path: Any) -> None:
    first = AGENCY.finding()
    said = AGENCY.reply(first.hash, text="No.", **AGENCY.after(first))
    revised = AGENCY.reply(first.hash, more={"replaces": said.hash}, **AGENCY.after(said))
    member = AGENCY.member()
    together = Bench(sqlite)
    await together.arrive(member, first.raw, said.raw, revised.raw)
    one = (await together.snapshot(member))["agency"]
    async with sqlite.write() as store:
        await redecide(store, member, NOW, why="test")
    assert (await together.snapshot(member))["agency"] == one
    states = sorted(str(entry.state) for entry in one[3].values())
    assert states == ["current", "current", "superseded"]


# --- at the publisher


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    await made.store_report()
    yield made


async def say(
    office: Office, act: ReplyAct = ReplyAct.REPLY, who: str | None = "cy", days: float = 0, **more: Any
) -> Any:
    said = Said(act, **{"codes": DENIED, **more})
    by = None if who is None else office.people[who]
    return await office.write(lambda store: write_down(store, said, by, NOW + timedelta(days=days)))


async def propose(office: Office, word: Any, who: str = "ana") -> Any:
    return await office.write(lambda store: propose_reply(store, office.people[who], word.id, NOW))


async def decide(office: Office, word: Any, who: str) -> Any:
    outcome = DisputeOutcome.DISMISSED
    return await office.write(lambda store: decide_dispute(store, office.people[who], word.id, outcome, NOW))


async def test_a_reply_in_the_window_leaves_once_the_finding_is_signed_and_by_two_people(office: Office) -> None:
    review = await office.propose("ana")
    await office.write(lambda store: check_retaliation(store, office.people["ben"], review.id, NOTIFY, FIXED, NOW))
    await office.write(lambda store: notify_supplier(store, office.people["ben"], review.id, FIXED, NOW))
    word = await say(office, days=10, review_id=review.id, text="Workers keep their documents themselves.")
    assert word.late is False
    with pytest.raises(NotYet, match="not published yet"):
        await propose(office, word)
    later = NOW + timedelta(days=30)
    await office.write(lambda store: approve(store, office.people["fay"], review.id, later, Role.AGENCY))
    (finding,) = await office.sign()
    carried = await propose(office, word)
    with pytest.raises(AlreadyProposed):
        await propose(office, word)
    with pytest.raises(SamePerson):
        await office.approve("ana", carried)
    await office.approve("ben", carried)
    (_, name) = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
    assert item is not None and item.outgoing.kind == "reply"
    assert item.outgoing.body["about"] == finding and item.outgoing.body["made"] == "2026-10-11"
    assert item.outgoing.disclosed == {"text": "Workers keep their documents themselves."}
    assert await check(office.database, registry_of(office.member), NOW) == []


async def test_a_late_reply_is_taken_and_marked_late(office: Office) -> None:
    review = await office.propose("ana")
    await office.write(lambda store: check_retaliation(store, office.people["ben"], review.id, NOTIFY, FIXED, NOW))
    await office.write(lambda store: notify_supplier(store, office.people["ben"], review.id, FIXED, NOW))
    late = await say(office, days=31, review_id=review.id)
    disputed = await say(office, ReplyAct.DISPUTE, days=31, review_id=review.id)
    # A dispute has no window: it may come at any time.
    assert (late.late, disputed.late) == (True, False)


@pytest.mark.parametrize(
    "text", ["Mr Tan has them.", "Only 7 were affected.", "Write to me@factory.example", "ID A1234567", "আমরা একমত নই"]
)
async def test_a_text_that_tells_what_must_not_leave_is_not_even_kept(office: Office, text: str) -> None:
    review = await office.propose("ana")
    with pytest.raises(TextRefused) as refused:
        await say(office, review_id=review.id, text=text)
    assert text not in str(refused.value) and refused.value.problems
    async with office.database.read() as store:
        assert await store.words.page(before=None, most=9, seen_by=office.people["ana"].id) == []


async def test_codes_alone_leave_in_any_script(office: Office) -> None:
    review = await office.heard("ana")
    word = await say(office, review_id=review.id, codes=(ReplyCode.WRONG_COMPANY, ReplyCode.NO_LONGER_OPERATOR))
    await office.approve("fay", review)
    await office.sign()
    await office.approve("ben", await propose(office, word))
    assert await office.released() == 2


async def test_a_third_person_decides_a_dispute_and_every_node_sees_it(office: Office) -> None:
    review = await office.heard("ana")
    await office.approve("ben", review)
    await office.sign()
    word = await say(office, ReplyAct.DISPUTE, review_id=review.id)
    await office.approve("ben", await propose(office, word))
    (_, first) = await office.sign()
    for who in ("ana", "ben", "cy"):
        # Who proposed, who released, and who wrote it down.
        with pytest.raises(SamePerson):
            await decide(office, word, who)
    decided = await decide(office, word, "fay")
    with pytest.raises(AlreadyDecided):
        await decide(office, word, "fay")
    assert decided.outcome is DisputeOutcome.DISMISSED
    await office.approve("ben", await propose(office, word, "fay"))
    name = (await office.sign())[-1]
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
    assert item is not None
    assert (item.outgoing.body["replaces"], item.outgoing.body["outcome"]) == (first, "dismissed")


async def test_what_is_proposed_after_a_rejection_stands_in_the_place_of_what_is_out(office: Office) -> None:
    await office.approve("ben", await office.heard("ana"))
    (finding,) = await office.sign()
    word = await say(office, ReplyAct.DISPUTE, about=finding)
    await office.approve("ben", await propose(office, word))
    first = (await office.sign())[-1]
    await decide(office, word, "fay")
    for _ in range(2):
        await office.reject("ben", await propose(office, word))
    await office.approve("ben", await propose(office, word))
    name = (await office.sign())[-1]
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
    # Else the undecided dispute would stand beside its own outcome for ever.
    assert item is not None and item.outgoing.body["replaces"] == first


async def test_a_dispute_that_is_decided_here_does_not_show_as_unanswered_while_its_release_waits(
    office: Office,
) -> None:
    await office.approve("ben", await office.heard("ana"))
    await office.sign()
    async with office.database.read() as store:
        ((item, _),) = await store.outbox.page(before=None, most=9)
    word = await say(office, ReplyAct.DISPUTE, about=item.hash)
    await office.approve("ben", await propose(office, word))

    async def shown() -> tuple[str, str | None, str | None]:
        """What an officer of this node sees after a month, of what it has received of its own log."""
        await office.sign()
        async with office.database.read() as store:
            records = [each.record or b"" for each in await store.outbox.in_state("signed", most=9)]
        await Bench(office.database).arrive(office.member, *records)
        async with office.database.read() as store:
            question, now = Question("Fazenda Exemplo Ltda"), NOW + timedelta(days=31)
            answers = await screen(store, [question], registry_of(office.member), now)
        (hit,) = describe(answers)["answers"][0]["findings"]
        said = next(reply for reply in hit["replies"] if reply["standing"] is not None)
        return hit["disputed"], said["unanswered_since"], said["decided_here"]

    made = NOW.date()
    assert await shown() == ("disputed, unanswered", (made + timedelta(days=30)).isoformat(), None)
    async with office.database.read() as store:
        then = await this_moment(store, registry_of(office.member), NOW - timedelta(minutes=1))

    async def shown_then() -> str | None:
        """What a screening of that moment answers, whenever it is answered again."""
        async with office.database.read() as store:
            answers = await screen_at(store, [Question("Fazenda Exemplo Ltda")], then)
        return str(describe(answers)["answers"][0]["findings"][0]["disputed"])

    assert await shown_then() == "disputed"
    await decide(office, word, "fay")
    assert await shown() == ("dispute decided, release pending", None, made.isoformat())
    assert await shown_then() == "disputed"
    review = await propose(office, word, "fay")
    assert (await shown())[0] == "dispute decided, release pending"
    await office.approve("ben", review)
    assert await shown() == ("dispute dismissed", None, None)
    assert await shown_then() == "disputed"


async def test_a_member_carries_a_reply_that_the_issuer_did_not_publish_and_cannot_decide_it(office: Office) -> None:
    theirs = BODY.finding()
    await Bench(office.database).arrive(BODY.member(), theirs.raw)
    word = await say(office, ReplyAct.DISPUTE, about=theirs.hash)
    carried = await propose(office, word)
    assert json.loads(carried.content)["reply"]["about"] == theirs.hash
    await office.approve("ben", carried)
    assert await office.released() == 1
    with pytest.raises(Contradictory, match="only its publisher decides"):
        await decide(office, word, "fay")


async def test_a_reply_is_about_something_that_is_known(office: Office) -> None:
    review = await office.propose("ana")
    for about in ({}, {"review_id": review.id, "about": "A" * 43}):
        with pytest.raises(Contradictory):
            await say(office, **about)
    for about in ({"review_id": "nothing"}, {"about": "A" * 43}):
        with pytest.raises(NotFound):
            await say(office, **about)
    await office.reject("ben", review)
    with pytest.raises(NotFound):
        await say(office, review_id=review.id)


async def test_disputes_that_wait_are_measured(office: Office) -> None:
    review = await office.propose("ana")
    word = await say(office, ReplyAct.DISPUTE, review_id=review.id)
    async with office.database.read() as store:
        (waiting,) = await store.words.open_disputes()
    assert waiting.id == word.id and waiting.made_at.date() == date(2026, 10, 1)


async def test_who_accused_first_does_not_decide_what_is_disputed_of_a_later_form(office: Office) -> None:
    await office.approve("ben", await office.heard("ana"))
    (first,) = await office.sign()
    talks = Step(Status.UNDER_ENGAGEMENT)
    review = await office.write(lambda store: propose_revision(store, office.people["cy"], first, talks, NOW))
    await office.approve("fay", review)
    newest = (await office.sign())[-1]
    for form in (first, newest):
        word = await say(office, ReplyAct.DISPUTE, None, about=form)
        for who in ("ana", "ben"):
            with pytest.raises(SamePerson):
                await decide(office, word, who)
    # Who only said that there are talks accused nobody; of what is disputed itself they do not decide.
    with pytest.raises(SamePerson):
        await decide(office, word, "cy")
    await decide(office, await say(office, ReplyAct.DISPUTE, None, about=first), "cy")


async def test_what_was_decided_by_a_clock_set_back_can_be_told_all_the_same(office: Office) -> None:
    await office.approve("ben", await office.heard("ana"))
    (finding,) = await office.sign()
    word = await say(office, ReplyAct.DISPUTE, about=finding, days=2)
    await decide(office, word, "fay")
    said = read_outgoing(await propose(office, word)).body
    assert (said["made"], said["decided"]) == ("2026-10-03", "2026-10-03")
