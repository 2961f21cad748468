"""Judging whom a row of an officer's list means, and which suppliers are still to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.suppliers import Known
from comity_node.domain.errors import NotFound, SamePerson
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import RANKS, Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import (
    Holds,
    VendorJudged,
    VendorJudgement,
    VendorJudgementRefused,
    Weighed,
    as_asked,
    of_joined,
    weigh,
)
from comity_node.domain.watching.vendors import Vendor
from comity_node.services.accounts import new_id
from comity_node.services.searching.candidates import candidates
from comity_node.services.searching.rarity import rarity_of
from comity_node.services.watching.spellings import forget_spellings, learn_spellings
from comity_node.services.watching.vendors import own_vendor
from comity_schemas.identifiers import Identifier

MOST_ALIKE = 50
"""Suppliers that one answer offers to be judged; what was judged before comes on top and takes no place of theirs,
however many are joined in it."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A supplier that a row may mean, and what was judged of the two."""

    known: Known
    likeness: Likeness
    judged: Weighed | None


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a row may mean."""

    recognised: tuple[Alike, ...]
    to_judge: tuple[Alike, ...]
    decided: tuple[Alike, ...]
    """Judged not to be it; listed, so that nothing is hidden."""


async def judge_vendor(
    store: Store, person: Person, vendor_id: str, supplier: int, judged: VendorJudged, words: str | None, now: datetime
) -> Weighed:
    """Judge whether a row means a supplier; what was judged of the two before is followed by this, and so is what was
    judged otherwise of whom it is joined with: whoever judges sees them as one.

    Raises:
        NotFound: no such row of this person's, or no such supplier.
    """
    vendor = await own_vendor(store, person, vendor_id)
    facts = (await own_facts(store, [supplier])).get(supplier)
    if facts is None:
        raise NotFound("no such supplier")
    of_row = await store.vendor_judgements.of_vendors([vendor.number])
    whole_of = {n: k.whole for n, k in (await store.suppliers.find([supplier, *(j.supplier for j in of_row)])).items()}
    for before in of_row:
        differs = before.judged is not judged and whole_of[before.supplier] == whole_of[supplier]
        if before.supplier == supplier or differs:
            await store.vendor_judgements.undo(before.id, person.id, now)
            await forget_spellings(store, [before], person, now)
    made = VendorJudgement(0, new_id(), vendor.number, supplier, judged, words, vendor.party, facts, person.id, now)
    await store.vendor_judgements.add(made)
    if judged is VendorJudged.SAME:
        await learn_spellings(store, made, facts)
    await store.trail.add(now, person.id, Event.VENDOR_JUDGED, made.id, judged=judged.value)
    return (await weighed(store, [made], {vendor.number: vendor}))[0]


async def confirm_judgement(store: Store, person: Person, judgement_id: str, now: datetime) -> Weighed:
    """Say as a second person that a row does not mean a supplier.

    Raises:
        NotFound: there is none that stands.
        SamePerson: it is this person's own.
        VendorJudgementRefused: it needs nobody else.
    """
    made = await store.vendor_judgements.find(judgement_id)
    if made is None or made.undone_at is not None:
        raise NotFound("no such judgement")
    if made.by == person.id:
        raise SamePerson("you judged this yourself; a second person has to say so too. Nothing was changed")
    if made.judged is not VendorJudged.NOT_SAME or made.confirmed_by is not None:
        raise VendorJudgementRefused("this judgement needs no second person; nothing was changed")
    await store.vendor_judgements.confirm(judgement_id, person.id, now)
    await store.trail.add(now, person.id, Event.VENDOR_JUDGEMENT_CONFIRMED, judgement_id)
    return await _weighed_anew(store, judgement_id)


async def undo_vendor_judgement(store: Store, person: Person, judgement_id: str, now: datetime) -> Weighed:
    """Undo a judgement of an own row: the supplier stands to be judged again.

    Raises:
        NotFound: there is none that stands, or it is of somebody else's row.
    """
    made = await store.vendor_judgements.find(judgement_id)
    vendors = {} if made is None else await store.vendors.by_number([made.vendor])
    if made is None or made.undone_at is not None or vendors[made.vendor].owner != person.id:
        raise NotFound("no such judgement of yours")
    await store.vendor_judgements.undo(judgement_id, person.id, now)
    await forget_spellings(store, [made], person, now)
    await store.trail.add(now, person.id, Event.VENDOR_JUDGEMENT_UNDONE, judgement_id)
    return await _weighed_anew(store, judgement_id)


async def _weighed_anew(store: Store, judgement_id: str) -> Weighed:
    made = await store.vendor_judgements.find(judgement_id)
    assert made is not None
    return (await weighed(store, [made], await store.vendors.by_number([made.vendor])))[0]


async def weighed(store: Store, judgements: Sequence[VendorJudgement], vendors: Mapping[int, Vendor]) -> list[Weighed]:
    """Return judgements with whether each counts now."""
    numbers = sorted({j.supplier for j in judgements})
    facts = await own_facts(store, numbers)
    grave = await severities(store, numbers) if numbers else {}
    return [weigh(j, vendors[j.vendor].party, facts[j.supplier], grave.get(j.supplier, ())) for j in judgements]


async def waiting(store: Store, person: Person, most: int) -> list[tuple[Weighed, Vendor]]:
    """Return what waits for a second person, who is not the one that judged."""
    waits: list[tuple[Weighed, Vendor]] = []
    last = 0
    while len(waits) < most and (some := await store.vendor_judgements.unconfirmed(person.id, after=last, most=most)):
        last = some[-1].number
        vendors = await store.vendors.by_number(j.vendor for j in some)
        found = await weighed(store, some, vendors)
        # What lapsed meanwhile takes no place from what waits.
        waits += [(each, vendors[each.judgement.vendor]) for each in found if each.holds is Holds.NEEDS_SECOND]
    return waits[:most]


async def own_facts(store: Store, suppliers: Sequence[int]) -> dict[int, Party]:
    """Return each supplier's own names, country and numbers, without those of whom it is joined with."""
    known = await store.suppliers.find(suppliers)
    names: dict[int, list[str]] = {}
    for supplier, text, _ in await store.suppliers.names(suppliers):
        names.setdefault(supplier, []).append(text)
    numbered: dict[int, list[Identifier]] = {}
    for supplier, scheme, value in await store.suppliers.identifiers(suppliers):
        numbered.setdefault(supplier, []).append(Identifier(scheme=scheme, id=value))
    return {
        number: Party(tuple(names.get(number, ())), each.country or None, (), tuple(numbered.get(number, ())))
        for number, each in known.items()
    }


