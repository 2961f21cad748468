from typing import Any

import pytest

from builders import IAT, Publisher, key_of
from comity_federation.checkpoints import MAX_CHECKPOINT_BYTES, CheckpointRefused, open_checkpoint, sign_checkpoint
from comity_schemas.member import Last, MemberStatus
from comity_schemas.statement import Checkpoint

AGENCY = Publisher()
LAST = Last(seq=1, hash="A" * 43)


def checkpoint(**changes: Any) -> Checkpoint:
    given = {"v": 1, "iss": AGENCY.did, "iat": IAT, "seq": 4, "hash": "H" * 43, "registry_version": 2}
    return Checkpoint.from_parsed({**given, "registry_hash": "R" * 43, "trail": "T" * 43, **changes})


def signed(key: int = 0, **changes: Any) -> bytes:
    return sign_checkpoint(checkpoint(**changes), AGENCY.kid(key), AGENCY.keys[key])


@pytest.mark.parametrize("key", [0, 1])
def test_a_checkpoint_counts_under_any_listed_key(key: int) -> None:
    assert open_checkpoint(signed(key), AGENCY.member()) == checkpoint()


def test_a_closed_key_signs_no_checkpoint() -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(signed(), AGENCY.member(closed_keys={0: LAST}))
    assert open_checkpoint(signed(1), AGENCY.member(closed_keys={0: LAST})).seq == 4


@pytest.mark.parametrize("status", [MemberStatus.PENDING, MemberStatus.SUSPENDED, MemberStatus.REMOVED])
def test_only_an_active_member_has_checkpoints(status: MemberStatus) -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(signed(), AGENCY.member(status=status, closed=LAST))


def test_a_statement_is_no_checkpoint() -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(AGENCY.finding().jwt.encode(), AGENCY.member())


def test_an_unusable_key_in_the_registry_refuses_and_does_not_raise_anything_else() -> None:
    keys = tuple(
        k.model_copy(update={"key": k.key.model_copy(update={"x": "A" * 42 + "B"})})
        for k in AGENCY.member().signing_keys
    )
    with pytest.raises(CheckpointRefused):
        open_checkpoint(signed(), AGENCY.member(signing_keys=keys))


def test_a_checkpoint_names_its_own_member() -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(signed(iss="did:web:else.example"), AGENCY.member())


@pytest.mark.parametrize("raw", [b"", b"\xff", b"a.b.c", b"." * 10, b"x" * (MAX_CHECKPOINT_BYTES + 1), b"\xc3\xa9.b.c"])
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(raw, AGENCY.member())


def test_any_changed_byte_is_refused() -> None:
    good = signed()
    for at in range(len(good)):
        for other in (good[:at] + good[at + 1 :], good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]):
            with pytest.raises(CheckpointRefused):
                open_checkpoint(other, AGENCY.member())


def test_somebody_elses_key_signs_nothing_for_this_member() -> None:
    forged = sign_checkpoint(checkpoint(), AGENCY.kid(), key_of("impostor"))
    with pytest.raises(CheckpointRefused):
        open_checkpoint(forged, AGENCY.member())
