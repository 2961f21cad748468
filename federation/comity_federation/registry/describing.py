"""What changes from one registry to the next, in words for the person who is asked to sign it. Pure.

All that gives a right is said one by one: which key, who may audit what. Characters that a terminal would act on are
written out, since whoever made the lists could hide lines behind them.
"""

import re
from collections.abc import Iterable

from tuf.api.metadata import Root

from comity_federation.keys import fingerprint as fingerprint_of
from comity_federation.registry.roles import fingerprint, holders_of, hub_of, key_name, threshold_of
from comity_schemas.member import Authorisation, Last, Member, MemberList, SuspensionList
from comity_schemas.wire import PRINTABLE


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
            lines += [f"+ {member.slug}: {right}" for right in _rights(member)]
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


def _rights(member: Member) -> Iterable[str]:
    """Yield what a new member's entry says beyond its summary."""
    if len(member.names) > 1:
        yield f"names {_shown(member.names)}"
    if member.endpoint is not None:
        yield f"endpoint {_shown(member.endpoint)}"
    for key in member.report_keys:
        yield f"auditor's key {key.kid} ({fingerprint_of(key.key)})"
    for each in member.authorisations:
        yield f"may audit {_authorised(each)}"


def _authorised(given: Authorisation) -> str:
    by = "" if given.appointed_by is None else f" by {given.appointed_by}"
    return f"{_shown(given.scheme)}, {given.basis}{by}, {given.valid_from} to {given.valid_until}"


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
            yield f"new signing key {key.kid} ({fingerprint_of(key.key)})"
        elif listed[key.kid] != key and key.closed:
            yield f"key {key.kid} closed: {describe_last(key.closed)}"
    yield from _changed_rights(was, now)
    for field in ("names", "country", "endpoint", "daily_statements", "public_access"):
        if getattr(was, field) != getattr(now, field):
            yield f"{field} {_shown(getattr(was, field))} becomes {_shown(getattr(now, field))}"
    if was.sealing_key != now.sealing_key:
        sealing = now.sealing_key
        yield "its sealing key is taken away" if sealing is None else f"new sealing key ({fingerprint_of(sealing)})"


def _changed_rights(was: Member, now: Member) -> Iterable[str]:
    for key in was.report_keys:
        if key not in now.report_keys:
            yield f"auditor's key {key.kid} ({fingerprint_of(key.key)}) taken away"
    for key in now.report_keys:
        if key not in was.report_keys:
            yield f"new auditor's key {key.kid} ({fingerprint_of(key.key)})"
    for each in was.authorisations:
        if each not in now.authorisations:
            yield f"may audit no more {_authorised(each)}"
    for each in now.authorisations:
        if each not in was.authorisations:
            yield f"may audit {_authorised(each)}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " / ".join(map(_shown, value))
    written = "none" if value is None else str(value)
    return "".join(c if re.fullmatch(PRINTABLE, c) else f"\\u{ord(c):04x}" for c in written)
