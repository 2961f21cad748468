"""People, passwords and tokens: local accounts, argon2id, opaque tokens stored hashed and revocable at once."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from nacl import pwhash
from nacl.exceptions import InvalidkeyError

from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.accounts import Token
from comity_node.domain.errors import LastAdministrator, NameTaken, NotFound, WrongPassword
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.trail import Event
from comity_node.domain.watching.watches import Watch

TOKEN_PREFIX = "comity_"  # noqa: S105 makes a leaked token recognisable to scanners
DEFAULT_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; its secret is shown this once."""

    id: str
    secret: str
    expires_at: datetime


def new_id() -> str:
    """Return a random name for a row; hexadecimal, since a command line takes a leading `-` for an option."""
    return secrets.token_hex(8)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password. Takes some 0.1 s of one core: call it in a thread."""
    return pwhash.argon2id.str(
        password.encode(), pwhash.argon2id.OPSLIMIT_INTERACTIVE, pwhash.argon2id.MEMLIMIT_INTERACTIVE
    ).decode("ascii")


@cache
def _nobody() -> str:
    """Checked when the name is unknown, so that the time taken does not tell which names exist."""
    return hash_password(secrets.token_urlsafe())


def check_password(stored: str | None, password: str) -> bool:
    """Tell whether a password fits its hash; as slow for an unknown name as for a known one."""
    try:
        return pwhash.verify((stored or _nobody()).encode(), password.encode()) and stored is not None
    except InvalidkeyError:
        return False


async def add_person(
    store: Store,
    *,
    name: str,
    roles: Iterable[PersonRole],
    firm: str | None,
    password_hash: str | None,
    by: str,
    now: datetime,
) -> Person:
    """Add an account.

    Raises:
        NameTaken: the name is or was somebody else's.
    """
    if await store.accounts.name_is_taken(name):
        raise NameTaken("this name is taken; nothing was added")
    person = Person(new_id(), name, frozenset(roles), firm)
    await store.accounts.add_person(person, password_hash)
    await store.trail.add(now, by, Event.PERSON_ADDED, person.id, roles=sorted(person.roles))
    return person


async def close_person(store: Store, person_id: str, *, by: str, now: datetime) -> None:
    """Close an account; its tokens and watches end at once: nobody is told anything who is here no more.

    Raises:
        NotFound: there is no such open account.
        LastAdministrator: nobody else could add or close accounts.
    """
    person = await store.accounts.find_person(person_id)
    if person is None:
        raise NotFound("no such person")
    others = [each for each in await store.accounts.people() if each.id != person_id]
    if PersonRole.ADMIN in person.roles and not any(PersonRole.ADMIN in each.roles for each in others):
        raise LastAdministrator("this is the last administrator: add another one first. Nothing was closed")
    await store.accounts.close_person(person_id, now)
    await end_watches(store, await store.watches.of_owner(person_id), by, now)
    await store.trail.add(now, by, Event.PERSON_CLOSED, person_id)


async def end_watches(store: Store, watches: Iterable[Watch], by: str, now: datetime) -> None:
    """End watches: nothing more is told to them or sent of them, what they were told stays."""
    for watch in watches:
        await store.watches.end(watch.number, now)
        await store.deliveries_of_watches.drop(watch.number, now)
        await store.trail.add(now, by, Event.WATCH_ENDED, watch.id)


async def make_token(
    store: Store, person: Person, *, label: str, now: datetime, lifetime: timedelta = DEFAULT_LIFETIME
) -> NewToken:
    """Make a token for a person; only its hash is kept."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(new_id(), person.id, label, now, now + lifetime, None)
    await store.accounts.add_token(token, digest(secret))
    await store.trail.add(now, person.id, Event.TOKEN_MADE, token.id)
    return NewToken(token.id, secret, token.expires_at)


async def revoke_token(store: Store, person: Person, token_id: str, now: datetime) -> None:
    """Revoke one of a person's own tokens at once.

    Raises:
        NotFound: the person has no such token.
    """
    if not await store.accounts.revoke_token(token_id, person.id, now):
        raise NotFound("no such token")
    await store.trail.add(now, person.id, Event.TOKEN_REVOKED, token_id)


async def bearer(store: Store, secret: str, now: datetime) -> Person | None:
    """Return who holds a token now."""
    if not secret.isascii():
        return None
    return await store.accounts.bearer(digest(secret), now)


async def known_password(store: Store, name: str) -> tuple[Person | None, str | None]:
    """Return the person of a name and the stored hash, to be checked outside the transaction."""
    found = await store.accounts.find_by_name(name)
    return (None, None) if found is None else found


def require_password(person: Person | None, stored: str | None, password: str) -> Person:
    """Return the person whose password this is.

    Raises:
        WrongPassword: unknown name or other password; which of the two is not told.
    """
    if not check_password(stored, password) or person is None:
        raise WrongPassword("name and password do not fit each other")
    return person
