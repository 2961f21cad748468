"""An export of the trail: JSON lines that anybody can check without the node.

The lines are a stretch of the chain, in order: what was selected in full, of everything else its digest. Signed
checkpoints stand where they fix the chain. The export is itself an entry of the trail, the last one shown: it says what
was selected and binds all of it. docs/trail.md describes each line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity_federation import strict_json
from comity_node.domain.trail import Anchor, Event, Numbered, TrailEntry, link

VERSION = 1
MOST_DIGESTS = 500
"""Most digests of left-out entries in one line."""

MAX_LINE_BYTES = 64 * 1024
"""No line of ours is longer: 500 digests are 23 KiB, an entry with a detail of a thousand logs less than 50."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted; all of what is given must hold."""

    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    about: str | None = None
    """An id: the subject, or any text of the detail."""
    events: tuple[Event, ...] = ()
    by: str | None = None

    def holds(self, entry: TrailEntry) -> bool:
        """Tell whether an entry is wanted."""
        return (
            (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and (not self.events or entry.event in self.events)
            and (self.by is None or entry.actor == self.by)
            and (self.about is None or self.about in _objects(entry))
        )

    def to_detail(self) -> dict[str, Any]:
        """Return it as fields of an entry."""
        found: dict[str, Any] = {}
        if self.since is not None:
            found["since"] = self.since.isoformat()
        if self.until is not None:
            found["until"] = self.until.isoformat()
        if self.about is not None:
            found["about"] = self.about
        if self.by is not None:
            found["by"] = self.by
        if self.events:
            found["events"] = [event.value for event in self.events]
        return found

    @classmethod
    def of_detail(cls, detail: dict[str, Any]) -> "Selection":
        """Return what the fields of an entry say."""
        since, until = detail.get("since"), detail.get("until")
        return cls(
            None if since is None else datetime.fromisoformat(since),
            None if until is None else datetime.fromisoformat(until),
            detail.get("about"),
            tuple(Event(event) for event in detail.get("events", ())),
            detail.get("by"),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export's own entry says of it."""

    selection: Selection
    first: int
    """Where the stretch begins."""
    last: int
    """The last place that was looked at; behind it stands the entry itself."""
    entries: int
    binds: str
    """The chain of the digests of all that was selected."""

    def to_detail(self) -> dict[str, Any]:
        """Return it as fields of an entry."""
        own = {"first": self.first, "last": self.last, "entries": self.entries, "binds": self.binds}
        return own | self.selection.to_detail()

    @classmethod
    def of_entry(cls, entry: TrailEntry) -> "Manifest":
        """Return what an entry of the event `trail.exported` says."""
        detail = strict_json.loads(entry.detail.encode("utf-8"))
        own = (detail["first"], detail["last"], detail["entries"], detail["binds"])
        return cls(Selection.of_detail(detail), *own)


def select(rows: Iterable[Numbered], selection: Selection, counted: int, binds: str) -> tuple[int, str, int | None]:
    """Count on and bind on what is selected of a stretch; return both, and the first place that is."""
    first = None
    for row in rows:
        if selection.holds(row.entry):
            counted, binds = counted + 1, link(binds, row.digest)
            first = row.number if first is None else first
    return counted, binds, first


def heading(member: str, export: int, after: int, hash_: str) -> bytes:
    """Return the first line: whose trail, and from where on."""
    return _line({"trail": VERSION, "member": member, "export": export, "after": after, "hash": hash_})


def shown(row: Numbered) -> bytes:
    """Return the line of an entry in full."""
    e = row.entry
    return _line(
        {
            "number": row.number,
            "at": e.at.isoformat(),
            "actor": e.actor,
            "event": e.event.value,
            "subject": e.subject,
            "detail": e.detail,
            "salt": row.salt,
            "hash": row.hash,
        }
    )


def left_out(rows: Sequence[Numbered]) -> bytes:
    """Return the line that stands for entries that were not selected."""
    digests = [row.digest for row in rows]
    return _line({"left_out": digests, "from": rows[0].number, "hash": rows[-1].hash})


def anchored(anchor: Anchor) -> bytes:
    """Return the line of a checkpoint that fixes the chain."""
    return _line({"anchor": anchor.number, "checkpoint": anchor.checkpoint.decode("ascii")})


def ending(number: int, lines: int) -> bytes:
    """Return the last line: where the stretch ends, and how many lines there were with this one."""
    return _line({"end": number, "lines": lines})


def lines_of(rows: Sequence[Numbered], anchors: Sequence[Anchor], manifest: Manifest, export: int) -> list[bytes]:
    """Return the lines of one part of the stretch."""
    lines: list[bytes] = []
    gap: list[Numbered] = []
    fixed = {anchor.number: anchor for anchor in anchors}

    def close_gap() -> None:
        if gap:
            lines.append(left_out(gap))
            gap.clear()

    for row in rows:
        wanted = row.number <= manifest.last and manifest.selection.holds(row.entry)
        if wanted or row.number == export:
            close_gap()
            lines.append(shown(row))
        else:
            gap.append(row)
            if len(gap) == MOST_DIGESTS:
                close_gap()
        if row.number in fixed:
            close_gap()
            lines.append(anchored(fixed[row.number]))
    close_gap()
    return lines


def _objects(entry: TrailEntry) -> set[str]:
    found = {entry.subject}
    for value in strict_json.loads(entry.detail.encode("utf-8")).values():
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, list):
            found.update(each for each in value if isinstance(each, str))
    return found


def _line(value: dict[str, Any]) -> bytes:
    return strict_json.dumps(value) + b"\n"
