"""Importing a published register: rows become reports or rulings, and proposals in one batch."""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Base64Bytes, BaseModel, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.auth import Reviewer, ThisNode
from comity_node.domain.register import DecisionMapping, read_rows, read_rulings
from comity_node.mappings import read_register
from comity_node.services.decision_import import import_rulings
from comity_node.services.register_import import Imported, import_rows

router = APIRouter(prefix="/imports", tags=["import"])


class ImportIn(Body):
    """A register and the mapping that says how to read it, both as files are."""

    mapping: Annotated[str, Field(max_length=200_000)]
    table: Annotated[Base64Bytes, Field(max_length=4_000_000)]


class RowProblemOut(BaseModel):
    """A row that does not fit: where, and why, without its content."""

    line: int
    kind: str
    reason: str


class ImportedOut(BaseModel):
    """What became of the file. `batch` names the proposals that a second person approves together."""

    kind: str
    """What the rows became: `finding` or `decision`."""
    batch: str
    rows: int
    added: int
    changed: int
    unchanged: int
    proposed: int
    left_out: dict[str, int]
    """Kind of problem to how many rows."""
    problems: list[RowProblemOut]


@router.post("", status_code=201, responses=refuses(403, 409))
async def import_register(body: ImportIn, person: Reviewer, node: ThisNode, once: Onced) -> ImportedOut:
    """Import a register. Nothing leaves before a second person approves the batch."""
    secret = node.home.secret.read_bytes()
    register = await asyncio.to_thread(read_register, body.mapping)
    table = io.BytesIO(body.table)
    if isinstance(register, DecisionMapping):
        rulings = await asyncio.to_thread(read_rulings, table, register, secret=secret)
        return await once.write(
            lambda store: _said("decision", import_rulings(store, rulings, person, node.clock(), register.parsed_only))
        )
    rows = await asyncio.to_thread(lambda: list(read_rows(table, register, secret=secret)))
    policy = node.settings.policy
    return await once.write(lambda store: _said("finding", import_rows(store, rows, person, policy, node.clock())))


async def _said(kind: str, importing: Awaitable[Imported]) -> ImportedOut:
    done = await importing
    return ImportedOut(
        kind=kind,
        batch=done.batch,
        rows=done.rows,
        added=done.added,
        changed=done.changed,
        unchanged=done.unchanged,
        proposed=done.proposed,
        left_out=Counter(p.kind.value for p in done.problems),
        problems=[RowProblemOut(line=p.line, kind=p.kind.value, reason=p.reason) for p in done.problems],
    )
