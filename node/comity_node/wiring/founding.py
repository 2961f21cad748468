"""Making a node: its home, keys, database, first administrator, and the entry the registrar asks for."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from comity_federation import strict_json
from comity_federation.keys import (
    NamedKey,
    SealingPair,
    SigningPair,
    new_sealing_pair,
    new_signing_pair,
    write_key_pair,
)
from comity_node.db import Database
from comity_node.db.migrate import is_in_use, migrate_async
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.trail import Event
from comity_node.services.accounts import NewToken, add_person, hash_password, make_token
from comity_node.wiring.home import Home, HomeExists
from comity_schemas.errors import ComityError
from comity_schemas.member import Authorisation, Member, MemberStatus, ReportKey, Role, SigningKey


class DatabaseInUse(ComityError):
    """A node has written into this database already; nothing was changed."""

    code: ClassVar[str] = "database.in-use"


_PROTECT_SOURCES = frozenset({Role.WORKER_ORGANISATION, Role.AUTHORITY})
"""Members to whom people speak in confidence."""


@dataclass(frozen=True, slots=True)
class Founding:
    """Everything a new node needs to know."""

    slug: str
    did: str
    name: str
    role: Role
    country: str
    registry: str
    bus: str
    admin: str
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8400
    endpoint: str | None = None
    env: str = "trial"
    report_keys: Sequence[NamedKey] = ()
    authorisations: Sequence[Authorisation] = ()
    root: bytes | None = None
    more: dict[str, object] | None = None
    """Further settings."""


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made; password and token are shown this once."""

    home: Home
    admin: Person
    password: str
    token: NewToken


async def found_node(path: Path, founding: Founding, now: datetime) -> Founded:
    """Make a node's home.

    Raises:
        HomeExists, DatabaseInUse: a node lives there already; nothing was changed.
        DatabaseUnavailable: the database does not answer; no file was made.
        pydantic.ValidationError: the member entry does not fit.
        OSError: the directory cannot be written.
    """
    home = Home(path)
    if home.settings_file.exists():
        raise HomeExists(f"{path} is a node's home already; nothing was changed")
    signing = new_signing_pair(f"{founding.did}#signing-1")
    sealing = new_sealing_pair(f"{founding.did}#sealing-1")
    member = _entry(founding, signing.public, sealing.public)
    url = founding.database or f"sqlite+aiosqlite:///{home.database_file.absolute()}"
    with _readable_by_the_owner_only():
        # First: where it does not answer, no key is left behind over which the next try would stumble.
        await _make_tables(home, url)
        _write_files(home, founding, member, signing, sealing)
        admin, password, token = await _first_administrator(url, founding, now)
        # Last: a home without settings is no home, so an interrupted init can be run again elsewhere.
        home.write_settings(_settings(founding, url))
    return Founded(home, admin, password, token)


@contextmanager
def _readable_by_the_owner_only() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


async def _make_tables(home: Home, url: str) -> None:
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if await is_in_use(url):
        raise DatabaseInUse("a node has written into this database already: name an empty one. Nothing was changed")
    await migrate_async(url)


def _write_files(home: Home, founding: Founding, member: Member, signing: SigningPair, sealing: SealingPair) -> None:
    for directory in (home.path, home.signing_key.parent, home.registry_cache):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_key_pair(home.signing_key, signing)
    write_key_pair(home.sealing_key, sealing)
    home.secret.write_bytes(secrets.token_bytes(32))
    home.member_file.write_bytes(strict_json.dumps(member.to_parsed()) + b"\n")
    if founding.root is not None:
        home.root_file.write_bytes(founding.root)


async def _first_administrator(url: str, founding: Founding, now: datetime) -> tuple[Person, str, NewToken]:
    database = Database(url)
    password = secrets.token_urlsafe(15)
    try:
        async with database.write() as store:
            admin = await add_person(
                store,
                name=founding.admin,
                roles=[PersonRole.ADMIN],
                firm=None,
                password_hash=hash_password(password),
                by="comity init",
                now=now,
            )
            token = await make_token(store, admin, label="first administrator", now=now)
            await store.trail.add(now, "comity init", Event.NODE_MADE, founding.slug)
    finally:
        await database.close()
    return admin, password, token


def _entry(founding: Founding, signing: NamedKey, sealing: NamedKey) -> Member:
    return Member(
        did=founding.did,
        slug=founding.slug,
        names=(founding.name,),
        country=founding.country,
        role=founding.role,
        status=MemberStatus.PENDING,
        signing_keys=(SigningKey(kid=signing.kid, key=signing.key),),
        sealing_key=sealing.key,
        endpoint=founding.endpoint,
        report_keys=tuple(ReportKey(kid=key.kid, key=key.key) for key in founding.report_keys),
        authorisations=tuple(founding.authorisations),
    )


def _settings(founding: Founding, url: str) -> dict[str, object]:
    return {
        "member": founding.slug,
        "database": url,
        "bus": founding.bus,
        "registry": founding.registry,
        "host": founding.host,
        "port": founding.port,
        "env": founding.env,
        **({"protect_sources": True} if founding.role in _PROTECT_SOURCES else {}),
        **(founding.more or {}),
    }
