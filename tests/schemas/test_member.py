from typing import Any

import pytest
from pydantic import ValidationError

from builders import Publisher
from comity_schemas.member import Last, Member, MemberList, MemberStatus, Suspension, SuspensionList, in_force

AGENCY, OTHER = Publisher(), Publisher("other")


def last(seq: int) -> Last:
    return Last(seq=seq, hash=f"{seq:A>43}")


def suspension(seq: int = 5, *, member: str = "agency", name: str = "1") -> Suspension:
    given = {"id": f"{name:A>43}", "member": member, "last": last(seq).to_parsed(), "reason": "compromised"}
    return Suspension.from_parsed({**given, "at": "2026-11-01T00:00:00Z"})


def applied(*suspensions: Suspension, lifted: tuple[str, ...] = (), **changes: Any) -> Member:
    listed = MemberList(v=1, members=(AGENCY.member(**changes), OTHER.member()), lifted=lifted)
    agency, other = in_force(listed, SuspensionList(v=1, suspensions=suspensions))
    assert other == OTHER.member()
    return agency


def test_without_suspensions_members_are_as_listed() -> None:
    assert applied() == AGENCY.member()


def test_a_suspension_stops_its_member_after_last() -> None:
    member = applied(suspension(5))
    assert (member.status, member.closed) == (MemberStatus.SUSPENDED, last(5))


def test_a_lifted_suspension_holds_no_more() -> None:
    assert applied(suspension(5), lifted=(suspension(5).id,)) == AGENCY.member()


def test_lifting_one_suspension_leaves_the_other() -> None:
    other = suspension(9, name="2")
    assert applied(suspension(5), other, lifted=(suspension(5).id,)).closed == last(9)


@pytest.mark.parametrize("order", [(5, 9), (9, 5)])
def test_the_earliest_of_several_counts(order: tuple[int, int]) -> None:
    assert applied(*(suspension(seq, name=str(seq)) for seq in order)).closed == last(5)


def test_a_member_closed_earlier_stays_closed_earlier() -> None:
    listed = {"status": MemberStatus.SUSPENDED, "closed": last(3)}
    assert applied(suspension(5), **listed).closed == last(3)
    assert applied(suspension(2), **listed).closed == last(2)


def test_a_suspension_adds_no_right() -> None:
    pending = AGENCY.member(status=MemberStatus.PENDING)
    removed = AGENCY.member(status=MemberStatus.REMOVED, closed=last(3))
    assert applied(suspension(5), status=MemberStatus.PENDING) == pending
    assert applied(suspension(5), status=MemberStatus.REMOVED, closed=last(3)) == removed


def test_a_suspension_of_a_stranger_changes_nobody() -> None:
    assert applied(suspension(5, member="nobody")) == AGENCY.member()


@pytest.mark.parametrize("status", [MemberStatus.SUSPENDED, MemberStatus.REMOVED])
def test_a_stopped_member_says_where_it_stopped(status: MemberStatus) -> None:
    with pytest.raises(ValidationError):
        AGENCY.member(status=status)
    assert AGENCY.member(status=status, closed=last(0)).closed == last(0)


@pytest.mark.parametrize(
    "change",
    [
        {"slug": "Agency"},
        {"slug": "-agency"},
        {"slug": "a" * 51},
        {"slug": "agency.x"},
        {"did": "did:key:x"},
        {"did": "did:web:a b"},
        {"did": "did:web:agency.example\n"},
        {"names": []},
        {"country": "international "},
        {"role": "admin"},
        {"endpoint": "ftp://agency.example"},
        {"signing_keys": [{"kid": "did:web:agency.example", "key": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}]},
        {"signing_keys": [{"kid": "did:web:agency.example#1", "key": {"kty": "EC", "crv": "Ed25519", "x": "A" * 43}}]},
        {"admin": True},
    ],
)
def test_one_wrong_field_refuses_the_member(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Member.from_parsed({**AGENCY.member().to_parsed(), **change})


def test_a_member_reads_back_as_written() -> None:
    member = AGENCY.member(thawed=last(4), closed_keys={0: last(2)})
    assert Member.from_parsed(member.to_parsed()) == member
