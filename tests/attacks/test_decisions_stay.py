"""What is decided about a thousand valid and mutated records stays what it was, until `RULES` is raised on purpose.

Whoever changes a decision changes what other nodes must decide, too. Then raise `RULES` and write the file anew:

    PYTHONPATH=tests .venv/bin/python -m attacks.test_decisions_stay
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from comity_federation.decide import RULES, decide
from comity_federation.decision import Accepted, Decision
from mutation_corpus import corpus
from mutations import case

FILE = Path(__file__).parent / "decisions.json"
SEED, COUNT, TOGETHER = 4, 3_000, 50


def told(decision: Decision) -> str:
    """A decision, with our own words for the reason."""
    if isinstance(decision, Accepted):
        body = None if decision.body is None else decision.body.to_parsed()
        whole: Any = [decision.claims.to_parsed(), decision.hash, decision.key, body, sorted(decision.missing)]
    else:
        names = ["step", "code", "why", "at", "seq", "hash", "prev", "other", "key", "kind"]
        # What does not fit a schema is told in the words of a library.
        names += ["detail"] if getattr(decision, "code", None) not in ("claims", "body") else []
        whole = {name: getattr(decision, name) for name in names if hasattr(decision, name)}
    return json.dumps([type(decision).__name__, whole], sort_keys=True)


def digests() -> dict[str, str]:
    """What was decided, in groups, so that a difference is found by its numbers."""
    groups = {"corpus": [told(decide(b.made.raw, b.log.trust, b.log.seen)) for b in corpus().bases]}
    for start in range(0, COUNT, TOGETHER):
        cases = [case(SEED, number) for number in range(start, start + TOGETHER)]
        groups[f"mutations.case({SEED}, {start}..)"] = [told(decide(c.raw, c.trust, c.seen)) for c in cases]
    return {name: hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] for name, lines in groups.items()}


def test_every_decision_is_what_it_was_under_the_same_rules() -> None:
    kept = json.loads(FILE.read_text("utf-8"))
    assert kept["rules"] == RULES, "RULES were raised: write the file anew"
    found = digests()
    assert [name for name in found if found[name] != kept["decisions"].get(name)] == []


if __name__ == "__main__":
    FILE.write_text(json.dumps({"rules": RULES, "decisions": digests()}, indent=0) + "\n", "utf-8")