async def severities(store: Store, suppliers: Sequence[int]) -> dict[int, set[str]]:
    """Return supplier to how grave what is found about it, and whom it is joined with, is."""
    known = await store.suppliers.find(suppliers)
    found = await store.mentions.severities(sorted({each.whole for each in known.values()}))
    return {number: found.get(each.whole, set()) for number, each in known.items()}


async def judged_wholes(store: Store, vendors: Mapping[int, Vendor]) -> dict[tuple[int, int], Weighed]:
    """Return (row, whole of a supplier) to what counts of all that was judged of the two and stands."""
    made = await store.vendor_judgements.of_vendors(vendors)
    known = await store.suppliers.find(sorted({j.supplier for j in made}))
    found: dict[tuple[int, int], list[Weighed]] = {}
    for each in await weighed(store, made, vendors):
        found.setdefault((each.judgement.vendor, known[each.judgement.supplier].whole), []).append(each)
    return {place: of_joined(some) for place, some in found.items()}


async def judged_of_rows(
    store: Store, owner: str, asked: Sequence[tuple[str | None, Party]]
) -> list[Mapping[int, Weighed]]:
    """Return for each row that is asked about what its owner judged of it, in their order.

    Args:
        store: Of one consistent view.
        owner: The officer whose rows they are; nobody else's count.
        asked: The row's own name, None where it has none, and how it is asked about.
    """
    kept = await store.vendors.of_rows(owner, [row for row, _ in asked if row])
    if not kept:
        return [{}] * len(asked)
    judged: dict[int, dict[int, Weighed]] = {}
    for (number, whole), each in (await judged_wholes(store, {v.number: v for v in kept.values()})).items():
        judged.setdefault(number, {})[whole] = each
    of_rows = ((kept.get(row or ""), party) for row, party in asked)
    return [
        {}
        if vendor is None
        else {w: as_asked(each, vendor.party, party) for w, each in judged.get(vendor.number, {}).items()}
        for vendor, party in of_rows
    ]


async def whom_it_means(store: Store, person: Person, vendor_id: str) -> Meant:
    """Return which suppliers a row may mean: those recognised, those to be judged, those decided against.

    Raises:
        NotFound: no such row of this person's.
    """
    vendor = await own_vendor(store, person, vendor_id)
    judged = await judged_wholes(store, {vendor.number: vendor})
    decided = {whole for (_, whole), each in judged.items() if _is(each, VendorJudged.NOT_SAME)}
    wholes = {whole for _, whole in judged}
    judged_ones = await store.suppliers.of_wholes(sorted(wholes))
    found = await _likely(store, vendor.party, MOST_ALIKE + len(judged_ones))
    by_whole: dict[int, Alike] = {}
    for known, likeness in found:
        before = by_whole.get(known.whole)
        if before is None or _order(likeness) < _order(before.likeness):
            by_whole[known.whole] = Alike(known, likeness, judged.get((vendor.number, known.whole)))
    # Who was judged is shown also where nothing is alike any more.
    for known in judged_ones:
        if known.number == known.whole and known.whole not in by_whole:
            nothing = Likeness(Verdict.NONE, (), "nothing but what was judged")
            by_whole[known.whole] = Alike(known, nothing, judged[vendor.number, known.whole])
    ordered = sorted(by_whole.values(), key=lambda a: (_order(a.likeness), a.known.number))
    same = [a for a in ordered if a.judged is not None and _is(a.judged, VendorJudged.SAME)]
    against = [a for a in ordered if a.known.whole in decided]
    rest = [a for a in ordered if a not in same and a not in against]
    return Meant(tuple(same), tuple(rest[:MOST_ALIKE]), tuple(against))


def _is(weighed_one: Weighed, judged: VendorJudged) -> bool:
    return weighed_one.holds is Holds.HOLDS and weighed_one.judgement.judged is judged


def _order(likeness: Likeness) -> tuple[int, float]:
    return RANKS[likeness.verdict], -likeness.score


async def _likely(store: Store, party: Party, most: int) -> list[tuple[Known, Likeness]]:
    """Return the suppliers that are like a party by what is known here of each itself, out of the name index."""
    found = await candidates(store, party, most)
    rarity = await rarity_of(store, [party, *(each.party for each in found)])
    compared = [(each.known, compare(party, each.party, rarity)) for each in found]
    return [(known, likeness) for known, likeness in compared if likeness.verdict is not Verdict.NONE]
