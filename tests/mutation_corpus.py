"""Valid records of every sort, each with the log it stands in: what mutations start from.

Keys, salts and decoys are fixed, so that a mutated record is the same on every machine.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from builders import (
    DECISION_IN_CLEAR,
    FINDING_IN_CLEAR,
    HANDLING,
    IDENTIFIERS,
    NAMES,
    NOTHING_GRAVE,
    Made,
    Publisher,
    key_of,
    seen_of,
)
from comity_federation import strict_json
from comity_federation.decision import Seen, Trust
from comity_federation.encoding import b64decode, b64encode
from comity_schemas.member import Last, MemberStatus, Role
from vectors import fixed_salts

AGENCY = Publisher(keys=tuple(key_of(f"agency {n}") for n in (1, 2, 3)))
OTHER = Publisher("other", keys=(key_of("other 1"), key_of("other 2")))
WORKERS = Publisher("workers", Role.WORKER_ORGANISATION, (key_of("workers 1"),))
FIRM = Publisher("firm", Role.AUDIT_FIRM, (key_of("firm 1"),))
OBSERVER = Publisher("observer", Role.OBSERVER, (key_of("observer 1"),))

SHOWN: dict[str, Any] = {
    "names": [*NAMES, {"text": "示例农场有限公司", "kind": "registered"}],
    "identifiers": IDENTIFIERS,
    "affected": "11-24",
    "women_share": "25-50%",
}
HIDDEN: dict[str, Any] = {"site_address": "Estrada Velha 7", "sample": "0"}
BOXES = (b64encode(b"box one" * 50), b64encode(b"box two" * 300))


@dataclass(frozen=True)
class Log:
    """One member's log at one moment: what a node knows of it, and who may sign there."""

    name: str
    publisher: Publisher
    trust: Trust
    seen: Seen


@dataclass(frozen=True)
class Base:
    """A record that its member really signed."""

    log: Log
    made: Made
    key: int
    header: bytes
    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Corpus:
    """All of it."""

    bases: tuple[Base, ...]
    logs: tuple[Log, ...]
    signed: frozenset[tuple[str, str]]
    """Every (public key, JWT) that was really signed."""
    names: tuple[str, ...]
    """Hashes, DIDs and key ids that mean something somewhere in it."""


@functools.cache
def corpus() -> Corpus:
    """Return the corpus, made once."""
    with fixed_salts("mutations"):
        bases = tuple(_base(log, made, key) for log, made, key in _told())
    logs = tuple({base.log.name: base.log for base in bases}.values())
    signed = frozenset((public_of(base.log.publisher, base.key), base.made.jwt) for base in bases)
    names = {base.made.hash for base in bases} | {log.publisher.genesis for log in logs}
    names |= {log.publisher.did for log in logs} | {log.publisher.kid(n) for log in logs for n in range(2)}
    return Corpus(bases, logs, signed, tuple(sorted(names)))


def public_of(publisher: Publisher, key: int) -> str:
    """The public key as the registry writes it."""
    return b64encode(publisher.keys[key].verify_key.encode())


def _base(log: Log, made: Made, key: int) -> Base:
    header, payload, signature = map(b64decode, made.jwt.split("."))
    assert strict_json.loads(payload)["seq"] == made.seq
    return Base(log, made, key, header, payload, signature)


def _told() -> Iterable[tuple[Log, Made, int]]:
    """Every record with its log and the key that signed it."""
    yield from _first_and_next()
    yield from _under_a_registry_that_closes()
    yield from _of_other_roles()
    yield from _decisions()
    yield from _replies()
    yield from _pointers()
    yield from _corroborations()
    yield from _notices()
    yield from _kept_unread()


def _first_and_next() -> Iterable[tuple[Log, Made, int]]:
    empty = Log("empty", AGENCY, AGENCY.trust(), Seen())
    full = AGENCY.finding(disclosed=SHOWN, withheld=HIDDEN, boxes=BOXES)
    yield empty, full, 0
    yield empty, full.stripped("names"), 0
    yield empty, replace(full, boxes=()).stripped("affected", "identifiers"), 0
    yield empty, AGENCY.make(key=1), 1
    one, two, three = chain = AGENCY.chain(3)
    grown = Log("grown", AGENCY, AGENCY.trust(), seen_of(*chain))
    following = AGENCY.after(*chain)
    yield grown, AGENCY.finding(**following), 0
    yield grown, AGENCY.finding(key=1, tlp="CLEAR", **following), 1
    yield grown, AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": two.hash}, **following), 0
    yield grown, AGENCY.withdrawal(one.hash, **following), 0
    yield grown, AGENCY.make(tlp="AMBER", clear={}, withheld={**FINDING_IN_CLEAR, "names": NAMES}, **following), 0
    yield grown, two, 0
    yield grown, three, 0
    yield grown, AGENCY.finding(**AGENCY.after(two)), 0
    yield grown, AGENCY.chain(2, after=three)[-1], 0
    yield grown, _large(**following), 0
    frozen = Log("frozen", AGENCY, AGENCY.trust(), replace(seen_of(*chain), frozen_from=4))
    yield frozen, AGENCY.finding(**following), 0


def _large(**place: Any) -> Made:
    """A finding near the largest size."""
    clear = {**FINDING_IN_CLEAR, "subject": "labour-provider"}
    clients = [{"names": [{"text": f"{n} {m} " + "n" * 190} for m in range(20)]} for n in range(8)]
    made = AGENCY.make(clear=clear, disclosed={"names": NAMES, "supplies_to": clients}, **place)
    assert 40_000 < len(made.raw) < 64 * 1024
    return made


