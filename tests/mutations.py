"""Mutated records without end, each told by a seed and a number: `case(seed, number)` is always the same one.

A case changes a valid record at one to three of its levels: the claims, the header, what is inside a disclosure, the
parts of the SD-JWT, the outer JSON, or bytes anywhere. Parts are also exchanged with records of other members and
places. More than half of the cases are signed again afterwards, nearly always by a key that counts, so that they reach
the steps behind the signature.

To prove that two ways to decide are one, give both to `disagreements`.
"""

import base64
import functools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from builders import Publisher, key_of
from comity_federation.decision import Decision, Seen, Trust
from comity_federation.encoding import b64encode, digest
from mutation_corpus import FIRM, Base, Log, corpus, public_of

Decider = Callable[[bytes, Trust, Seen], Decision]


@dataclass(frozen=True, slots=True)
class Case:
    """One record as it arrives, and what is known where it arrives."""

    seed: int
    number: int
    raw: bytes
    log: Log
    how: tuple[str, ...]
    """What was done, in order."""
    signed: frozenset[tuple[str, str]]
    """Every (public key, JWT) that was signed for this case, beyond those of the corpus."""

    @property
    def trust(self) -> Trust:
        return self.log.trust

    @property
    def seen(self) -> Seen:
        return self.log.seen

    def __str__(self) -> str:
        return (
            f"mutations.case({self.seed}, {self.number}), log {self.log.name!r}: {', '.join(self.how) or 'unchanged'}"
        )


@dataclass(slots=True)
class Draft:
    """A record in parts, before it is put together."""

    base: Base
    header: bytes
    payload: bytes
    signature: bytes
    disclosures: list[str]
    boxes: list[str]
    signer: tuple[Publisher, int] | None = None
    signed: set[tuple[str, str]] = field(default_factory=set)


