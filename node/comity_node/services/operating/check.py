"""`comity check`: decides and folds everything anew, compares with what is stored, and keeps nothing of it."""

from collections.abc import Sequence
from datetime import datetime

from comity_federation.decision import Accepted, Refused
from comity_federation.lone_record import as_when_signed, claimed_issuer, decide_alone
from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.outbox import OutboxItem
from comity_node.domain.supplier_view import (
    AnyEntry,
    CorroborationEntry,
    DecisionEntry,
    Entry,
    NoticeEntry,
    PointerEntry,
    ReplyEntry,
)
from comity_node.services.receiving.settle import redecide, settle_log
from comity_node.services.receiving.subscriptions import trust_fingerprint
from comity_node.services.review.release import read_outgoing
from comity_node.services.searching.checking import index_problems
from comity_node.services.suppliers.checking import Said, supplier_problems
from comity_node.services.suppliers.following import derive, follow


async def check(database: Database, registry: Registry, now: datetime) -> list[str]:
    """Return every difference found, in words; empty when all is well."""
    async with database.rehearse() as store:
        problems = [*await _check_trail(store), *await _check_outbox(store, registry)]
        for slug in await store.received.all_members():
            if registry.member(slug) is None:
                problems.append(f"records of {slug} are stored, which the registry does not list")
        for slug in await store.view.members():
            if registry.member(slug) is None:
                problems.append(f"the view holds what was said by {slug}, which the registry does not list")
        if orphans := await store.view.orphans():
            problems.append(f"{orphans} rows of the view belong to no record that was received")
        await _settle_inbox(store, registry, now)
        while await follow(store):
            pass
        problems += [*await index_problems(store), *await supplier_problems(store, await _said(store, registry))]
        for member in registry.members:
            view_before = await store.view.of_log(member.slug)
            accepted_before = await _accepted(store, member.slug)
            await redecide(store, member, now, why="check")
            problems += _differences(member.slug, view_before, await store.view.of_log(member.slug))
            problems += await _check_mentions(store, member.slug, sorted(view_before))
            problems += _chain_problems(member.slug, accepted_before, await _accepted(store, member.slug))
    return problems


async def _said(store: Store, registry: Registry) -> Said:
    said = Said()
    for member in registry.members:
        said.take_in((await store.view.of_log(member.slug)).values())
    return said


async def _check_mentions(store: Store, slug: str, hashes: Sequence[str]) -> list[str]:
    """Compare whom statements are kept to mention with whom they do: what was not followed yet is no difference."""
    numbers = sorted((await store.view.numbers(hashes)).values())
    before = set(await store.mentions.by(numbers))
    named_before = set(await store.said_of.named_by(numbers))
    suppliers = sorted({*(mention.supplier for mention in before), *(supplier for _, supplier in named_before)})
    found_before = await _found_under(store, suppliers)
    await derive(store, numbers)
    wrong = {mention.entry for mention in before ^ set(await store.mentions.by(numbers))}
    wrong |= {entry for entry, _ in named_before ^ set(await store.said_of.named_by(numbers))}
    problems = [f"{slug}: record {number} mentions other suppliers than are kept" for number in sorted(wrong)]
    # What deriving has added was missing.
    missing = {supplier for supplier, *_ in await _found_under(store, suppliers) - found_before}
    return problems + [
        f"{slug}: supplier {number} is not found under all names and identifiers that are said of it"
        for number in sorted(missing)
    ]


async def _found_under(store: Store, suppliers: Sequence[int]) -> set[tuple[int, str, str]]:
    """Return (supplier, name, folded name) and (supplier, scheme, value) of all under which suppliers are found."""
    return {*await store.suppliers.names(suppliers), *await store.suppliers.identifiers(suppliers)}


async def _settle_inbox(store: Store, registry: Registry, now: datetime) -> None:
    """Decide what a stopped node had not come to yet: it is no difference that it is not in the view."""
    for member in registry.members:
        log = await store.logs.of(member.slug)
        # Under another entry all of the log is decided anew below, its inbox with it.
        while log.decided_under in ("", trust_fingerprint(member)) and await store.received.inbox(member.slug, most=1):
            await settle_log(store, member, now)


async def _check_trail(store: Store) -> list[str]:
    broken = await store.trail.first_break()
    return [] if broken is None else [f"the trail was changed at entry {broken}"]


async def _check_outbox(store: Store, registry: Registry) -> list[str]:
    approved, queued = await store.reviews.all_approved(), await store.outbox.review_ids()
    problems = [f"review {name} is approved and not in the outbox" for name in sorted(approved - queued)]
    problems += [f"review {name} is in the outbox and was not approved" for name in sorted(queued - approved)]
    for name in sorted(approved & queued):
        review, item = await store.reviews.find(name), await store.outbox.of_review(name)
        assert review is not None
        assert item is not None
        if item.outgoing != read_outgoing(review):
            problems.append(f"what is in the outbox for review {name} is not what was approved")
        elif item.record is not None and not _says_what_was_released(item, item.record, registry):
            problems.append(f"the signed bytes of statement {item.seq} were changed")
    for item in await store.outbox.without_review():
        if item.record is None or not _says_what_was_released(item, item.record, registry):
            problems.append(f"statement {item.seq} is in the outbox, was not approved here and was not signed by us")
    return problems


def _says_what_was_released(item: OutboxItem, record: bytes, registry: Registry) -> bool:
    issuer = claimed_issuer(record)
    member = None if issuer is None else registry.by_did(issuer)
    if member is None:
        return False
    entry = as_when_signed(member)
    match decide_alone(record, lambda _: entry, issuer):
        case Accepted(claims=claims, hash=name, body=body, missing=missing):
            said = {**item.outgoing.body, **item.outgoing.disclosed}
            # A copy that came back from the log may have lost disclosures on its way; one that was signed here has all.
            whole = not missing or item.review_id is None
            same = whole and body is not None and type(body).from_parsed(said) == body
            return same and (claims.seq, name) == (item.seq, item.hash)
        case Refused() as refused:
            return refused.uses_place and (refused.seq, refused.hash) == (item.seq, item.hash)
        case _:
            return False


async def _accepted(store: Store, slug: str) -> dict[int, str]:
    return {r.seq: r.hash async for r in store.received.accepted(slug) if r.seq is not None and r.hash is not None}


def _differences(slug: str, before: dict[str, AnyEntry], after: dict[str, AnyEntry]) -> list[str]:
    problems = [
        f"{slug}: {_what(before[name])} is in the view and follows from no statement" for name in before.keys() - after
    ]
    problems += [f"{slug}: {_what(after[name])} is missing from the view" for name in after.keys() - before]
    problems += [
        f"{slug}: {_what(after[name])} differs from its statement"
        for name in before.keys() & after
        if before[name] != after[name]
    ]
    return sorted(problems)


def _what(entry: AnyEntry) -> str:
    kinds: dict[type[AnyEntry], str] = {
        Entry: "finding",
        DecisionEntry: "decision",
        ReplyEntry: "reply",
        PointerEntry: "pointer",
        CorroborationEntry: "corroboration",
        NoticeEntry: "audit notice",
    }
    return f"{kinds[type(entry)]} {entry.hash}"


def _chain_problems(slug: str, before: dict[int, str], after: dict[int, str]) -> list[str]:
    lost = sorted(seq for seq in before if after.get(seq) != before[seq])
    return [f"{slug}: statement {seq} was counted and does not hold when decided anew" for seq in lost]
