"""The supplier view: findings, decisions, pointers and what suppliers replied, each in tables of their own, by the
numbers of their records."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.entries import DECISIONS, FINDINGS, POINTERS, Entries
from comity_node.db.replies import Replies
from comity_node.domain.supplier_view import AnyEntry, DecisionEntry, Entry, PointerEntry, ReplyEntry

Names = set[tuple[str, str, str, str]]
Identifiers = set[tuple[str, str, str]]


class View:
    """Repository of the supplier view; what a statement refers to may be of either kind."""

    def __init__(self, session: AsyncSession) -> None:
        self.findings: Entries[Entry] = Entries(session, FINDINGS)
        self.decisions: Entries[DecisionEntry] = Entries(session, DECISIONS)
        self.pointers: Entries[PointerEntry] = Entries(session, POINTERS)
        self.replies = Replies(session)

    async def load(self, hashes: Iterable[str]) -> dict[str, AnyEntry]:
        """Return the named entries and everything that superseded them."""
        wanted = set(hashes)
        found: dict[str, AnyEntry] = {**await self.findings.load(wanted)}
        found.update(await self.decisions.load(wanted - found.keys()))
        found.update(await self.pointers.load(wanted - found.keys()))
        return {**found, **await self.replies.load(wanted - found.keys())}

    async def numbers(self, hashes: Sequence[str]) -> dict[str, int]:
        """Return hash to the number of the record that counts, of whatever kind."""
        return await self.findings.numbers(hashes)

    async def put(self, entries: Sequence[AnyEntry], now: datetime) -> None:
        """Add or change entries whose records are accepted."""
        findings, decisions, pointers, replies = _apart(entries)
        await self.findings.put(findings, now)
        await self.decisions.put(decisions, now)
        await self.pointers.put(pointers, now)
        await self.replies.put(replies)

    async def change(self, entries: Sequence[AnyEntry], now: datetime) -> None:
        """Write what became of entries that are there."""
        findings, decisions, pointers, replies = _apart(entries)
        await self.findings.change(findings, now)
        await self.decisions.change(decisions, now)
        await self.pointers.change(pointers, now)
        await self.replies.put(replies)

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        await self.findings.forget_log(member)
        await self.decisions.forget_log(member)
        await self.pointers.forget_log(member)
        await self.replies.forget_log(member)

    async def of_log(self, member: str) -> dict[str, AnyEntry]:
        """Return all entries of one member's log."""
        found: dict[str, AnyEntry] = {**await self.findings.of_log(member)}
        found.update(await self.decisions.of_log(member))
        found.update(await self.pointers.of_log(member))
        return {**found, **await self.replies.of_log(member)}

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        found = {*await self.findings.members(), *await self.decisions.members()}
        return sorted({*found, *await self.pointers.members(), *await self.replies.members()})

    async def indexed(self) -> tuple[tuple[Names, Identifiers], ...]:
        """Return under what findings, decisions and pointers can be found, for `comity check`."""
        return await self.findings.indexed(), await self.decisions.indexed(), await self.pointers.indexed()

    async def orphans(self) -> int:
        """Return how many rows belong to no record that was received, for `comity check`."""
        found = await self.findings.orphans() + await self.decisions.orphans()
        return found + await self.pointers.orphans() + await self.replies.orphans()


def _apart(
    entries: Sequence[AnyEntry],
) -> tuple[list[Entry], list[DecisionEntry], list[PointerEntry], list[ReplyEntry]]:
    findings = [entry for entry in entries if isinstance(entry, Entry)]
    decisions = [entry for entry in entries if isinstance(entry, DecisionEntry)]
    pointers = [entry for entry in entries if isinstance(entry, PointerEntry)]
    return findings, decisions, pointers, [entry for entry in entries if isinstance(entry, ReplyEntry)]
