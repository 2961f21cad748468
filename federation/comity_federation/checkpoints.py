"""Checkpoints: a member's signed word on its own head and its registry. Not in the chain; own topic, own `typ`.

They tell a silent log from a withheld one. A checkpoint counts under any listed key that is not closed. Once a day
they also carry, in parts, how far the member has verified every other log: whoever is shown another history finds out.
"""

from collections.abc import Sequence
from typing import ClassVar

from nacl.signing import SigningKey
from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_federation.encoding import NotCanonical, b64decode
from comity_schemas.errors import ComityError
from comity_schemas.member import Member
from comity_schemas.peers import MAX_HEADS, PeerHead, PeerHeads
from comity_schemas.statement import CHECKPOINT_TYP, Checkpoint

MAX_CHECKPOINT_BYTES = 64 * 1024


class CheckpointRefused(ComityError):
    """The bytes are no checkpoint of this member; they have no effect."""

    code: ClassVar[str] = "checkpoint.refused"


def sign_checkpoint(checkpoint: Checkpoint, kid: str, key: SigningKey) -> bytes:
    """Return a checkpoint as it travels."""
    return jws.sign(key, kid, CHECKPOINT_TYP, strict_json.dumps(checkpoint.to_parsed())).encode("ascii")


def open_checkpoint(raw: bytes, member: Member) -> Checkpoint:
    """Return the checkpoint if the member signed exactly these bytes.

    Raises:
        CheckpointRefused: too large, malformed, by an unlisted or closed key, or by somebody else.
    """
    if len(raw) > MAX_CHECKPOINT_BYTES:
        raise CheckpointRefused("too large")
    try:
        payload = jws.open_word_of(member, raw.decode("ascii"), CHECKPOINT_TYP)
        checkpoint = Checkpoint.from_parsed(strict_json.loads(payload))
    except jws.BadSignature as error:
        raise CheckpointRefused(str(error)) from error
    except (jws.MalformedJws, strict_json.NotStrict, ValidationError, ValueError) as error:
        raise CheckpointRefused("not a checkpoint of this member") from error
    if checkpoint.iss != member.did:
        raise CheckpointRefused("it names another issuer")
    return checkpoint


def tells_heads(raw: bytes) -> bool:
    """Claim that a checkpoint carries heads of others, unverified: whether opening it is worth it."""
    payload = raw[: MAX_CHECKPOINT_BYTES + 1].split(b".")[1:2]
    try:
        return bool(payload) and b'"peers":' in b64decode(payload[0].decode("ascii"))
    except (UnicodeDecodeError, NotCanonical):
        return False


def in_parts(heads: Sequence[PeerHead]) -> list[PeerHeads]:
    """Return verified heads in parts that each fit into a checkpoint."""
    cut = [tuple(heads[start : start + MAX_HEADS]) for start in range(0, len(heads), MAX_HEADS)]
    return [PeerHeads(part=number, of=len(cut), heads=part) for number, part in enumerate(cut, start=1)]
