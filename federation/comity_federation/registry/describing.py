"""What changes from one registry to the next, in words for the person who is asked to sign it. Pure."""

from collections.abc import Iterable

from tuf.api.metadata import Root

from comity_federation.registry.roles import fingerprint, holders_of, hub_of, key_name, threshold_of
from comity_schemas.member import Last, Member, MemberList, SuspensionList


def describe_root(before: Root | None, after: Root) -> list[str]:
    """Return in words who may sign from now on, and what changes in that. Keys with their first 16 digits."""
    old = holders_of(before) if before is not None else {}
    new = holders_of(after)
    lines = [f"+ holder {key_name(key)} ({fingerprint(key)})" for keyid, key in new.items() if keyid not in old]
    lines += [f"- holder {key_name(key)} ({fingerprint(key)})" for keyid, key in old.items() if keyid not in new]
    threshold = threshold_of(after)
    if before is None:
        lines.append(
            f"+ any {threshold} of these {len(new)} holders give rights; any one takes the right to publish away"
        )
    elif threshold_of(before) != threshold or len(old) != len(new):
        lines.append(f"~ {threshold_of(before)} of {len(old)} holders become {threshold} of {len(new)}")
    hub = hub_of(after)
    if before is None or hub_of(before).keyid != hub.keyid:
        lines.append(f"{'+' if before is None else '~'} the hub signs with {key_name(hub)} ({fingerprint(hub)})")
    return lines


def describe_members(before: MemberList | None, after: MemberList, suspended: SuspensionList) -> list[str]:
    """Return in words what changes from one list to the next, one line a change, members in the list's order.

    Args:
        before: the published list, if there is one.
        after: the staged one.
        suspended: the suspensions, to say whose are lifted.
    """
    old = {member.slug: member for member in before.members} if before is not None else {}
    lines: list[str] = []
    for member in after.members:
        was = old.pop(member.slug, None)
        if was is None:
            lines.append(f"+ {member.slug}: new member, {_summary(member)}")
        elif was != member:
            lines += [f"~ {member.slug}: {change}" for change in _differences(was, member)]
    lines += [f"- {slug}: vanishes" for slug in old]
    lifted = set(after.lifted) - set(before.lifted if before is not None else ())
    lines += [
        f"~ {each.member}: its suspension of {each.at:%Y-%m-%d} ({each.reason}) is lifted"
        for each in suspended.suspensions
        if each.id in lifted
    ]
    return lines


def describe_suspensions(before: SuspensionList | None, after: SuspensionList) -> list[str]:
    """Return in words what changes from one list of suspensions to the next."""
    known = {each.id for each in before.suspensions} if before is not None else set()
    now = {each.id for each in after.suspensions}
    lines = [
        f"! {each.member}: suspended ({each.reason}); {describe_last(each.last)}, the rest waits"
        for each in after.suspensions
        if each.id not in known
    ]
    return lines + [f"- suspension {each[:8]}… is dropped from the list" for each in sorted(known - now)]


def describe_last(last: Last) -> str:
    """Return in words what a closing leaves."""
    return "nothing counts" if last.seq == 0 else f"counts up to statement {last.seq} ({last.hash[:8]}…)"


def _summary(member: Member) -> str:
    keys = f"{len(member.signing_keys)} signing key{'s' if len(member.signing_keys) != 1 else ''}"
    auditors = f", {len(member.report_keys)} auditors' keys" if member.report_keys else ""
    return f"{member.names[0]}, {member.country}, {member.role}, {member.status}, {keys}{auditors}"


def _differences(was: Member, now: Member) -> Iterable[str]:
    if was.status != now.status:
        yield f"{was.status} becomes {now.status}"
    if was.closed != now.closed:
        yield f"closed: {describe_last(now.closed)}" if now.closed else "its closing is taken back"
    if was.thawed != now.thawed:
        yield (
            f"thawed: the branch through statement {now.thawed.seq} ({now.thawed.hash[:8]}…) counts"
            if now.thawed
            else "its thawing is taken back"
        )
    if was.role != now.role:
        yield f"role {was.role} becomes {now.role}"
    listed = {key.kid: key for key in was.signing_keys}
    for key in now.signing_keys:
        if key.kid not in listed:
            yield f"new signing key {key.kid} ({key.key.x[:8]}…)"
        elif listed[key.kid] != key and key.closed:
            yield f"key {key.kid} closed: {describe_last(key.closed)}"
    for name, gone, come in (
        ("auditors' keys", set(was.report_keys) - set(now.report_keys), set(now.report_keys) - set(was.report_keys)),
        (
            "authorisations",
            set(was.authorisations) - set(now.authorisations),
            set(now.authorisations) - set(was.authorisations),
        ),
    ):
        if gone or come:
            yield f"{name}: {len(come)} added, {len(gone)} taken away"
    for field in ("names", "country", "endpoint", "daily_statements", "public_access"):
        if getattr(was, field) != getattr(now, field):
            yield f"{field} {_shown(getattr(was, field))} becomes {_shown(getattr(now, field))}"
    if was.sealing_key != now.sealing_key:
        yield "new sealing key"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " / ".join(str(each) for each in value)
    return "none" if value is None else str(value)
