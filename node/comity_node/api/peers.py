"""For other members' nodes: records, checkpoints and heads, proofs of forks. People have no business here."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from comity_federation.registry import Registry, RegistryExpired
from comity_node.auth import CallingMember, PeerLimits, ThisNode
from comity_node.domain.errors import NotFound
from comity_node.services.peers.serving import MOST_RECORDS, fork_proof, record_of, records_from
from comity_node.services.receiving.words import verified_heads
from comity_node.wiring import Node
from comity_schemas.member import Member, MemberStatus
from comity_schemas.peers import PeerCheckpoint
from comity_schemas.wire import Digest, Slug

router = APIRouter(
    prefix="/peers",
    tags=["peers"],
    responses={
        401: {"description": "no token that an active member has signed for this node now; nothing more is told"},
        422: {"description": "the request does not fit"},
        429: {"description": "this member's nodes ask too much; `Retry-After` says when to ask again, in seconds"},
        503: {"description": "the database or the registry is not there, or the registry has expired"},
    },
)

BUNDLE = "application/jsonl"
"""Records as they travel, one a line: a record holds no line break."""

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "nothing of this kind is here"}}
_RECORDS: dict[int | str, dict[str, Any]] = {
    200: {"content": {BUNDLE: {}}, "description": "records exactly as they travel, one a line"}
}

LogOf = Annotated[Slug, Path()]
Place = Annotated[int, Query(alias="from", ge=1, le=2**53 - 1)]
Most = Annotated[int, Query(ge=1, le=MOST_RECORDS)]


@router.get("/checkpoint", response_model_exclude_none=True)
async def get_checkpoint(caller: CallingMember, node: ThisNode) -> PeerCheckpoint:
    """This node's latest checkpoint, and all heads it has verified. Also under an expired registry: it may be old."""
    registry = await node.registry()
    own = node.settings.member
    async with node.database.read() as store:
        signed = await store.peers.checkpoint(own)
        yours = await store.peers.checkpoint(caller.slug)
        heads = await verified_heads(store, registry)
        frozen = tuple(log.member for log in await store.logs.all() if log.frozen_from is not None)
    return PeerCheckpoint(
        member=own,
        checkpoint=None if signed is None else signed.decode("ascii"),
        yours=None if yours is None else yours.decode("ascii"),
        heads=tuple(head for head in heads if head.member != own),
        frozen=frozen,
    )


@router.get("/records/{member}", response_class=Response, responses=_RECORDS | _NOT_FOUND)
async def get_records(
    member: LogOf,
    caller: CallingMember,
    node: ThisNode,
    limits: PeerLimits,
    first: Place = 1,
    most: Most = MOST_RECORDS,
) -> Response:
    """A log from a place on, in order and without holes, at most 1 MiB; empty where this node has no more."""
    await _listed(node, member)
    async with node.database.read() as store:
        records = await records_from(store, member, first, most, own=member == node.settings.member)
    return _bundle(records, caller, limits)


@router.get("/records/{member}/{statement}", response_class=Response, responses=_RECORDS | _NOT_FOUND)
async def get_record(
    member: LogOf, statement: Digest, caller: CallingMember, node: ThisNode, limits: PeerLimits
) -> Response:
    """One statement of a log by its hash, with all disclosures that this node has of it."""
    await _listed(node, member)
    async with node.database.read() as store:
        record = await record_of(store, member, statement, own=member == node.settings.member)
    if record is None:
        raise NotFound("no such statement here")
    return _bundle([record], caller, limits)


@router.get("/forks/{member}", response_class=Response, responses=_RECORDS | _NOT_FOUND)
async def get_fork(member: LogOf, caller: CallingMember, node: ThisNode, limits: PeerLimits) -> Response:
    """Two statements of a member that contradict each other, both with its signature."""
    entry = await _listed(node, member)
    async with node.database.read() as store:
        proof = await fork_proof(store, entry)
    if proof is None:
        raise NotFound("no fork of this log is known here")
    return _bundle(list(proof), caller, limits)


async def _listed(node: Node, slug: str) -> Member:
    """Return the member; under an expired registry nothing is given, since who may read it is not known any more."""
    registry: Registry = await node.registry()
    if registry.expires <= node.clock():
        raise RegistryExpired("list of members", registry.expires)
    member = registry.member(slug)
    if member is None or member.status is MemberStatus.PENDING:
        raise NotFound("no such member")
    return member


def _bundle(records: list[bytes], caller: Member, limits: PeerLimits) -> Response:
    body = b"".join(record + b"\n" for record in records)
    limits.count_bytes(caller.slug, len(body))
    return Response(body, media_type=BUNDLE)
