"""The five answers of `decide`, and what it is told."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from comity_schemas.member import Member
from comity_schemas.statement import Body, Claims


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at one position of a log."""

    hash: str
    key: int
    """Index in the member's list of the key that signed it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A statement of the same log that a later one may refer to."""

    seq: int
    kind: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one member's log before a record is decided.

    Only the places and earlier statements that the record concerns need be present.
    """

    head: int = 0
    """The last position of the unbroken chain; 0 when empty."""
    places: Mapping[int, Place] = field(default_factory=dict)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    branch: Mapping[int, str] = field(default_factory=dict)
    """The hashes that the registry's `last` demands, traced back from it as far as records are known."""
    other_branch: Set[str] = frozenset()
    """Hashes already refused as lying on another branch."""
    frozen_from: int | None = None
    """The first position that does not count since a fork."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The statement counts."""

    claims: Claims
    hash: str
    key: int
    body: Body | None
    """None when the whole body is withheld from this node."""
    missing: tuple[str, ...]
    """Digests of open disclosures that this copy lacks: asked for, or erased."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same statement again."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Neither counted nor refused yet; no timer turns this into a refusal.

    `why` is one of `unknown-key`, `gap`, `branch`, `suspended`, `pending`, `frozen`.
    """

    why: str
    seq: int | None = None
    hash: str | None = None
    prev: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The record does not count. Steps 1–5, 7 and 8 may be somebody else's doing; 6 and 10–13 are the author's."""

    step: int
    code: str
    detail: str = ""
    seq: int | None = None
    hash: str | None = None
    key: int | None = None
    kind: str | None = None

    @property
    def uses_place(self) -> bool:
        """Whether the position is used up and the chain goes on."""
        return self.step >= 10


@dataclass(frozen=True, slots=True)
class Forked:
    """The member signed two stories: two statements, both with its signature, that cannot both be true."""

    at: int
    """The first position that differs, as far as these two show."""
    seq: int
    hash: str
    other: str
    """Hash of the statement that was there first."""


Decision = Accepted | Repeated | Waiting | Refused | Forked


@dataclass(frozen=True, slots=True)
class Trust:
    """What the registry says about the member whose log is read."""

    member: Member
