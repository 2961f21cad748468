"""Answering a screening on file again: at its own moment, and now.

The first says whether the same answer follows from the same positions; the second what has changed since. What cannot
be known afterwards is not compared but told as it was filed: who was heard, and what people here had judged by then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.filings import PART
from comity_node.domain.filing import FOUND_NEWLY, FOUND_NO_MORE, IDENTITY, Difference, Filing, differences
from comity_node.services.answering.answers import describe, question_of
from comity_node.services.answering.moment import Moment, this_moment
from comity_node.services.answering.screen import screen_at
from comity_node.services.filing.keeping import ENGINE, find_whole
from comity_node.services.suppliers.following import catch_up

MOST = 1_000
"""Differences of each sort that are told one by one; more are counted."""

_LATER = "it stood at these positions, and is read or found only since"
_LOG = "its record counts no more at these positions: the member's log or its entry in the registry has changed"
_WEIGHED = (
    "names are compared otherwise, or their words are rarer or commoner among the suppliers known here than they were"
)
_OTHERWISE = "its record counts as it did: names are compared otherwise, or people here have judged otherwise since"


@dataclass(slots=True)
class Told:
    """Differences of one sort, the first ones one by one."""

    each: list[tuple[Difference, str | None]] = field(default_factory=list)
    """With what is known of the cause."""
    further: int = 0

    def add(self, found: Iterable[tuple[Difference, str | None]]) -> None:
        """Take some in."""
        for difference in found:
            if len(self.each) < MOST:
                self.each.append(difference)
            else:
                self.further += 1

    @property
    def none(self) -> bool:
        """Whether there is none."""
        return not self.each


@dataclass(frozen=True, slots=True)
class Verified:
    """What came out when a screening on file was answered again."""

    filing: Filing
    now: Moment
    logs: dict[str, str]
    """Member to what has become of its log up to the position filed; only those that are not as they were."""
    again: Told
    """What is otherwise at the same moment."""
    since: Told
    """What is otherwise now."""

    @property
    def same(self) -> bool:
        """Whether the same answer follows from the same positions."""
        return self.again.none and not self.logs

    @property
    def notes(self) -> list[str]:
        """What to know beside it."""
        moment, said = Moment.from_parsed(dict(self.filing.moment)), []
        if self.filing.engine != ENGINE:
            said.append(
                f"Names were compared by {self.filing.engine} then, by {ENGINE} now: what was found is compared, "
                "scores are not."
            )
        if moment.registry_version != self.now.registry_version:
            said.append(
                f"The registry was version {moment.registry_version} and is {self.now.registry_version} now: what "
                "members may say may have changed."
            )
        return said


async def verify(database: Database, filing_id: str, registry: Registry, now: datetime) -> Verified:
    """Answer a screening on file again, at its own moment and now.

    Raises:
        NotFound: there is none of this id, or its time is over.
    """
    await catch_up(database)
    again, since, last = Told(), Told(), 0
    async with database.read() as store:
        filing = await find_whole(store, filing_id)
        then, today = Moment.from_parsed(dict(filing.moment)), await this_moment(store, registry, now)
        logs = await _logs(store, then)
        while rows := await store.filings.answers(filing, after=last, most=PART):
            await _compare(store, rows, then, today, again, since)
            last = rows[-1][0]
    return Verified(filing, today, logs, again, since)


async def _compare(
    store: Store, rows: Sequence[tuple[int, dict[str, Any]]], then: Moment, today: Moment, again: Told, since: Told
) -> None:
    questions = [question_of(answer["asked"]) for _, answer in rows]
    repeated = describe(await screen_at(store, questions, then))["answers"]
    current = describe(await screen_at(store, questions, today))["answers"]
    for (row, filed), repeat, latest in zip(rows, repeated, current, strict=True):
        found = list(differences(row, filed, repeat))
        again.add([(each, await _cause(store, each, then)) for each in found])
        since.add((each, None) for each in differences(row, filed, latest))


async def _cause(store: Store, difference: Difference, then: Moment) -> str | None:
    if difference.what.startswith(FOUND_NEWLY):
        return _LATER
    if difference.what.startswith(IDENTITY):
        return _WEIGHED
    if difference.what != FOUND_NO_MORE or difference.statement is None:
        return None
    there = await store.as_of(then.positions).view.load([difference.statement])
    return _OTHERWISE if difference.statement in there else _LOG


async def _logs(store: Store, then: Moment) -> dict[str, str]:
    """Return what has become of the logs up to where they were read; nothing of those that are as they were."""
    changed: dict[str, str] = {}
    for member, hash_ in then.hashes.items():
        place = then.positions[member]
        log, now = await store.logs.of(member), await store.received.places(member, [place])
        if log.frozen_from is not None and log.frozen_from <= place:
            changed[member] = f"contradicts itself: what it said from statement {log.frozen_from} on counts no more"
        elif place not in now:
            changed[member] = f"ends at statement {log.head} here, before the {place} it was read to"
        elif now[place].hash != hash_:
            changed[member] = f"was replaced: another statement stands at place {place}"
    return changed
