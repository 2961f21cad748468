"""Asking other members' nodes. Bounded in bytes and time; no redirect, nothing unpacked; nothing is believed.

What can be checked here is checked here: that records are records of the log asked for, by its member, and that a
checkpoint is the peer's own. Everything else is up to the caller.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import httpx2
from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.addresses import is_safe_address
from comity_federation.forks import is_signed_by
from comity_federation.keys import SigningPair
from comity_federation.log_state import Peek, peek
from comity_federation.lone_record import claimed_key
from comity_federation.peer_tokens import sign_peer_token
from comity_node.services.peers.serving import MOST_BYTES, MOST_RECORDS
from comity_schemas.errors import ComityError
from comity_schemas.member import Member
from comity_schemas.peers import PeerCheckpoint
from comity_schemas.statement import MAX_RECORD_BYTES
from comity_schemas.wire import Digest

ANSWER_WITHIN_S = 10.0
"""Longest time for one answer, from the first byte to the last."""

_MOST_BYTES = MOST_BYTES + MAX_RECORD_BYTES
_GAP_S = 5.0


class PeerUnreachable(ComityError):
    """A member's node does not answer, or not now; it is asked again later."""

    code: ClassVar[str] = "peer.unreachable"


class PeerWrong(ComityError):
    """A member's node answered what cannot be true: not the form asked for, or what the log's member did not sign."""

    code: ClassVar[str] = "peer.wrong"


@dataclass(frozen=True, slots=True)
class Given:
    """One record that a peer gave; its member has signed it, more is not known."""

    claimed: Peek
    raw: bytes


class PeerClient:
    """This node as a caller of others; only a process that holds the signing key can make one."""

    def __init__(self, pair: SigningPair, clock: Callable[[], datetime]) -> None:
        self._pair = pair
        self._clock = clock
        self._http = httpx2.AsyncClient(
            timeout=_GAP_S,
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "comity"},
            limits=httpx2.Limits(max_connections=16, max_keepalive_connections=4),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def checkpoint(self, peer: Member) -> PeerCheckpoint:
        """Return where a peer says that it and all others stand.

        Raises:
            PeerUnreachable, PeerWrong: see there.
        """
        raw = await self._get(peer, "checkpoint")
        try:
            answer = PeerCheckpoint.from_parsed(strict_json.loads(raw or b""))
        except (strict_json.NotStrict, ValidationError, ValueError) as error:
            raise PeerWrong(f"{peer.slug} does not answer in the form of a checkpoint") from error
        if answer.member != peer.slug:
            raise PeerWrong(f"{answer.member} answers under the address of {peer.slug}")
        return answer

    async def records(self, peer: Member, of: Member, first: int, most: int = MOST_RECORDS) -> list[Given]:
        """Return records of a log from a place on, each at its place, each signed by its member.

        Raises:
            PeerUnreachable, PeerWrong: see there.
        """
        most = min(most, MOST_RECORDS)
        raw = await self._get(peer, f"records/{of.slug}?from={first}&most={most}")
        given = await self._signed(peer, of, raw or b"", most)
        if any(one.claimed.seq != first + number for number, one in enumerate(given)):
            raise PeerWrong(f"{peer.slug} gives other places of {of.slug} than it was asked for")
        return given

    async def record(self, peer: Member, of: Member, name: Digest) -> Given | None:
        """Return one statement of a log by its hash, or None where the peer has it not.

        Raises:
            PeerUnreachable, PeerWrong: see there.
        """
        raw = await self._get(peer, f"records/{of.slug}/{name}")
        given = [] if raw is None else await self._signed(peer, of, raw, 1)
        if given and given[0].claimed.hash != name:
            raise PeerWrong(f"{peer.slug} gives another statement of {of.slug} than it was asked for")
        return given[0] if given else None

    async def fork(self, peer: Member, of: Member) -> list[Given]:
        """Return the statements with which a peer proves that a member told two stories; empty where it has none.

        Raises:
            PeerUnreachable, PeerWrong: see there.
        """
        raw = await self._get(peer, f"forks/{of.slug}")
        return [] if raw is None else await self._signed(peer, of, raw, 2)

    async def _signed(self, peer: Member, of: Member, raw: bytes, most: int) -> list[Given]:
        lines = raw.split(b"\n")
        if lines.pop() != b"" or len(lines) > most:
            raise PeerWrong(f"{peer.slug} does not answer in the form of records")
        given = await asyncio.to_thread(_check_all, lines, of)
        if given is None:
            raise PeerWrong(f"{peer.slug} gives as statements of {of.slug} what that member did not sign")
        return given

    async def _get(self, peer: Member, path: str) -> bytes | None:
        """Return the answer's bytes, or None where the peer says that there is no such thing."""
        if peer.endpoint is None or not is_safe_address(peer.endpoint):
            raise PeerUnreachable(f"the registry names no https address of {peer.slug}")
        url = f"{peer.endpoint.rstrip('/')}/api/v1/peers/{path}"
        token = sign_peer_token(self._pair, peer.did, self._clock())
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._read(peer, url, {"authorization": f"Bearer {token}"})
        except TimeoutError as error:
            raise PeerUnreachable(f"{peer.slug} does not answer within {ANSWER_WITHIN_S:.0f} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise PeerUnreachable(f"{peer.slug} does not answer: {type(error).__name__}") from error

    async def _read(self, peer: Member, url: str, headers: dict[str, str]) -> bytes | None:
        async with self._http.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx2.codes.NOT_FOUND:
                return None
            if response.status_code != httpx2.codes.OK:
                raise PeerUnreachable(f"{peer.slug} answers with status {response.status_code}")
            read = bytearray()
            async for piece in response.aiter_raw():
                read += piece
                if len(read) > _MOST_BYTES:
                    raise PeerWrong(f"{peer.slug} answers more than was asked for")
            return bytes(read)


def _check_all(lines: list[bytes], of: Member) -> list[Given] | None:
    """Return the records up to the first under a key that is not listed yet; None where the member signed one not."""
    listed = {key.kid for key in of.signing_keys}
    given = []
    for raw in lines:
        claimed, kid = peek(raw), claimed_key(raw)
        if claimed is not None and kid is not None and kid.partition("#")[0] == of.did and kid not in listed:
            break  # Perhaps signed well, under a newer registry than ours.
        if claimed is None or not is_signed_by(raw, of):
            return None
        given.append(Given(claimed, raw))
    return given
