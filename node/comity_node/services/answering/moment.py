"""The moment that answers rest on: its day, the places of the logs, the registry's version, and who had been heard.

A moment can be written down and read again. Whoever asks with the same one later gets what follows from the same
statements; who was heard then stays as it was written down, since nobody can know it afterwards.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.db.logs import LogStatus
from comity_schemas.member import MemberStatus, Role

SILENT_AFTER = timedelta(hours=1)
"""A member that publishes is expected to send a checkpoint every 15 minutes; after four missed ones it is not heard."""

_SILENT_ROLES = frozenset({Role.OBSERVER})


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whom the answer rests on: absence of a finding means little when members were not heard."""

    members: int
    heard: tuple[str, ...]
    not_heard: tuple[tuple[str, datetime | None], ...]
    """Slug, and since when; None for never."""
    behind: tuple[tuple[str, int], ...]
    """Slug, and how many statements were announced that have not arrived."""
    frozen: tuple[str, ...]
    """Members whose log forked: what they said from there on does not count."""
    registry_expired: datetime | None
    newer_registry: tuple[str, ...] = ()
    """Members that follow a newer registry than this node was shown: somebody holds it back."""

    @property
    def complete(self) -> bool:
        """Whether everybody was heard and nothing announced is missing."""
        return not (self.not_heard or self.behind or self.frozen or self.registry_expired or self.newer_registry)

    def in_words(self) -> str:
        """Return one sentence for people."""
        if self.complete:
            return f"complete: all {self.members} members heard"
        parts = []
        if self.not_heard:
            since = [when for _, when in self.not_heard if when is not None]
            ago = f" since {min(since):%Y-%m-%d %H:%M} UTC" if since else " yet"
            parts.append(f"{len(self.not_heard)} of {self.members} members not heard{ago}")
        parts += [f"{count} statements of {slug} announced but not received" for slug, count in self.behind]
        parts += [f"the log of {slug} contradicts itself and is frozen" for slug in self.frozen]
        if self.registry_expired is not None:
            parts.append(f"the registry expired {self.registry_expired:%Y-%m-%d %H:%M} UTC: nothing new is accepted")
        if self.newer_registry:
            parts.append(f"{', '.join(self.newer_registry)} follow a newer registry than this node was shown")
        return "incomplete: " + "; ".join(parts)

    def to_parsed(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "members": self.members,
            "heard": list(self.heard),
            "not_heard": [[slug, None if since is None else since.isoformat()] for slug, since in self.not_heard],
            "behind": [list(each) for each in self.behind],
            "frozen": list(self.frozen),
            "registry_expired": None if self.registry_expired is None else self.registry_expired.isoformat(),
            "newer_registry": list(self.newer_registry),
        }

    @classmethod
    def from_parsed(cls, value: dict[str, Any]) -> Self:
        """Return what was written by `to_parsed`."""
        expired = value["registry_expired"]
        return cls(
            members=value["members"],
            heard=tuple(value["heard"]),
            not_heard=tuple(
                (slug, None if since is None else datetime.fromisoformat(since)) for slug, since in value["not_heard"]
            ),
            behind=tuple((slug, count) for slug, count in value["behind"]),
            frozen=tuple(value["frozen"]),
            registry_expired=None if expired is None else datetime.fromisoformat(expired),
            newer_registry=tuple(value["newer_registry"]),
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """What answers rest on."""

    at: datetime
    positions: dict[str, int]
    """Member to the last statement of its log that counts."""
    hashes: dict[str, str]
    """Member to the hash of that statement: it names all of the log up to there."""
    registry_version: int
    coverage: Coverage

    def to_parsed(self) -> dict[str, Any]:
        """Return it as JSON values, to be kept."""
        return {
            "at": self.at.isoformat(),
            "positions": self.positions,
            "hashes": self.hashes,
            "registry_version": self.registry_version,
            "coverage": self.coverage.to_parsed(),
        }

    @classmethod
    def from_parsed(cls, value: dict[str, Any]) -> Self:
        """Return what was written by `to_parsed`."""
        return cls(
            at=datetime.fromisoformat(value["at"]),
            positions=value["positions"],
            hashes=value["hashes"],
            registry_version=value["registry_version"],
            coverage=Coverage.from_parsed(value["coverage"]),
        )


async def this_moment(store: Store, registry: Registry, now: datetime) -> Moment:
    """Return what answers rest on now."""
    logs = {log.member: log for log in await store.logs.all()}
    return Moment(
        at=now,
        positions={slug: log.head for slug, log in sorted(logs.items())},
        hashes={slug: log.head_hash for slug, log in sorted(logs.items()) if log.head},
        registry_version=registry.version,
        coverage=cover(registry, logs, now),
    )


def cover(registry: Registry, logs: dict[str, LogStatus], now: datetime) -> Coverage:
    """Return who was heard and what is missing."""
    expected = [m for m in registry.members if m.status is MemberStatus.ACTIVE and m.role not in _SILENT_ROLES]
    heard, silent, behind = [], [], []
    for member in expected:
        log = logs.get(member.slug, LogStatus(member.slug))
        if _is_heard(log, now):
            heard.append(member.slug)
        else:
            silent.append((member.slug, log.heard_at))
        if log.announced_seq is not None and log.announced_seq > log.head and log.frozen_from is None:
            behind.append((member.slug, log.announced_seq - log.head))
    return Coverage(
        members=len(expected),
        heard=tuple(heard),
        not_heard=tuple(silent),
        behind=tuple(behind),
        frozen=tuple(slug for slug in sorted(logs) if logs[slug].frozen_from is not None),
        registry_expired=registry.expires if registry.expires <= now else None,
        newer_registry=tuple(m.slug for m in expected if _announced(logs, m.slug) > registry.version),
    )


def _announced(logs: dict[str, LogStatus], slug: str) -> int:
    log = logs.get(slug)
    return 0 if log is None or log.announced_registry is None else log.announced_registry


def _is_heard(log: LogStatus, now: datetime) -> bool:
    return log.heard_at is not None and now - log.heard_at <= SILENT_AFTER
