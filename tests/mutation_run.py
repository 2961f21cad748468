"""Runs mutated records through a decider and keeps count: what crashed, what got through, what was slow."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from comity_federation.decide import decide
from comity_federation.decision import Decision, Refused, Waiting
from forgery_oracle import forgery
from mutations import Case, Decider, case

MOST_MS = 50.0
"""No record may take longer, in milliseconds of processor time."""


@dataclass
class Tally:
    """What came of a run; cases that went wrong are told by what rebuilds them."""

    count: int = 0
    answers: Counter[tuple[str, Any]] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    forgeries: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0
    slowest: str = ""

    def add(self, other: "Tally") -> None:
        """Take another run's count in."""
        self.count += other.count
        self.answers.update(other.answers)
        self.crashes += other.crashes
        self.forgeries += other.forgeries
        if other.slowest_ms > self.slowest_ms:
            self.slowest_ms, self.slowest = other.slowest_ms, other.slowest


def run(seed: int, numbers: Iterable[int], decider: Decider = decide) -> Tally:
    """Decide these cases of a seed."""
    tally = Tally()
    for number in numbers:
        this = case(seed, number)
        tally.count += 1
        try:
            decision, spent_ms = _timed(decider, this)
            if spent_ms >= MOST_MS:
                # What a record takes it takes every time; what befell the machine, or a first use, it does not.
                spent_ms = min(spent_ms, *(_timed(decider, this)[1] for _ in range(3)))
        except Exception as error:
            # Also LookupError: every place of these logs is loaded.
            tally.crashes.append(f"{this}: {type(error).__name__}: {error}")
            continue
        if spent_ms > tally.slowest_ms:
            tally.slowest_ms, tally.slowest = spent_ms, str(this)
        tally.answers[_answer(decision)] += 1
        found = forgery(this, decision)
        if found is not None:
            tally.forgeries.append(f"{this}: {found}")
    return tally


def _timed(decider: Decider, this: Case) -> tuple[Decision, float]:
    """Return the decision, and the processor time it took, in milliseconds."""
    began = time.thread_time()
    decision = decider(this.raw, this.trust, this.seen)
    return decision, (time.thread_time() - began) * 1e3


def _answer(decision: Decision) -> tuple[str, Any]:
    match decision:
        case Refused(step=step):
            return "Refused", step
        case Waiting(why=why):
            return "Waiting", why
    return type(decision).__name__, None
