"""Importing a published register: rows become reports or rulings, and proposals in one batch."""

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import Base64Bytes, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.jobs import JobOut, describe_job
from comity_node.api.once import Onced
from comity_node.auth import Reviewer, ThisNode
from comity_node.db import Store
from comity_node.domain.saying import require_may_say
from comity_node.services.importing import jobs
from comity_schemas.statement import Kind

router = APIRouter(prefix="/imports", tags=["import"])


class ImportIn(Body):
    """A register and the mapping that says how to read it, both as files are."""

    mapping: Annotated[str, Field(max_length=200_000)]
    table: Annotated[Base64Bytes, Field(max_length=4_000_000)]


@router.post("", status_code=201, responses=refuses(403, 409))
async def import_register(body: ImportIn, person: Reviewer, node: ThisNode, once: Onced) -> JobOut:
    """Import a register. Nothing leaves before a second person releases the batch.

    What takes longer than half a second goes on by itself: `GET /jobs/{id}` says how far it is.
    """
    prepared = await asyncio.to_thread(jobs.prepare, body.mapping, body.table, node.home.secret.read_bytes())
    require_may_say(await node.own_role(), Kind(prepared.kind))
    given = jobs.as_bytes(body.mapping, body.table)

    async def begin(store: Store) -> JobOut:
        job = await jobs.start_import(store, person, prepared, given, node.clock())
        enough = jobs.budget(jobs.STEP_S)
        return describe_job(
            await jobs.advance_import(store, job.id, prepared, node.settings.policy, node.clock(), enough)
        )

    return await once.write(begin)
