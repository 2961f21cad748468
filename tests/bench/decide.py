"""What verifying a statement costs, as a multiple of one Ed25519 verification of the same bytes in the same run.

    ./comity bench decide

Prints one JSON line. The ratio is what the documents may quote; the times are this machine's.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import builders
from comity_federation import jws
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Seen

ROUNDS, REPEATS = 2_000, 5


def best_us(act: Callable[[], object]) -> float:
    """Return the best of some rounds, in microseconds a call."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(ROUNDS):
            act()
        times.append((time.perf_counter() - began) / ROUNDS * 1e6)
    return min(times)


def main() -> None:
    """Measure and print."""
    publisher = builders.Publisher("agency")
    raw, trust, seen = publisher.finding().raw, publisher.trust(), Seen()
    assert isinstance(decide(raw, trust, seen), Accepted)
    token = jws.take_apart(json.loads(raw)["statement"].partition("~")[0], "comity-statement+sd-jwt")
    key = trust.member.signing_keys[0].key
    verify = best_us(lambda: jws.check_signature(token, key))
    whole = best_us(lambda: decide(raw, trust, seen))
    line = {"bench": "decide", "record_bytes": len(raw), "verify_us": round(verify, 1), "decide_us": round(whole, 1)}
    print(json.dumps({**line, "ratio": round(whole / verify, 2)}))


if __name__ == "__main__":
    main()
