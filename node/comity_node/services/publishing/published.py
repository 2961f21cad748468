"""What this node has published and still stands: what can be revised or taken back."""

from dataclasses import dataclass

from comity_federation.statements import Outgoing
from comity_node.db import Store
from comity_node.db.outbox import OutboxItem
from comity_node.db.reviews import Review
from comity_node.domain.errors import AlreadyProposed, NotPublished
from comity_node.domain.lifecycle import check_start, check_step
from comity_node.services.reports.stored import open_stored
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.statement import Kind

RELEASE, WITHDRAW = "release", "withdraw"

OF_A_SUPPLIER = frozenset({"finding", "decision"})
"""What a proposal says that its supplier can see and answer."""


@dataclass(frozen=True, slots=True)
class Published:
    """The newest form of a finding of this node."""

    hash: str
    finding: Finding
    handling: Handling
    review_id: str | None


@dataclass(frozen=True, slots=True)
class Later:
    """What takes an own statement back or stands in its place, said or proposed."""

    act: str
    """`release` or `withdraw`."""
    state: str
    """`proposed`, `approved` or `rejected`."""
    review_id: str | None
    """None where only the log knew of it, as after a restored backup."""
    statement: str | None
    """Its hash once it has a place in the log."""


async def said_later(store: Store, statement: str) -> list[Later]:
    """Return all that was said or proposed of an own statement later, oldest first."""
    later = []
    for review in await store.reviews.of_target(statement):
        item = await store.outbox.of_review(review.id) if review.state == "approved" else None
        later.append(Later(review.act, review.state, review.id, None if item is None else item.hash))
    for item in await store.outbox.corrections_without_review(statement):
        body = item.outgoing.body
        if statement in (body.get("statement"), body.get("replaces")):
            act = WITHDRAW if item.outgoing.kind == Kind.WITHDRAWAL else RELEASE
            later.append(Later(act, "approved", None, item.hash))
    return later


async def is_taken_back(store: Store, statement: str) -> bool:
    """Tell whether two people took an own statement back, whether that has left already or not."""
    return any(each.act == WITHDRAW and each.state == "approved" for each in await said_later(store, statement))


def said_of(outgoing: Outgoing) -> Finding:
    """Return a finding as it was released, withheld fields included."""
    return Finding.from_parsed({**outgoing.body, **outgoing.disclosed, **outgoing.withheld})


async def published_finding(store: Store, statement: str) -> Published:
    """Return a finding of this node that was not taken back; it may have been revised since.

    Raises:
        NotPublished: this node has not published it, or has taken it back already.
    """
    item = await published_item(store, statement, Kind.FINDING)
    return Published(statement, said_of(item.outgoing), item.outgoing.handling, item.review_id)


async def published_item(store: Store, statement: str, *kinds: Kind) -> OutboxItem:
    """Return a statement of this node that was not taken back; it may have been revised since.

    Args:
        store: The open transaction.
        statement: Its hash.
        kinds: What it must be; by default a finding or a decision.

    Raises:
        NotPublished: this node has not published it, or has taken it back already.
    """
    wanted = kinds or (Kind.FINDING, Kind.DECISION)
    item = await store.outbox.of_hash(statement)
    if item is None:
        other = (await store.view.load([statement])).get(statement)
        if other is not None:
            raise NotPublished(
                f"{other.member} has published this, and only {other.member} corrects it or takes it back. You can "
                "tell evidence of your own that contradicts it, or carry its supplier's reply; nothing was changed"
            )
    if item is None or item.outgoing.kind not in wanted:
        raise NotPublished(f"this node has published no {' or '.join(wanted)} with this hash")
    if await is_taken_back(store, statement):
        raise NotPublished(f"this {item.outgoing.kind} was taken back already")
    return item


async def first_form(store: Store, statement: str) -> str:
    """Return the hash of a finding's first form, whichever of its forms is named.

    Raises:
        NotPublished: this node has not published it.
    """
    seen: set[str] = set()
    while True:
        item = await store.outbox.of_hash(statement)
        if item is None or item.outgoing.kind != Kind.FINDING or statement in seen:
            raise NotPublished("this node has published no finding with this hash")
        seen.add(statement)
        before = item.outgoing.body.get("replaces")
        if before is None:
            return statement
        statement = str(before)