def _under_a_registry_that_closes() -> Iterable[tuple[Log, Made, int]]:
    one, two, three = chain = AGENCY.chain(3, salt="closed ")
    seen = replace(seen_of(*chain), branch={made.seq: made.hash for made in chain})
    following = AGENCY.after(*chain)
    retired = Log("retired key", AGENCY, AGENCY.trust(closed_keys={0: three.last()}), seen)
    yield retired, AGENCY.finding(key=1, **following), 1
    yield retired, AGENCY.finding(**following), 0
    suspended = AGENCY.trust(status=MemberStatus.SUSPENDED, closed=three.last())
    yield Log("suspended", AGENCY, suspended, seen), AGENCY.finding(**following), 0
    removed = AGENCY.trust(status=MemberStatus.REMOVED, closed=two.last())
    cut = replace(seen_of(one), branch={1: one.hash, 2: two.hash}, other_branch=frozenset({three.hash}))
    yield Log("removed", AGENCY, removed, cut), two, 0
    thawed = Log("thawed", AGENCY, AGENCY.trust(thawed=two.last()), replace(cut, head=0, places={}, earlier={}))
    yield thawed, one, 0
    yield thawed, AGENCY.chain(1, after=one, salt="other ")[0], 0
    untraced = Log("untraced", AGENCY, AGENCY.trust(thawed=three.last()), Seen(branch={3: three.hash}))
    yield untraced, one, 0
    pending = Log("pending", AGENCY, AGENCY.trust(status=MemberStatus.PENDING), Seen())
    yield pending, AGENCY.finding(), 0
    nothing = AGENCY.trust(status=MemberStatus.SUSPENDED, closed=Last(seq=0, hash=AGENCY.genesis))
    yield Log("closed at zero", AGENCY, nothing, Seen()), AGENCY.finding(), 0
    rolled = Log("two keys", AGENCY, AGENCY.trust(), seen_of(*chain, keys=(0, 0, 1)))
    yield rolled, AGENCY.finding(key=1, **following), 1
    yield rolled, AGENCY.finding(key=2, **following), 2


def _of_other_roles() -> Iterable[tuple[Log, Made, int]]:
    for publisher in (OTHER, WORKERS, FIRM, OBSERVER):
        first = publisher.finding()
        yield Log(f"{publisher.name} empty", publisher, publisher.trust(), Seen()), first, 0
        grown = Log(f"{publisher.name} grown", publisher, publisher.trust(), seen_of(first))
        yield grown, publisher.withdrawal(first.hash, **publisher.after(first)), 0


def _replies() -> Iterable[tuple[Log, Made, int]]:
    first = AGENCY.reply("A" * 43, text="We do not run this site.")
    grown = Log("replied", AGENCY, AGENCY.trust(), seen_of(first))
    decided = {"outcome": "dismissed", "decided": "2026-09-20", "replaces": first.hash}
    yield Log("replies", AGENCY, AGENCY.trust(), Seen()), first, 0
    yield grown, AGENCY.reply("A" * 43, more=decided, **AGENCY.after(first)), 0
    yield grown, AGENCY.withdrawal(first.hash, **AGENCY.after(first)), 0


def _pointers() -> Iterable[tuple[Log, Made, int]]:
    first = AGENCY.pointer()
    grown = Log("pointed", AGENCY, AGENCY.trust(), seen_of(first))
    yield Log("pointers", AGENCY, AGENCY.trust(), Seen()), first, 0
    yield grown, AGENCY.pointer(more={"replaces": first.hash}, **AGENCY.after(first)), 0
    yield grown, AGENCY.withdrawal(first.hash, **AGENCY.after(first)), 0


def _corroborations() -> Iterable[tuple[Log, Made, int]]:
    first = WORKERS.corroboration("A" * 43)
    grown = Log("spoke", WORKERS, WORKERS.trust(), seen_of(first))
    yield Log("speaks", WORKERS, WORKERS.trust(), Seen()), first, 0
    changed = {"replaces": first.hash, "says": "contradicts"}
    yield grown, WORKERS.corroboration("A" * 43, more=changed, **WORKERS.after(first)), 0
    yield grown, WORKERS.withdrawal(first.hash, **WORKERS.after(first)), 0


def _notices() -> Iterable[tuple[Log, Made, int]]:
    first = FIRM.notice(more={"stage": "planned"})
    grown = Log("noticed", FIRM, FIRM.trust(), seen_of(first))
    yield Log("notices", FIRM, FIRM.trust(), Seen()), first, 0
    yield grown, FIRM.notice(more={"replaces": first.hash, "result": NOTHING_GRAVE}, **FIRM.after(first)), 0
    yield grown, FIRM.withdrawal(first.hash, **FIRM.after(first)), 0


def _decisions() -> Iterable[tuple[Log, Made, int]]:
    first = AGENCY.decision()
    grown = Log("decided", AGENCY, AGENCY.trust(), seen_of(first))
    lifted = {**DECISION_IN_CLEAR, "lifted": "overturned", "replaces": first.hash}
    yield Log("decisions", AGENCY, AGENCY.trust(), Seen()), first, 0
    yield grown, AGENCY.decision(clear=lifted, **AGENCY.after(first)), 0
    yield grown, AGENCY.withdrawal(first.hash, **AGENCY.after(first)), 0


def _kept_unread() -> Iterable[tuple[Log, Made, int]]:
    log = Log("kept", AGENCY, AGENCY.trust(), Seen())
    for kind in ("group-key", "of-tomorrow"):
        yield log, AGENCY.make(kind=kind, clear={"text": "read by a later version"}), 0
    yield log, AGENCY.make(v=2), 0
    yield log, AGENCY.make(handling={**HANDLING, "tlp": "RED"}), 0
