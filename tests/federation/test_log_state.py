"""What a node holds of a log depends on the records and the registry, never on when a thing arrived."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, Made, Publisher, seen_of
from comity_federation.decide import decide, demanded
from comity_federation.decision import Accepted, Earlier, Forked, Place, Refused, Repeated, Seen, Trust, Waiting
from comity_federation.log_state import LogState, Peek, in_log_order, peek, trace_branch
from comity_federation.statements import record_bytes
from comity_schemas.member import Last, MemberStatus

AGENCY = Publisher()
View = tuple[dict[int, str], int | None]


def live(raws: Iterable[bytes], trust: Trust) -> LogState:
    """Decide records as they come; what waits is tried again after every record, as a node does."""
    state, known, parked = LogState(), {}, []
    for raw in raws:
        found = peek(raw)
        assert found is not None
        known[found.hash] = found
        state.branch = trace_branch(demanded(trust.member), known.get)
        parked.append(raw)
        before = -1
        while before != len(parked):
            before = len(parked)
            parked = [raw for raw in parked if isinstance(state.decide(raw, trust), Waiting)]
    return state


def view(state: LogState) -> View:
    """What counts: the statement at each place before the fork."""
    frozen = state.frozen_from
    counting = {s: p.hash for s, p in state.places.items() if s <= state.head and (frozen is None or s < frozen)}
    return counting, frozen


@dataclass(frozen=True)
class Story:
    """Records that a member signed, honest or not, and what the registry says of it."""

    made: tuple[Made, ...]
    trust: Trust


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A tree of statements by two keys, some with a body that is refused, and perhaps a `last` on one of them."""
    made: list[Made] = []
    for number in range(draw(st.integers(1, 8))):
        parent = draw(st.sampled_from([None, *made])) if draw(st.integers(0, 3)) == 0 else (made[-1] if made else None)
        place = {} if parent is None else AGENCY.after(parent)
        clear = {**FINDING_IN_CLEAR, "municipality": f"place {number}"}
        if draw(st.integers(0, 5)) == 0:
            clear["severity"] = "S9"
        made.append(AGENCY.make(clear=clear, key=int(draw(st.integers(0, 3)) == 0), **place))
    return Story(tuple(made), _registry(draw, made))


def _registry(draw: st.DrawFn, made: list[Made]) -> Trust:
    last = draw(st.sampled_from(made)).last()
    match draw(st.integers(0, 4)):
        case 0:
            return AGENCY.trust(thawed=last)
        case 1:
            return AGENCY.trust(closed_keys={0: last})
        case 2:
            return AGENCY.trust(status=MemberStatus.REMOVED, closed=last)
    return AGENCY.trust()


@given(stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_with_repeats_ends_in_the_same_view(story: Story, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(range(len(story.made))), min_size=1))
    raws = [story.made[n].raw for n in sorted(kept)]
    replayed = in_log_order((peek(raw), raw) for raw in raws)
    shuffled = data.draw(st.permutations([*raws, *data.draw(st.lists(st.sampled_from(raws), max_size=3))]))
    assert view(live(shuffled, story.trust)) == view(live(replayed, story.trust))


@given(stories())
@settings(max_examples=50, deadline=None)
def test_a_replay_in_log_order_needs_no_second_try(story: Story) -> None:
    once = LogState(branch=trace_branch(demanded(story.trust.member), {m.hash: peek(m.raw) for m in story.made}.get))
    for raw in in_log_order((peek(m.raw), m.raw) for m in story.made):
        once.decide(raw, story.trust)
    assert view(once) == view(live([m.raw for m in story.made], story.trust))


@given(st.permutations(range(6)))
@settings(max_examples=30, deadline=None)
def test_an_honest_log_is_accepted_whole_in_any_order(order: list[int]) -> None:
    chain = HONEST
    state = live([chain[n].raw for n in order], AGENCY.trust())
    assert view(state) == ({made.seq: made.hash for made in chain}, None)


HONEST = AGENCY.chain(6)


