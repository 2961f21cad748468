"""What a process and all that it started hold in memory and have used of the processor."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Resident memory, in MB: RSS counts what processes share once for each, PSS once in all."""

    pss: float
    rss: float
    processes: int

    def larger(self, other: "Memory") -> "Memory":
        """Return the one with the larger PSS."""
        return self if self.pss >= other.pss else other


def memory_of(pid: int) -> Memory:
    """Return what this process and its descendants hold now."""
    family = [pid, *_descendants(pid)]
    sizes = [_rollup(member) for member in family]
    return Memory(sum(pss for pss, _ in sizes), sum(rss for _, rss in sizes), len([s for s in sizes if s[1]]))


def processor_seconds_of(pid: int) -> float:
    """Return what this process and its descendants have used of all cores so far, in seconds."""
    ticks = 0
    for member in [pid, *_descendants(pid)]:
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _rollup(pid: int) -> tuple[float, float]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # It has ended meanwhile.
        return 0.0, 0.0
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    return kilobytes["Pss"] / 1024, kilobytes["Rss"] / 1024
