"""Making a record: the signing side, and the bytes of a record.

A record has exactly one form: fixed key order, no whitespace, disclosures in the order of their digests, boxes in the
order of `boxes`. So any changed byte is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nacl.signing import SigningKey

from comity_federation import jws, strict_json
from comity_federation.disclosures import Disclosure, disclose, padded
from comity_federation.encoding import digest
from comity_schemas.handling import Handling
from comity_schemas.statement import STATEMENT_TYP, VERSION, Kind


def genesis(did: str) -> str:
    """Return what stands in `prev` of a member's first statement."""
    return digest(did)


def record_bytes(jwt: str, disclosures: Iterable[str], boxes: Iterable[str] = ()) -> bytes:
    """Return the one form of a record."""
    statement = "~".join([jwt, *sorted(disclosures, key=digest), ""])
    return strict_json.dumps({"statement": statement, "sealed": list(boxes)})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What will be said, before it has a place: exactly what two people released."""

    kind: str
    handling: Handling
    body: Mapping[str, Any]
    """Fields in clear, as JSON values."""
    disclosed: Mapping[str, Any]
    """Fields that travel as disclosures."""
    withheld: Mapping[str, Any]
    """Fields that stay; only their digests travel."""

    @property
    def corrects(self) -> bool:
        """Whether it takes an earlier statement back or stands in its place."""
        return self.kind == Kind.WITHDRAWAL or "replaces" in self.body


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its place and the exact bytes to send."""

    seq: int
    hash: str
    record: bytes
    withheld: tuple[Disclosure, ...]
    """Kept at the node, so that a withheld field can be shown to somebody later."""


def sign_statement(
    outgoing: Outgoing, *, iss: str, kid: str, key: SigningKey, seq: int, prev: str, now: datetime
) -> Signed:
    """Return the statement signed at one place of the member's log."""
    disclosed = [disclose(name, value) for name, value in outgoing.disclosed.items()]
    withheld = tuple(disclose(name, value) for name, value in outgoing.withheld.items())
    shown, hidden = sorted(d.digest for d in disclosed), [d.digest for d in withheld]
    claims = {
        "v": VERSION,
        "iss": iss,
        "seq": seq,
        "prev": prev,
        "iat": int(now.timestamp()),
        "kind": outgoing.kind,
        "handling": outgoing.handling.to_parsed(),
        "open": shown,
        "boxes": [],
        "body": {**outgoing.body, "_sd": padded([*shown, *hidden])},
        "_sd_alg": "sha-256",
    }
    jwt = jws.sign(key, kid, STATEMENT_TYP, strict_json.dumps(claims))
    return Signed(seq, digest(jwt), record_bytes(jwt, (d.encoded for d in disclosed)), withheld)


def cloud_event_headers(iss: str, seq: int, kind: str, now: datetime) -> dict[str, str]:
    """Return CloudEvents 1.0 binary-mode headers for standard tools; Comity never reads them."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(seq),
        "ce_source": iss,
        "ce_type": f"comity.{kind}.v{VERSION}",
        "ce_time": now.isoformat(),
        "content-type": "application/json",
    }
