"""What of the member's own business is due, as `comity status` says it: plans, contracts, retention."""

from datetime import date
from typing import Any

from comity_node.domain.contracts import ENDS_SOON, duty_in_words, is_overdue
from comity_node.domain.plan import OPEN, PlanItem, escalate_by, in_words, must_escalate, unverified_since
from comity_node.services.operating.retention import Retention
from comity_node.services.remedy.contracts import Due
from comity_node.services.remedy.plans import Late

MOST_LINES = 20
"""Named one by one; of what is beyond the number is told."""


def lines(plans: Late, contracts: Due, retention: Retention, today: date) -> list[str]:
    """Return what is to be said in a terminal, the longest overdue first; neither references nor suppliers' names."""
    return [*_of_plans(plans, today), *_of_contracts(contracts, today), *_of_retention(retention)]


def _of_plans(plans: Late, today: date) -> list[str]:
    said = []
    waiting = sum(plans.counts.get(state.value, 0) for state in OPEN)
    if waiting:
        said.append(f"plans       {waiting} items agreed and not done yet: comity plan list")
    late = [*plans.overdue, *plans.unverified]
    said += [f"plan        {item.id} {item.remedy}: {in_words(item, today)}" for item in late[:MOST_LINES]]
    if len(late) > MOST_LINES:
        said.append(f"            and {len(late) - MOST_LINES} more: comity plan list --overdue")
    return said


def _of_contracts(contracts: Due, today: date) -> list[str]:
    due = [f"{d.id} {d.kind} of contract {d.contract_id}: {duty_in_words(d, today)}" for d in contracts.duties]
    said = [f"duty        {each}" for each in due[:MOST_LINES]]
    if len(due) > MOST_LINES:
        said.append(f"            and {len(due) - MOST_LINES} more: comity contract list --overdue")
    if contracts.ending:
        first = contracts.ending[0]
        said.append(
            f"contracts   {len(contracts.ending)} end within {ENDS_SOON.days} days, the first on {first.terms.ends} "
            f"({first.id})"
        )
    return said


def _of_retention(retention: Retention) -> list[str]:
    said = []
    if retention.reports or retention.files:
        said.append(f"retention   {retention.reports} reports and {retention.files} files destroyed in time so far")
    if retention.next_report is not None:
        said.append(f"retention   the soonest last day of a report is {retention.next_report}")
    said += [f"retention   {name} is kept beyond its last day: {why}" for name, why in retention.kept[:MOST_LINES]]
    if len(retention.kept) > MOST_LINES:
        said.append(f"            and {len(retention.kept) - MOST_LINES} more")
    return said


def facts(plans: Late, contracts: Due, retention: Retention, today: date) -> dict[str, Any]:
    """Return the same for scripts."""
    return {
        "plans": {
            "items": dict(plans.counts),
            "overdue": [_overdue(item, today) for item in plans.overdue],
            "unverified": [_unverified(item, today) for item in plans.unverified],
        },
        "contracts": {
            "duties": [
                {
                    "duty": duty.id,
                    "contract": duty.contract_id,
                    "kind": duty.kind.value,
                    "due": duty.due.isoformat(),
                    "overdue": is_overdue(duty, today),
                }
                for duty in contracts.duties
            ],
            "ending": [{"contract": c.id, "ends": c.terms.ends.isoformat()} for c in contracts.ending],
        },
        "retention": {
            "reports": retention.reports,
            "files": retention.files,
            "next_report": retention.next_report,
            "kept": [{"report": name, "why": why} for name, why in retention.kept],
        },
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
