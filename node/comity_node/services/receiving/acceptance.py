"""Accepting ordinary statements by the hundred: place, references and folding in a few queries a batch.

What is accepted here is what `settle` would accept, with the same effect on log and view; a test compares the two.
Everything that is not plainly next in a log in good order is left to it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from comity_federation.decision import Earlier
from comity_node.db import Store
from comity_node.db.entries import Folded
from comity_node.db.logs import LogStatus
from comity_node.db.received import Arrived
from comity_node.domain.supplier_view import AnyEntry, Statement, changes
from comity_node.services.receiving.hearing import heard_at
from comity_node.services.receiving.opening import Judged, Opened
from comity_node.services.receiving.settle import Settled
from comity_schemas.handling import Handling
from comity_schemas.statement import BODIES, Kind

_BESIDE = frozenset({Kind.REPLY, Kind.CORROBORATION})
"""What stands beside others."""


@dataclass(slots=True)
class _End:
    """Where a log ends while a batch is taken; changed in place, since it changes with every statement."""

    log: LogStatus
    head: int
    hash: str
    key: int
    repeats: int = 0
    newest: int = -1
    """The latest time that a statement claims."""

    def status(self, now: datetime) -> LogStatus:
        """Return what is known of the log now."""
        heard = self.log.heard_at if self.newest < 0 else heard_at(self.log.heard_at, self.newest, now)
        return replace(
            self.log,
            head=self.head,
            head_hash=self.hash,
            head_key=self.key,
            repeats=self.log.repeats + self.repeats,
            heard_at=heard,
        )


@dataclass(slots=True)
class Acceptance:
    """What a batch brings, kept back until `write`; one transaction."""

    store: Store
    now: datetime
    _ends: dict[str, _End] = field(default_factory=dict)
    _arrived: list[Arrived] = field(default_factory=list)
    _accepted: list[tuple[int, Opened]] = field(default_factory=list)
    """Index in `_arrived`, and the statement."""
    _earlier: dict[str, Earlier] = field(default_factory=dict)
    _view: dict[str, AnyEntry] = field(default_factory=dict)
    _referred: set[str] = field(default_factory=set)
    _places: dict[tuple[str, int], str] = field(default_factory=dict)
    """Member and place to the hash of a statement that is held whole."""
    _refused: int = 0
    _waiting: int = 0

    def begin(self, log: LogStatus) -> None:
        """Name a log that takes ordinary statements."""
        self._ends[log.member] = _End(log, log.head, log.head_hash, log.head_key)

    def logs(self) -> dict[str, LogStatus]:
        """Return what is known of these logs after what was taken."""
        return {member: end.status(self.now) for member, end in self._ends.items()}

    async def load(self, opened: Sequence[tuple[str, Opened]]) -> None:
        """Load what the statements refer to, and what stands where some of them would repeat.

        Args:
            opened: Member and statement, in the order of arrival, of the logs that were named.
        """
        refers_to: dict[str, set[str]] = defaultdict(set)
        repeats: dict[str, set[int]] = defaultdict(set)
        for member, statement in opened:
            if statement.refers_to is not None:
                refers_to[member].add(statement.refers_to)
            if statement.seq <= self._ends[member].head:
                repeats[member].add(statement.seq)
        for member, hashes in refers_to.items():
            self._referred |= hashes
            self._earlier.update(await self.store.received.earlier(member, hashes))
        if self._earlier:
            self._view = await self.store.view.load(self._earlier)
        for member, seqs in repeats.items():
            whole = await self.store.received.whole(member, seqs)
            self._places.update({(member, seq): name for seq, name in whole.items()})

    def take(self, member: str, offset: int | None, raw: bytes, opened: Opened) -> bool:
        """Accept a statement that stands next in its log, or drop one that is held; False leaves it to `settle`."""
        end = self._ends[member]
        if opened.seq <= end.head:
            if self._places.get((member, opened.seq)) != opened.hash:
                return False
            end.repeats += 1
            return True
        follows = opened.seq == end.head + 1 and (end.head == 0 or opened.prev == end.hash)
        if not follows or (end.head > 0 and opened.key < end.key) or not self._may_refer(opened):
            return False
        self._accepted.append((len(self._arrived), opened))
        self._arrived.append(
            Arrived(member, offset, raw, "accepted", opened.seq, opened.hash, opened.prev, opened.key, opened.kind)
        )
        if opened.hash in self._referred:
            self._earlier[opened.hash] = Earlier(opened.seq, opened.kind)
        end.head, end.hash, end.key = opened.seq, opened.hash, opened.key
        end.newest = max(end.newest, opened.iat)
        return True

    def follows(self, member: str) -> int:
        """Return the next place of a log after what was taken."""
        return self._ends[member].head + 1

    def park(self, member: str, offset: int | None, raw: bytes, opened: Opened) -> None:
        """Let a statement wait for those between it and the end of its log."""
        self._waiting += 1
        self._arrived.append(Arrived(member, offset, raw, "waiting", opened.seq, opened.hash, opened.prev, code="gap"))

    def judge(self, member: str, offset: int | None, raw: bytes, judged: Judged) -> None:
        """Keep a record of which is known what it is worth: in quarantine, or until its key is listed."""
        if judged.state == "refused":
            self._refused += 1
        else:
            self._waiting += 1
        state, seq, name, prev, step, code, detail = judged
        self._arrived.append(Arrived(member, offset, raw, state, seq, name, prev, step=step, code=code, detail=detail))

    async def write(self) -> Settled:
        """Store all of it and fold what was accepted; return how many were decided, and how."""
        numbers = await self.store.received.add_arrived(self._arrived, self.now)
        named = (Kind.FINDING, Kind.DECISION, Kind.POINTER, Kind.AUDIT_NOTICE)
        folded: dict[str, list[Folded]] = {kind: [] for kind in named}
        changed: dict[str, AnyEntry] = {}
        for index, opened in self._accepted:
            if opened.kind in folded:
                folded[opened.kind].append(_folded(numbers[index], opened))
            if opened.kind in _BESIDE:
                # Few, and found by what they are about: folded as they are.
                changed.update(self._fold(self._arrived[index].member, opened))
            elif opened.refers_to is not None or opened.hash in self._referred:
                changed.update(self._changes(self._arrived[index].member, opened))
        await self.store.view.findings.add(folded[Kind.FINDING], self.now)
        await self.store.view.decisions.add(folded[Kind.DECISION], self.now)
        await self.store.view.pointers.add(folded[Kind.POINTER], self.now)
        await self.store.view.notices.add(folded[Kind.AUDIT_NOTICE], self.now)
        await self.store.view.change(list(changed.values()), self.now)
        repeated = sum(end.repeats for end in self._ends.values())
        return Settled(len(self._accepted), self._waiting, self._refused, repeated)

    def _may_refer(self, opened: Opened) -> bool:
        """Tell whether what it refers to is there and may be revised or taken back (step 13)."""
        if opened.refers_to is None:
            return True
        target = self._earlier.get(opened.refers_to)
        if target is None or target.seq >= opened.seq:
            return False
        if opened.kind == Kind.WITHDRAWAL:
            return target.kind not in (Kind.GROUP_KEY, Kind.WITHDRAWAL)
        return target.kind == opened.kind

    def _changes(self, member: str, opened: Opened) -> dict[str, AnyEntry]:
        """Fold a statement that refers to another or is referred to; return what it makes of others."""
        return {name: entry for name, entry in self._fold(member, opened).items() if name != opened.hash}

    def _fold(self, member: str, opened: Opened) -> dict[str, AnyEntry]:
        """Fold a statement; return what it adds and changes."""
        body = BODIES[opened.kind].model_validate_json(opened.body)
        handling = Handling.model_validate_json(opened.handling)
        statement = Statement(member, opened.seq, opened.hash, opened.kind, handling, body)
        entries = {entry.hash: entry for entry in changes(self._view, statement)}
        self._view.update(entries)
        return entries


def _folded(number: int, opened: Opened) -> Folded:
    return Folded(number, opened.handling, opened.body, opened.named)
