"""What the readable `decide` costs, as a multiple of one Ed25519 verification of the same bytes.

./comity bench decide
"""

from bench.frame.results import arguments, best_rate, on_one_core, report
from builders import Publisher
from comity_federation import jws, strict_json
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Seen
from comity_schemas.statement import STATEMENT_TYP


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="2k").parse_args()
    publisher = Publisher("agency")
    raw, trust, seen = publisher.finding().raw, publisher.trust(), Seen()
    assert isinstance(decide(raw, trust, seen), Accepted)
    token = jws.take_apart(strict_json.loads(raw)["statement"].partition("~")[0], STATEMENT_TYP)
    key = trust.member.signing_keys[0].key

    def verify() -> int:
        for _ in range(asked.size):
            jws.check_signature(token, key)
        return asked.size

    def whole() -> int:
        for _ in range(asked.size):
            decide(raw, trust, seen)
        return asked.size

    with on_one_core():
        verifications, decisions = best_rate(verify), best_rate(whole)
    report(
        "decide",
        1e6 / decisions,
        "µs a record",
        reference="one Ed25519 verification, µs",
        reference_value=1e6 / verifications,
        record_bytes=len(raw),
    )


if __name__ == "__main__":
    main()
