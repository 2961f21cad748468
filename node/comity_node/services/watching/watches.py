"""Beginning and ending watches: whatever is sent goes to the officer's own address, and nowhere else."""

import secrets
from base64 import b64encode
from datetime import datetime

from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.domain.watching.watches import MOST_WATCHES, Channel, Interest, Timing, Watch, WatchRefused
from comity_node.services.accounts import end_watches, new_id
from comity_node.services.watching.vendors import own_vendor

SECRET_PREFIX = "whsec_"  # noqa: S105 the form that libraries of Standard Webhooks take
_SECRET_BYTES = 32


async def begin_watch(
    store: Store,
    person: Person,
    title: str,
    interest: Interest,
    channel: Channel,
    timing: Timing,
    target: str | None,
    now: datetime,
) -> tuple[Watch, str | None]:
    """Begin to watch, from what changes next; return the watch, and a webhook's secret, which is shown this once.

    Raises:
        WatchRefused: it does not fit itself, or there are too many.
        NotFound: it names a row of somebody else, or a supplier that is not there.
    """
    if (channel is Channel.FEED) != (target is None):
        raise WatchRefused("mail and webhooks have a target, and a feed has none; nothing was changed")
    if channel is Channel.FEED and timing is not Timing.AT_ONCE:
        raise WatchRefused("a feed is read whenever somebody looks: it has no digests; nothing was changed")
    if len(await store.watches.of_owner(person.id)) >= MOST_WATCHES:
        raise WatchRefused(f"one officer has at most {MOST_WATCHES} watches; end one first. Nothing was changed")
    if interest.vendor is not None:
        await own_vendor(store, person, interest.vendor)
    if interest.supplier is not None and not await store.suppliers.find([interest.supplier]):
        raise NotFound("no such supplier")
    secret = None
    if channel is Channel.WEBHOOK:
        secret = SECRET_PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
    watch = Watch(0, new_id(), person.id, title, interest, channel, timing, now, target)
    await store.watches.add(watch, secret)
    await store.trail.add(now, person.id, Event.WATCH_BEGUN, watch.id, channel=channel.value, timing=timing.value)
    found = await store.watches.find(watch.id)
    assert found is not None
    return found, secret


async def end_watch(store: Store, person: Person, watch_id: str, now: datetime) -> None:
    """End a watch: nothing more is told to it, what it was told stays.

    Raises:
        NotFound: it is not there, or somebody else's, or ended.
    """
    watch = await own_watch(store, person, watch_id)
    if watch.ended_at is not None:
        raise NotFound("no such watch of yours")
    await end_watches(store, [watch], person.id, now)


async def own_watch(store: Store, person: Person, watch_id: str) -> Watch:
    """Return an officer's own watch.

    Raises:
        NotFound: it is not there, or somebody else's.
    """
    watch = await store.watches.find(watch_id)
    if watch is None or watch.owner != person.id:
        raise NotFound("no such watch of yours")
    return watch
