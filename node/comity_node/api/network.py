"""The network as this node sees it: members and records."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from comity_federation.statements import genesis
from comity_node.api.bodies import MOST_ROWS
from comity_node.api.contract import refuses, sends
from comity_node.auth import RecordReader, SignedIn, ThisNode
from comity_node.db.logs import LogStatus
from comity_node.domain.errors import NotFound
from comity_node.services.answering.answers import describe_coverage
from comity_node.services.answering.moment import cover
from comity_schemas.wire import Digest

router = APIRouter(tags=["network"])

RowNumber = Annotated[int, Path(ge=1, le=MOST_ROWS)]


class MemberOut(BaseModel):
    """One member and what this node has of its log."""

    slug: str
    did: str
    names: list[str]
    role: str
    status: str
    country: str
    head: int
    head_hash: str
    """With `head` as SEQ:HASH what a key holder needs to close this log."""
    heard_at: datetime | None
    announced: int | None
    frozen_from: int | None
    repeats: int
    skipped: int
    records: dict[str, int]


class NetworkOut(BaseModel):
    """Who is in the network, under which registry, and who was heard."""

    registry_version: int
    registry_hash: str
    registry_expires: datetime
    coverage: dict[str, Any]
    members: list[MemberOut]


@router.get("/network")
async def get_network(person: SignedIn, node: ThisNode) -> NetworkOut:
    """Who is connected, and is anything stuck?"""
    registry = await node.registry()
    async with node.database.read() as store:
        logs = {log.member: log for log in await store.logs.all()}
        counts = await store.received.counts()
        places = {slug: await store.received.places(slug, [log.head]) for slug, log in logs.items()}
    members = []
    for member in registry.members:
        log = logs.get(member.slug, LogStatus(member.slug))
        members.append(
            MemberOut(
                slug=member.slug,
                did=member.did,
                names=list(member.names),
                role=member.role,
                status=member.status,
                country=member.country,
                head=log.head,
                head_hash=places[member.slug][log.head].hash if log.head else genesis(member.did),
                heard_at=log.heard_at,
                announced=log.announced_seq,
                frozen_from=log.frozen_from,
                repeats=log.repeats,
                skipped=log.skipped,
                records=counts.get(member.slug, {}),
            )
        )
    return NetworkOut(
        registry_version=registry.version,
        registry_hash=registry.hash,
        registry_expires=registry.expires,
        coverage=describe_coverage(cover(registry, logs, node.clock())),
        members=members,
    )


@router.get(
    "/records/{statement}",
    response_class=Response,
    responses=refuses(403, 404) | sends("application/json"),
)
async def export_record(statement: Digest, person: RecordReader, node: ThisNode) -> Response:
    """The exact bytes of a record this node holds; `comity verify` checks them anywhere."""
    async with node.database.read() as store:
        record = await store.received.find(statement)
    if record is None:
        raise NotFound("no such record")
    return Response(record.raw, media_type="application/json")