def case(seed: int, number: int) -> Case:
    """Return one case."""
    luck, known = random.Random(f"{seed} {number}"), corpus()
    base = luck.choice(known.bases)
    made = base.made
    disclosures = sorted((d.encoded for d in made.disclosed), key=digest)
    draft = Draft(base, base.header, base.payload, base.signature, disclosures, [*made.boxes])
    how: list[str] = []
    if luck.random() < 0.6:
        _choose_signer(draft, luck)
        how.append("signed again")
    if luck.random() > 0.03:
        for change in luck.choices(_CHANGES, _WEIGHTS, k=luck.choice((1, 1, 1, 2, 3))):
            change(draft, luck)
            how.append(change.__name__.strip("_").replace("_", " "))
    jwt = _jwt(draft)
    raw = _outer(jwt, draft, luck, how)
    log = luck.choice(known.logs) if luck.random() < 0.06 else base.log
    return Case(seed, number, raw, log, tuple(how), frozenset(draft.signed))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A record about which two deciders say different things."""

    case: Case
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.case}\n  first : {self.first}\n  second: {self.second}"


def disagreements(first: Decider, second: Decider, *, seed: int, count: int, start: int = 0) -> Iterator[Disagreement]:
    """Yield every case of `count` whose decision differs; an exception is compared by its type.

    A decider is called as `decide` is; both get the same trust and the same state of the log.
    """
    for number in range(start, start + count):
        this = case(seed, number)
        answers = [_answer(decider, this) for decider in (first, second)]
        if answers[0] != answers[1]:
            yield Disagreement(this, *(str(answer) for answer in answers))


def _answer(decider: Decider, this: Case) -> Decision | str:
    try:
        return decider(this.raw, this.trust, this.seen)
    except Exception as error:
        return f"raises {type(error).__name__}"


# What can be put where something else stood -------------------------------------------------------------------------

PLAIN: tuple[Any, ...] = (None, True, False, 0, 1, -1, 2, 3, 4, 5, 2**53 - 1, "", "x", [], [[]], {}, {"_sd": []})
PLAIN += ({"...": "A" * 43}, "A" * 43, ["A" * 43], [1], "AMBER", "GREEN", "RED", "CLEAR", "AMBER+STRICT", "WHITE")
PLAIN += ("withdrawal", "finding", "group-key", "2026-01-01", "2026-13", "FL08", "S4", "\x7f", "\u202e", "é" * 43)
PLAIN += ("sha-256", "sha-512", "none", "EdDSA", "Ed25519", "ES256", "comity-checkpoint+jwt", "names", "affected")
NOT_STRICT: tuple[Any, ...] = (1.0, 1e300, -0.0, float("nan"), float("inf"), 2**53, -(2**53), 10**300)
NOT_STRICT += ("\ud800", "\x00")
NAMES_OF_FIELDS = (
    "_sd",
    "...",
    "x",
    "replaces",
    "names",
    "statement",
    "seq",
    "iss",
    "tlp",
    "exp",
    "crit",
    "jwk",
    "kid",
)


class _Twice(dict[str, Any]):
    """An object one of whose members is written a second time, with another value."""

    def __init__(self, value: dict[str, Any], name: str, again: Any) -> None:
        super().__init__(value)
        self._again = (name, again)

    def items(self) -> Any:
        return [*super().items(), self._again]


def _written(value: Any, luck: random.Random) -> bytes:
    """JSON, mostly in the one form, now and then in another that means the same."""
    style = luck.random()
    spaces = (", ", ": ") if style < 0.02 else (",", ":")
    return json.dumps(value, ensure_ascii=0.02 < style < 0.05, separators=spaces).encode("utf-8", "surrogatepass")


def _odd(luck: random.Random) -> Any:
    choice = luck.random()
    if choice < 0.65:
        return luck.choice(PLAIN)
    if choice < 0.85:
        return luck.choice(corpus().names)
    if choice < 0.97:
        return luck.choice(NOT_STRICT)
    if choice < 0.985:
        return functools.reduce(lambda inner, _: [inner], range(luck.choice((30, 31, 32, 33, 900))), [])
    return luck.choice("ab") * luck.choice((64, 200, 30_000))


def mutated(value: Any, luck: random.Random) -> Any:
    """Return the value with one thing in it dropped, doubled, renamed, retyped or moved."""
    if isinstance(value, dict) and value and luck.random() < 0.9:
        return _mutated_object(value, luck)
    if isinstance(value, list) and value and luck.random() < 0.75:
        at = luck.randrange(len(value))
        match luck.randrange(5):
            case 0:
                return [*value[:at], *value[at + 1 :]]
            case 1:
                return [*value, value[at]]
            case 2:
                return luck.sample(value, len(value))
            case _:
                return [*value[:at], mutated(value[at], luck), *value[at + 1 :]]
    if isinstance(value, str) and value and luck.random() < 0.3:
        at = luck.randrange(len(value))
        return value[:at] + luck.choice(("", "A", "\n", " ", "=", "é", value)) + value[at + luck.randrange(2) :]
    return _odd(luck)


def _mutated_object(value: dict[str, Any], luck: random.Random) -> dict[str, Any]:
    name = luck.choice(list(value))
    match luck.randrange(10):
        case 0:
            return {k: v for k, v in value.items() if k != name}
        case 1:
            return {**value, luck.choice(NAMES_OF_FIELDS): _odd(luck)}
        case 2:
            new = luck.choice((*NAMES_OF_FIELDS, name.upper(), name + "\u200b"))
            return {new if k == name else k: v for k, v in value.items()}
        case 3:
            return dict(luck.sample(list(value.items()), len(value)))
        case 4:
            return _Twice(value, name, luck.choice((value[name], _odd(luck))))
        case _:
            return {**value, name: mutated(value[name], luck)}


# Changes of a draft -------------------------------------------------------------------------------------------------


def _claims(draft: Draft, luck: random.Random) -> None:
    draft.payload = _written(mutated(_parsed(draft.payload), luck), luck)


def _body(draft: Draft, luck: random.Random) -> None:
    claims = _parsed(draft.payload)
    if isinstance(claims, dict):
        body = claims.get("body")
        references = {"replaces": luck.choice(corpus().names), "statement": luck.choice(corpus().names)}
        if isinstance(body, dict) and luck.random() < 0.3:
            claims["body"] = {**body, **{k: v for k, v in references.items() if k in body or luck.random() < 0.2}}
        else:
            claims["body"] = mutated(body, luck)
        draft.payload = _written(claims, luck)


def _place(draft: Draft, luck: random.Random) -> None:
    claims = _parsed(draft.payload)
    if isinstance(claims, dict):
        head = draft.base.log.seen.head
        claims["seq"] = luck.choice((head, head + 1, head + 2, 1, head - 1, 2**53 - 1))
        if luck.random() < 0.7:
            claims["prev"] = luck.choice(corpus().names)
        draft.payload = _written(claims, luck)


def _header(draft: Draft, luck: random.Random) -> None:
    draft.header = _written(mutated(_parsed(draft.header), luck), luck)


def _disclosure(draft: Draft, luck: random.Random) -> None:
    """Mutate what is inside a disclosure; where the author signs, the claims name it, so it is the author's own."""
    inside: Any = ["c2FsdHNhbHRzYWx0c2FsdA", luck.choice(("names", "affected", "region", "site_address", "_sd")), "x"]
    at = luck.randrange(len(draft.disclosures) + 1)
    if at < len(draft.disclosures):
        inside = _parsed(_decoded(draft.disclosures[at]))
    written = _written(mutated(inside, luck) if luck.random() < 0.9 else inside, luck)
    new = b64encode(written)
    old = draft.disclosures[at : at + 1]
    draft.disclosures[at : at + 1] = [new]
    if draft.signer is not None and luck.random() < 0.9:
        _rename_digests(draft, {digest(d) for d in old}, digest(new), luck)
    if luck.random() < 0.9:
        draft.disclosures.sort(key=digest)


