"""Importing a published register: rows become reports and proposals in one batch."""

import asyncio
import io
from typing import Annotated

from fastapi import APIRouter
from pydantic import Base64Bytes, BaseModel, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.auth import Reviewer, ThisNode
from comity_node.db import Store
from comity_node.domain.register import read_rows
from comity_node.mappings import register_of
from comity_node.services.register_import import import_rows

router = APIRouter(prefix="/imports", tags=["import"])


class ImportIn(Body):
    """A register and the mapping that says how to read it, both as files are."""

    mapping: Annotated[str, Field(max_length=200_000)]
    table: Annotated[Base64Bytes, Field(max_length=4_000_000)]


class RowProblemOut(BaseModel):
    """A row that does not fit: where, and why, without its content."""

    line: int
    reason: str


class ImportedOut(BaseModel):
    """What became of the file. `batch` names the proposals that a second person approves together."""

    batch: str
    rows: int
    added: int
    changed: int
    unchanged: int
    proposed: int
    problems: list[RowProblemOut]


@router.post("", status_code=201, responses=refuses(403, 409))
async def import_register(body: ImportIn, person: Reviewer, node: ThisNode, once: Onced) -> ImportedOut:
    """Import a register. Nothing leaves before a second person approves the batch."""
    secret = node.home.secret.read_bytes()
    register = await asyncio.to_thread(register_of, body.mapping)
    rows = await asyncio.to_thread(lambda: list(read_rows(io.BytesIO(body.table), register, secret=secret)))

    async def take_in(store: Store) -> ImportedOut:
        done = await import_rows(store, rows, person, node.settings.policy, node.clock())
        return ImportedOut(
            batch=done.batch,
            rows=done.rows,
            added=done.added,
            changed=done.changed,
            unchanged=done.unchanged,
            proposed=done.proposed,
            problems=[RowProblemOut(line=p.line, reason=p.reason) for p in done.problems],
        )

    return await once.write(take_in)
