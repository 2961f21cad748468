"""Two copies of one statement, each perhaps lacking disclosures: the fuller copy."""

from comity_federation import strict_json
from comity_federation.encoding import b64decode, digest
from comity_federation.statements import record_bytes
from comity_schemas.statement import MAX_RECORD_BYTES


def merge_copies(first: bytes, second: bytes) -> bytes:
    """Return the record with the disclosures and boxes of both copies; both were verified already."""
    one, other = strict_json.loads(first), strict_json.loads(second)
    jwt, *disclosures = one["statement"].split("~")
    more = other["statement"].split("~")[1:]
    given = {digest(box): box for box in (*one["sealed"], *other["sealed"])}
    # In the order in which they were signed. Few statements have any: those without cost no look into them.
    signed = strict_json.loads(b64decode(jwt.split(".")[1]))["boxes"] if given else []
    boxes = [given[name] for name in signed if name in given]
    merged = record_bytes(jwt, {d for d in (*disclosures, *more) if d}, boxes)
    # An author can sign more than fits: then no copy is whole, and the first one stays.
    return merged if len(merged) <= MAX_RECORD_BYTES else first