async def forms_of(store: Store, statement: str) -> list[str]:
    """Return the hashes of a statement of this node and of all later forms of it that have a place in the log."""
    forms = [statement]
    while True:
        later = await said_later(store, forms[-1])
        newer = [each.statement for each in later if each.act == RELEASE and each.statement]
        if not newer:
            return forms
        forms.append(newer[-1])


async def newest_hash(store: Store, statement: str) -> str:
    """Return the hash of the newest form of a statement of this node that has a place in the log."""
    return (await forms_of(store, statement))[-1]


async def all_forms(store: Store, statement: str) -> list[str]:
    """Return the hashes of all forms of a statement of this node, the first one first, whichever is named."""
    first, seen = statement, {statement}
    while (item := await store.outbox.of_hash(first)) is not None:
        before = item.outgoing.body.get("replaces")
        if before is None or before in seen:
            break
        first = str(before)
        seen.add(first)
    return await forms_of(store, first)


async def was_taken_back(store: Store, review_id: str) -> bool:
    """Tell whether what came of a proposal has a place in the log and was taken back, in whatever form it stood."""
    item = await store.outbox.of_review(review_id)
    if item is None or item.hash is None:
        return False
    return await is_taken_back(store, await newest_hash(store, item.hash))


async def require_newest(store: Store, statement: str) -> None:
    """Let pass only what nothing stands in the place of: else the newer form would stand on.

    Raises:
        NotPublished: it was revised; the text names its newer form.
    """
    for each in await said_later(store, statement):
        if each.act != RELEASE or each.state != "approved":
            continue
        if each.statement is None:
            raise NotPublished("a revision of it was released and waits for its place in the log: take that back then")
        raise NotPublished(
            f"it was revised already, and taking it back would leave its newer form standing: {each.statement}"
        )


async def newest_form(store: Store, statement: str, *, but: str | None = None) -> Published:
    """Return a finding that can be revised: published here, not taken back, not revised already.

    Args:
        store: The open transaction.
        statement: Its hash.
        but: A proposal to revise it that is not counted: the one that asks.

    Raises:
        NotPublished: it is not the newest form; the text names what is.
        AlreadyProposed: a revision of it is proposed, or approved and on its way.
    """
    found = await published_finding(store, statement)
    await require_unrevised(store, statement, but=but)
    return found


async def require_unrevised(store: Store, statement: str, *, but: str | None = None) -> None:
    """Let pass only the newest form of a statement of this node.

    Raises:
        NotPublished: it was revised; the text names its newer form.
        AlreadyProposed: a revision of it is proposed, or approved and on its way.
    """
    for each in await said_later(store, statement):
        if each.act != RELEASE or each.state == "rejected" or (but is not None and each.review_id == but):
            continue
        if each.statement is not None:
            raise NotPublished(f"it was revised already; its newer form is {each.statement}")
        raise AlreadyProposed(f"a revision of it is {each.state} already (review {each.review_id})")


async def check_status(store: Store, review: Review, finding: Finding) -> None:
    """Let a finding pass only if its status may start or follow; asked when it is proposed and when it is released.

    Raises:
        StatusMayNotFollow: it may not.
        NotPublished, AlreadyProposed: what it revises is not there to be revised any more.
    """
    if review.target is None:
        check_start(finding)
        return
    before = await newest_form(store, review.target, but=review.id)
    check_step(before.finding, finding, follow_up=await _is_follow_up(store, review, before))


async def _is_follow_up(store: Store, review: Review, before: Published) -> bool:
    """Tell whether a signed report stands behind a revision that names the observation it follows up."""
    stored = None if review.report_id is None else await store.reports.find(review.report_id)
    earlier = None if before.review_id is None else await store.reviews.find(before.review_id)
    if stored is None or stored.origin != "signed" or earlier is None or stored.expired_at is not None:
        return False
    named = next((o.follows_up for o in open_stored(stored).observations if o.ref == review.observation), None)
    return named is not None and (named.report, named.observation) == (earlier.report_id, earlier.observation)
