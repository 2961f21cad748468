"""What a member signs: common claims, and the kinds of statement.

Source: RFC 9901 (SD-JWT) for `_sd` and `_sd_alg`; RFC 9864 for the algorithm name.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from comity_schemas.audit_notice import NOTICE_DISCLOSABLE, AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import DECISION_DISCLOSABLE, Decision
from comity_schemas.finding import DISCLOSABLE, Finding
from comity_schemas.handling import Handling
from comity_schemas.member import Role
from comity_schemas.peers import PeerHeads
from comity_schemas.pointer import POINTER_DISCLOSABLE, Pointer
from comity_schemas.reply import REPLY_DISCLOSABLE, Reply
from comity_schemas.wire import Did, Digest, Wire

MAX_RECORD_BYTES = 64 * 1024
"""Largest record accepted, in bytes. A finding is about 2 KiB; the rest is room to grow."""

MAX_DIGESTS = 64
"""Most digests in `_sd`, decoys included."""

STATEMENT_TYP = "comity-statement+sd-jwt"
CHECKPOINT_TYP = "comity-checkpoint+jwt"
REPORT_TYP = "comity-report+jwt"

VERSION = 1
"""The only version of the body's schema known so far."""


class Kind(StrEnum):
    """What a statement says. Those in `BODIES` are read; the others are kept."""

    FINDING = "finding"
    WITHDRAWAL = "withdrawal"
    REPLY = "reply"
    CORROBORATION = "corroboration"
    DECISION = "decision"
    POINTER = "pointer"
    AUDIT_NOTICE = "audit-notice"
    GROUP_KEY = "group-key"


_ALL_KINDS = frozenset(Kind)
ALLOWED_KINDS: dict[Role, frozenset[Kind]] = {
    Role.AGENCY: _ALL_KINDS,
    Role.PROCUREMENT_BODY: _ALL_KINDS,
    Role.AUTHORITY: _ALL_KINDS,
    Role.WORKER_ORGANISATION: frozenset({Kind.FINDING, Kind.POINTER, Kind.WITHDRAWAL, Kind.REPLY, Kind.CORROBORATION}),
    Role.AUDIT_FIRM: frozenset({Kind.AUDIT_NOTICE, Kind.WITHDRAWAL}),
    Role.OBSERVER: frozenset(),
}
"""Who may say what."""


class WithdrawalReason(StrEnum):
    """Why a statement is taken back."""

    FACTUAL_ERROR = "factual-error"
    WRONG_SUBJECT = "wrong-subject"
    BASIS_WITHDRAWN = "basis-withdrawn"
    OVERTURNED = "overturned"
    RISK_OF_HARM = "risk-of-harm"
    NO_LONGER_NEEDED = "no-longer-needed"
    """Of every pointer that ends early, and of nothing else: another reason could tell two apart."""


class Withdrawal(Wire):
    """An earlier statement of the same log is taken back. Final: what is true after all is published anew."""

    replaces: Digest | None = None
    statement: Digest
    """SHA-256 of the JWT of the statement taken back."""
    reason: WithdrawalReason


Body = Finding | Decision | Reply | Pointer | Corroboration | AuditNotice | Withdrawal
"""What a statement that can be read says."""

BODIES: dict[str, type[Body]] = {
    Kind.FINDING: Finding,
    Kind.DECISION: Decision,
    Kind.REPLY: Reply,
    Kind.POINTER: Pointer,
    Kind.CORROBORATION: Corroboration,
    Kind.AUDIT_NOTICE: AuditNotice,
    Kind.WITHDRAWAL: Withdrawal,
}
"""The kinds this version can read."""

BODY_DISCLOSABLE: dict[str, frozenset[str]] = {
    Kind.FINDING: DISCLOSABLE,
    Kind.DECISION: DECISION_DISCLOSABLE,
    Kind.REPLY: REPLY_DISCLOSABLE,
    Kind.POINTER: POINTER_DISCLOSABLE,
    Kind.CORROBORATION: frozenset(),
    Kind.AUDIT_NOTICE: NOTICE_DISCLOSABLE,
    Kind.WITHDRAWAL: frozenset(),
}
"""The fields of a kind that may be disclosures under GREEN and CLEAR."""

Position = Annotated[int, Field(ge=1, le=2**53 - 1)]
_SortedDigests = Annotated[tuple[Digest, ...], Field(max_length=MAX_DIGESTS)]


class Header(Wire):
    """The JWS header of a statement: exactly these three."""

    alg: Literal["Ed25519"]
    typ: Literal["comity-statement+sd-jwt"]
    kid: str


class Claims(Wire):
    """The signed claims common to every kind and every version."""

    v: Annotated[int, Field(ge=1, le=1_000_000)]
    iss: Did
    seq: Position
    prev: Digest
    iat: Annotated[int, Field(ge=0, le=2**53 - 1)]
    """Claimed time, seconds since 1970; never used for order or trust."""
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
    handling: Handling
    open: _SortedDigests
    """Digests of the disclosures sent in clear, sorted: nothing can be stripped unseen."""
    boxes: _SortedDigests
    """SHA-256 of each sealed box, in order."""
    body: dict[str, Any]
    sd_alg: Annotated[Literal["sha-256"], Field(alias="_sd_alg")]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        if list(self.open) != sorted(set(self.open)):
            raise ValueError("open must be sorted and without repeats")
        if len(set(self.boxes)) != len(self.boxes):
            raise ValueError("a box is named twice")
        return self


class Record(Wire):
    """What is on the bus: an SD-JWT and sealed boxes. The bytes have exactly this key order and no whitespace."""

    statement: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~-]+$", max_length=MAX_RECORD_BYTES)]
    sealed: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")], ...],
        Field(max_length=MAX_DIGESTS),
    ]


class Checkpoint(Wire):
    """A member's signed word on where its log and its trust stand. Not part of the chain."""

    v: Literal[1]
    iss: Did
    iat: Annotated[int, Field(ge=0, le=2**53 - 1)]
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]
    hash: Digest
    registry_version: Annotated[int, Field(ge=0)]
    registry_hash: Digest
    trail: Digest
    """Salted hash of the head of the trail."""
    peers: PeerHeads | None = None
    """Once a day, in parts: all heads of other logs that the sender has verified."""
