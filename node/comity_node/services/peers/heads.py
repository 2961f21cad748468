"""Comparing with peers how far each log goes: a history that was shown to some only, or held back, is found out.

A head that somebody reports proves nothing. It makes this node fetch that one statement and let the inbox decide: only
two statements with the member's own signature freeze a log. Who reports what it cannot produce is noted itself.
"""

from dataclasses import dataclass
from datetime import timedelta

from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.db.peers import ReportedHead
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.client import Given
from comity_node.services.peers.refill import Refill
from comity_node.services.peers.taking_in import take_in_given
from comity_node.services.publishing.deliveries import corrections
from comity_node.services.receiving.words import is_known, note_checkpoint, note_heads
from comity_schemas.member import Member, MemberStatus
from comity_schemas.peers import PeerCheckpoint

PEERS_COMPARED = 2
"""How many peers are asked in a round. With 50 members the chance that all miss a split in a round is under 4e-9."""

_REPORTS_AT_ONCE = 50
_PROOFS_AT_ONCE = 5
"""How many frozen logs one answer can make this node ask its giver about; others' turn comes in another round."""

_ASKED_AT_ONCE = 5
"""How many are asked in one round whether they have applied what was taken back."""

_REPORT_LASTS = timedelta(days=1)
"""After this a report that nobody could be asked about is dropped: the next round brings it again."""


@dataclass(slots=True)
class Comparison:
    """One node's comparing of heads."""

    peers: Peers
    refill: Refill

    async def compare(self, registry: Registry) -> int:
        """Ask two peers, drawn anew each time, where everybody stands; return how many answered."""
        answered = 0
        for peer in self.peers.rested(self.peers.reachable(registry)):
            answer = await self.peers.ask(peer, self.peers.client.checkpoint(peer))
            if answer is not None:
                await self._take_answer(peer, answer, registry)
                answered += 1
            if answered == PEERS_COMPARED:
                break
        return answered

    async def ask_who_has_applied(self, registry: Registry) -> None:
        """Ask those who have not said yet that they applied what this node took back or corrected last."""
        async with self.peers.database.read() as store:
            found = await corrections(store)
            furthest = await store.deliveries.furthest() if found else {}
        if not found:
            return
        lacking = [p for p in self.peers.reachable(registry) if furthest.get(p.slug, 0) < found[0].seq]
        for peer in self.peers.rested(lacking)[:_ASKED_AT_ONCE]:
            answer = await self.peers.ask(peer, self.peers.client.checkpoint(peer))
            if answer is not None:
                await self._take_answer(peer, answer, registry)

    async def look_into_reports(self, registry: Registry) -> bool:
        """Fetch the statements that others report and this node does not have; tell whether any may be.

        The reports of whoever rests wait: however many there are, they hold up nobody else's.
        """
        resting = self.peers.resting()
        async with self.peers.database.read() as store:
            reported = await store.peers.reported_heads(most=_REPORTS_AT_ONCE, but=resting)
        for head in reported:
            if self.peers.clock() - head.at >= timedelta(seconds=self.refill.patience_s):
                await self._look_into(head, registry)
        return bool(reported) or bool(resting)

    async def _take_answer(self, peer: Member, answer: PeerCheckpoint, registry: Registry) -> None:
        now = self.peers.clock()
        async with self.peers.database.write() as store:
            own = True
            if answer.checkpoint is not None:
                raw = answer.checkpoint.encode("utf-8")
                own = await note_checkpoint(store, peer, raw, registry, now) is not None
            await note_heads(store, peer.slug, answer.heads, registry, now)
            frozen = {log.member for log in await store.logs.all() if log.frozen_from is not None}
        if not own:
            await self.peers.note_wrong(peer, "gives as its checkpoint what it did not sign")
        named = [registry.member(slug) for slug in dict.fromkeys(answer.frozen) if slug not in frozen]
        new = [member for member in named if member is not None and member.status is not MemberStatus.PENDING]
        for member in self.peers.chance.sample(new, min(len(new), _PROOFS_AT_ONCE)):
            if self.peers.rested([peer]):
                await self._fetch_proof(peer, member)

    async def _fetch_proof(self, peer: Member, member: Member) -> None:
        proof = await self.peers.ask(peer, self.peers.client.fork(peer, member))
        # Its own registry may have thawed the log meanwhile; then it has no proof to give, and that is no lie.
        if proof:
            await self._take_in(member, proof, peer)

    async def _look_into(self, head: ReportedHead, registry: Registry) -> None:
        reporter, member = registry.member(head.reporter), registry.member(head.member)
        async with self.peers.database.read() as store:
            settled = reporter is None or member is None or await _is_settled(store, member, head)
        if settled or self.peers.clock() - head.at > _REPORT_LASTS:
            await self._forget(head)
            return
        assert reporter is not None
        assert member is not None
        if not self.peers.rested([reporter]):
            return
        if reporter.endpoint is None:
            await self._ask_anybody(head, reporter, member, registry)
        else:
            await self._ask_reporter(head, reporter, member)

    async def _ask_reporter(self, head: ReportedHead, reporter: Member, member: Member) -> None:
        answered = False

        async def question() -> Given | None:
            nonlocal answered
            given = await self.peers.client.record(reporter, member, head.hash)
            answered = True
            return given

        given = await self.peers.ask(reporter, question())
        if given is not None and given.claimed.seq == head.seq:
            await self._take_in(member, [given], reporter)
        elif answered:
            what = f"reports statement {head.seq} of {member.slug} and cannot produce it"
            await self.peers.note_wrong(reporter, what)
        else:
            return  # It does not answer now: later.
        await self._forget(head)

    async def _ask_anybody(self, head: ReportedHead, reporter: Member, member: Member, registry: Registry) -> None:
        for peer in self.peers.rested(self.peers.reachable(registry))[:PEERS_COMPARED]:
            given = await self.peers.ask(peer, self.peers.client.record(peer, member, head.hash))
            if given is not None:
                await self._take_in(member, [given], peer)
                await self._forget(head)
                return
        # Else each of its reports would be asked about every second, of members that are not to blame for it.
        self.peers.let_rest(reporter)

    async def _take_in(self, member: Member, given: list[Given], peer: Member) -> None:
        if await take_in_given(self.peers.database, member, given, peer.slug, self.peers.clock()):
            self.refill.settle_now()

    async def _forget(self, head: ReportedHead) -> None:
        async with self.peers.database.write() as store:
            await store.peers.forget_head(head)


async def _is_settled(store: Store, member: Member, head: ReportedHead) -> bool:
    """Whether the reported statement is here meanwhile, or can change nothing any more."""
    log = await store.logs.of(member.slug)
    if log.frozen_from is not None and head.seq >= log.frozen_from:
        return True
    if await is_known(store, member, head.seq, head.hash):
        return True
    # A refused copy may have been spoiled on its way, so that nobody looks for the statement itself.
    return any(copy.state != "refused" for copy in await store.received.of_hash(member.slug, head.hash))


async def newer_registries(store: Store, registry: Registry) -> list[str]:
    """Return the members whose own checkpoints name a newer registry than this node was shown, or another one."""
    found = []
    for member in registry.members:
        raw = await store.peers.checkpoint(member.slug)
        if raw is None or member.status is not MemberStatus.ACTIVE:
            continue
        try:
            said = open_checkpoint(raw, member)
        except CheckpointRefused:
            continue
        same = said.registry_version == registry.version
        if said.registry_version > registry.version or (same and said.registry_hash != registry.hash):
            found.append(member.slug)
    return found
