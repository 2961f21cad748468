"""What peers know of this node's own log: asked at every start, before the first signature."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from comity_federation.registry import Registry
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.client import Given
from comity_node.services.publishing.own_log import Told
from comity_schemas.errors import ComityError
from comity_schemas.member import Member

PEERS_HEARD = 2
"""How many peers must answer, where so many can."""

_ASKED_TOGETHER = 4
_MOST_FETCHED = 20_000
"""Most own statements fetched from one peer in one attempt; the next attempt goes on."""


class NoPeerAnswers(ComityError):
    """Other members are active and none of their nodes answers: nothing is signed, since this one may be set back."""

    code: ClassVar[str] = "peer.none-answers"


async def ask_about_own_log(peers: Peers, member: Member, registry: Registry, known: int) -> Told:
    """Ask two peers, or one where only one answers, how far this node's own log goes, and fetch what is beyond.

    Nobody is asked when no other member is active, or the registry gives an address of none.

    Args:
        peers: Whom to ask.
        member: This node's own entry.
        registry: Who is active.
        known: The last own statement that is known to be out.

    Raises:
        NoPeerAnswers: there are peers, and none answered whole.
    """
    reachable = peers.reachable(registry)
    # Those that answered lately come first; but at a start everybody may be asked at once.
    rested = peers.rested(reachable)
    order = [*rested, *(peer for peer in reachable if peer not in rested)]
    told: list[Told] = []
    while order and len(told) < PEERS_HEARD:
        together, order = order[:_ASKED_TOGETHER], order[_ASKED_TOGETHER:]
        answers = await asyncio.gather(*(_ask(peers, peer, member, known) for peer in together))
        told += [answer for answer in answers if answer is not None]
    if reachable and not told:
        raise NoPeerAnswers(
            f"{len(reachable)} other members have nodes and none answers now: nothing is signed until one says how far "
            "this node's own log goes. What was released waits in the outbox, everything else goes on"
        )
    return Told(
        tuple(record for answer in told for record in answer.records),
        tuple(checkpoint for answer in told for checkpoint in answer.checkpoints),
    )


async def _ask(peers: Peers, peer: Member, member: Member, known: int) -> Told | None:
    """Return what one peer shows; None where it does not answer, or not whole."""
    answer = await peers.ask(peer, peers.client.checkpoint(peer))
    if answer is None:
        return None
    yours = () if answer.yours is None else (answer.yours.encode("utf-8"),)
    reported = max((head.seq for head in answer.heads if head.member == member.slug), default=0)
    records: list[Given] = []
    while known + len(records) < reported and len(records) < _MOST_FETCHED:
        given = await peers.ask(peer, peers.client.records(peer, member, known + len(records) + 1))
        if given is None:
            return None
        if not given:
            what = f"reports statement {reported} of {member.slug} and cannot produce it"
            await peers.note_wrong(peer, what)
            return None
        records += given
    return Told(_from(peer, records), yours)


def _from(peer: Member, records: Sequence[Given]) -> tuple[tuple[str, Given], ...]:
    return tuple((peer.slug, given) for given in records)
