"""The supplier view as a pure fold, and screening against it: identity only, and never a name alone."""

import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, HANDLING, NAMES
from comity_federation.encoding import digest
from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict
from comity_node.domain.names import fold_name
from comity_node.domain.screening import (
    MOST_CANDIDATES,
    Hit,
    Question,
    State,
    best_verdict,
    likeness_of,
    sort_hits,
    state_of,
)
from comity_node.domain.supplier_view import Entry, EntryState, Standing, Statement, changes, fold, standing
from comity_schemas.finding import Finding
from comity_schemas.finding import Status as FindingStatus
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier
from comity_schemas.statement import Body, Kind, Withdrawal

TERMS = Handling.from_parsed(HANDLING)
TODAY = date(2026, 10, 1)


def finding(**fields: Any) -> Finding:
    return Finding.from_parsed({**FINDING_IN_CLEAR, "names": NAMES, **fields})


class Log:
    """One member's log: every statement gets the next place and a hash of its own."""

    def __init__(self, member: str = "agency") -> None:
        self.member = member
        self.statements: list[Statement] = []

    def say(self, body: Body | None, kind: Kind = Kind.FINDING) -> str:
        seq = len(self.statements) + 1
        name = digest(f"{self.member} {seq}")
        self.statements.append(Statement(self.member, seq, name, kind, TERMS, body))
        return name

    def publish(self, replaces: str | None = None, **fields: Any) -> str:
        return self.say(finding(**({} if replaces is None else {"replaces": replaces}), **fields))

    def withdraw(self, name: str, reason: str = "factual-error") -> str:
        return self.say(Withdrawal.from_parsed({"statement": name, "reason": reason}), Kind.WITHDRAWAL)

    def states(self) -> dict[str, tuple[str, str | None]]:
        return {name: (entry.state.value, entry.by) for name, entry in fold(self.statements).items()}


# --- folding


def test_a_finding_is_current_until_something_is_said_of_it() -> None:
    log = Log()
    first = log.publish()
    entry = fold(log.statements)[first]
    assert (entry.member, entry.seq, entry.handling, entry.finding) == ("agency", 1, TERMS, finding())
    assert (entry.state, entry.by, entry.reason) == (EntryState.CURRENT, None, None)


def test_a_revision_supersedes() -> None:
    log = Log()
    first = log.publish()
    second = log.publish(first)
    assert log.states() == {first: ("superseded", second), second: ("current", None)}


def test_a_revision_of_a_revised_finding_supersedes_the_newest() -> None:
    log = Log()
    first = log.publish()
    second = log.publish(first)
    third = log.publish(first)
    assert log.states() == {first: ("superseded", second), second: ("superseded", third), third: ("current", None)}


def test_a_withdrawal_ends_a_finding_and_says_why() -> None:
    log = Log()
    first = log.publish()
    last = log.withdraw(first, "wrong-subject")
    entry = fold(log.statements)[first]
    assert (entry.state, entry.by, entry.reason) == (EntryState.WITHDRAWN, last, "wrong-subject")


def test_a_superseded_finding_can_be_withdrawn_and_what_superseded_it_stays() -> None:
    log = Log()
    first = log.publish()
    second = log.publish(first)
    last = log.withdraw(first)
    assert log.states() == {first: ("withdrawn", last), second: ("current", None)}


def test_withdrawing_the_newest_does_not_bring_the_older_one_back() -> None:
    log = Log()
    first = log.publish()
    second = log.publish(first)
    last = log.withdraw(second)
    assert log.states() == {first: ("superseded", second), second: ("withdrawn", last)}


def test_a_second_withdrawal_changes_nothing() -> None:
    log = Log()
    first = log.publish()
    last = log.withdraw(first, "overturned")
    log.withdraw(first, "factual-error")
    entry = fold(log.statements)[first]
    assert (entry.by, entry.reason) == (last, "overturned")


def test_a_withdrawal_is_final_and_a_later_revision_stands_by_itself() -> None:
    log = Log()
    first = log.publish()
    last = log.withdraw(first)
    again = log.publish(first)
    assert log.states() == {first: ("withdrawn", last), again: ("current", None)}


def test_a_revision_of_something_unknown_is_a_finding_by_itself() -> None:
    log = Log()
    first = log.publish("A" * 43)
    assert log.states() == {first: ("current", None)}


def test_a_withdrawal_of_something_unknown_changes_nothing() -> None:
    log = Log()
    log.withdraw("A" * 43)
    assert log.states() == {}


