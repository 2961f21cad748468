"""What members tell each other outside their logs: where they stand, and who is calling."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from comity_schemas.wire import Did, Digest, Slug, Wire

PEER_TOKEN_TYP = "comity-peer+jwt"  # noqa: S105 the name of a type

MAX_HEADS = 250
"""Most heads in one part: 250 of the longest are 50 KiB in a checkpoint."""

_Seconds = Annotated[int, Field(ge=0, le=2**53 - 1)]


class PeerHead(Wire):
    """How far the sender has verified one member's log."""

    member: Slug
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]
    hash: Digest


class PeerHeads(Wire):
    """One part of all the heads that the sender has verified."""

    part: Annotated[int, Field(ge=1, le=1_000)]
    of: Annotated[int, Field(ge=1, le=1_000)]
    heads: Annotated[tuple[PeerHead, ...], Field(max_length=MAX_HEADS)]

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.part > self.of:
            raise ValueError("there are not that many parts")
        if len({head.member for head in self.heads}) != len(self.heads):
            raise ValueError("a member is named twice")
        return self


class PeerToken(Wire):
    """One member's word that it is calling another one now. Good for a minute, at this one peer only."""

    v: Literal[1]
    iss: Did
    aud: Did
    """DID of the member whose node is called."""
    iat: _Seconds
    exp: _Seconds


class PeerCheckpoint(Wire):
    """What a node answers at `/peers/checkpoint`: where its log stands and how far it has verified all others, now."""

    # Not closed: nothing here is signed, and a node must understand the answer of a newer one.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    member: Slug
    checkpoint: Annotated[str, Field(max_length=64 * 1024)] | None = None
    """The latest that this node has signed; absent before the first."""
    yours: Annotated[str, Field(max_length=64 * 1024)] | None = None
    """The latest of the caller's own that this node has verified: a node that was set back learns from it."""
    heads: Annotated[tuple[PeerHead, ...], Field(max_length=5_000)]
    """How far this node has verified every log, the caller's included. Its own is in the checkpoint."""
    frozen: Annotated[tuple[Slug, ...], Field(max_length=5_000)]
    """Members that told two stories: the proof is at `/peers/forks/{member}`."""
