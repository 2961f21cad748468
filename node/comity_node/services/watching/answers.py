"""What was judged of rows, as JSON values."""

from typing import Any

from comity_node.domain.watching.judging import Weighed
from comity_node.services.watching.judging import Alike


def describe_weighed(weighed: Weighed) -> dict[str, Any]:
    """Return what was judged, and whether it counts now."""
    made = weighed.judgement
    return {
        "id": made.id,
        "supplier": made.supplier,
        "judged": made.judged.value,
        "holds": weighed.holds.value,
        "why": weighed.why,
        "words": made.words,
        "by": made.by,
        "at": made.at.isoformat(),
        "confirmed_by": made.confirmed_by,
        "undone_by": made.undone_by,
    }


def describe_alike(alike: Alike) -> dict[str, Any]:
    """Return a supplier that a row may mean: why, and what was judged."""
    return {
        "supplier": alike.known.number,
        "joined_as": alike.known.whole,
        "name": alike.known.name,
        "country": alike.known.country or None,
        "verdict": alike.likeness.verdict.value,
        "why": alike.likeness.reason,
        "judged": None if alike.judged is None else describe_weighed(alike.judged),
    }
