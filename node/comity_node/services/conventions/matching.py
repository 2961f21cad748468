"""Screening as others' clients ask for it: each supplier that may be meant, once, with why.

The same questions go to the same engine as everybody's; no query leaves the node, and the trail notes how many were
asked and never whom about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.suppliers import Known, Wanted
from comity_node.domain.conventions.asking import Example, Unplaced
from comity_node.domain.conventions.entities import Profile
from comity_node.domain.matching.identifiers import numbers_of_company
from comity_node.domain.matching.likeness import RANKS, Likeness
from comity_node.domain.suppliers.mentions import Role
from comity_node.domain.trail import Event
from comity_node.services.answering.moment import cover
from comity_node.services.answering.screen import Answer, screen
from comity_node.services.conventions.profiles import profiles_of
from comity_node.services.suppliers.following import catch_up
from comity_node.services.watching.judging import judged_of_rows
from comity_schemas.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier that may be the one asked about."""

    profile: Profile
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Matched:
    """Everybody who may be meant by one example, the likest first, and what the network knows under it."""

    candidates: tuple[Candidate, ...]
    answer: Answer


async def match(
    database: Database,
    examples: Sequence[Example],
    registry: Registry,
    person: str,
    now: datetime,
    rows: Sequence[str | None] = (),
) -> list[Matched]:
    """Answer examples, all at the same log positions, once the trail says how many were asked.

    Args:
        database: The node's.
        examples: Whom somebody asks about.
        registry: Of members.
        person: Who asks.
        now: The time.
        rows: For each example the row of this person's own list that it is about: what was judged of it counts.
    """
    await catch_up(database)
    async with database.read() as store:
        questions = [
            replace(e.question, identifiers=await _with_unplaced(store, e.question.identifiers, e.unplaced))
            for e in examples
        ]
        asked = [(row, example.question.party) for row, example in zip(rows, examples, strict=True)] if rows else []
        judged = await judged_of_rows(store, person, asked)
        answers = await screen(store, questions, registry, now, judged)
        found = [await _suppliers(store, answer) for answer in answers]
        profiles = await profiles_of(store, {whole for some in found for whole in some}, now.date())
    await _note(database, person, now, len(examples), answers[0].positions)
    return [Matched(_ranked(some, profiles), answer) for some, answer in zip(found, answers, strict=True)]


MOST_LOOKED_AT = 2_000
"""Suppliers that one page of a list is chosen from."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of the list of suppliers."""

    profiles: tuple[Profile, ...]
    further: bool
    """Whether there are more, or may be."""
    is_cut_off: bool
    """Whether not all were looked at, and the part is not full."""


async def list_profiles(
    database: Database,
    wanted: Wanted,
    person: str,
    now: datetime,
    is_asked_for: Callable[[Profile], bool],
    *,
    skip: int,
    most: int,
) -> Listed:
    """Return suppliers whose name begins so, or all, once the trail says that a list was shown.

    Args:
        database: The node's.
        wanted: Which suppliers.
        person: Who asks.
        now: The time.
        is_asked_for: Which of them are told; the others take no place.
        skip: How many of those that are told come before.
        most: How many are told.
    """
    await catch_up(database)
    told: list[Profile] = []
    looked, at_once, more = 0, most + 1, True
    async with database.read() as store:
        while more and len(told) <= skip + most and looked < MOST_LOOKED_AT:
            found = await store.suppliers.page(wanted, skip=looked, most=at_once + 1)
            wholes = list(dict.fromkeys(known.whole for known in found[:at_once]))
            profiles = await profiles_of(store, wholes, now.date())
            told += [profiles[whole] for whole in wholes if is_asked_for(profiles[whole])]
            looked, more, at_once = looked + at_once, len(found) > at_once, 2 * at_once
    async with database.write() as store:
        await store.trail.add(now, person, Event.SUPPLIER_SHOWN, "suppliers", what="list")
    part = tuple(told[skip : skip + most])
    return Listed(part, more or len(told) > skip + most, more and len(part) < most)


