"""A round of one job: done, or failed with a reason that somebody can read."""

from collections.abc import Awaitable

import structlog

from comity_node.db import DatabaseUnavailable
from comity_node.db.jobs import Job
from comity_node.services.jobs import fail
from comity_node.wiring import Node
from comity_schemas.errors import ComityError

log = structlog.get_logger(__name__)


async def do_round(node: Node, job: Job, work: Awaitable[None], after_a_fault: str) -> None:
    """Do what is next to do of a job; what is refused ends it, and so does a fault of this program.

    Args:
        node: whose job it is.
        job: as it was found.
        work: what is to be done.
        after_a_fault: what has become of it then, in words.

    Raises:
        DatabaseUnavailable: it stays as it is, and goes on later.
    """
    try:
        await work
    except DatabaseUnavailable:
        raise
    except ComityError as error:
        await _fail(node, job, str(error))
    except Exception as error:
        # Its text could hold what is imported, or whom somebody screens.
        log.error("job.failed", job=job.id, error=type(error).__name__)
        await _fail(node, job, f"a fault of this program; its log has the kind of it. {after_a_fault}")


async def _fail(node: Node, job: Job, why: str) -> None:
    async with node.database.write() as store:
        await fail(store, job.id, why, node.clock())
