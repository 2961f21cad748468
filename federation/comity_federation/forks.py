"""Proof that a member signed two stories: two statements that cannot both be true. It speaks for itself."""

from collections.abc import Iterable

from comity_federation.decision import Accepted, Refused
from comity_federation.log_state import Peek, peek
from comity_federation.lone_record import as_when_signed, decide_alone
from comity_schemas.member import Member


def contradiction(records: Iterable[bytes], member: Member) -> tuple[bytes, bytes] | None:
    """Return the first two of these records that the member signed and that contradict each other."""
    signed: list[tuple[Peek, bytes]] = []
    for raw in records:
        claimed = peek(raw)
        if claimed is None or not is_signed_by(raw, member):
            continue
        for other, other_raw in signed:
            if _contradict(other, claimed) or _contradict(claimed, other):
                return other_raw, raw
        signed.append((claimed, raw))
    return None


def is_signed_by(raw: bytes, member: Member) -> bool:
    """Tell whether the member signed this record as it is, whatever the registry has closed since."""
    entry = as_when_signed(member)
    match decide_alone(raw, lambda _: entry, member.did):
        case Accepted():
            return True
        case Refused() as refused:
            return refused.uses_place
        case _:
            return False


def _contradict(one: Peek, other: Peek) -> bool:
    if other.seq == one.seq:
        return other.hash != one.hash
    return other.seq == one.seq + 1 and other.prev != one.hash
