"""Peer tokens: a member's word that its node is calling another member's node now.

Rules:

1. A token is good at the one peer whose DID it names, from a minute before the peer's clock at most, for a minute.
   Clocks may differ by `CLOCKS_DIFFER`.
2. It counts under any listed key of an active member that is not closed, as a checkpoint does.
3. It carries no right but that of every active member: to read what every active member may read. So replaying it
   within its minute, at the same peer, gains nothing that the network's lists do not give anyway; nothing is kept to
   stop that. It travels inside TLS.
4. It has a `typ` of its own: a token is never a checkpoint, a statement or a report, and none of them is a token.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import ValidationError

from comity_federation import jws, strict_json
from comity_federation.keys import SigningPair
from comity_schemas.errors import ComityError
from comity_schemas.member import Member
from comity_schemas.peers import PEER_TOKEN_TYP, PeerToken

LIFETIME = timedelta(seconds=60)

CLOCKS_DIFFER = timedelta(seconds=30)
"""How far two nodes' clocks may be apart before they stop understanding each other."""

MAX_TOKEN_BYTES = 2_048
"""A token with the longest names allowed is 1.1 KiB."""


class PeerTokenRefused(ComityError):
    """No active member says with this that it is calling this node now; the caller is told nothing more.

    Attributes:
        reason: a stable word: `too-large`, `malformed`, `unknown-member`, `not-signed`, `issuer`, `audience`,
            `lifetime`, `expired`, `from-the-future`.
    """

    code: ClassVar[str] = "peer-token.refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"this is no token of an active member for this node now: {reason}")
        self.reason = reason


def sign_peer_token(pair: SigningPair, audience: str, now: datetime) -> str:
    """Return a token for calling one peer during the next minute.

    Args:
        pair: this member's signing key, its DID in the key id.
        audience: the peer's DID.
        now: the time.
    """
    iat = int(now.timestamp())
    claims = PeerToken(
        v=1, iss=pair.kid.partition("#")[0], aud=audience, iat=iat, exp=iat + int(LIFETIME.total_seconds())
    )
    return jws.sign(pair.secret, pair.kid, PEER_TOKEN_TYP, strict_json.dumps(claims.to_parsed()))


def open_peer_token(token: str, member_of: Callable[[str], Member | None], audience: str, now: datetime) -> Member:
    """Return the active member that calls.

    Args:
        token: As received; nothing in it is believed yet.
        member_of: the registry's member of a DID.
        audience: this node's DID.
        now: the time.

    Raises:
        PeerTokenRefused: for one of the reasons that it lists.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise PeerTokenRefused("too-large")
    try:
        did = jws.take_apart(token, PEER_TOKEN_TYP).kid.partition("#")[0]
    except jws.MalformedJws as error:
        raise PeerTokenRefused("malformed") from error
    member = member_of(did)
    if member is None:
        raise PeerTokenRefused("unknown-member")
    try:
        payload = jws.open_word_of(member, token, PEER_TOKEN_TYP)
        claims = PeerToken.from_parsed(strict_json.loads(payload))
    except jws.BadSignature as error:
        raise PeerTokenRefused("not-signed") from error
    except (strict_json.NotStrict, ValidationError, ValueError) as error:
        raise PeerTokenRefused("malformed") from error
    _check_claims(claims, member, audience, now)
    return member


def _check_claims(claims: PeerToken, member: Member, audience: str, now: datetime) -> None:
    at, spread = now.timestamp(), CLOCKS_DIFFER.total_seconds()
    if claims.iss != member.did:
        raise PeerTokenRefused("issuer")
    if claims.aud != audience:
        raise PeerTokenRefused("audience")
    if not 0 < claims.exp - claims.iat <= LIFETIME.total_seconds():
        raise PeerTokenRefused("lifetime")
    if at >= claims.exp + spread:
        raise PeerTokenRefused("expired")
    if at < claims.iat - spread:
        raise PeerTokenRefused("from-the-future")