def _rename_digests(draft: Draft, old: set[str], new: str, luck: random.Random) -> None:
    claims = _parsed(draft.payload)
    if not isinstance(claims, dict):
        return
    for holder, name in ((claims, "open"), (claims.get("body"), "_sd")):
        if isinstance(holder, dict) and isinstance(holder.get(name), list):
            kept = [d for d in holder[name] if isinstance(d, str) and d not in old]
            holder[name] = sorted({*kept, new})
    draft.payload = _written(claims, luck)


def _disclosures(draft: Draft, luck: random.Random) -> None:
    draft.disclosures = _mutated_list(draft.disclosures, luck.choice(corpus().bases), luck)


def _boxes(draft: Draft, luck: random.Random) -> None:
    donor = luck.choice(corpus().bases).made.boxes
    draft.boxes = luck.sample([*draft.boxes, *donor, "QQ", ""], luck.randrange(len(draft.boxes) + len(donor) + 2))
    claims = _parsed(draft.payload)
    if draft.signer is not None and isinstance(claims, dict) and luck.random() < 0.5:
        claims["boxes"] = [digest(box) for box in draft.boxes]
        draft.payload = _written(claims, luck)


def _mutated_list(parts: list[str], donor: Base, luck: random.Random) -> list[str]:
    foreign = [d.encoded for d in donor.made.disclosed]
    match luck.randrange(5):
        case 0 if parts:
            at = luck.randrange(len(parts))
            return [*parts[:at], *parts[at + 1 :]]
        case 1 if parts:
            return sorted([*parts, luck.choice(parts)], key=digest)
        case 2:
            return luck.sample(parts, len(parts))
        case 3:
            return sorted([*parts, *foreign], key=digest)
    return [*parts, luck.choice(("", "A", "AAAA", "QUJD" * 3_000))]