@given(st.integers(1, 4), st.integers(1, 3), st.data())
@settings(max_examples=50, deadline=None)
def test_a_fork_freezes_at_the_first_place_that_differs(at: int, length: int, data: st.DataObject) -> None:
    other = AGENCY.chain(length, after=HONEST[at - 1], salt="other")
    everything = [*HONEST, *other]
    order = data.draw(st.permutations(everything))
    state = live([made.raw for made in order], AGENCY.trust())
    assert view(state) == ({made.seq: made.hash for made in HONEST[:at]}, at + 1)


@given(stories(), st.data())
@settings(max_examples=50, deadline=None)
def test_what_peek_names_is_all_that_decide_needs(story: Story, data: st.DataObject) -> None:
    """Callers load two places and the references; a record that needs more would raise LookupError."""
    state = live([made.raw for made in story.made[:-1]], story.trust)
    made = data.draw(st.sampled_from(story.made))
    found = peek(made.raw)
    assert found is not None
    near = {seq: state.places[seq] for seq in (found.seq - 1, found.seq) if seq in state.places}
    named = {name: state.earlier[name] for name in found.refers_to if name in state.earlier}
    whole = Seen(state.head, state.places, state.earlier, state.branch, state.other_branch, state.frozen_from)
    part = Seen(state.head, near, named, state.branch, state.other_branch, state.frozen_from)
    assert decide(made.raw, story.trust, part) == decide(made.raw, story.trust, whole)


def test_a_place_that_was_not_loaded_is_never_taken_for_an_empty_one() -> None:
    one, two = HONEST[:2]
    with pytest.raises(LookupError):
        decide(two.raw, AGENCY.trust(), Seen(head=1))
    with pytest.raises(LookupError):
        decide(one.raw, AGENCY.trust(), Seen(head=2))


def test_a_refused_body_uses_its_place_and_the_chain_goes_on() -> None:
    bad = AGENCY.finding(clear={**FINDING_IN_CLEAR, "severity": "S9"})
    after = AGENCY.finding(**AGENCY.after(bad))
    state = LogState()
    assert isinstance(state.decide(bad.raw, AGENCY.trust()), Refused)
    assert isinstance(state.decide(after.raw, AGENCY.trust()), Accepted)
    assert state.head == 2


def test_a_damaged_copy_leaves_the_place_open() -> None:
    made = AGENCY.finding()
    state = LogState()
    assert isinstance(state.decide(made.raw_with(["AAAA"]), AGENCY.trust()), Refused)
    assert state.head == 0
    assert isinstance(state.decide(made.raw, AGENCY.trust()), Accepted)


def test_an_unreadable_payload_leaves_the_place_open() -> None:
    state = LogState()
    decision = state.decide(AGENCY.finding(iss="did:web:else.example").raw, AGENCY.trust())
    assert isinstance(decision, Refused) and decision.step == 6 and not decision.uses_place
    assert state.head == 0


def test_a_repeat_changes_nothing() -> None:
    state = live([made.raw for made in HONEST], AGENCY.trust())
    before = view(state)
    assert isinstance(state.decide(HONEST[2].raw, AGENCY.trust()), Repeated)
    assert view(state) == before


def test_of_two_forks_the_one_further_back_counts_and_nothing_beyond_it_stands() -> None:
    late = AGENCY.chain(1, after=HONEST[4], salt="late")[0]
    early = AGENCY.chain(1, after=HONEST[1], salt="early")[0]
    state = LogState()
    for made in (*HONEST, late):
        state.decide(made.raw, AGENCY.trust())
    assert (state.frozen_from, state.head, set(state.places)) == (6, 5, {1, 2, 3, 4, 5})
    state.decide(early.raw, AGENCY.trust())
    assert (state.frozen_from, state.head, set(state.places)) == (3, 2, {1, 2})


def test_what_was_accepted_is_known_by_place_key_and_kind() -> None:
    rotated = AGENCY.withdrawal(HONEST[0].hash, key=1, **AGENCY.after(HONEST[0]))
    state = live([HONEST[0].raw, rotated.raw], AGENCY.trust())
    assert state.places == {1: Place(HONEST[0].hash, 0), 2: Place(rotated.hash, 1)}
    assert state.earlier == {HONEST[0].hash: Earlier(1, "finding"), rotated.hash: Earlier(2, "withdrawal")}


