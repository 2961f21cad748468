"""Runs a node's exchange on a machine whose clock is wrong by so many days.

    python -P -m faults.shifted_clock DAYS HOME

The clock is moved before anything else is imported, so every part of the process believes it.
"""

import datetime
import sys
import time
from typing import Any


def move_clock(by: datetime.timedelta) -> None:
    """Let this process believe that it is earlier or later than it is."""
    real, real_time = datetime.datetime, time.time

    class AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

    class Moved(real, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real.now(tz) + by

        @classmethod
        def utcnow(cls) -> Any:
            return real.now(datetime.UTC).replace(tzinfo=None) + by

    datetime.datetime = Moved  # type: ignore[misc]
    time.time = lambda: real_time() + by.total_seconds()


if __name__ == "__main__":
    move_clock(datetime.timedelta(days=float(sys.argv[1])))

    import asyncio
    from pathlib import Path

    from comity_node.wiring.logs import set_up_logs
    from comity_node.workers.running import run_exchange

    set_up_logs()
    asyncio.run(run_exchange(Path(sys.argv[2]), ends_with_parent=True))
