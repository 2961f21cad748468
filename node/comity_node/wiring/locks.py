"""Locks in a home: they say which parts of a node run, and the kernel drops them with the process that held them."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TRIES, _PAUSE_S = 4, 0.05
"""Whoever asks whether a part runs holds its lock for a moment; a part that begins just then waits that long."""


@contextmanager
def take(lock: Path, *, shared: bool = False) -> Iterator[bool]:
    """Hold a lock while the block lasts, and say whether it was to be had."""
    with lock.open("w") as file:
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        for tries_left in reversed(range(_TRIES)):
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
            except OSError:
                if not tries_left:
                    yield False
                    return
                time.sleep(_PAUSE_S)
        yield True


def is_held(lock: Path) -> bool:
    """Tell whether a process holds a lock."""
    try:
        with lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
