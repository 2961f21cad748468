"""A hostile broker: writes a forged, a tampered and a replayed record into members' logs.

On a real hub the broker itself refuses a foreign writer; what is shown here is that nodes need not trust it.
"""

from datetime import UTC, datetime

from nacl.signing import SigningKey

from comity_federation import strict_json
from comity_federation.bus import Bus, statements_topic
from comity_federation.encoding import b64decode, b64encode, digest
from comity_federation.log_state import peek
from comity_federation.statements import Outgoing, sign_statement
from comity_node.demo.stage import AGENCY, BODY, did


def forged(genuine: bytes, outgoing: Outgoing) -> bytes:
    """Return a statement that follows the genuine one and names the agency's key, made with another."""
    claimed = peek(genuine)
    assert claimed is not None
    signed = sign_statement(
        outgoing,
        iss=did(AGENCY),
        kid=f"{did(AGENCY)}#signing-1",
        key=SigningKey.generate(),
        seq=claimed.seq + 1,
        prev=claimed.hash,
        now=datetime.now(UTC),
    )
    return signed.record


def tampered(genuine: bytes) -> bytes:
    """Return a genuine record in which a disclosed name was changed."""
    record = strict_json.loads(genuine)
    jwt, *disclosures, end = record["statement"].split("~")
    salt, name, value = strict_json.loads(b64decode(disclosures[0]))
    altered = b64encode(strict_json.dumps([salt, name, [*value, *value]]))
    disclosures = sorted([altered, *disclosures[1:]], key=digest)
    return strict_json.dumps({"statement": "~".join([jwt, *disclosures, end]), "sealed": record["sealed"]})


async def attack(bus: Bus, genuine: bytes, outgoing: Outgoing) -> None:
    """Write the three records: two into the agency's log, one into another member's."""
    await bus.start()
    try:
        await bus.publish(statements_topic(AGENCY), forged(genuine, outgoing), {})
        await bus.publish(statements_topic(AGENCY), tampered(genuine), {})
        await bus.publish(statements_topic(BODY), genuine, {})
    finally:
        await bus.stop()


EXPECTED = {"bad-signature": (AGENCY, 5), "disclosure": (AGENCY, 8), "another-log": (BODY, 4)}
"""Reason code to whose log and which step: what every node must make of them."""
