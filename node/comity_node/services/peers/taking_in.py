"""Records that peers gave, into the same inbox as those of the bus, with the giver beside them."""

from collections.abc import Iterable
from datetime import datetime

from comity_federation.merging import merge_copies
from comity_node.db import Database, Store
from comity_node.db.received import Received
from comity_node.services.peers.client import Given
from comity_schemas.member import Member


async def take_in_given(database: Database, of: Member, given: Iterable[Given], source: str, now: datetime) -> int:
    """Put what this node does not have into the inbox, in one transaction; return how many.

    What is there already, undecided or decided, is left out, unless the copy has disclosures that ours lacks.
    """
    async with database.write() as store:
        return await put_given(store, of, given, source, now)


async def put_given(store: Store, of: Member, given: Iterable[Given], source: str, now: datetime) -> int:
    """As `take_in_given`, within a transaction."""
    taken = 0
    for one in given:
        copies = await store.received.of_hash(of.slug, one.claimed.hash)
        if all(_adds_to(copy, one) for copy in copies):
            await store.received.add(of.slug, one.raw, one.claimed, now, None, source=source)
            taken += 1
    return taken


def _adds_to(copy: Received, given: Given) -> bool:
    if copy.raw == given.raw:
        return False
    # A refused copy may have been spoiled on its way, and one not decided yet be no record at all: this one need not.
    return copy.state in ("refused", "new") or merge_copies(copy.raw, given.raw) != copy.raw