async def find_profiles(database: Database, numbers: Sequence[int], person: str, now: datetime) -> dict[int, Profile]:
    """Return number to supplier, of those that exist; under a joined number stands the one it was joined with."""
    await catch_up(database)
    async with database.read() as store:
        known = await store.suppliers.find(numbers)
        profiles = await profiles_of(store, {each.whole for each in known.values()}, now.date())
        positions = {log.member: log.head for log in await store.logs.all()}
    async with database.write() as store:
        await store.trail.add(now, person, Event.SUPPLIER_SHOWN, "suppliers", what="one", positions=positions)
    return {number: profiles[each.whole] for number, each in known.items() if each.whole in profiles}


async def publishers(database: Database, registry: Registry, now: datetime) -> tuple[list[str], dict[str, int], str]:
    """Return the members that may be asked about, the log positions, and in words whom an answer rests on."""
    async with database.read() as store:
        logs = {log.member: log for log in await store.logs.all()}
    members = sorted({member.slug for member in registry.members})
    return members, {slug: log.head for slug, log in sorted(logs.items())}, cover(registry, logs, now).in_words()


async def _with_unplaced(
    store: Store, placed: tuple[Identifier, ...], unplaced: Sequence[Unplaced]
) -> tuple[Identifier, ...]:
    """Return the identifiers with those that somebody here, or a branch of the same company, has under the number whose
    scheme nobody gave."""
    wanted = [identifier for each in unplaced for identifier in each.may_be()]
    asked = [(identifier.scheme, identifier.id) for identifier in wanted]
    there = {(s, v) for _, s, v in await store.suppliers.with_identifier(asked, 1)} if asked else set()
    for identifier in wanted:
        first, last = numbers_of_company(identifier)
        if first != last and await store.suppliers.with_number_between(identifier.scheme, first, last, 1):
            there.add((identifier.scheme, identifier.id))
    return (*placed, *dict.fromkeys(i for i in wanted if (i.scheme, i.id) in there))


async def _suppliers(store: Store, answer: Answer) -> dict[int, Likeness]:
    """Return the suppliers that findings and decisions which were found are about, each by its likest.

    Of whom nothing is shown, since others have so many, is found as the supplier that it is.
    """
    likeness = {hit.entry.hash: hit.likeness for hit in answer.hits}
    likeness.update({hit.entry.hash: hit.likeness for hit in answer.decisions})
    numbers = await store.view.numbers(sorted(likeness))
    by_number = {numbers[name]: how for name, how in likeness.items() if name in numbers}
    mentions = [m for m in await store.mentions.by(sorted(by_number)) if m.role is Role.SUBJECT]
    known: Mapping[int, Known] = await store.suppliers.find(sorted({m.supplier for m in mentions}))
    found: dict[int, Likeness] = {}
    for mention in mentions:
        whole, how = known[mention.supplier].whole, by_number[mention.entry]
        if whole not in found or _order(how) < _order(found[whole]):
            found[whole] = how
    for like in answer.suppliers:
        found.setdefault(like.known.whole, like.likeness)
    return found


def _order(likeness: Likeness) -> tuple[int, float]:
    return RANKS[likeness.verdict], -likeness.score


def _ranked(found: Mapping[int, Likeness], profiles: Mapping[int, Profile]) -> tuple[Candidate, ...]:
    ordered = sorted(found, key=lambda whole: (*_order(found[whole]), whole))
    return tuple(Candidate(profiles[whole], found[whole]) for whole in ordered if whole in profiles)


async def _note(database: Database, person: str, now: datetime, asked: int, positions: dict[str, int]) -> None:
    # A transaction of its own: while somebody searches, whoever writes need not wait.
    async with database.write() as store:
        await store.trail.add(now, person, Event.SCREENED, "suppliers", asked=asked, positions=positions)