def _part_of_another_record(draft: Draft, luck: random.Random) -> None:
    donor = luck.choice(corpus().bases)
    match luck.randrange(4):
        case 0:
            draft.header = donor.header
        case 1:
            draft.payload = donor.payload
        case 2:
            draft.signature = donor.signature
        case _:
            draft.disclosures, draft.boxes = [d.encoded for d in donor.made.disclosed], [*donor.made.boxes]


def _bytes_inside(draft: Draft, luck: random.Random) -> None:
    if luck.random() < 0.75:
        draft.payload = _bent(draft.payload, luck)
    else:
        draft.header = _bent(draft.header, luck)


_CHANGES = (_claims, _body, _place, _header, _disclosure, _disclosures, _boxes, _part_of_another_record, _bytes_inside)
_WEIGHTS = (20, 25, 8, 3, 16, 6, 5, 6, 6)
INSERTED = (b"\\ud800", b"\xff", b"\xc0\x80", b"NaN", b"1e999", b"-0", b"9" * 5_000, b"[" * 3_000, b'{"a":' * 1_500)
INSERTED += (b"\x00", b'"', b"\\", b"null", b"\xef\xbb\xbf", b" ", b"~", b"~~", b".", b"=", b"-_", b",", b"{}")


def _bent(raw: bytes, luck: random.Random) -> bytes:
    """Bytes changed, put in, cut out or cut off somewhere."""
    at = luck.randrange(len(raw) + 1)
    match luck.randrange(6):
        case 0 | 1:
            flipped = bytes(b ^ 1 << luck.randrange(8) for b in raw[at : at + 1])
            return raw[:at] + flipped + raw[at + 1 :]
        case 2:
            return raw[:at] + luck.choice(INSERTED) + raw[at:]
        case 3:
            return raw[:at] + raw[at + luck.randrange(1, 40) :]
        case 4:
            return raw[:at]
    start = luck.randrange(len(raw) + 1)
    return raw[:at] + raw[start : start + luck.randrange(1, 64)] + raw[at:]


# Signing and putting together ---------------------------------------------------------------------------------------

_STRANGER = Publisher("stranger", keys=(key_of("stranger"),))


def _choose_signer(draft: Draft, luck: random.Random) -> None:
    publisher, key = draft.base.log.publisher, draft.base.key
    choice = luck.random()
    if choice < 0.06:
        key = luck.randrange(len(publisher.keys))
    elif choice < 0.12:
        publisher, key = luck.choice((_STRANGER, FIRM)), 0
    draft.signer = (publisher, key)


def _jwt(draft: Draft) -> str:
    signed = f"{b64encode(draft.header)}.{b64encode(draft.payload)}"
    if draft.signer is None:
        return f"{signed}.{b64encode(draft.signature)}"
    publisher, key = draft.signer
    jwt = f"{signed}.{b64encode(publisher.keys[key].sign(signed.encode()).signature)}"
    draft.signed.add((public_of(publisher, key), jwt))
    return jwt


def _outer(jwt: str, draft: Draft, luck: random.Random, how: list[str]) -> bytes:
    """The record's bytes, also in forms that are not the one form."""
    choice = luck.random()
    if choice < 0.05:
        jwt = luck.choice((jwt + "=", jwt + "~" + jwt, jwt.rpartition(".")[0], jwt + ".AA", jwt[:-1], jwt[:-1] + "B"))
        how.append("jwt parts")
    record: Any = {"statement": "~".join([jwt, *draft.disclosures, ""]), "sealed": draft.boxes}
    if 0.05 < choice < 0.1:
        record = mutated(record, luck)
        how.append("record")
    raw = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if choice > 0.85:
        for _ in range(luck.randint(1, 4)):
            raw = _bent(raw, luck)
        how.append("bytes")
    return raw


def _parsed(raw: bytes) -> Any:
    """What an earlier change left; it may no longer be JSON."""
    try:
        return json.loads(raw.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return raw.decode("latin-1")


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return text.encode()
