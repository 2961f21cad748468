"""Vectors of steps 7 and 9: what depends on the registry and on the log so far."""

from dataclasses import replace
from typing import Any

from builders import Made, seen_of
from comity_federation.decision import Seen
from comity_schemas.member import Last, MemberStatus
from vector_records import AGENCY, plain, refused
from vectors import Collection, fixed_salts

SECOND_KEY = {"key": 1}


def add_to(collection: Collection) -> None:
    with fixed_salts("chain"):
        one, two, three = AGENCY.chain(3)
    with fixed_salts("other branch"):
        other = AGENCY.chain(3, after=one, salt="x")
    _standing(collection, one, two)
    _branches(collection, one, two, other)
    _keys(collection, one, two, three)
    _places(collection, one, two, three)
    _forks(collection, one, two, three, other)


def _standing(c: Collection, one: Made, two: Made) -> None:
    """7: pending, suspended, removed."""
    pending = ("agency-pending", AGENCY.member(status=MemberStatus.PENDING))
    c.add("pending", "No right at all yet.", lambda: one, member=pending, outcome="waiting", why="pending")
    suspended = ("agency-suspended-at-1", AGENCY.member(status=MemberStatus.SUSPENDED, closed=one.last()))
    on_branch = {"branch": {1: one.hash}}
    c.add(
        "suspended-before",
        "What lies up to `closed` counts.",
        lambda: one,
        member=suspended,
        seen=Seen(**on_branch),
        outcome="accepted",
    )
    beyond = {"seen": seen_of(one, **on_branch)}
    c.add(
        "suspended-beyond",
        "Beyond it waits.",
        lambda: two,
        member=suspended,
        outcome="waiting",
        why="suspended",
        **beyond,
    )
    removed = ("agency-removed-at-1", AGENCY.member(status=MemberStatus.REMOVED, closed=one.last()))
    c.add(
        "removed-beyond",
        "Beyond it is refused.",
        lambda: two,
        **{**refused(7, "member-removed"), "member": removed},
        **beyond,
    )
    nothing = Last(seq=0, hash=AGENCY.genesis)
    none = ("agency-removed-at-0", AGENCY.member(status=MemberStatus.REMOVED, closed=nothing))
    c.add(
        "removed-from-the-start",
        "`seq` 0: nothing counts.",
        lambda: one,
        **{**refused(7, "member-removed"), "member": none},
    )


def _branches(c: Collection, one: Made, two: Made, other: list[Made]) -> None:
    """7: the history that a `last` of the registry demands."""
    thawed = ("agency-thawed-at-2", AGENCY.member(thawed=two.last()))
    history = {"branch": {1: one.hash, 2: two.hash}}
    wrong = {**refused(7, "other-branch"), "member": thawed}
    c.add(
        "branch-named",
        "On the named branch.",
        lambda: two,
        member=thawed,
        seen=seen_of(one, **history),
        outcome="accepted",
    )
    c.add(
        "branch-other",
        "On another branch: refused without a fork.",
        lambda: other[0],
        seen=seen_of(one, **history),
        **wrong,
    )
    c.add(
        "branch-unknown",
        "What the registry demands at this place is not known yet.",
        lambda: one,
        member=thawed,
        seen=Seen(branch={2: two.hash}),
        outcome="waiting",
        why="branch",
    )
    after = seen_of(one, two, **history)
    c.add(
        "branch-other-next", "Right after `last`, but after another statement.", lambda: other[1], seen=after, **wrong
    )
    refused_before = seen_of(one, two, **history, other_branch={other[0].hash, other[1].hash})
    c.add("branch-other-continued", "It continues what was refused.", lambda: other[2], seen=refused_before, **wrong)
    with fixed_salts("after thaw"):
        third = AGENCY.chain(1, after=two)[0]
    c.add(
        "branch-not-told-yet",
        "Beyond `last`, after a statement unseen so far: it may continue the refused branch, so it proves no fork.",
        lambda: other[2],
        member=thawed,
        seen=seen_of(one, two, third, **history),
        outcome="waiting",
        why="branch",
    )
    c.add("branch-goes-on", "Later ones may follow it.", lambda: third, member=thawed, seen=after, outcome="accepted")