def test_a_finding_that_cannot_be_read_is_counted_without_a_name_and_can_be_withdrawn() -> None:
    log = Log()
    first = log.say(None)
    assert fold(log.statements)[first].finding is None
    assert log.states() == {first: ("current", None)}
    last = log.withdraw(first)
    assert log.states() == {first: ("withdrawn", last)}


@pytest.mark.parametrize("kind", sorted({Kind.WITHDRAWAL, Kind.GROUP_KEY}))
def test_kinds_that_say_nothing_of_a_supplier_are_not_counted(kind: Kind) -> None:
    log = Log()
    log.say(None, kind)
    assert log.states() == {}


MEMBERS = ("agency", "city", "union")


@st.composite
def logs(draw: Any, member: str) -> Log:
    """Findings, unreadable ones, revisions and withdrawals of anything said before, or never."""
    log = Log(member)
    for _ in range(draw(st.integers(0, 8))):
        said = [statement.hash for statement in log.statements] or ["A" * 43]
        target = draw(st.sampled_from(said))
        match draw(st.sampled_from(["publish", "publish", "revise", "revise", "withdraw", "unreadable"])):
            case "publish":
                log.publish()
            case "revise":
                log.publish(target)
            case "withdraw":
                log.withdraw(target)
            case _:
                log.say(None)
    return log


@st.composite
def interleaved(draw: Any) -> tuple[list[Log], list[Statement]]:
    """Some logs, and their statements mixed in any way that keeps each log's order."""
    made = [draw(logs(member)) for member in MEMBERS]
    turns = draw(st.permutations([log.member for log in made for _ in log.statements]))
    rest = {log.member: iter(log.statements) for log in made}
    return made, [next(rest[member]) for member in turns]


@settings(max_examples=150, deadline=None)
@given(interleaved())
def test_the_view_does_not_depend_on_how_logs_interleave(made: tuple[list[Log], list[Statement]]) -> None:
    by_log, mixed = made
    alone = {name: entry for log in by_log for name, entry in fold(log.statements).items()}
    assert fold(mixed) == alone


@settings(max_examples=150, deadline=None)
@given(logs("agency"))
def test_every_readable_or_unreadable_finding_has_exactly_one_entry(log: Log) -> None:
    said = [s.hash for s in log.statements if s.kind == Kind.FINDING]
    assert list(fold(log.statements)) == said


@settings(max_examples=150, deadline=None)
@given(logs("agency"), st.data())
def test_what_was_folded_before_is_a_sufficient_start_for_the_rest(log: Log, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log.statements)))
    view = fold(log.statements[:cut])
    for statement in log.statements[cut:]:
        view.update({entry.hash: entry for entry in changes(view, statement)})
    assert view == fold(log.statements)


@settings(max_examples=150, deadline=None)
@given(logs("agency"))
def test_a_withdrawn_finding_never_counts_again_and_a_superseded_one_names_its_successor(log: Log) -> None:
    withdrawn: set[str] = set()
    view: dict[str, Entry] = {}
    for statement in log.statements:
        view.update({entry.hash: entry for entry in changes(view, statement)})
        withdrawn |= {name for name, entry in view.items() if entry.state is EntryState.WITHDRAWN}
        assert all(view[name].state is EntryState.WITHDRAWN for name in withdrawn)
        for entry in view.values():
            if entry.state is EntryState.SUPERSEDED:
                assert entry.by in view
                assert view[str(entry.by)].seq > entry.seq


# --- what an entry means today


def entry_of(state: EntryState = EntryState.CURRENT, name: str = "A" * 43, **fields: Any) -> Entry:
    return Entry(name, "agency", 1, TERMS, finding(**fields), state)


def test_expiry_is_computed_when_read() -> None:
    entry = entry_of(valid_until="2026-10-01")
    assert standing(entry, TODAY) is Standing.CURRENT
    assert standing(entry, TODAY + timedelta(days=1)) is Standing.EXPIRED
    assert entry.state is EntryState.CURRENT


CLOSED_TODAY = {"closed-claimed", "closed-verified"}


@pytest.mark.parametrize("status", list(FindingStatus))
def test_a_closed_finding_is_closing_credit_until_it_expires(status: FindingStatus) -> None:
    verified = {"verified": "on-site"} if status is FindingStatus.CLOSED_VERIFIED else {}
    entry = entry_of(status=status.value, valid_until="2026-10-01", **verified)
    if status is FindingStatus.OVERTURNED:
        # It never counted: no date makes it one that did.
        assert standing(entry, TODAY) is standing(entry, TODAY + timedelta(days=1)) is Standing.OVERTURNED
        return
    assert standing(entry, TODAY) is (Standing.CLOSED if status in CLOSED_TODAY else Standing.CURRENT)
    assert standing(entry, TODAY + timedelta(days=1)) is Standing.EXPIRED


