"""Whether two parties are the same, and why. Pure, and the same on every machine.

Rules:
- An equal number decides, whatever the name. An equal parent is the same company at another site.
- Else the name must come close enough; then country, address and unit numbers say what they add to it.
- A name alone never gives `match`; neither does a name beside another number of the same register.
- Where the name is the same company's and the place is another, it is `same company, other site`; beside another number
  of the same register an address alone does not say so.
"""

from comity_node.domain.matching.identifiers import other_site_number, weigh_numbers
from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict
from comity_node.domain.matching.naming import Named, compare_names
from comity_node.domain.matching.party import Party, Rarity, all_alike
from comity_node.domain.matching.places import Place, are_sister_branches, begin_as_one_company, compare_addresses
from comity_node.domain.matching.thresholds import (
    OTHER_ADDRESS,
    OTHER_UNIT,
    REVIEW,
    SAME_ADDRESS,
    SAME_COMPANY,
    SAME_SITE,
    WRONG_COUNTRY,
)

_LEAST_NAMED = REVIEW - SAME_ADDRESS
"""Fewer points of a name cannot become enough by anything beside it."""


def compare(asked: Party, known: Party, rarity: Rarity = all_alike) -> Likeness:
    """Return how alike the two are, with every line that leads there."""
    decided, number = weigh_numbers(asked.identifiers, known.identifiers)
    if decided is not Verdict.NONE and number is not None:
        return Likeness(decided, (number,), number.reason)
    named = compare_names(asked.names, known.names, rarity)
    if named is None or (named.points < _LEAST_NAMED and not _are_sisters(named)):
        return Likeness(Verdict.NONE, () if named is None else _too_little(named), "no name and no number in common")
    of_places = asked.has_places_only or known.has_places_only
    place, *addresses = compare_addresses(asked.addresses, known.addresses, of_places=of_places)
    words = named.parts
    site = _other_site(asked, known, named)
    parts = [*words, *_country(asked, known, of_branch=_is_branch_of(named)), *_address(place, *addresses), *site]
    if number is not None:
        parts.append(number)
    verdict = _verdict(named, place, tuple(parts), other_number=number is not None)
    return Likeness(verdict, tuple(parts), _in_words(named, parts[len(words) :]))


def _too_little(named: Named) -> tuple[Part, ...]:
    """Return the points of a name in one line: most of whom a search brings end here, and nobody reads their words."""
    return (Part(PartKind.WORD, named.asked.text, named.known.text, "too little in common", named.points),)


def _country(asked: Party, known: Party, *, of_branch: bool) -> list[Part]:
    if not asked.country or not known.country or asked.country == known.country:
        return []
    said = f"in {known.country}, you asked for {asked.country}"
    # A branch abroad is what branches are for.
    return [Part(PartKind.COUNTRY, asked.country, known.country, said, 0 if of_branch else WRONG_COUNTRY)]


def _address(place: Place, asked: str, known: str) -> list[Part]:
    alike = dict.fromkeys((Place.SAME, Place.NEAR, Place.TOWN), SAME_ADDRESS)
    points = {**alike, Place.ELSEWHERE: 0, Place.OTHER: OTHER_ADDRESS}.get(place)
    return [] if points is None else [Part(PartKind.ADDRESS, asked, known, place.value, points)]


def _other_site(asked: Party, known: Party, named: Named) -> list[Part]:
    """Return what says that the two are different sites: numbers of sites, units, branches."""
    mine, theirs = named.asked.site, named.known.site
    number = other_site_number(asked.identifiers, known.identifiers)
    if number is not None:
        return [Part(PartKind.UNIT_NUMBER, *number, "the site has another number", OTHER_UNIT)]
    if _are_sisters(named):
        return [Part(PartKind.UNIT_NUMBER, named.asked.text, named.known.text, "another branch", 0)]
    if mine.units != theirs.units:
        unit, other = ", ".join(sorted(mine.units)), ", ".join(sorted(theirs.units))
        return [Part(PartKind.UNIT_NUMBER, unit, other, "the unit number differs", OTHER_UNIT)]
    if _is_branch_of(named):
        return [Part(PartKind.UNIT_NUMBER, named.asked.text, named.known.text, "only one is a branch", 0)]
    return []


def _is_branch_of(named: Named) -> bool:
    return named.asked.site.is_branch != named.known.site.is_branch


def _are_sisters(named: Named) -> bool:
    mine, theirs = named.asked.site, named.known.site
    if mine.is_branch and theirs.is_branch:
        return are_sister_branches(mine.company, theirs.company)
    return begin_as_one_company(named.asked.text, named.known.text)


def _verdict(named: Named, place: Place, parts: tuple[Part, ...], *, other_number: bool) -> Verdict:
    score = sum(part.points for part in parts)
    apart = any(part.about is PartKind.UNIT_NUMBER for part in parts)
    sisters = any(part.reason == "another branch" for part in parts)
    if sisters:
        return Verdict.OTHER_SITE
    if named.points >= SAME_COMPANY and place is Place.OTHER:
        # Who has another number and another address shares nothing but a name.
        return Verdict.REVIEW if other_number else Verdict.OTHER_SITE
    if score < REVIEW:
        return Verdict.NONE
    if apart:
        return Verdict.OTHER_SITE
    if place is Place.SAME and named.points >= SAME_SITE and not other_number:
        return Verdict.MATCH
    return Verdict.REVIEW


def _in_words(named: Named, beside: list[Part]) -> str:
    how = "the name is equal" if named.all_equal else "the name comes close"
    return "; ".join([f"{how}: {named.known.text}", *(part.reason for part in beside)])
