"""`comity registry`: who is a member, prepared by the registrar, signed by the key holders, published by the hub.

Works on one directory of files that is passed around. Reads nothing from the network; only `publish --kafka` talks to
anyone, to make the members' topics.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.keys import load_public, load_signing_pair
from comity_federation.registry import (
    Lifetimes,
    NothingStaged,
    RegistryDirectory,
    changes,
    renew_signatures,
)
from comity_federation.registry import (
    publish as publish_staged,
)
from comity_federation.registry.describing import describe_last
from comity_federation.registry.lists import read_list
from comity_federation.registry.roles import require_holder
from comity_node.cli import registry_words as words
from comity_node.cli.terminal import told_plainly
from comity_schemas.member import Member, MemberList, MemberStatus, SuspensionReason

app = typer.Typer(
    help="Keep the list of members: stage a change, let the holders sign it, publish it.", no_args_is_help=True
)

_HAVING_TOPICS = (MemberStatus.ACTIVE, MemberStatus.SUSPENDED)

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The registry's directory.", file_okay=False)]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The member's short name.")]
LastStatement = Annotated[
    str,
    typer.Option(metavar="SEQ:HASH", help="The last statement that counts; 0 if none does."),
]
Holders = Annotated[list[Path], typer.Option("--holder", metavar="PUB", help="A key holder's .pub file; repeat.")]
Threshold = Annotated[int, typer.Option(min=1, help="How many holders must sign to give a right.")]
HolderKey = Annotated[Path, typer.Option("--key", metavar="FILE", help="A holder's private key file.")]
HubPublic = Annotated[Path, typer.Option("--hub", metavar="PUB", help="The hub's .pub file.")]


@app.callback()
def group() -> None:
    """Keep the list of members: stage a change, let the holders sign it, publish it."""


@app.command()
def init(directory: Directory, holder: Holders, threshold: Threshold, hub: HubPublic) -> None:
    """Begin a registry: its holders, its hub, and no members yet."""
    with _changing(directory) as registry:
        registry.init([load_public(path) for path in holder], threshold, load_public(hub))
        words.say_staged(registry, f"Began a registry in {directory}.")


@app.command()
def add(
    directory: Directory,
    member_file: Annotated[Path, typer.Argument(metavar="MEMBER.json", help="As `comity init` wrote it.")],
    activate: Annotated[bool, typer.Option("--activate", help="Give the member its rights (status active).")] = False,
    status: Annotated[MemberStatus | None, typer.Option(help="pending or active; --activate is the latter.")] = None,
) -> None:
    """Enter a member, or replace its entry; k of n holders must sign."""
    wanted = MemberStatus.ACTIVE if activate else status
    if wanted not in (None, MemberStatus.PENDING, MemberStatus.ACTIVE) or (activate and status not in (None, wanted)):
        raise typer.BadParameter("only pending or active; see `suspend`, `remove` and `lift` for the rest")
    with _changing(directory) as registry:
        entry = read_list(Member, member_file.read_bytes(), str(member_file))
        registry.stage_members(changes.enter(registry.members(), entry, wanted))
        words.say_staged(registry, f"Staged {entry.slug}.")
        listed = changes.find_member(registry.members(), entry.slug)
        if listed.status is MemberStatus.PENDING:
            typer.echo(f"{entry.slug} is pending: it has no right yet. `add … --activate` gives it its rights.")


@app.command()
def remove(directory: Directory, slug: Slug, last: LastStatement) -> None:
    """Remove a member for good: what it said up to SEQ still counts; k of n holders must sign."""
    with _changing(directory) as registry:
        members = registry.members()
        closed = changes.parse_last(last, changes.find_member(members, slug).did)
        _stage(registry, changes.remove(members, slug, closed), f"Staged the removal of {slug}.")


@app.command()
def suspend(
    directory: Directory,
    slug: Slug,
    last: LastStatement,
    reason: Annotated[SuspensionReason, typer.Option(help="Why.")],
    key: HolderKey,
) -> None:
    """Suspend a member at once: one holder's signature is enough, and given here."""
    with _changing(directory) as registry:
        pair = load_signing_pair(key)
        member = changes.find_member(registry.members(), slug)
        require_holder(registry.root_in_force(), pair)
        closed = changes.parse_last(last, member.did)
        registry.stage_suspension(changes.new_suspension(slug, closed, reason, datetime.now(UTC)))
        registry.sign(pair, registry.staged(), parts=["suspensions"])
        typer.echo(f"Suspended {slug}, signed as {pair.kid}: {describe_last(closed)}, the rest will wait.")
        typer.echo(f"Next: the hub publishes it now: comity registry publish {directory} --hub-key FILE")
        typer.echo(f"Taking it back needs k of n holders: comity registry lift {directory} {slug}")


@app.command()
def lift(directory: Directory, slug: Slug) -> None:
    """Take a suspension back: the member publishes again; k of n holders must sign."""
    with _changing(directory) as registry:
        changed = changes.lift(registry.members(), registry.suspended(), slug)
        _stage(registry, changed, f"Staged the lifting of the suspension of {slug}.")


