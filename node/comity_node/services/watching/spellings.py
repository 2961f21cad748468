"""Spellings by which officers recognised a supplier: names of it at this node for as long as the judgement stands."""

from collections.abc import Iterable
from datetime import datetime

from comity_node.db import Store
from comity_node.domain.matching.party import Party
from comity_node.domain.names import fold_name
from comity_node.domain.people import Person
from comity_node.domain.suppliers.facts import Fact, FactKind
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import VendorJudged, VendorJudgement


async def learn_spellings(store: Store, made: VendorJudgement, facts: Party) -> None:
    """Let the supplier be found at this node by the row's spellings too, where they are none of its own."""
    known = {fold_name(name) for name in facts.names}
    news = {fold_name(name): name for name in made.vendor_facts.names}
    for number, (folded, name) in enumerate(sorted(news.items())):
        if folded not in known:
            fact = Fact(f"{made.id}-{number}", FactKind.ALIAS, made.supplier, made.by, made.at, text=name)
            await store.facts.add(fact)
            detail = {"fact": fact.kind.value, "supplier": made.supplier}
            await store.trail.add(made.at, made.by, Event.FACT_ENTERED, fact.id, **detail)


async def forget_spellings(store: Store, judgements: Iterable[VendorJudgement], person: Person, now: datetime) -> None:
    """Take back what judgements taught that stand no more, or go with their rows."""
    for made in judgements:
        if made.judged is not VendorJudged.SAME:
            continue
        for number in range(len(made.vendor_facts.names)):
            fact = await store.facts.find(f"{made.id}-{number}")
            if fact is not None and fact.taken_back_at is None:
                await store.facts.take_back(fact.id, person.id, now)
                await store.trail.add(now, person.id, Event.FACT_TAKEN_BACK, fact.id)
