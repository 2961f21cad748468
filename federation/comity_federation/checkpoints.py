"""Checkpoints: a member's signed word on its own head and its registry. Not in the chain; own topic, own `typ`.

They tell a silent log from a withheld one. A checkpoint counts under any listed key that is not closed.
"""

from typing import ClassVar

from nacl.signing import SigningKey
from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_schemas.errors import ComityError
from comity_schemas.member import Member, MemberStatus
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
    if len(raw) > MAX_CHECKPOINT_BYTES or member.status is not MemberStatus.ACTIVE:
        raise CheckpointRefused("too large, or its member is not active")
    try:
        token = jws.take_apart(raw.decode("ascii"), CHECKPOINT_TYP)
        key = next(k for k in member.signing_keys if k.kid == token.kid and k.closed is None)
        jws.check_signature(token, key.key)
        checkpoint = Checkpoint.from_parsed(strict_json.loads(token.payload))
    except (jws.MalformedJws, jws.BadSignature, strict_json.NotStrict, ValidationError, ValueError) as error:
        raise CheckpointRefused("not a checkpoint of this member") from error
    except StopIteration as error:
        raise CheckpointRefused("signed by a key that is not listed or is closed") from error
    if checkpoint.iss != member.did:
        raise CheckpointRefused("it names another issuer")
    return checkpoint
