"""The fast lane opens nothing that `decide` would not accept with the same content, and it opens what signers write."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import vectors
from builders import CORROBORATION_IN_CLEAR, DECISION_IN_CLEAR, FINDING_IN_CLEAR, HANDLING, NOTHING_GRAVE, Publisher
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Earlier, Place, Refused, Seen, Trust
from comity_federation.disclosures import Disclosure
from comity_federation.encoding import b64decode, b64encode, digest
from comity_federation.ordinary import Ordinary, Signers, open_ordinary
from comity_federation.statements import record_bytes
from comity_schemas.handling import Handling
from comity_schemas.member import Last, Member, MemberStatus, Role
from comity_schemas.statement import BODIES
from hostile_bus import with_parts
from mutations import case

AGENCY = Publisher("agency")
MEMBERS = {n: Member.from_parsed(e) for n, e in json.loads((vectors.FOLDER / "members.json").read_text()).items()}
RECORDS = json.loads((vectors.FOLDER / "records.json").read_text())


def next_in(ordinary: Ordinary) -> Seen:
    """The log in which it stands next, with everything it may refer to."""
    places = {} if ordinary.seq == 1 else {ordinary.seq - 1: Place(ordinary.prev, 0)}
    named = {ordinary.body.get("statement"): "finding", ordinary.body.get("replaces"): ordinary.kind}
    return Seen(ordinary.seq - 1, places, {name: Earlier(0, kind) for name, kind in named.items() if name})


def demanding_nothing(member: Member) -> Member:
    """The entry once the log has run through all that it names: that much the caller checks by the head."""
    keys = tuple(key.model_copy(update={"closed": None}) for key in member.signing_keys)
    return member.model_copy(update={"thawed": None, "closed": None, "signing_keys": keys})


def must_agree(raw: bytes, member: Member) -> bool:
    """Compare both on one record; return whether it is ordinary."""
    [ordinary] = open_ordinary([(raw, Signers.of(member))])
    if ordinary is None:
        return False
    read = dict(ordinary.body)
    accepted = decide(raw, Trust(demanding_nothing(member)), next_in(ordinary))
    assert isinstance(accepted, Accepted), f"ordinary, and decided as {accepted}"
    claims = accepted.claims
    assert ordinary[:6] == (claims.seq, claims.prev, accepted.hash, accepted.key, claims.iat, claims.kind)
    assert Handling.model_validate_json(ordinary.handling) == claims.handling
    assert BODIES[ordinary.kind].from_parsed(read) == accepted.body
    assert accepted.missing == ()
    return True


def test_every_vector_that_is_ordinary_is_one_that_decide_accepts() -> None:
    ordinary = [r["name"] for r in RECORDS if must_agree(vectors.read(r["record"]), MEMBERS[r["member"]])]
    assert len(ordinary) > 5, ordinary


def test_no_mutated_record_is_ordinary_that_decide_would_not_accept() -> None:
    told = [must_agree(each.raw, each.log.trust.member) for each in (case(41, n) for n in range(6_000))]
    # Were nothing ordinary, this would prove nothing.
    assert sum(told) > 100


WRITTEN: dict[str, dict[str, Any]] = {
    "a finding": {},
    "without disclosures": {"disclosed": {}},
    "by the second key": {"key": 1},
    "CLEAR": {"tlp": "CLEAR"},
    "at a later place": {"seq": 7, "prev": "A" * 43},
    "a revision": {"clear": {**FINDING_IN_CLEAR, "replaces": "A" * 43}},
    "names in other scripts": {"disclosed": {"names": [{"text": "示例织造有限公司"}, {"text": "مصنع"}]}},
}


@pytest.mark.parametrize("what", WRITTEN)
def test_what_our_own_signer_writes_is_ordinary(what: str) -> None:
    assert must_agree(AGENCY.finding(**WRITTEN[what]).raw, AGENCY.member())


@pytest.mark.parametrize("text", [None, "Мы не согласны. 我们不同意。 لا نوافق."])
def test_a_reply_is_ordinary(text: str | None) -> None:
    made = AGENCY.reply("A" * 43, text=text, seq=2, prev="B" * 43)
    assert must_agree(made.raw, AGENCY.member())


@pytest.mark.parametrize("more", [{}, {"says": "contradicts"}, {"replaces": "A" * 43}])
def test_a_corroboration_is_ordinary(more: dict[str, Any]) -> None:
    made = AGENCY.corroboration("A" * 43, more=more, seq=2, prev="B" * 43)
    assert must_agree(made.raw, AGENCY.member())


@pytest.mark.parametrize("more", [{}, {"stage": "planned"}, {"result": NOTHING_GRAVE}])
def test_an_audit_notice_is_ordinary(more: dict[str, Any]) -> None:
    made = AGENCY.notice(more=more, seq=2, prev="B" * 43)
    assert must_agree(made.raw, AGENCY.member())


@pytest.mark.parametrize("more", [{}, {"grounds": []}, {"replaces": "A" * 43}])
def test_a_decision_is_ordinary(more: dict[str, Any]) -> None:
    made = AGENCY.decision(clear={**DECISION_IN_CLEAR, **more}, seq=2, prev="B" * 43)
    assert must_agree(made.raw, AGENCY.member())


@pytest.mark.parametrize("more", [{}, {"replaces": "A" * 43}])
def test_a_pointer_is_ordinary(more: dict[str, Any]) -> None:
    assert must_agree(AGENCY.pointer(more=more, seq=2, prev="B" * 43).raw, AGENCY.member())


def test_a_withdrawal_is_ordinary() -> None:
    assert must_agree(AGENCY.withdrawal("A" * 43, seq=2, prev="B" * 43).raw, AGENCY.member())


LEFT_TO_DECIDE: dict[str, bytes] = {
    "a disclosure missing": AGENCY.finding().stripped("names").raw,
    "an escape": AGENCY.finding(disclosed={"names": [{"text": 'a "b"'}]}).raw,
    "a sealed box": AGENCY.finding(boxes=("AAAA",)).raw,
    "the whole body withheld": AGENCY.make(tlp="AMBER", clear={}).raw,
    "a kind not known here": AGENCY.make(kind="group-key").raw,
    "another version": AGENCY.finding(v=2).raw,
    "a firm named after a person, CLEAR": AGENCY.finding(
        tlp="CLEAR", clear={**FINDING_IN_CLEAR, "named_after_person": True}
    ).raw,
    "a decision about a firm named after a person, CLEAR": AGENCY.decision(
        tlp="CLEAR", clear={**DECISION_IN_CLEAR, "named_after_person": True}
    ).raw,
    "a reply in a script that nobody could check": AGENCY.reply("A" * 43, text="আমরা একমত নই").raw,
    "a reply that is decided without a day": AGENCY.reply("A" * 43, more={"outcome": "upheld"}).raw,
    "a corroboration that relays a register": AGENCY.corroboration(
        "A" * 43, more={"source": {**CORROBORATION_IN_CLEAR["source"], "type": "public-register"}}
    ).raw,
    "a decision that does not fit": AGENCY.decision(clear={**DECISION_IN_CLEAR, "terms": []}).raw,
    "a pointer under terms of its own": AGENCY.pointer(handling=HANDLING).raw,
    "a pointer that ends on a day of its own": AGENCY.pointer(more={"valid_until": "2027-03-30"}).raw,
    "an audit notice with a result before the audit": AGENCY.notice(
        more={"stage": "planned", "result": NOTHING_GRAVE}
    ).raw,
    "nothing": b"",
    "cut off": AGENCY.finding().raw[:-1],
}


@pytest.mark.parametrize("what", LEFT_TO_DECIDE)
def test_what_is_unusual_is_left_to_decide(what: str) -> None:
    assert open_ordinary([(LEFT_TO_DECIDE[what], Signers.of(AGENCY.member()))]) == [None]


def test_disclosures_signed_out_of_order_are_left_to_decide() -> None:
    """They match what was signed, in its order; that order is the author's mistake, and `decide` stops at step 6."""
    made = AGENCY.finding(mend=lambda claims: claims["open"].reverse())
    raw = with_parts(made.raw, disclosures=lambda shown: shown[::-1])
    assert open_ordinary([(raw, Signers.of(AGENCY.member()))]) == [None]
    assert decide(raw, AGENCY.trust(), Seen()) == Refused(6, "claims", "the whole: value_error")


