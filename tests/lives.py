"""Lives of findings in which every allowed step happens, worked out from `domain.lifecycle` and not listed here."""

from itertools import pairwise

from comity_node.domain.lifecycle import MAY_FOLLOW
from comity_schemas.finding import Status

EVERY_STEP = frozenset((before, after) for before in Status for after in MAY_FOLLOW[before])
"""Every status with each that may follow."""


def lives() -> list[list[Status]]:
    """Return lives, each from alleged on, in which every allowed step happens."""
    left, found = set(EVERY_STEP), []
    while left:
        ways: list[list[Status]] = [[Status.ALLEGED]]
        while not any(step in left for step in pairwise(ways[0])):
            way = ways.pop(0)
            ways += [[*way, after] for after in Status if after in MAY_FOLLOW[way[-1]] and after not in way[:-1]]
        life = ways[0]
        while more := [a for a in Status if (life[-1], a) in left - {*pairwise(life)}]:
            life.append(more[0])
        left -= {*pairwise(life)}
        found.append(life)
    return found
