"""What of the member's own business is due, as `comity status` says it: items of plans."""

from datetime import date
from typing import Any

from comity_node.domain.plan import OPEN, PlanItem, escalate_by, in_words, must_escalate, unverified_since
from comity_node.services.plans import Late

MOST_LINES = 20
"""Named one by one; of what is beyond the number is told."""


def lines(plans: Late, today: date) -> list[str]:
    """Return what is to be said in a terminal, the longest overdue first."""
    said = []
    waiting = sum(plans.counts.get(state.value, 0) for state in OPEN)
    if waiting:
        said.append(f"plans       {waiting} items agreed and not done yet: comity plan list")
    late = [*plans.overdue, *plans.unverified]
    said += [f"plan        {item.id} {item.remedy}: {in_words(item, today)}" for item in late[:MOST_LINES]]
    if len(late) > MOST_LINES:
        said.append(f"            and {len(late) - MOST_LINES} more: comity plan list --overdue")
    return said


def facts(plans: Late, today: date) -> dict[str, Any]:
    """Return the same for scripts."""
    return {
        "plans": {
            "items": dict(plans.counts),
            "overdue": [_overdue(item, today) for item in plans.overdue],
            "unverified": [_unverified(item, today) for item in plans.unverified],
        }
    }


def _overdue(item: PlanItem, today: date) -> dict[str, Any]:
    return {
        "item": item.id,
        "remedy": item.remedy.value,
        "due": item.due,
        "in_words": in_words(item, today),
        "next_step_by": escalate_by(item).isoformat(),
        "next_step_due": must_escalate(item, today),
    }


def _unverified(item: PlanItem, today: date) -> dict[str, Any]:
    since = unverified_since(item, today)
    return {"item": item.id, "remedy": item.remedy.value, "since": None if since is None else since.isoformat()}