def test_a_refused_body_is_known_by_place_key_and_kind_too() -> None:
    bad = AGENCY.finding(key=1, clear={**FINDING_IN_CLEAR, "severity": "S9"})
    state = LogState()
    state.decide(bad.raw, AGENCY.trust())
    assert (state.places, state.earlier) == ({1: Place(bad.hash, 1)}, {bad.hash: Earlier(1, "finding")})


def test_thawing_lets_the_named_branch_go_on_and_never_freezes_for_the_other() -> None:
    one, two, three = HONEST[:3]
    other = AGENCY.chain(3, after=one, salt="other")
    assert view(live([m.raw for m in (one, two, three, *other)], AGENCY.trust())) == ({1: one.hash}, 2)
    thawed = AGENCY.trust(thawed=two.last())
    assert view(live([m.raw for m in (one, two, three, *other)], thawed)) == ({m.seq: m.hash for m in HONEST[:3]}, None)


def test_what_continues_the_other_branch_is_refused_as_far_as_it_is_told() -> None:
    one, two, three = HONEST[:3]
    other = AGENCY.chain(3, after=one, salt="other")
    thawed = AGENCY.trust(thawed=two.last())
    state = live([m.raw for m in (one, two, three, other[2], other[0], other[1])], thawed)
    assert state.other_branch == {made.hash for made in other}
    decision = state.decide(other[2].raw, thawed)
    assert isinstance(decision, Refused) and decision.code == "other-branch"


@given(st.integers(1, 3), st.integers(1, 3), st.data())
@settings(max_examples=60, deadline=None)
def test_after_thawing_any_part_of_the_other_branch_in_any_order_changes_nothing(
    fork: int, further: int, data: st.DataObject
) -> None:
    other = AGENCY.chain(4, after=HONEST[fork - 1], salt="other")
    thawed = AGENCY.trust(thawed=HONEST[min(fork + further, 6) - 1].last())
    told = data.draw(st.lists(st.sampled_from(other), unique_by=lambda made: made.hash))
    order = data.draw(st.permutations([*HONEST, *told]))
    assert view(live([made.raw for made in order], thawed)) == ({made.seq: made.hash for made in HONEST}, None)


def test_what_continues_the_other_branch_unseen_proves_no_fork() -> None:
    one, two, three = HONEST[:3]
    other = AGENCY.chain(3, after=one, salt="other")
    thawed = AGENCY.trust(thawed=two.last())
    for early in ([other[1]], [other[2]], [other[2], other[1]]):
        state = live([m.raw for m in (one, two, three, *early)], thawed)
        assert state.frozen_from is None


def test_a_new_fork_after_thawing_freezes_again() -> None:
    one, two, three = HONEST[:3]
    other = AGENCY.chain(1, after=two, salt="other")
    thawed = AGENCY.trust(thawed=two.last())
    assert view(live([m.raw for m in (one, two, three, *other)], thawed)) == ({1: one.hash, 2: two.hash}, 3)


def test_nothing_counts_when_the_registry_closes_at_zero() -> None:
    closed = AGENCY.trust(status=MemberStatus.SUSPENDED, closed=Last(seq=0, hash=AGENCY.genesis))
    assert view(live([made.raw for made in HONEST], closed)) == ({}, None)


def test_a_suspension_without_a_last_is_never_open() -> None:
    for status, answer in ((MemberStatus.SUSPENDED, Waiting), (MemberStatus.REMOVED, Refused)):
        broken = AGENCY.member().model_copy(update={"status": status})
        assert isinstance(decide(HONEST[0].raw, Trust(broken), Seen()), answer)


def test_trace_branch_names_each_place_as_far_back_as_records_are_known() -> None:
    known = {made.hash: peek(made.raw) for made in HONEST[1:4]}
    branch = trace_branch([HONEST[3].last()], known.get)
    assert branch == {made.seq: made.hash for made in HONEST[:4]}
    assert trace_branch([HONEST[3].last()], lambda name: None) == {4: HONEST[3].hash}
    assert trace_branch([Last(seq=0, hash=AGENCY.genesis)], known.get) == {}


