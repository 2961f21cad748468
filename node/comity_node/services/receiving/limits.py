"""How much of one member a node takes before it leaves the rest on the bus, which keeps it: nobody fills our disk, and
nobody slows the others.

Source: docs/wire-format.md, "Limits of a receiver".
"""

from dataclasses import dataclass, replace
from datetime import date

from comity_node.db import Store
from comity_node.db.logs import LogStatus
from comity_node.db.received import Volume
from comity_node.services.receiving.subscriptions import Subscription, Subscriptions

MOST_PARKED = Volume(1_000, 16 * 1024 * 1024)
"""Records of one member that may lie undecided; then its topic is paused."""

MOST_QUARANTINED = Volume(1_000, 16 * 1024 * 1024)
"""Refused records of one member that are kept with their bytes; then only their offsets are."""

QUARANTINE_FULL = "refused, and this member's quarantine is full"
"""Why the bytes of such a record were not kept."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Topics that are not read at the moment; nothing is lost, the bus keeps what stands in them."""

    parked: frozenset[str]
    """Too much of it lies undecided."""
    over_budget: frozenset[str]
    """Its member has published more today than the registry grants it."""

    @property
    def topics(self) -> frozenset[str]:
        """All of them."""
        return self.parked | self.over_budget


async def find_paused(store: Store, subscribed: Subscriptions, today: date) -> Paused:
    """Return which topics must not be read now."""
    undecided = await store.received.undecided()
    logs = {log.member: log for log in await store.logs.all()}
    parked, over_budget = set(), set()
    for topic, subscription in subscribed.statements.items():
        slug = subscription.member.slug
        if undecided.get(slug, Volume(0, 0)).reaches(MOST_PARKED):
            parked.add(topic)
        if spent_today(logs.get(slug, LogStatus(slug)), today) >= subscription.member.daily_statements:
            over_budget.add(topic)
    return Paused(frozenset(parked), frozenset(over_budget))


def spent_today(log: LogStatus, today: date) -> int:
    """Return how many statements of a member were taken today that were not there when the node connected."""
    return log.counted if log.counted_on == today.isoformat() else 0


@dataclass(slots=True)
class Budget:
    """What one member may still publish today, counted while a batch is taken.

    Attributes:
        end: offset from which its records are new: what stood before it when the node connected is catching up,
            and all is while that is not known.
    """

    subscription: Subscription
    today: date
    spent: int
    end: int = 2**63

    def allows(self, offset: int) -> bool:
        """Tell whether one more record may be taken; it stays on the bus otherwise."""
        return offset < self.end or self.spent < self.subscription.member.daily_statements

    def count(self, offset: int) -> None:
        """Count one record that was taken."""
        self.spent += offset >= self.end

    def noted(self, log: LogStatus) -> LogStatus:
        """Return the log with what was spent."""
        if self.spent == spent_today(log, self.today):
            return log
        return replace(log, counted_on=self.today.isoformat(), counted=self.spent)
