"""Rules of the two lists beyond their schema, and what may follow what. Pure.

1. Slug, DID, key id and key are unique in the whole list; a key id begins with its member's DID.
2. Suspended and removed members are closed, others are not.
3. No member vanishes, and its slug and DID never change; a removed member stays removed.
4. Signing keys are only appended; a closing is never dropped or moved.
5. A suspension is never dropped or changed by the role that can only suspend: k of n lift it by naming it.
"""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode
from comity_federation.registry.errors import ChangeRefused, RegistryRefused
from comity_schemas.member import Member, MemberList, MemberStatus, PublicKey, SuspensionList
from comity_schemas.wire import Wire

Listed = TypeVar("Listed", MemberList, SuspensionList, Member)

_CLOSED = (MemberStatus.SUSPENDED, MemberStatus.REMOVED)


def write_list(content: Wire) -> bytes:
    """Return the bytes of a list that are signed."""
    return strict_json.dumps(content.to_parsed()) + b"\n"


def read_list(kind: type[Listed], raw: bytes, name: str) -> Listed:
    """Return the list that these bytes are.

    Args:
        kind: what it must be.
        raw: the file's bytes.
        name: what to call the file in an error.

    Raises:
        RegistryRefused: not strict JSON, or not of the schema, which is closed.
    """
    try:
        return kind.from_parsed(strict_json.loads(raw))
    except strict_json.NotStrict as error:
        raise RegistryRefused(f"{name}: {error}") from error
    except ValidationError as error:
        raise RegistryRefused(f"{name}: {_first_problem(error)}") from error


def check_members(listed: MemberList) -> None:
    """Do nothing if the list keeps rules 1 and 2.

    Raises:
        ChangeRefused: it does not.
    """
    _unique("slug", (member.slug for member in listed.members))
    _unique("DID", (member.did for member in listed.members))
    _unique("key id", (kid for member in listed.members for kid, _ in _keys(member)))
    _unique("key", (key.x for member in listed.members for _, key in _keys(member)))
    for member in listed.members:
        _check_member(member)


def check_suspensions(listed: SuspensionList) -> None:
    """Do nothing if every suspension has an id of its own.

    Raises:
        ChangeRefused: two have the same, so that lifting one would lift the other.
    """
    _unique("suspension id", (suspension.id for suspension in listed.suspensions))


def check_member_succession(before: MemberList, after: MemberList) -> None:
    """Do nothing if `after` keeps rules 3 and 4 towards `before`.

    Raises:
        ChangeRefused: it does not.
    """
    entries = {member.slug: member for member in after.members}
    for old in before.members:
        new = entries.get(old.slug)
        if new is None:
            raise ChangeRefused(
                f"{old.slug} has vanished; a member is removed with its last statement, and stays listed"
            )
        check_entry_succession(old, new)


def check_entry_succession(old: Member, new: Member) -> None:
    """Do nothing if one member's new entry keeps rules 3 and 4 towards its old one.

    Raises:
        ChangeRefused: it does not.
    """
    slug = old.slug
    if new.slug != slug or new.did != old.did:
        raise ChangeRefused(f"{slug}: slug and DID never change ({old.did} became {new.did})")
    if old.status is MemberStatus.REMOVED and (new.status, new.closed) != (old.status, old.closed):
        raise ChangeRefused(f"{slug}: a removed member stays removed")
    if new.status is MemberStatus.PENDING and old.status is not MemberStatus.PENDING:
        raise ChangeRefused(f"{slug}: a member that was {old.status} cannot become pending again")
    if len(new.signing_keys) < len(old.signing_keys):
        raise ChangeRefused(f"{slug}: a signing key is missing; keys are closed, never removed")
    for was, now in zip(old.signing_keys, new.signing_keys, strict=False):
        if (was.kid, was.key) != (now.kid, now.key):
            raise ChangeRefused(f"{slug}: signing keys are only appended, in order ({was.kid} became {now.kid})")
        if was.closed is not None and now.closed != was.closed:
            raise ChangeRefused(f"{slug}: the closing of {was.kid} at {was.closed.seq} is dropped or moved")


def check_suspension_succession(before: SuspensionList, after: SuspensionList, lifted: Iterable[str]) -> None:
    """Do nothing if `after` keeps rule 5 towards `before`.

    Args:
        before: the list known so far.
        after: the list offered.
        lifted: ids that k of n have lifted; only these may be gone.

    Raises:
        ChangeRefused: a suspension is gone or changed.
    """
    kept = {suspension.id: suspension for suspension in after.suspensions}
    lifted_ids = frozenset(lifted)
    for old in before.suspensions:
        if old.id not in lifted_ids and kept.get(old.id) != old:
            raise ChangeRefused(f"the suspension of {old.member} at {old.last.seq} was dropped or changed, not lifted")


def _check_member(member: Member) -> None:
    slug = member.slug
    for kid, key in _keys(member):
        if not kid.startswith(member.did + "#"):
            raise ChangeRefused(f"{slug}: key id {kid} does not begin with the member's DID {member.did}")
        _check_key(slug, key, "Ed25519")
    if member.sealing_key is not None:
        _check_key(slug, member.sealing_key, "X25519")
    if member.status in _CLOSED and member.closed is None:
        raise ChangeRefused(f"{slug} is {member.status} without saying which statement was its last")
    if member.status not in _CLOSED and member.closed is not None:
        raise ChangeRefused(f"{slug} is {member.status} and closed at {member.closed.seq} at once")


def _check_key(slug: str, key: PublicKey, crv: str) -> None:
    if key.crv != crv:
        raise ChangeRefused(f"{slug}: an {key.crv} key stands where an {crv} key belongs")
    try:
        b64decode(key.x)
    except NotCanonical as error:
        raise ChangeRefused(f"{slug}: key {key.x} is not canonical base64url") from error


def _keys(member: Member) -> Iterable[tuple[str, PublicKey]]:
    yield from ((each.kid, each.key) for each in member.signing_keys)
    yield from ((each.kid, each.key) for each in member.report_keys)


def _unique(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ChangeRefused(f"{what} {value} is listed twice")
        seen.add(value)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{where}: {first['msg']}"