def test_where_the_registry_names_two_places_the_furthest_history_counts() -> None:
    other = AGENCY.chain(2, after=HONEST[1], salt="other")
    known = {made.hash: peek(made.raw) for made in (*HONEST, *other)}
    honest = {made.seq: made.hash for made in HONEST[:5]}
    assert trace_branch([HONEST[4].last(), HONEST[2].last()], known.get) == honest
    assert trace_branch([HONEST[4].last(), other[0].last()], known.get) == honest
    # Where the further one cannot be followed back, the nearer one goes on.
    known[HONEST[3].hash] = None
    traced = {made.seq: made.hash for made in (*HONEST[:3], *HONEST[3:5])}
    assert trace_branch([HONEST[4].last(), HONEST[2].last()], known.get) == traced


def test_a_last_with_a_wrong_position_is_not_traced_further() -> None:
    known = {made.hash: peek(made.raw) for made in HONEST}
    assert trace_branch([Last(seq=3, hash=HONEST[4].hash)], known.get) == {3: HONEST[4].hash}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b'{"statement":1}', b'{"statement":"a.b.c~"}', b"\xff", b'{"statement":"\xc3\xa9.e30.x"}'],
)
def test_peek_answers_none_for_what_it_cannot_read(raw: bytes) -> None:
    assert peek(raw) is None


def claiming(claims: dict[str, Any]) -> bytes:
    return record_bytes(AGENCY.jwt(claims), (), ())


@pytest.mark.parametrize(
    "claims",
    [
        {"seq": 0},
        {"seq": -1},
        {"seq": True},
        {"seq": "1"},
        {"seq": None},
        {"prev": None},
        {"prev": "A" * 42},
        {"prev": "A" * 44},
        {"prev": ["A"] * 43},
        {"body": None},
        {"body": []},
    ],
    ids=str,
)
def test_a_record_that_names_no_place_in_a_log_is_not_taken_for_one(claims: dict[str, Any]) -> None:
    assert peek(claiming({**AGENCY.claims(), **claims})) is None


@pytest.mark.parametrize("missing", ["seq", "prev", "kind", "body"])
def test_a_record_without_its_place_its_kind_or_its_body_is_not_read_further(missing: str) -> None:
    claims = AGENCY.claims()
    assert peek(claiming(claims)) is not None
    del claims[missing]
    assert peek(claiming(claims)) is None


def test_peek_reads_position_hash_kind_and_references() -> None:
    made = AGENCY.withdrawal(HONEST[0].hash, **AGENCY.after(HONEST[0]))
    assert peek(made.raw) == Peek(2, made.hash, HONEST[0].hash, (HONEST[0].hash,), "withdrawal")
    revised = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": made.hash}, **AGENCY.after(made))
    assert peek(revised.raw) == Peek(3, revised.hash, made.hash, (made.hash,), "finding")
    assert peek(HONEST[0].raw) == Peek(1, HONEST[0].hash, AGENCY.genesis, (), "finding")


@pytest.mark.parametrize("named", [1, None, ["A"]], ids=str)
def test_what_is_no_text_is_no_reference(named: Any) -> None:
    found = peek(AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": named}).raw)
    assert found is not None and found.refers_to == ()


def test_log_order_goes_by_position_and_keeps_arrival_within_one() -> None:
    one, two = peek(HONEST[0].raw), peek(HONEST[1].raw)
    assert in_log_order([(two, "c"), (one, "a"), (None, "first"), (one, "b")]) == ["first", "a", "b", "c"]


def test_a_fork_is_told_by_two_hashes_of_the_same_member() -> None:
    one, two = HONEST[:2]
    other = AGENCY.chain(1, after=one, salt="other")[0]
    decision = decide(other.raw, AGENCY.trust(), seen_of(one, two))
    assert decision == Forked(2, 2, other.hash, two.hash)
