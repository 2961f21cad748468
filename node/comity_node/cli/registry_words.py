"""What `comity registry` tells people. Every function prints; nothing here changes anything."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from comity_federation.kafka_topics import Prepared
from comity_federation.registry import Publication, RegistryDirectory, Signatures, Staged
from comity_federation.registry.client import to_registry
from comity_federation.registry.describing import (
    describe_last,
    describe_members,
    describe_root,
    describe_suspensions,
)
from comity_federation.registry.roles import fingerprint, holders_of, hub_of, key_name, threshold_of
from comity_federation.registry.staged import ROOT, TARGETS
from comity_federation.registry.verification import Verified
from comity_schemas.member import Member

PART_NAMES = {"root": "the root (who may sign)", "targets": "the members' list", "suspensions": "the suspensions"}


def say_staged(registry: RegistryDirectory, what: str) -> None:
    """Tell what was staged and who has to sign it."""
    typer.echo(what)
    staged, published = registry.staged(), registry.published()
    for line in _all_changes(published, staged):
        typer.echo(f"  {line}")
    say_next(registry)


def say_next(registry: RegistryDirectory) -> None:
    """Tell what is missing and what to run next."""
    counts = registry.signatures(registry.staged())
    lacking = [count for count in counts if count.missing]
    for count in lacking:
        typer.echo(f"  {_missing(count)}")
    if lacking:
        typer.echo(f"Next: pass the directory to a holder, who runs: comity registry sign {registry.path} --key FILE")
    else:
        typer.echo(f"Every part has enough signatures. Next: comity registry publish {registry.path} --hub-key FILE")


def show_proposal(published: Verified | None, staged: Staged) -> None:
    """Show everything a holder's signature would stand for: the changes, and the whole list as it will be.

    The whole list, because whoever passed the directory on could have shown another "before".
    """
    version = f"version {_version(published)}" if published is not None else "nothing"
    typer.echo(f"Published: {version}. Staged, to be signed:")
    for name, part in staged.parts.items():
        signed = part.signed
        typer.echo(f"\n{_capital(PART_NAMES[name])}, version {signed.version}, valid until {signed.expires:%Y-%m-%d}:")
        unchanged = "no change, only a new expiry" if published is not None else "begins empty"
        for line in _changes(published, staged, name) or [unchanged]:
            typer.echo(f"  {line}")
    if staged.members is not None:
        typer.echo("\nThe members' list will then be:")
        _members_table(staged.members.members)


def say_published(plan: Publication, directory: Path) -> None:
    """Tell what was published, and until when it holds."""
    result = to_registry(plan.result, root_given=True)
    if plan.parts:
        typer.echo(f"Published version {result.version}: {', '.join(PART_NAMES[part] for part in plan.parts)}.")
    else:
        typer.echo(f"Nothing new to publish; signed version {result.version} again.")
    typer.echo(f"  hash {result.hash}")
    typer.echo(f"  members: {_counted(result.members)}")
    hub, lists = plan.result.timestamp.expires, plan.result.holders_expire
    typer.echo(
        f"  the hub has to sign again before {_time(hub)}: comity registry publish {directory} --hub-key FILE --renew"
    )
    typer.echo(f"  the holders have to sign again before {_time(lists)}: comity registry renew {directory}")
    if lists <= datetime.now(UTC):
        typer.secho("  The lists have EXPIRED: every node's acceptance waits until they are renewed.", fg="red")
    for count in plan.waiting:
        typer.echo(f"  still staged: {_missing(count)}")


def say_topics(prepared: Prepared, brokers: str) -> None:
    """Tell which topics were made."""
    typer.echo(
        f"Topics on {brokers}: {len(prepared.made)} made, {len(prepared.corrected)} corrected, "
        f"{len(prepared.unchanged)} as they should be"
    )
    for topic in prepared.made:
        typer.echo(f"  + {topic}")


def show(registry: RegistryDirectory) -> None:
    """Show the registry to a person."""
    published, staged = registry.published(), registry.staged()
    if published is None:
        typer.echo("Nothing is published yet.")
    else:
        result = to_registry(published, root_given=False)
        typer.echo(f"Version {result.version}, hash {result.hash}")
        for name, part in published.parts.items():
            note = "EXPIRED on" if part.expires <= datetime.now(UTC) else "valid until"
            typer.echo(f"  {name:<12}{part.version:>4}  {note} {_time(part.expires)}")
        _say_holders(published)
        typer.echo(f"Members: {_counted(result.members)}")
        _members_table(result.members)
    if staged.parts:
        typer.echo("Staged:")
        for line in _all_changes(published, staged):
            typer.echo(f"  {line}")
        for count in registry.signatures(staged):
            typer.echo(
                f"  {PART_NAMES[count.part]}: signed by {', '.join(count.signed) or 'nobody'}; {_missing(count)}"
            )
    else:
        typer.echo("Nothing is staged.")


def show_json(registry: RegistryDirectory) -> None:
    """Show the registry to a script."""
    published, staged = registry.published(), registry.staged()
    answer: dict[str, object] = {"published": None, "staged": []}
    if published is not None:
        result = to_registry(published, root_given=False)
        root = published.root
        answer["published"] = {
            "version": result.version,
            "hash": result.hash,
            "expires": result.expires.isoformat(),
            "parts": {
                name: {"version": part.version, "expires": part.expires.isoformat()}
                for name, part in published.parts.items()
            },
            "threshold": threshold_of(root),
            "holders": [{"name": key_name(key), "key": keyid} for keyid, key in holders_of(root).items()],
            "hub": {"name": key_name(hub_of(root)), "key": hub_of(root).keyid},
            "members": [member.to_parsed() for member in result.members],
            "listed": [member.to_parsed() for member in published.members.members],
            "suspensions": [each.to_parsed() for each in published.suspended.suspensions],
        }
    answer["staged"] = [
        {"part": count.part, "signed": count.signed, "unsigned": count.unsigned, "missing": count.missing}
        for count in registry.signatures(staged)
    ]
    answer["changes"] = _all_changes(published, staged)
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _changes(published: Verified | None, staged: Staged, part: str) -> list[str]:
    if part == ROOT and staged.root is not None:
        return describe_root(published.root if published is not None else None, staged.root.signed)
    if part == TARGETS and staged.members is not None:
        suspended = staged.suspended or (published.suspended if published is not None else None)
        assert suspended is not None, "before the first publication all three parts are staged"
        return describe_members(published.members if published is not None else None, staged.members, suspended)
    if staged.suspended is not None:
        return describe_suspensions(published.suspended if published is not None else None, staged.suspended)
    return []


def _all_changes(published: Verified | None, staged: Staged) -> list[str]:
    return [line for name in staged.parts for line in _changes(published, staged, name)]


def _missing(count: Signatures) -> str:
    if not count.missing:
        return f"{PART_NAMES[count.part]}: enough signatures"
    needed = f"{count.missing} more signature{'s' if count.missing != 1 else ''}"
    return f"{PART_NAMES[count.part]}: {needed} needed, from {' or '.join(count.unsigned)}"


def _say_holders(published: Verified) -> None:
    root = published.root
    holders = holders_of(root)
    typer.echo(f"Any {threshold_of(root)} of {len(holders)} holders give rights, any one suspends:")
    for key in holders.values():
        typer.echo(f"  {key_name(key)} ({fingerprint(key)})")
    typer.echo(f"The hub: {key_name(hub_of(root))} ({fingerprint(hub_of(root))})")


def _members_table(members: tuple[Member, ...]) -> None:
    if not members:
        typer.echo("  nobody yet")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for column in ("  slug", "status", "role", "country", "name", "keys"):
        table.add_column(column, overflow="fold")
    for member in members:
        keys = ", ".join(f"{key.kid.partition('#')[2]} {key.key.x[:8]}…" for key in member.signing_keys) or "none"
        status = str(member.status)
        if member.closed is not None:
            status += f": {describe_last(member.closed)}"
        table.add_row(f"  {member.slug}", status, member.role, member.country, member.names[0], keys)
    Console(width=None, highlight=False, markup=False).print(table)


def _version(published: Verified) -> int:
    return to_registry(published, root_given=True).version


def _counted(members: tuple[Member, ...]) -> str:
    counts = Counter(str(member.status) for member in members)
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none yet"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
