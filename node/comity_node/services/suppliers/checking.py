"""Comparing what suppliers are kept as with what statements say of them: countries, and foldings of names."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from comity_node.db import Store
from comity_node.domain.changing import Change
from comity_node.domain.matching.folding import FOLDING
from comity_node.domain.names import fold_name
from comity_node.domain.supplier_view import AnyEntry, DecisionEntry, Entry, NoticeEntry, PointerEntry
from comity_node.domain.suppliers.mentions import asides, mentions

OTHER_COUNTRY = "it stands under a country that no statement says of it"
FOLDED_OTHERWISE = "a name of it is folded otherwise than it is written"

_PAGE = 2_000


@dataclass(slots=True)
class Said:
    """Under which countries the statements that count name suppliers."""

    countries: dict[str, set[str]] = field(default_factory=dict)
    """A supplier's key to its countries; empty where a statement says none."""

    def take_in(self, entries: Iterable[AnyEntry]) -> None:
        """Take in whom statements mention."""
        for entry in entries:
            some = mentions(entry) if isinstance(entry, Entry | DecisionEntry) else []
            some += asides(entry) if isinstance(entry, PointerEntry | NoticeEntry) else []
            for each in some:
                self.countries.setdefault(each.key, set()).add(each.country)


async def supplier_problems(store: Store, said: Said) -> list[str]:
    """Return in words which suppliers stand under another country than is said of them, or names otherwise folded.

    A supplier keeps the country of the first statement about it. Where statements have ceased to count since, nobody
    can tell any more what the first one said, and countries are not compared.
    """
    reach = await store.search.reach()
    newest, built = reach.newest, reach.built
    # Under another folding the names are folded anew together with the index.
    folded = built.folding == FOLDING and built.batch is None
    whole = not await store.changes.any_of(Change.REMOVED)
    problems = []
    for first in range(1, newest + 1, _PAGE):
        last = first + _PAGE - 1
        wrong = set()
        if folded:
            stored = await store.suppliers.foldings(first, last)
            wrong = {number for number, name, folding in stored if fold_name(name) != folding}
        problems += [
            f"supplier {number}: a name of it is folded otherwise than it is written" for number in sorted(wrong)
        ]
        if whole:
            kept = await store.suppliers.countries(first, last)
            problems += sorted(
                {
                    f"supplier {number}: {OTHER_COUNTRY}"
                    for number, key, country in kept
                    if country not in said.countries.get(key, {country})
                }
            )
    return problems
