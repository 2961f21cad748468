"""Copies, kinds, quarantine, checkpoints and what `check` notices: settling beyond the order of arrival."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from builders import FINDING_IN_CLEAR, NAMES
from comity_federation import strict_json
from comity_federation.bus import Delivered, Skipped, checkpoints_topic, statements_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import digest
from comity_federation.log_state import peek
from comity_federation.lone_record import claimed_issuer
from comity_node.db.quarantine import Chosen
from comity_node.domain.trail import Event
from comity_node.services.operating.check import check
from comity_node.services.peers.client import Given
from comity_node.services.peers.taking_in import take_in_given
from comity_node.services.receiving.intake import positions, take_in
from comity_node.services.receiving.settle import settle
from comity_node.services.suppliers.following import catch_up
from comity_schemas.statement import MAX_RECORD_BYTES, Checkpoint
from honest_log import AGENCY, BODY, HONEST
from node_world import NOW, Bench, raws, registry_of

# Copies, kinds, quarantine


async def test_a_stripped_copy_counts_and_a_fuller_one_completes_it(bench: Bench) -> None:
    member, made = AGENCY.member(), AGENCY.finding()
    await bench.arrive(member, made.stripped("names").raw)
    (entry,) = (await bench.snapshot(member))["agency"][3].values()
    assert entry.finding.names is None and entry.finding.identifiers is not None
    async with bench.database.read() as store:
        held = await store.received.find(made.hash)
        assert held is not None and held.detail == "1 disclosures missing"
    await bench.arrive(member, made.stripped("identifiers").raw)
    (entry,) = (await bench.snapshot(member))["agency"][3].values()
    assert entry.finding.names is not None and entry.finding.identifiers is not None
    async with bench.database.read() as store:
        held = await store.received.find(made.hash)
        assert held is not None and (held.raw, held.detail) == (made.raw, None)
    assert await bench.check(member) == []


async def test_a_stripped_repeat_takes_nothing_away(bench: Bench) -> None:
    member, made = AGENCY.member(), AGENCY.finding()
    await bench.arrive(member, made.raw)
    before = await bench.snapshot(member)
    await bench.arrive(member, made.stripped("names", "identifiers").raw)
    assert await bench.snapshot(member) == before


async def test_a_repeat_that_brings_more_is_counted_as_a_repeat(bench: Bench) -> None:
    member, made = AGENCY.member(), AGENCY.finding()
    await bench.arrive(member, made.stripped("names").raw)
    await bench.arrive(member, made.raw)
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).repeats == 1


async def test_copies_that_each_lack_another_box_are_whole_together(bench: Bench) -> None:
    boxes = ("AAAA", "BBBB", "CCCC")
    made = AGENCY.finding(boxes=boxes)
    shown = [d.encoded for d in sorted(made.disclosed, key=lambda d: d.digest)]
    for some in (boxes[1:2], boxes[2:], boxes[:1]):
        await bench.arrive(AGENCY.member(), made.raw_with(shown, some))
    async with bench.database.read() as store:
        holder = await store.received.holder("agency", made.hash)
        assert holder is not None
        assert holder.raw == made.raw
    assert await bench.check(AGENCY.member()) == []


async def test_a_whole_copy_from_a_peer_is_taken_though_the_bus_brought_what_is_no_record(bench: Bench) -> None:
    made = AGENCY.finding()
    claimed = peek(made.raw)
    assert claimed is not None
    # Undecided, as all is while the registry is expired.
    bench.opens = False
    await bench.receive(AGENCY.member(), [strict_json.dumps({"statement": made.jwt + "~"})])
    for taken in (1, 0):
        given = [Given(claimed, made.raw)]
        assert await take_in_given(bench.database, AGENCY.member(), given, "body", NOW) == taken
    await bench.settle(AGENCY.member())
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).head == 1


async def test_an_unknown_kind_is_kept_and_the_chain_goes_on(bench: Bench) -> None:
    member = AGENCY.member()
    unknown = AGENCY.make(kind="new-kind", clear={"x": 1})
    after = AGENCY.finding(**AGENCY.after(unknown))
    await bench.arrive(member, unknown.raw, after.raw)
    states = await bench.states(member)
    assert states == {unknown.hash: [("kept", "unknown-kind")], after.hash: [("accepted", None)]}
    async with bench.database.read() as store:
        held = await store.received.find(unknown.hash)
        assert held is not None and (held.raw, held.kind) == (unknown.raw, "new-kind")


REFUSED: list[tuple[str, bytes, int, str]] = [
    ("nothing", b"", 2, "syntax"),
    ("too large", b"x" * (MAX_RECORD_BYTES + 1), 1, "too-large"),
    ("another form", HONEST[0].raw + b" ", 2, "other-form"),
    ("duplicate keys", b'{"statement":"a","statement":"a","sealed":[]}', 2, "duplicate-key"),
    ("a float", b'{"statement":1.5,"sealed":[]}', 2, "float"),
    ("depth 33", b"[" * 33 + b"]" * 33, 2, "depth"),
    ("U+0000", b'{"statement":"\\u0000","sealed":[]}', 2, "nul"),
    ("another's record", BODY.chain(1)[0].raw, 4, "another-log"),
    ("an altered disclosure", HONEST[0].raw_with(["AAAA"]), 8, "disclosure"),
    ("a bad signature", HONEST[0].raw.replace(HONEST[0].jwt[-8:].encode(), b"AAAAAAAA"), 5, "bad-signature"),
    ("another issuer", AGENCY.finding(iss="did:web:else.example").raw, 6, "issuer"),
    ("a body that does not fit", AGENCY.finding(clear={**FINDING_IN_CLEAR, "severity": "S9"}).raw, 12, "body"),
    ("TLP:RED", AGENCY.finding(tlp="RED").raw, 13, "handling"),
]


@pytest.mark.parametrize(("raw", "step", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_is_refused_lies_in_quarantine_and_the_next_record_goes_on(
    quick: Bench, raw: bytes, step: int, code: str
) -> None:
    member = AGENCY.member()
    await quick.arrive(member, raw)
    async with quick.database.read() as store:
        (held,) = await store.quarantine.page(Chosen(), before=None, most=10)
    assert (held.raw, held.step, held.code) == (raw[: MAX_RECORD_BYTES + 1], step, code)
    next_one = AGENCY.finding(seq=2, prev=held.hash) if step >= 10 and held.hash else HONEST[0]
    assert (await quick.arrive(member, next_one.raw)).accepted == 1


async def test_what_a_refused_record_says_never_stands_in_the_reason(bench: Bench) -> None:
    canary = "Zzyzx Canary Person"
    bad = AGENCY.finding(clear={**FINDING_IN_CLEAR, "municipality": canary, "severity": canary, "extra": canary})
    await bench.arrive(AGENCY.member(), bad.raw)
    async with bench.database.read() as store:
        (held,) = await store.quarantine.page(Chosen(), before=None, most=10)
    assert canary not in f"{held.detail}{held.code}"


async def test_two_damaged_copies_leave_the_place_open_for_the_true_one(bench: Bench) -> None:
    member, made = AGENCY.member(), HONEST[0]
    await bench.arrive(member, made.raw_with(["AAAA"]), made.raw_with(["BBBB"]))
    assert (await bench.arrive(member, made.raw)).accepted == 1


async def test_a_reference_is_judged_by_its_own_log_only(bench: Bench) -> None:
    agency, body = AGENCY.member(), BODY.member()
    both = registry_of(agency, body)
    theirs = BODY.finding()
    await bench.receive(body, [theirs.raw], both)
    await bench.receive(agency, [AGENCY.withdrawal(theirs.hash).raw], both)
    await settle(bench.database, both, NOW)
    (entry,) = (await bench.snapshot(body))["body"][3].values()
    assert entry.state == "current"
    (states,) = (await bench.states(agency)).values()
    assert states == [("kept", "reference")]


async def test_a_withdrawal_empties_the_answer_and_stays_explained(bench: Bench) -> None:
    finding = AGENCY.finding()
    withdrawal = AGENCY.withdrawal(finding.hash, **AGENCY.after(finding))
    await bench.arrive(AGENCY.member(), finding.raw, withdrawal.raw)
    (entry,) = (await bench.snapshot(AGENCY.member()))["agency"][3].values()
    assert (entry.state, entry.by, entry.reason) == ("withdrawn", withdrawal.hash, "factual-error")


async def test_a_withdrawal_that_arrives_in_a_later_batch_finds_its_target(bench: Bench) -> None:
    finding = AGENCY.finding()
    await bench.arrive(AGENCY.member(), finding.raw)
    await bench.arrive(AGENCY.member(), AGENCY.withdrawal(finding.hash, **AGENCY.after(finding)).raw)
    (entry,) = (await bench.snapshot(AGENCY.member()))["agency"][3].values()
    assert entry.state == "withdrawn"


async def test_a_body_withheld_whole_is_a_counted_entry_without_a_name(bench: Bench) -> None:
    sealed = AGENCY.make(tlp="AMBER", clear={}, withheld={"names": NAMES})
    await bench.arrive(AGENCY.member(), sealed.raw)
    async with bench.database.read() as store:
        assert await store.view.findings.unnamed() == 1
    assert await bench.check(AGENCY.member()) == []


# Intake


async def test_a_batch_that_was_not_committed_comes_again_and_nothing_is_doubled(bench: Bench) -> None:
    registry = registry_of(AGENCY.member())
    batch = [Delivered(statements_topic("agency"), n, made.raw) for n, made in enumerate(HONEST)]
    with pytest.raises(KeyError):
        await take_in(bench.database, [*batch, Delivered("comity.statements.v1.unknown", 0, b"")], registry, "b", NOW)
    assert (await positions(bench.database, registry, "b"))[statements_topic("agency")] == 0
    await take_in(bench.database, batch, registry, "b", NOW)
    assert (await settle(bench.database, registry, NOW)).accepted == 6
    assert (await positions(bench.database, registry, "b"))[statements_topic("agency")] == 6


async def test_a_batch_read_before_the_database_was_set_back_is_not_stored_since_what_lies_between_is_missing(
    bench: Bench,
) -> None:
    registry, topic = registry_of(AGENCY.member()), statements_topic("agency")
    later = [Delivered(topic, 3, HONEST[3].raw)]
    assert await take_in(bench.database, later, registry, "bus", NOW, begins={topic: 3}) is None
    assert (await positions(bench.database, registry, "bus"))[topic] == 0
    first = [Delivered(topic, n, made.raw) for n, made in enumerate(HONEST[:3])]
    assert await take_in(bench.database, first, registry, "bus", NOW, begins={topic: 0}) is not None
    assert await take_in(bench.database, later, registry, "bus", NOW, begins={topic: 3}) is not None
    assert (await settle(bench.database, registry, NOW)).accepted == 4


async def test_another_bus_is_read_from_its_beginning(bench: Bench) -> None:
    registry = registry_of(AGENCY.member())
    await take_in(bench.database, [Delivered(statements_topic("agency"), 40, HONEST[0].raw)], registry, "one", NOW)
    assert (await positions(bench.database, registry, "one"))[statements_topic("agency")] == 41
    assert (await positions(bench.database, registry, "two"))[statements_topic("agency")] == 0


async def test_skipped_offsets_are_counted_and_passed(bench: Bench) -> None:
    registry = registry_of(AGENCY.member())
    await take_in(bench.database, [Skipped(statements_topic("agency"), 3, 7, "compressed")], registry, "bus", NOW)
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).skipped == 5
    assert (await positions(bench.database, registry, "bus"))[statements_topic("agency")] == 8


def checkpoint(seq: int, age: timedelta = timedelta(0), key: int = 0) -> bytes:
    said = Checkpoint(
        v=1,
        iss=AGENCY.did,
        iat=int((NOW - age).timestamp()),
        seq=seq,
        hash=digest("head"),
        registry_version=1,
        registry_hash=digest("registry"),
        trail=digest("trail"),
    )
    return sign_checkpoint(said, AGENCY.kid(key), AGENCY.keys[key])


async def test_a_replayed_checkpoint_makes_nobody_look_alive_and_turns_nothing_back(bench: Bench) -> None:
    registry = registry_of(AGENCY.member())
    hours = timedelta(hours=5)
    for offset, raw in enumerate((checkpoint(9), checkpoint(4, hours), b"no checkpoint", checkpoint(9, hours))):
        await take_in(bench.database, [Delivered(checkpoints_topic("agency"), offset, raw)], registry, "bus", NOW)
    async with bench.database.read() as store:
        log = await store.logs.of("agency")
    assert (log.announced_seq, log.heard_at) == (9, NOW)


async def test_a_checkpoint_of_the_future_counts_as_of_now(bench: Bench) -> None:
    registry = registry_of(AGENCY.member())
    ahead = checkpoint(1, -timedelta(days=400))
    await take_in(bench.database, [Delivered(checkpoints_topic("agency"), 0, ahead)], registry, "bus", NOW)
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).heard_at == NOW


# Check


TAMPERED: dict[str, tuple[str, str]] = {
    "an entry": ("update entry set state = 'withdrawn', reason = 'factual-error' where id = 2", "differs from its"),
    "an entry's finding": ("update entry set finding = replace(finding, 'S2', 'S4') where id = 2", "differs from its"),
    "an entry of nobody": (
        "insert into entry (id, handling, named, state) select 4711, handling, named, state from entry where id = 1",
        "no record",
    ),
    "a name": ("update supplier_name set text = 'Somebody Else'", "names and identifiers"),
    "an identifier": ("update supplier_identifier set value = '11222333000181'", "names and identifiers"),
    "the trail": ("update trail set actor = 'nobody' where id = (select min(id) from trail)", "the trail was changed"),
    "a trail entry's absence": ("delete from trail where id = (select min(id) from trail)", "the trail was changed"),
    "a record": ("update received set raw = :raw where seq = 2", "does not hold"),
    "a record's disclosures": ("update received set raw = :stripped where seq = 2", "differs from its"),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_check_notices_what_was_tampered_with(quick: Bench, what: str) -> None:
    member = AGENCY.member()
    chain = [AGENCY.finding()]
    chain += [AGENCY.finding(**AGENCY.after(chain[0]))]
    chain += [AGENCY.finding(**AGENCY.after(*chain))]
    await quick.arrive(member, *raws(chain))
    async with quick.database.write() as store:
        for n in range(3):
            await store.trail.add(NOW, f"person {n}", Event.REVIEW_PROPOSED, "x", act="release")
    await catch_up(quick.database)
    assert await quick.check(member) == []
    change, said = TAMPERED[what]
    given = {"raw": chain[1].raw_with(["AAAA"]), "stripped": chain[1].stripped("names").raw}
    async with quick.database.write() as store:
        used = {name: value for name, value in given.items() if f":{name}" in change}
        await (await store._session.connection()).execute(text(change), used)
    problems = await quick.check(member)
    assert any(said in problem for problem in problems), problems


async def test_check_finds_nothing_wrong_with_what_was_not_settled_yet(bench: Bench) -> None:
    member = AGENCY.member()
    await bench.arrive(member, *raws(HONEST[:2]))
    bench.opens = False
    await bench.receive(member, raws(HONEST[2:]))
    assert await bench.check(member) == []
    assert (await bench.settle(member)).accepted == len(HONEST) - 2


async def test_check_changes_nothing(bench: Bench) -> None:
    member = AGENCY.member()
    await bench.arrive(member, *raws(HONEST), b"garbage")
    before = (await bench.snapshot(member), await bench.states(member))
    assert await check(bench.database, registry_of(member), NOW) == []
    assert (await bench.snapshot(member), await bench.states(member)) == before


def test_the_issuer_a_record_claims_is_read_from_its_key() -> None:
    assert claimed_issuer(HONEST[0].raw) == AGENCY.did