@pytest.mark.parametrize("state", [EntryState.SUPERSEDED, EntryState.WITHDRAWN])
def test_what_was_superseded_or_withdrawn_says_so_whatever_its_date(state: EntryState) -> None:
    assert standing(entry_of(state, valid_until="2020-01-01"), TODAY).value == state.value


def test_an_unreadable_finding_counts_since_its_date_is_unknown() -> None:
    entry = Entry("A" * 43, "agency", 1, TERMS, None, EntryState.CURRENT)
    assert standing(entry, TODAY + timedelta(days=10_000)) is Standing.CURRENT


# --- screening: identifiers


ONE = Identifier(scheme="UNGM", id="1111")
OTHER = Identifier(scheme="UNGM", id="2222")
ELSEWHERE = Identifier(scheme="BR-CNPJ", id="00000000000191")


def with_identifiers(*identifiers: Identifier, name: str = "A") -> Entry:
    return entry_of(names=[{"text": name}], identifiers=[identifier.to_parsed() for identifier in identifiers] or None)


@given(st.text(max_size=20), st.booleans())
def test_an_equal_identifier_is_a_match_whatever_the_name(name: str, contradicted: bool) -> None:
    theirs = with_identifiers(OTHER, ELSEWHERE) if contradicted else with_identifiers(ELSEWHERE)
    found = likeness_of(Question(name, "MY", (ONE, ELSEWHERE)), theirs)
    assert (found.verdict, found.reason) == (Verdict.MATCH, "the same BR-CNPJ 00000000000191")


def test_an_unreadable_entry_is_like_nobody() -> None:
    entry = Entry("A" * 43, "agency", 1, TERMS, None, EntryState.CURRENT)
    assert likeness_of(Question("A", identifiers=(ONE,)), entry).verdict is Verdict.NONE


# --- screening: names

Row = tuple[int, str, str, str]


def named(*names: str, country: str = "BR", key: int = 1) -> list[Row]:
    return [(key, name, fold_name(name), country) for name in names]


# --- screening: what is said


def hit(verdict: Verdict, state: Standing, score: int = 100, key: str = "A") -> Hit:
    return Hit(
        entry_of(name=digest(key)), state, Likeness(verdict, (Part(PartKind.WORD, "A", "A", "for a test", score),))
    )


MATCH, OTHER_SITE, REVIEW = Verdict.MATCH, Verdict.OTHER_SITE, Verdict.REVIEW


@pytest.mark.parametrize(
    ("hits", "said"),
    [
        ([], "no supplier by this name"),
        ([(MATCH, Standing.CURRENT)], "findings shared"),
        ([(MATCH, Standing.CLOSED)], "findings shared"),
        ([(MATCH, Standing.EXPIRED)], "findings shared"),
        ([(MATCH, Standing.WITHDRAWN)], "known, no finding shared"),
        ([(MATCH, Standing.SUPERSEDED)], "known, no finding shared"),
        ([(MATCH, Standing.OVERTURNED)], "known, no finding shared"),
        ([(REVIEW, Standing.WITHDRAWN)], "known, no finding shared"),
        ([(OTHER_SITE, Standing.CURRENT)], "findings shared on another site of the same company"),
        ([(OTHER_SITE, Standing.CURRENT), (MATCH, Standing.CURRENT)], "findings shared"),
        ([(REVIEW, Standing.CURRENT)], "findings shared under a like name, identity not confirmed"),
        ([(REVIEW, Standing.EXPIRED)], "findings shared under a like name, identity not confirmed"),
        # The match was taken back: what is shared is about somebody with a like name.
        ([(MATCH, Standing.WITHDRAWN), (REVIEW, Standing.CURRENT)],
         "findings shared under a like name, identity not confirmed"),
        ([(MATCH, Standing.WITHDRAWN), (MATCH, Standing.CURRENT)], "findings shared"),
    ],
)  # fmt: skip
def test_what_is_known_is_said_in_words(hits: list[tuple[Verdict, Standing]], said: str) -> None:
    assert state_of([hit(*given) for given in hits]) == said


def test_no_words_are_a_clearance() -> None:
    for state in State:
        assert not [word for word in ("clear", "clean", "safe", "ok", "no risk", "compliant") if word in state.split()]


