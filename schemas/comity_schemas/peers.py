"""What members tell each other outside their logs: where they stand, and who is calling."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
