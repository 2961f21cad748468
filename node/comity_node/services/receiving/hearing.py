"""When a member was last heard."""

from datetime import UTC, datetime


def heard_at(before: datetime | None, claimed_time: int, now: datetime) -> datetime:
    """Return when a member was last heard: by its own clock, never later than now, never going back."""
    # A replayed old message keeps its old time, so replaying does not make a silent member look alive.
    said = datetime.fromtimestamp(min(claimed_time, int(now.timestamp())), UTC)
    return said if before is None else max(before, said)
