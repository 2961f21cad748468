"""Telling at a glance whether there may be anything to do: one short question in place of a transaction.

A round that looks in vain is most of what an idle node does, and after each commit all of them look again. A
transaction costs half a millisecond at least, a glance at SQLite some ten microseconds, at PostgreSQL one way there
and back.

Rules:
- A glance decides only whether to look: whoever then works reads what it works on in its own transaction.
- Where the database does not answer there may be something: whoever looks will say what is wrong.
- Only what an index answers is asked, whatever the tables hold.
"""

from collections.abc import Sequence

from comity_node.db.outbox import OWN_LOG, OwnLog
from comity_node.db.suppliers import ENDS
from comity_node.db.versions import Versions


class Glances:
    """Short questions to one database."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    async def a_job_runs(self, kinds: Sequence[str]) -> bool:
        """Tell whether a job of these kinds may be unfinished."""
        places = ", ".join("?" * len(kinds))
        return await self._any(f"select 1 from job where state = 'running' and kind in ({places})", kinds)  # noqa: S608

    async def is_behind(self, follower: str, other: str) -> bool:
        """Tell whether one that follows the view's changes may be behind another one."""
        behind = "coalesce((select change from followed where name = ?), 0)"
        row = await self._versions.row(f"select {behind} < {behind}", (follower, other))
        return row is None or bool(row[0])

    async def followed(self, follower: str) -> int | None:
        """Return up to which change one follows the view; None where the database does not answer."""
        row = await self._versions.row("select coalesce((select change from followed where name = ?), 0)", (follower,))
        return None if row is None else int(row[0])

    async def is_behind_view(self, follower: str) -> bool:
        """Tell whether one that follows the view's changes may be behind the newest."""
        row = await self._versions.row(ENDS, (follower,))
        return row is None or row[0] < row[1]

    async def a_record_is_new(self) -> bool:
        """Tell whether any record may lie in the inbox."""
        # Said twice, so that SQLite sees that the index over what is not accepted will do.
        return await self._any("select 1 from received where state <> 'accepted' and state = 'new'")

    async def a_gap_is_shown(self) -> bool:
        """Tell whether a log may lack statements: some wait, or its member has announced more."""
        waits = "select 1 from received where state <> 'accepted' and state = 'waiting'"
        return await self._any(waits) or await self._any("select 1 from log where announced_seq > head")

    async def a_delivery_waits(self) -> bool:
        """Tell whether anything may be there to be sent to those who watch."""
        told = "select 1 from alert where delivery is null"
        return await self._any(told) or await self._any("select 1 from watch_delivery where state = 'waiting'")

    async def a_head_is_reported(self) -> bool:
        """Tell whether somebody may have reported a statement that this node lacks."""
        return await self._any("select 1 from reported_head")

    async def own_log(self) -> OwnLog | None:
        """Return how far the own log is; None where the database does not answer."""
        row = await self._versions.row(OWN_LOG)
        return None if row is None else OwnLog.of(row)

    async def _any(self, which: str, values: Sequence[str] = ()) -> bool:
        row = await self._versions.row(f"select exists({which})", values)
        return row is None or bool(row[0])
