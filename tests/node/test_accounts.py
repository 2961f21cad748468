"""Accounts by themselves: what is kept of a person, a password and a token, what ends one, and what the trail holds."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from comity_federation.encoding import digest
from comity_node.db import Database, Store
from comity_node.domain.errors import LastAdministrator, NameTaken, NotFound, WrongPassword
from comity_node.domain.people import Person, PersonRole
from comity_node.services import accounts
from comity_node.services.accounts import (
    add_person,
    bearer,
    check_password,
    close_person,
    hash_password,
    known_password,
    make_token,
    new_id,
    require_password,
    revoke_token,
)
from node_world import NOW

SECRET = "a good password"


@cache
def stored_password() -> str:
    """The hash of `SECRET`: made once, it takes a tenth of a second."""
    return hash_password(SECRET)


async def added(store: Store, name: str = "ana", password: str | None = None, **more: Any) -> Person:
    given: dict[str, Any] = {"roles": [PersonRole.REVIEWER, PersonRole.AUDITOR], "firm": "firm", **more}
    return await add_person(store, name=name, password_hash=password, by="admin", now=NOW, **given)


async def newest(store: Store) -> tuple[Any, ...]:
    ((_, entry),) = await store.trail.page(before=None, most=1)
    return entry.at, entry.actor, entry.event, entry.subject, json.loads(entry.detail)


async def test_a_person_is_kept_as_it_was_added_and_who_added_it_is_on_the_trail(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store)
        assert await newest(store) == (NOW, "admin", "person.added", person.id, {"roles": ["auditor", "reviewer"]})
    async with sqlite.read() as store:
        assert await store.accounts.find_person(person.id) == person
    assert person == Person(person.id, "ana", frozenset({PersonRole.AUDITOR, PersonRole.REVIEWER}), "firm")


async def test_a_name_is_taken_for_ever_also_when_its_account_is_closed(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store)
        with pytest.raises(NameTaken) as refused:
            await added(store)
        await close_person(store, person.id, by="admin", now=NOW)
        with pytest.raises(NameTaken):
            await added(store)
        assert [each.name for each in await store.accounts.people()] == []
    assert str(refused.value) == "this name is taken; nothing was added"


async def test_whoever_closes_an_account_is_on_the_trail_and_a_closed_one_is_not_found(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store)
        await close_person(store, person.id, by="admin", now=NOW)
        assert await newest(store) == (NOW, "admin", "person.closed", person.id, {})
        number, _ = await store.trail.head()
        for unknown in (person.id, "nobody"):
            with pytest.raises(NotFound, match=r"^no such person$"):
                await close_person(store, unknown, by="admin", now=NOW)
        assert (await store.trail.head())[0] == number


async def test_the_last_administrator_is_not_closed_before_there_is_another(sqlite: Database) -> None:
    async with sqlite.write() as store:
        first = await added(store, "ada", roles=[PersonRole.ADMIN], firm=None)
        await added(store, "ben")
        number, _ = await store.trail.head()
        with pytest.raises(LastAdministrator, match="add another one first"):
            await close_person(store, first.id, by=first.id, now=NOW)
        assert (await store.trail.head())[0] == number
        await added(store, "eve", roles=[PersonRole.ADMIN], firm=None)
        await close_person(store, first.id, by=first.id, now=NOW)
        assert [each.name for each in await store.accounts.people()] == ["ben", "eve"]


async def test_a_token_opens_for_thirty_days_or_as_long_as_was_said_and_not_a_moment_longer(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store)
        for lifetime in (None, timedelta(hours=3)):
            made = await make_token(
                store, person, label="desk", now=NOW, **({"lifetime": lifetime} if lifetime else {})
            )
            end = NOW + (lifetime or timedelta(days=30))
            assert made.expires_at == end
            assert await bearer(store, made.secret, NOW) == person
            assert await bearer(store, made.secret, end - timedelta(seconds=1)) == person
            assert await bearer(store, made.secret, end) is None


async def test_only_the_hash_of_a_token_is_kept_and_its_secret_can_be_recognised(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store)
        made, other = [await make_token(store, person, label="desk", now=NOW) for _ in range(2)]
        assert await newest(store) == (NOW, person.id, "token.made", other.id, {})
        kept = (await store.accounts.tokens(person.id))[0]
        assert (kept.person_id, kept.label, kept.made_at, kept.revoked_at) == (person.id, "desk", NOW, None)
        assert await store.accounts.bearer(digest(made.secret), NOW) == person
        assert await store.accounts.bearer(made.secret, NOW) is None
    # A scanner for leaked secrets finds it by how it begins; what follows are 32 random bytes.
    assert made.secret.startswith("comity_") and len(made.secret) == len("comity_") + 43
    assert made.secret != other.secret and made.id != other.id


async def test_a_token_is_revoked_by_whose_it_is_and_by_nobody_else(sqlite: Database) -> None:
    async with sqlite.write() as store:
        ana, ben = await added(store), await added(store, "ben")
        made = await make_token(store, ana, label="desk", now=NOW)
        number, _ = await store.trail.head()
        for who, token in ((ben, made.id), (ana, "another")):
            with pytest.raises(NotFound, match=r"^no such token$"):
                await revoke_token(store, who, token, NOW)
        assert (await store.trail.head())[0] == number
        assert await bearer(store, made.secret, NOW) == ana
        await revoke_token(store, ana, made.id, NOW)
        assert await newest(store) == (NOW, ana.id, "token.revoked", made.id, {})
        assert await bearer(store, made.secret, NOW) is None


async def test_what_was_never_a_token_belongs_to_nobody(sqlite: Database) -> None:
    async with sqlite.read() as store:
        for secret in ("", "comity_", "comity_" + "A" * 43, "ünicode", "\ud800"):
            assert await bearer(store, secret, NOW) is None


async def test_a_password_belongs_to_an_open_account_of_that_name(sqlite: Database) -> None:
    async with sqlite.write() as store:
        person = await added(store, password=stored_password())
        assert await known_password(store, "ana") == (person, stored_password())
        assert await known_password(store, "somebody") == (None, None)
        await close_person(store, person.id, by="admin", now=NOW)
        assert await known_password(store, "ana") == (None, None)


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    person = Person("1", "ana", frozenset())
    assert require_password(person, stored_password(), SECRET) == person
    said = set()
    for who, stored, password in (
        (person, stored_password(), "another"),
        (person, None, SECRET),
        (None, None, SECRET),
        (None, stored_password(), SECRET),
    ):
        with pytest.raises(WrongPassword) as refused:
            require_password(who, stored, password)
        said.add(str(refused.value))
    # One answer for all: it does not tell which names exist.
    assert said == {"name and password do not fit each other"}


def test_two_hashes_of_one_password_differ_and_are_argon2id() -> None:
    other = hash_password(SECRET)
    assert other.startswith("$argon2id$") and other != stored_password()
    assert check_password(other, SECRET)


def test_an_unknown_name_is_checked_against_a_hash_too_and_never_fits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time it takes would tell which names exist; not even the hash's own password opens anything."""
    checked: list[bytes] = []
    verify: Callable[[bytes, bytes], bool] = accounts.pwhash.verify

    def noting(stored: bytes, password: bytes) -> bool:
        checked.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(accounts.pwhash, "verify", noting)
    assert check_password(None, SECRET) is False
    assert [stored.partition(b"$v=")[0] for stored in checked] == [b"$argon2id"]
    monkeypatch.setattr(accounts, "_nobody", stored_password)
    assert check_password(None, SECRET) is False


def test_the_name_of_a_row_is_never_taken_for_an_option() -> None:
    names = {new_id() for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in names)