def test_an_empty_payload_and_an_empty_disclosure_are_left_to_decide_and_hold_nobody_up() -> None:
    """Their author has signed them, so nothing before has refused them; one that raised would stop all reading."""
    header, signer = AGENCY.finding().jwt.partition(".")[0], AGENCY.keys[0]
    signature = b64encode(signer.sign(f"{header}.".encode()).signature)
    empty = record_bytes(f"{header}..{signature}", [])

    def name_nothing(claims: dict[str, Any]) -> None:
        claims["open"] = [digest("")]
        claims["body"]["_sd"] = sorted([*claims["body"]["_sd"], digest("")])

    nothing_shown = record_bytes(AGENCY.make(mend=name_nothing).jwt, [""])
    signers, good = Signers.of(AGENCY.member()), AGENCY.finding().raw
    told = open_ordinary([(raw, signers) for raw in (empty, good, nothing_shown)])
    assert [each is not None for each in told] == [False, True, False]
    steps = [decide(raw, AGENCY.trust(), Seen()).step for raw in (empty, nothing_shown)]
    assert steps == [6, 12]


def signed_as_text(change: Callable[[str], str]) -> bytes:
    """A finding without disclosures whose author signed the payload with its text changed."""
    header, payload, _ = AGENCY.finding(disclosed={}).jwt.split(".")
    signed = f"{header}.{b64encode(change(b64decode(payload).decode()).encode())}"
    return record_bytes(f"{signed}.{b64encode(AGENCY.keys[0].sign(signed.encode()).signature)}", [])