@pytest.mark.parametrize(
    ("verdicts", "best"),
    [([], "none"), ([REVIEW], "review"), ([REVIEW, MATCH], MATCH), ([REVIEW, OTHER_SITE], OTHER_SITE)],
)
def test_the_strongest_verdict_counts(verdicts: list[Verdict], best: str) -> None:
    assert best_verdict([hit(verdict, Standing.CURRENT) for verdict in verdicts]) == best


HITS = st.lists(
    st.builds(
        hit,
        st.sampled_from([MATCH, REVIEW]),
        st.sampled_from([*Standing]),
        st.integers(60, 100),
        st.integers(0, 20).map(str),
    ),
    max_size=12,
)


@given(HITS, st.randoms(use_true_random=False))
def test_hits_come_matches_first_then_by_likeness_then_by_what_counts_whatever_the_order(
    hits: list[Hit], random: Any
) -> None:
    ranked = sort_hits(hits)
    order = [(h.likeness.verdict is REVIEW, -h.likeness.score, [*Standing].index(h.standing)) for h in ranked]
    assert order == sorted(order)
    random.shuffle(hits)
    assert [h.entry.hash for h in sort_hits(hits)] == [h.entry.hash for h in ranked]


def test_at_most_so_many_candidates_are_shown_and_a_match_is_always_among_them() -> None:
    many = [hit(REVIEW, Standing.CURRENT, 100, str(n)) for n in range(MOST_CANDIDATES + 5)]
    shown = sort_hits([*many, hit(MATCH, Standing.WITHDRAWN, 60, "match")])
    assert len(shown) == MOST_CANDIDATES
    assert shown[0].likeness.verdict is MATCH


# --- folding names

SAME: dict[str, tuple[str, ...]] = {
    "case and blanks": ("Fazenda  Exemplo", " fazenda exemplo "),
    "Latin accents": ("Fundição São José", "FUNDICAO SAO JOSE", "Fundic\u0327a\u0303o Sa\u0303o Jose\u0301"),
    "letters with strokes": ("Łódź Ørsted", "Lodz Orsted"),
    "sharp s": ("Straße", "STRASSE"),
    "Turkish dotted and dotless i": ("İSTANBUL IŞIK", "istanbul ışık", "Istanbul Isik"),
    "Cyrillic": ("Ромашка", "РОМАШКА", "Romashka"),
    "Cyrillic with and without dots": ("Ёлка", "Елка"),
    "Chinese and its pinyin without blanks": ("华为", "HuaWei"),
    "a Chinese legal form": ("华为技术有限公司", "华为技术", "华为技术股份有限公司", "华为技术有限责任公司"),
    "full-width letters": ("ＡＢＣ Trading", "ABC Trading"),
    "Arabic with and without vowel marks": ("شَرِكَة النُّور", "شركة النور"),
    "dots in a legal form": ("Exemplo S.A.", "Exemplo SA", "Exemplo"),
    "several legal forms": ("Gloves Sdn. Bhd.", "gloves", "The Gloves Co., Ltd."),
    "apostrophes": ("O'Brien", "O’Brien", "OBrien"),
}


@pytest.mark.parametrize("claim", SAME)
def test_spellings_of_one_name_fold_to_the_same(claim: str) -> None:
    assert len({fold_name(spelling) for spelling in SAME[claim]}) == 1, [fold_name(s) for s in SAME[claim]]


@pytest.mark.parametrize(
    "names",
    [("华为", "华能"), ("Ромашка", "Ромашко"), ("شركة النور", "شركة البدر"), ("Exemplo 1", "Exemplo 2"), ("𒀀", "𒀁")],
)
def test_different_names_stay_different(names: tuple[str, str]) -> None:
    assert len({fold_name(name) for name in names}) == 2


@pytest.mark.parametrize("name", ["Ltda", "S.A.", "有限公司", "The Company", "Co. Ltd"])
def test_a_name_of_nothing_but_legal_forms_keeps_them(name: str) -> None:
    assert fold_name(name)


def test_a_part_of_a_word_is_no_legal_form() -> None:
    assert fold_name("Salt Cobalt") == "salt cobalt"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_a_folded_name_is_never_empty(name: str) -> None:
    assume(not _blank(name))
    folded = fold_name(name)
    assert folded
    assert folded == " ".join(folded.split())


def _blank(name: str) -> bool:
    return not "".join(c for c in unicodedata.normalize("NFKD", name) if not c.isspace())


def letters() -> Iterable[str]:
    for code in range(0x110000):
        if unicodedata.category(chr(code)).startswith("L"):
            yield chr(code)


def test_no_letter_of_any_script_folds_to_nothing() -> None:
    assert [letter for letter in letters() if not fold_name(letter)] == []
