"""Whether a home can be written and has room, asked of the disk itself: a full one cannot even note that it is."""

import os
import shutil
from pathlib import Path

from comity_node.domain.advice import advise
from comity_node.services.operating.status import Trouble

LEAST_FREE_BYTES = 16 * 1024 * 1024
"""Below this the node says that the disk is full before it is."""


def disk_troubles(home: Path) -> list[Trouble]:
    """Return what is wrong with the disk of a home; nothing when all is well."""
    if not os.access(home, os.W_OK):
        return [Trouble("home", None, "the home cannot be written: it is read-only", advise("home"))]
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        return [Trouble("disk", None, f"the disk of the home is full: {free // 1024} KiB are left", advise("disk"))]
    return []
