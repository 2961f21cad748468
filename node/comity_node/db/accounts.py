"""People and tokens."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import stored_time
from comity_node.db.reading import Reading
from comity_node.db.rows.people import PersonRow, TokenRow
from comity_node.domain.people import Person, PersonRole


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token without its secret."""

    id: str
    person_id: str
    label: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class Accounts:
    """Repository of people and tokens."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_person(self, person: Person, password_hash: str | None) -> None:
        """Store a new person."""
        roles = json.dumps(sorted(person.roles))
        self._session.add(
            PersonRow(id=person.id, name=person.name, roles=roles, firm=person.firm, password=password_hash)
        )
        await self._session.flush()

    async def find_person(self, person_id: str) -> Person | None:
        """Return an open account by id."""
        row = await self._session.get(PersonRow, person_id)
        return None if row is None or row.closed_at is not None else _person(row)

    async def find_by_name(self, name: str) -> tuple[Person, str | None] | None:
        """Return an open account and its password hash by name."""
        query = select(PersonRow).where(PersonRow.name == name, col(PersonRow.closed_at).is_(None))
        row = (await self._session.exec(query)).first()
        return None if row is None else (_person(row), row.password)

    async def name_is_taken(self, name: str) -> bool:
        """Tell whether any account, closed ones included, has this name."""
        return (await self._session.exec(select(PersonRow).where(PersonRow.name == name))).first() is not None

    async def people(self) -> list[Person]:
        """Return all open accounts by name."""
        query = select(PersonRow).where(col(PersonRow.closed_at).is_(None)).order_by(PersonRow.name)
        return [_person(row) for row in await self._session.exec(query)]

    async def names(self, person_ids: Sequence[str]) -> dict[str, str]:
        """Return id to name, of closed accounts too."""
        query = select(PersonRow.id, PersonRow.name).where(col(PersonRow.id).in_(person_ids))
        return dict((await self._session.exec(query)).all())

    async def close_person(self, person_id: str, now: datetime) -> None:
        """Close an account and revoke all its tokens."""
        row = await self._session.get_one(PersonRow, person_id)
        row.closed_at = now
        tokens = await self._session.exec(
            select(TokenRow).where(TokenRow.person_id == person_id, col(TokenRow.revoked_at).is_(None))
        )
        for token in tokens:
            token.revoked_at = now

    async def add_token(self, token: Token, token_hash: str) -> None:
        """Store a token by its hash."""
        self._session.add(
            TokenRow(
                id=token.id,
                person_id=token.person_id,
                hash=token_hash,
                label=token.label,
                made_at=token.made_at,
                expires_at=token.expires_at,
            )
        )
        await self._session.flush()

    async def bearer(self, token_hash: str, now: datetime) -> Person | None:
        """Return who holds a token that is neither revoked nor expired."""
        found = await Reading(self._session).rows(_BEARER, (), (token_hash, stored_time(now)))
        return Person(found[0][0], found[0][1], _roles(found[0][2]), found[0][3]) if found else None

    async def tokens(self, person_id: str) -> list[Token]:
        """Return a person's tokens, newest first."""
        query = select(TokenRow).where(TokenRow.person_id == person_id).order_by(col(TokenRow.made_at).desc())
        return [
            Token(r.id, r.person_id, r.label, r.made_at, r.expires_at, r.revoked_at)
            for r in await self._session.exec(query)
        ]

    async def revoke_token(self, token_id: str, person_id: str, now: datetime) -> bool:
        """Revoke a person's own token at once; False where that person has no such token."""
        row = await self._session.get(TokenRow, token_id)
        if row is None or row.person_id != person_id:
            return False
        row.revoked_at = row.revoked_at or now
        return True


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.name, _roles(row.roles), row.firm)


def _roles(stored: str) -> frozenset[PersonRole]:
    return frozenset(PersonRole(role) for role in json.loads(stored))


_BEARER = """
select person.id, person.name, person.roles, person.firm from token join person on person.id = token.person_id
where token.hash = ? and token.revoked_at is null and token.expires_at > ? and person.closed_at is null
"""
"""Times are text in the order of time."""