def _keys(c: Collection, one: Made, two: Made, three: Made) -> None:
    """7: rotation and closing of keys."""
    closed = ("agency-key-1-closed-at-2", AGENCY.member(closed_keys={0: two.last()}))
    history = {"branch": {1: one.hash, 2: two.hash}}
    after_two = seen_of(one, two, **history)
    c.add(
        "key-closed-before",
        "Up to `closed` the key counts.",
        lambda: two,
        member=closed,
        seen=seen_of(one, **history),
        outcome="accepted",
    )
    c.add(
        "key-closed",
        "Beyond it does not.",
        lambda: three,
        seen=after_two,
        **{**refused(7, "key-closed"), "member": closed},
    )
    next_place = AGENCY.after(two)
    c.add(
        "key-rotated",
        "The next key goes on.",
        lambda: AGENCY.finding(**SECOND_KEY, **next_place),
        member=closed,
        seen=after_two,
        outcome="accepted",
    )
    c.add(
        "key-first-use",
        "A later key counts from the first statement it signs, without any closing.",
        lambda: AGENCY.finding(**SECOND_KEY, **next_place),
        member=plain(),
        seen=seen_of(one, two),
        outcome="accepted",
    )
    c.add(
        "key-superseded",
        "From there the earlier key counts no more.",
        lambda: three,
        seen=seen_of(one, two, keys=(0, 1)),
        **refused(7, "key-superseded"),
    )


def _places(c: Collection, one: Made, two: Made, three: Made) -> None:
    """9: next, repeat, gap."""
    after_one, after_two = seen_of(one), seen_of(one, two)
    member: dict[str, Any] = {"member": plain()}
    c.add("next", "The next place.", lambda: two, seen=after_one, outcome="accepted", **member)
    c.add("repeat", "The same again.", lambda: one, seen=after_two, outcome="repeated", seq=1, hash=one.hash, **member)
    c.add(
        "repeat-stripped",
        "The same statement, with fewer disclosures.",
        lambda: one.stripped("names"),
        seen=after_two,
        outcome="repeated",
        seq=1,
        hash=one.hash,
        **member,
    )
    c.add("gap", "Something between is missing.", lambda: three, seen=after_one, outcome="waiting", why="gap", **member)
    c.add(
        "gap-at-the-start", "An empty log, and a second statement.", lambda: two, outcome="waiting", why="gap", **member
    )


def _forks(c: Collection, one: Made, two: Made, three: Made, other: list[Made]) -> None:
    """9: two stories, and what comes after."""
    after_one, after_two = seen_of(one), seen_of(one, two)
    member: dict[str, Any] = {"member": plain()}
    fork = {"outcome": "forked", **member}
    c.add(
        "fork-same-place",
        "Two statements of one place.",
        lambda: other[0],
        seen=after_two,
        at=2,
        hash=other[0].hash,
        other=two.hash,
        **fork,
    )
    c.add(
        "fork-next",
        "The next place after another past.",
        lambda: other[1],
        seen=after_two,
        at=2,
        hash=other[1].hash,
        other=two.hash,
        **fork,
    )
    frozen = replace(after_two, frozen_from=2)
    c.add(
        "frozen",
        "After a fork nothing from it on counts.",
        lambda: three,
        seen=frozen,
        outcome="waiting",
        why="frozen",
        **member,
    )
    with fixed_salts("another first"):
        first = AGENCY.finding()
    c.add(
        "fork-first",
        "Two first statements.",
        lambda: first,
        seen=after_one,
        at=1,
        hash=first.hash,
        other=one.hash,
        **fork,
    )
