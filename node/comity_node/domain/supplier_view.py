"""The supplier view: a pure fold of accepted statements, log by log.

Statements refer only to their own log, and each log has one order, so the view does not depend on how logs interleave.
Expiry is computed when read, never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from comity_schemas.finding import CLOSED, Finding, Status
from comity_schemas.handling import Handling
from comity_schemas.statement import Kind, Withdrawal


class EntryState(StrEnum):
    """What later statements of the same log made of a finding."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Statement:
    """An accepted statement, as far as this node may read it."""

    member: str
    seq: int
    hash: str
    kind: str
    handling: Handling
    body: Finding | Withdrawal | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding in the view. Without a readable subject it is a counted entry without a name."""

    hash: str
    member: str
    seq: int
    handling: Handling
    finding: Finding | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None


class Standing(StrEnum):
    """What a finding means today."""

    CURRENT = "current"
    CLOSED = "closed"
    EXPIRED = "expired"
    OVERTURNED = "overturned"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


def standing(entry: Entry, today: date) -> Standing:
    """Return what an entry means on a day."""
    if entry.state is not EntryState.CURRENT:
        return Standing(entry.state.value)
    if entry.finding is None:
        return Standing.CURRENT
    if entry.finding.status is Status.OVERTURNED:
        return Standing.OVERTURNED
    if entry.finding.valid_until < today:
        return Standing.EXPIRED
    return Standing.CLOSED if entry.finding.status in CLOSED else Standing.CURRENT


def fold(statements: Iterable[Statement]) -> dict[str, Entry]:
    """Return the view of one log's statements, given in order."""
    view: dict[str, Entry] = {}
    for statement in statements:
        for entry in changes(view, statement):
            view[entry.hash] = entry
    return view


def changes(view: dict[str, Entry], statement: Statement) -> list[Entry]:
    """Return the entries that one more statement adds or changes.

    Args:
        view: At least the entries that the statement refers to, with all that superseded them.
        statement: The next accepted one of its log.
    """
    body = statement.body
    if isinstance(body, Withdrawal):
        target = view.get(body.statement)
        if target is None or target.state is EntryState.WITHDRAWN:
            return []
        return [replace(target, state=EntryState.WITHDRAWN, by=statement.hash, reason=body.reason.value)]
    if statement.kind != Kind.FINDING:
        return []
    added = Entry(statement.hash, statement.member, statement.seq, statement.handling, body, EntryState.CURRENT)
    revised = None if body is None or body.replaces is None else _newest(view, body.replaces)
    if revised is None or revised.state is not EntryState.CURRENT:
        return [added]
    return [added, replace(revised, state=EntryState.SUPERSEDED, by=statement.hash)]


def _newest(view: dict[str, Entry], name: str) -> Entry | None:
    entry = view.get(name)
    while entry is not None and entry.state is EntryState.SUPERSEDED and entry.by in view:
        entry = view[entry.by]
    return entry
