"""Changes of the lists, one function each. Pure."""

import secrets
from datetime import datetime

from comity_federation.encoding import b64encode, digest
from comity_federation.registry.errors import ChangeRefused
from comity_federation.registry.lists import check_entry_succession, check_members
from comity_schemas.member import (
    Last,
    Member,
    MemberList,
    MemberStatus,
    Suspension,
    SuspensionList,
    SuspensionReason,
)


def find_member(members: MemberList, slug: str) -> Member:
    """Return the member with this slug.

    Raises:
        ChangeRefused: there is none.
    """
    for member in members.members:
        if member.slug == slug:
            return member
    known = ", ".join(member.slug for member in members.members) or "none yet"
    raise ChangeRefused(f"{slug} is not a member of this registry (members: {known})")


def enter(members: MemberList, entry: Member, status: MemberStatus | None = None) -> MemberList:
    """Return the list with a new or changed entry.

    Args:
        members: the list so far.
        entry: as the member wrote it; its status is a wish, except `pending` for a new member.
        status: `pending` or `active`; None keeps a listed member's status and enters a new one as pending.

    Raises:
        ChangeRefused: it duplicates another's slug, DID or key; or drops or moves what the registry alone decides.
    """
    old = next((member for member in members.members if member.slug == entry.slug), None)
    if old is None:
        if entry.status is not MemberStatus.PENDING or entry.closed or entry.thawed:
            raise ChangeRefused(f"{entry.slug} is new: its file must say pending and close nothing")
        if any(key.closed for key in entry.signing_keys):
            raise ChangeRefused(f"{entry.slug} is new: its file lists a closed key")
        return _checked(members, (*members.members, _updated(entry, status=status or MemberStatus.PENDING)))
    if entry.status not in (MemberStatus.PENDING, old.status):
        raise ChangeRefused(f"{entry.slug} is {old.status}; its file says {entry.status}, which is not its to say")
    if status is not None and old.status not in (MemberStatus.PENDING, status):
        raise ChangeRefused(f"{entry.slug} is {old.status}; `add` only makes a pending member active")
    if (entry.closed, entry.thawed) not in ((None, None), (old.closed, old.thawed)):
        raise ChangeRefused(f"{entry.slug}: closing and thawing are the registry's to say, not the file's")
    changed = _updated(entry, status=status or old.status, closed=old.closed, thawed=old.thawed)
    for was, now in zip(old.signing_keys, changed.signing_keys, strict=False):
        if was.kid == now.kid and was.closed != now.closed:
            raise ChangeRefused(
                f"{entry.slug}: the file drops or moves the closing of {was.kid}; take the listed entry "
                "(`comity registry show DIR --json`) and change that"
            )
    if any(key.closed for key in changed.signing_keys[len(old.signing_keys) :]):
        raise ChangeRefused(f"{entry.slug}: a new key is closed already; use close-key")
    return _replaced(members, old, changed)


def remove(members: MemberList, slug: str, last: Last) -> MemberList:
    """Return the list with the member removed; what it said up to `last` still counts.

    Raises:
        ChangeRefused: no such member, or removed already.
    """
    old = find_member(members, slug)
    return _replaced(members, old, _updated(old, status=MemberStatus.REMOVED, closed=last))


def lift(members: MemberList, suspended: SuspensionList, slug: str) -> MemberList:
    """Return the list with every suspension of the member lifted and the member active.

    Raises:
        ChangeRefused: no such member, or it is not suspended.
    """
    old = find_member(members, slug)
    ids = [each.id for each in suspended.suspensions if each.member == slug and each.id not in members.lifted]
    if not ids and old.status is not MemberStatus.SUSPENDED:
        raise ChangeRefused(f"{slug} is not suspended")
    status = MemberStatus.ACTIVE if old.status is MemberStatus.SUSPENDED else old.status
    closed = None if old.status is MemberStatus.SUSPENDED else old.closed
    listed = members.model_copy(update={"lifted": (*members.lifted, *ids)})
    return _replaced(listed, old, _updated(old, status=status, closed=closed))


def close_key(members: MemberList, slug: str, kid: str, last: Last) -> MemberList:
    """Return the list with one signing key closed: what it signed counts up to and including `last`.

    Raises:
        ChangeRefused: no such member or key, or the key is closed already.
    """
    old = find_member(members, slug)
    full = kid if "#" in kid else f"{old.did}#{kid}"
    if full not in {key.kid for key in old.signing_keys}:
        raise ChangeRefused(f"{slug} has no key {full} (keys: {', '.join(key.kid for key in old.signing_keys)})")
    keys = tuple(key.model_copy(update={"closed": last}) if key.kid == full else key for key in old.signing_keys)
    return _replaced(members, old, _updated(old, signing_keys=keys))


def thaw(members: MemberList, slug: str, branch: Last) -> MemberList:
    """Return the list with the branch named that counts after a fork.

    Raises:
        ChangeRefused: no such member.
    """
    old = find_member(members, slug)
    return _replaced(members, old, _updated(old, thawed=branch))


def new_suspension(slug: str, last: Last, reason: SuspensionReason, at: datetime) -> Suspension:
    """Return a suspension with a fresh id."""
    return Suspension(
        id=b64encode(secrets.token_bytes(32)), member=slug, last=last, reason=reason, at=at.replace(microsecond=0)
    )


def parse_last(text: str, did: str) -> Last:
    """Return the position that `SEQ:HASH` names; `0` alone says that nothing of this member counts.

    Raises:
        ChangeRefused: not of that form.
    """
    seq, _, hash_ = text.partition(":")
    try:
        if text == "0":
            return Last(seq=0, hash=digest(did))
        if int(seq) == 0 and hash_ != digest(did):
            raise ValueError("nothing stands at place 0 but the beginning of this member's log")
        return Last(seq=int(seq), hash=hash_)
    except ValueError as error:
        raise ChangeRefused(
            f"{text!r} names no statement: SEQ:HASH is needed, 43 characters of base64url, or 0 for none at all"
        ) from error


def _updated(member: Member, **changes: object) -> Member:
    return member.model_copy(update=changes)


def _replaced(members: MemberList, old: Member, new: Member) -> MemberList:
    check_entry_succession(old, new)
    return _checked(members, tuple(new if member is old else member for member in members.members))


def _checked(members: MemberList, entries: tuple[Member, ...]) -> MemberList:
    changed = members.model_copy(update={"members": entries})
    check_members(changed)
    return changed