A = "A" * 43
OTHER_TEXTS: dict[str, Callable[[str], str]] = {
    "digests in a field": lambda text: text.replace('"access":"full"', f'"access":"full","_sd":["{A}"]'),
    "digests twice": lambda text: text.replace('"severity"', f'"_sd":["{A}"],"severity"'),
    "digests in a field alone": lambda text: re.sub(
        r'(.*)("source":{[^}]*)(}.*),"_sd":(\[[^]]*\])', r'\1\2,"_sd":\4\3', text
    ),
    "a bracket too few": lambda text: text.replace('"source":{', '"source":{"x":{'),
    "a bracket too many": lambda text: text.replace('"_sd":["', f'"x":1}},"_sd":["{A}"],"y":{{"_sd":["'),
    "a field twice": lambda text: text.replace('"severity"', '"extent":"isolated","severity"'),
    "a claim twice": lambda text: text.replace('"boxes":[]', '"boxes":[],"boxes":[]'),
    "a claim more": lambda text: text.replace('"boxes":[]', '"boxes":[],"x":1'),
    "terms twice": lambda text: text.replace('"tlp":"GREEN"', '"tlp":"GREEN","tlp":"GREEN"'),
    "terms with a blank": lambda text: text.replace('"tlp":', '"tlp": '),
    "a place with a zero before it": lambda text: text.replace('"seq":1', '"seq":01'),
    "a place beyond all numbers": lambda text: text.replace('"seq":1', '"seq":9007199254740992'),
    "a blank": lambda text: text.replace('"body":', '"body": '),
    "a digest that is none": lambda text: text.replace('"_sd":["', f'"_sd":["{A[:-1]}*","'),
    "digests out of order": lambda text: text.replace('"_sd":["', f'"_sd":["{"z" * 43}","'),
    "something after the end": lambda text: text + " ",
}


@pytest.mark.parametrize("what", OTHER_TEXTS)
def test_a_payload_in_another_form_is_left_to_decide_which_refuses_it(what: str) -> None:
    raw = signed_as_text(OTHER_TEXTS[what])
    assert raw != signed_as_text(str), "nothing was changed"
    assert open_ordinary([(raw, Signers.of(AGENCY.member()))]) == [None]
    decided = decide(raw, AGENCY.trust(), Seen())
    # A blank where none is needed is the author's own form.
    assert isinstance(decided, Accepted if "blank" in what or "after the end" in what else Refused), decided


def test_a_finding_signed_as_text_is_ordinary() -> None:
    assert must_agree(signed_as_text(str), AGENCY.member())


SHOWN = {
    "two fields in one": ["c2FsdHNhbHRzYWx0c2FsdA", "names", [{"text": "A"}], "country", "MY"],
    "a number as salt": [1, "names", [{"text": "A"}]],
    "a salt with an escape": ['sa"lt', "names", [{"text": "A"}]],
    "no value": ["c2FsdHNhbHRzYWx0c2FsdA", "names"],
    "a field in clear": ["c2FsdHNhbHRzYWx0c2FsdA", "country", "MY"],
    "the digests": ["c2FsdHNhbHRzYWx0c2FsdA", "_sd", []],
}


@pytest.mark.parametrize("what", SHOWN)
def test_a_disclosure_that_is_not_salt_name_and_value_is_left_to_decide(what: str) -> None:
    encoded = b64encode(json.dumps(SHOWN[what], separators=(",", ":")).encode())
    made = AGENCY.finding(disclosed=[Disclosure(encoded, "names", None)])
    assert open_ordinary([(made.raw, Signers.of(AGENCY.member()))]) == [None]


def test_a_salt_of_any_text_is_ordinary_and_its_field_read_whole() -> None:
    salt, names = "sålt, with a comma]", [{"text": "示例, {织造}]"}]
    encoded = b64encode(json.dumps([salt, "names", names], separators=(",", ":"), ensure_ascii=False).encode())
    assert must_agree(AGENCY.finding(disclosed=[Disclosure(encoded, "names", names)]).raw, AGENCY.member())


def test_nothing_of_a_member_that_the_registry_holds_back_is_ordinary() -> None:
    raw, last = AGENCY.finding().raw, Last(seq=9, hash="A" * 43)
    held_back = [
        AGENCY.member(status=MemberStatus.PENDING),
        AGENCY.member(status=MemberStatus.SUSPENDED, closed=last),
        AGENCY.member(status=MemberStatus.REMOVED, closed=last),
        AGENCY.member(closed_keys={0: last}),
        AGENCY.member(role=Role.OBSERVER),
    ]
    assert open_ordinary([(raw, Signers.of(member)) for member in held_back]) == [None] * 5


def test_each_changed_byte_makes_it_unusual() -> None:
    raw, signers = AGENCY.finding().raw, Signers.of(AGENCY.member())
    assert open_ordinary([(raw, signers)]) != [None]
    changed = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(len(raw))]
    told = open_ordinary([(each, signers) for each in changed])
    assert [at for at, each in enumerate(told) if each is not None] == []


def test_what_is_unusual_changes_nothing_for_those_around_it() -> None:
    signers, good = Signers.of(AGENCY.member()), [AGENCY.finding().raw for _ in range(3)]
    among = [raw for each in good for raw in (each, b"", each[:-1], LEFT_TO_DECIDE["an escape"])]
    assert open_ordinary([(raw, signers) for raw in among])[::4] == open_ordinary([(raw, signers) for raw in good])