@app.command("close-key")
def close_key(
    directory: Directory,
    slug: Slug,
    kid: Annotated[str, typer.Argument(metavar="KID", help="The signing key, whole or only what follows #.")],
    last: LastStatement,
) -> None:
    """Close one signing key, retired or stolen: it counts up to SEQ; k of n holders must sign."""
    with _changing(directory) as registry:
        members = registry.members()
        closed = changes.parse_last(last, changes.find_member(members, slug).did)
        _stage(registry, changes.close_key(members, slug, kid, closed), f"Staged the closing of a key of {slug}.")


@app.command()
def thaw(directory: Directory, slug: Slug, last: LastStatement) -> None:
    """After a fork, name the branch that counts: the one through SEQ:HASH; k of n holders must sign."""
    with _changing(directory) as registry:
        members = registry.members()
        branch = changes.parse_last(last, changes.find_member(members, slug).did)
        _stage(registry, changes.thaw(members, slug, branch), f"Staged the thawing of {slug}.")


@app.command()
def renew(
    directory: Directory,
    root: Annotated[bool, typer.Option("--root", help="The root too (once a year).")] = False,
) -> None:
    """Stage both lists again, unchanged, for another 30 days; k of n holders must sign."""
    with _changing(directory) as registry:
        registry.renew(root=root)
        words.say_staged(registry, "Staged the lists again with a new expiry.")


@app.command()
def rotate(directory: Directory, holder: Holders, threshold: Threshold, hub: HubPublic) -> None:
    """Change holders, threshold or hub: name all there will be. The old and the new threshold must sign."""
    with _changing(directory) as registry:
        registry.rotate([load_public(path) for path in holder], threshold, load_public(hub))
        words.say_staged(registry, "Staged a new root.")


@app.command()
def sign(
    directory: Directory,
    key: HolderKey,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Show in words what is staged, ask, and sign it with a holder's key."""
    with told_plainly():
        pair = load_signing_pair(key)
        registry = RegistryDirectory(directory)
        staged = registry.staged()
        if not staged.parts:
            raise NothingStaged(f"{directory}: nothing is staged, there is nothing to sign")
        registry.require_signer(pair, staged)
        words.show_proposal(registry.published(), staged)
        if not yes and not typer.confirm(f"\nSign this as {pair.kid}?"):
            typer.echo("Nothing was signed.")
            raise typer.Exit(1)
        signed = registry.sign(pair, staged)
        typer.echo(f"\nSigned as {pair.kid}: {', '.join(words.PART_NAMES[part] for part in signed)}.")
        words.say_next(registry)


@app.command()
def publish(
    directory: Directory,
    hub_key: Annotated[Path, typer.Option(metavar="FILE", help="The hub's private key file.")],
    renew_only: Annotated[
        bool,
        typer.Option("--renew", help="Only sign again for another day, whatever is staged: for the hub's cron."),
    ] = False,
    hours: Annotated[int, typer.Option(min=1, help="How long the hub's signatures hold.")] = 24,
    kafka: Annotated[
        str | None, typer.Option(metavar="BOOTSTRAP", help="Also make the members' topics on these brokers.")
    ] = None,
    kafka_user: Annotated[
        str | None,
        typer.Option(envvar="COMITY_KAFKA_USER", help="Sign in with SASL_SSL; the password is COMITY_KAFKA_PASSWORD."),
    ] = None,
    kafka_ca: Annotated[Path | None, typer.Option(metavar="PEM", help="Who signed the brokers' certificates.")] = None,
    replicas: Annotated[int, typer.Option(min=1, help="On how many brokers a new topic lies.")] = 1,
) -> None:
    """Publish what has enough signatures; with nothing staged, sign again for another day."""
    with told_plainly():
        hub = load_signing_pair(hub_key)
        registry = RegistryDirectory(directory, Lifetimes(hub=timedelta(hours=hours)))
        plan = renew_signatures(registry, hub) if renew_only else publish_staged(registry, hub)
        words.say_published(plan, directory)
        if kafka is not None:
            typer.echo("The registry is published. Making the members' topics …")
            settings = KafkaSettings(
                bootstrap=kafka,
                security_protocol="SASL_SSL" if kafka_user else "PLAINTEXT",
                username=kafka_user,
                password=os.environ.get("COMITY_KAFKA_PASSWORD"),
                cafile=kafka_ca,
            )
            slugs = [member.slug for member in plan.result.members.members if member.status in _HAVING_TOPICS]
            words.say_topics(prepare_topics(settings, slugs, replication_factor=replicas), kafka)


@app.command()
def show(
    directory: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show version, hash, expiry, members, and who has signed what is staged."""
    with told_plainly():
        registry = RegistryDirectory(directory)
        (words.show_json if as_json else words.show)(registry)


@contextmanager
def _changing(directory: Path) -> Iterator[RegistryDirectory]:
    """Give a registry's directory that no other process changes meanwhile; what cannot be is told plainly."""
    with told_plainly():
        registry = RegistryDirectory(directory)
        with registry.alone():
            yield registry


def _stage(registry: RegistryDirectory, changed: MemberList, what: str) -> None:
    registry.stage_members(changed)
    words.say_staged(registry, what)
