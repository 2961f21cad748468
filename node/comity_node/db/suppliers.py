"""Suppliers as this node knows them: who is mentioned by which statements, under which names and identifiers.

It follows the supplier view by the changes noted there, and nothing here ever changes a statement. Numbers are given by
this repository, one writer at a time; they and the keys stay when the rest is made anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, put_rows
from comity_node.db.reading import Reading
from comity_node.db.rows.suppliers import (
    FactRow,
    FollowedRow,
    SupplierIdentifierRow,
    SupplierNameRow,
    SupplierRow,
)
from comity_node.db.rows.view import ChangeRow
from comity_node.db.said_of import says_anything
from comity_node.db.search import Search
from comity_node.domain.names import fold_name
from comity_node.domain.suppliers.keys import number_key
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType

FOLLOWED_BY = "suppliers"
"""Under which the cursor over the view's changes is kept."""

ENDS = "select coalesce((select change from followed where name = ?), 0), coalesce((select max(id) from change), 0)"
"""The change that was followed last, and the newest."""

_CHUNK = 500

_FEW = 20
"""Identifiers that are asked for one by one, without asking first whether anybody has them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A supplier, site or labour provider that this node knows."""

    number: int
    key: str
    kind: SubjectType
    name: str
    country: str
    whole: int
    """The smallest number of those that people joined with it; its own where there are none."""
    newest: str


@dataclass(frozen=True, slots=True)
class Described:
    """A supplier with all that it is found by."""

    known: Known
    names: dict[str, None] = field(default_factory=dict)
    """As written, each once, in their order; former ones that were entered too."""
    countries: set[str] = field(default_factory=set)
    """Of its names; "" where one has none."""
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    """Scheme and value."""
    folded: list[str] = field(default_factory=list)
    """The names, folded, in their order."""


@dataclass(frozen=True, slots=True)
class NewSupplier:
    """Somebody who may not be known yet."""

    key: str
    kind: SubjectType
    names: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    country: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which suppliers to list."""

    name: str | None = None
    """Begins so, folded."""
    country: str | None = None
    identifier: Identifier | None = None
    kind: SubjectType | None = None
    newest_first: bool = False


class Suppliers:
    """Repository of suppliers and of the statements that mention them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._reading = Reading(session)

    # --- following the view

    async def changes(self, most: int) -> list[tuple[int, int]]:
        """Return (change, number of the record) of what changed in the view since it was followed."""
        query = select(ChangeRow.id, ChangeRow.entry).where(col(ChangeRow.id) > await self._followed())
        rows = await self._session.exec(query.order_by(col(ChangeRow.id)).limit(most))
        return [(number, entry) for number, entry in rows if number is not None]

    async def behind(self) -> int:
        """Return how many changes of the view were not followed yet."""
        followed, newest = (await self._reading.rows(ENDS, (), (FOLLOWED_BY,)))[0]
        return max(0, int(newest) - int(followed))

    async def set_followed(self, change: int) -> None:
        """Note how far the view was followed."""
        await put_rows(self._session, FollowedRow, "name", ("name", "change"), [(FOLLOWED_BY, change)])

    async def _followed(self) -> int:
        return int((await self._reading.rows(ENDS, (), (FOLLOWED_BY,)))[0][0])

    # --- writing

    async def ensure(self, wanted: Iterable[NewSupplier]) -> dict[str, int]:
        """Return key to number, adding those that are new and every name and identifier that is."""
        given = list(wanted)
        firsts = {new.key: new for new in reversed(given)}
        numbers = await self._numbers(sorted(firsts))
        last = (await self._session.exec(select(func.max(SupplierRow.number)))).one() or 0
        added = [new for key, new in firsts.items() if key not in numbers]
        numbers.update({new.key: number for number, new in enumerate(added, last + 1)})
        rows = [
            (numbers[n.key], n.key, n.kind.value, n.names[0], fold_name(n.names[0]), n.country, numbers[n.key], "")
            for n in added
        ]
        columns = ("number", "key", "kind", "name", "sorting", "country", "whole", "newest")
        await insert_rows(self._session, SupplierRow, columns, rows)
        providers = [numbers[n.key] for n in given if n.kind is SubjectType.LABOUR_PROVIDER]
        if providers:
            is_more = col(SupplierRow.number).in_(providers), col(SupplierRow.kind) == SubjectType.SUPPLIER.value
            await self._session.exec(update(SupplierRow).where(*is_more).values(kind="labour-provider"))
        await self._add_names(
            {(numbers[n.key], t): n.country for n in given for t in n.names}, {numbers[n.key] for n in added}
        )
        identified = {(i.scheme, i.id, numbers[n.key]) for n in given for i in n.identifiers}
        await self._insert(_IDENTIFIERS, [{"k": k, "v": v, "s": s} for k, v, s in sorted(identified)])
        return numbers

    async def _add_names(self, names: Mapping[tuple[int, str], str], new: set[int]) -> None:
        """Add the names that are not there yet; those of suppliers that were there wait for the name index."""
        known = {number for number, _ in names} - new
        there = {(number, name) for number, name, _ in await self.names(sorted(known))}
        fresh = [key for key in names if key not in there]
        await Search(self._session).wait([key for key in fresh if key[0] in known])
        rows = [(number, name, fold_name(name), names[number, name]) for number, name in fresh]
        await insert_rows(self._session, SupplierNameRow, ("supplier", "text", "folded", "country"), rows)

    async def set_whole(self, wholes: Mapping[int, int]) -> None:
        """Write with whom suppliers are joined."""
        await self._insert(_WHOLE, [{"s": s, "w": whole} for s, whole in wholes.items()])

    async def _insert(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            await self._session.flush()
            await (await self._session.connection()).execute(statement, rows)
            self._session.expire_all()

    # --- reading

    async def find(self, numbers: Sequence[int]) -> dict[int, Known]:
        """Return the suppliers of these numbers that exist."""
        found: dict[int, Known] = {}
        for start in range(0, len(numbers), _CHUNK):
            query = _KNOWN.where(col(SupplierRow.number).in_(numbers[start : start + _CHUNK]))
            found.update({known.number: known for known in await self._known(query)})
        return found

    async def of_wholes(self, wholes: Sequence[int]) -> list[Known]:
        """Return everybody who is joined under one of these, by number."""
        query = _KNOWN.where(col(SupplierRow.whole).in_(wholes)).order_by(col(SupplierRow.number))
        return await self._known(query)

    async def by_key(self, key: str) -> Known | None:
        """Return the supplier of a key."""
        found = await self._known(_KNOWN.where(col(SupplierRow.key) == key))
        return found[0] if found else None

    async def page(self, wanted: Wanted, *, skip: int, most: int) -> list[Known]:
        """Return a part of the list; who is joined stands there once, under the smallest number."""
        row = SupplierRow
        query = _KNOWN.where(says_anything())
        if wanted.kind is not None:
            query = query.where(col(row.kind) == wanted.kind.value)
        if wanted.country is not None:
            query = query.where(col(row.country) == wanted.country)
        named: Any = None
        if wanted.name is not None:
            folded = fold_name(wanted.name)
            if "\0" in folded:
                # PostgreSQL fails on it, and no name has it.
                return []
            begins = col(SupplierNameRow.folded).startswith(folded, autoescape=True)
            named = sa_select(col(SupplierNameRow.supplier)).where(begins)
            before = col(FactRow.folded).startswith(folded, autoescape=True)
            named = named.union(sa_select(col(FactRow.supplier)).where(before, col(FactRow.taken_back_at).is_(None)))
        if wanted.identifier is not None:
            i = SupplierIdentifierRow
            same = col(i.scheme) == wanted.identifier.scheme, col(i.value) == wanted.identifier.id
            named = sa_select(col(i.supplier)).where(*same)
        if named is None:
            query = query.where(col(row.whole) == col(row.number))
        else:
            # Whoever is joined with somebody of this name is found by it too.
            found = sa_select(col(row.whole)).where(col(row.number).in_(named))
            query = query.where(col(row.number).in_(found))
        order = (
            [col(row.newest).desc(), col(row.number).desc()]
            if wanted.newest_first
            else [col(row.sorting), col(row.number)]
        )
        return await self._known(query.order_by(*order).offset(skip).limit(most))

    async def names(self, suppliers: Sequence[int]) -> list[tuple[int, str, str]]:
        """Return (supplier, name as written, folded name)."""
        row, found = SupplierNameRow, list[tuple[int, str, str]]()
        for start in range(0, len(suppliers), _CHUNK):
            these = col(row.supplier).in_(suppliers[start : start + _CHUNK])
            query = select(row.supplier, row.text, row.folded).where(these)
            found += await self._session.exec(query.order_by(col(row.supplier), col(row.text)))
        return found

    async def folded(self, suppliers: Sequence[int]) -> Sequence[tuple[int, str]]:
        """Return (supplier, folded name), names entered here too, in no order."""
        return await self._reading.rows(_FOLDED, suppliers) if suppliers else ()

    async def described(self, suppliers: Sequence[int]) -> dict[int, Described]:
        """Return those of these suppliers that exist, with all that they are found by."""
        found: dict[int, Described] = {}
        said: list[tuple[Any, ...]] = []
        for what, number, *more in await self._reading.rows(_DESCRIBED, suppliers) if suppliers else ():
            if what == _ITSELF:
                key, kind, name, country, newest, whole = more
                found[number] = Described(Known(number, key, SubjectType(kind), name, country, whole, newest))
            else:
                said.append((what, more[-1], *more[:3], number))
        # By their letters, since each database has an order of its own: names that were entered here stand last.
        for what, _, one, other, folded, number in sorted(said):
            if number in found and what == _IDENTIFIER:
                found[number].identifiers.append((one, other))
            elif number in found:
                found[number].names.setdefault(one)
                found[number].countries.add(other)
                found[number].folded.append(folded)
        return found

    async def foldings(self, first: int, last: int) -> list[tuple[int, str, str]]:
        """Return (supplier, name as written, folded name) of the suppliers with these numbers, names entered here
        too."""
        row, fact = SupplierNameRow, FactRow
        written = sa_select(col(row.supplier), col(row.text), col(row.folded))
        entered = sa_select(col(fact.supplier), col(fact.text), col(fact.folded)).where(col(fact.text).is_not(None))
        query = written.where(col(row.supplier).between(first, last)).union(
            entered.where(col(fact.supplier).between(first, last))
        )
        rows = await (await self._session.connection()).execute(query)
        return [(number, name, folded) for number, name, folded in rows]

    async def countries(self, first: int, last: int) -> list[tuple[int, str, str]]:
        """Return (supplier, its key, country) of the suppliers with these numbers, also those of single names."""
        row, name = SupplierRow, SupplierNameRow
        own = sa_select(col(row.number), col(row.key), col(row.country)).where(col(row.number).between(first, last))
        of_names = (
            sa_select(col(row.number), col(row.key), col(name.country))
            .join(name, col(name.supplier) == col(row.number))
            .where(col(row.number).between(first, last))
        )
        rows = await (await self._session.connection()).execute(own.union(of_names))
        return [(number, key, country) for number, key, country in rows]

    async def fold_anew(self, names: Iterable[tuple[int, str, str]]) -> None:
        """Store other foldings of (supplier, name as written)."""
        rows = [{"s": number, "t": name, "f": folded} for number, name, folded in names]
        for statement in _FOLD_ANEW:
            await self._insert(statement, rows)

    async def identifiers(self, suppliers: Sequence[int]) -> list[tuple[int, str, str]]:
        """Return (supplier, scheme, value)."""
        row, found = SupplierIdentifierRow, list[tuple[int, str, str]]()
        for start in range(0, len(suppliers), _CHUNK):
            these = col(row.supplier).in_(suppliers[start : start + _CHUNK])
            query = select(row.supplier, row.scheme, row.value).where(these)
            found += await self._session.exec(query.order_by(col(row.scheme), col(row.value)))
        return found

    async def with_name(self, folded: Iterable[str], most: int) -> list[tuple[int, str]]:
        """Return (supplier, folded name) of whoever has one of these folded names."""
        wanted = sorted(set(folded))
        asked = _WITH_NAME.format(", ".join("?" * len(wanted)))
        return [(n, name) for n, name in await self._reading.rows(asked, (), (*wanted, most))]

    async def with_identifier(self, identifiers: Iterable[tuple[str, str]], most: int) -> list[tuple[int, str, str]]:
        """Return (supplier, scheme, value) of whoever has one of these identifiers, at most so many of each: first whom
        it decides, however many others somebody wrote it beside."""
        found: list[tuple[int, str, str]] = []
        for scheme, value in await self._given(sorted(set(identifiers))):
            rows = await self._reading.rows(_WITH_IDENTIFIER, (), (scheme, value, number_key(scheme, value), most))
            found += [(supplier, scheme, value) for (supplier,) in rows]
        return found

    async def _given(self, identifiers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Leave out those that nobody has: a number without a scheme is asked for on every list it may stand on."""
        if len(identifiers) <= _FEW:
            return identifiers
        there: list[tuple[str, str]] = []
        for start in range(0, len(identifiers), _CHUNK):
            some = identifiers[start : start + _CHUNK]
            asked = _GIVEN.format(", ".join(["(?, ?)"] * len(some)))
            there += [(scheme, value) for scheme, value in await self._reading.rows(asked, (), [*chain(*some)])]
        return sorted(there)

    async def with_number_between(self, scheme: str, first: str, last: str, most: int) -> list[int]:
        """Return who has a number of this register from one to another, as one company's branches have."""
        row = SupplierIdentifierRow
        query = select(row.supplier).where(row.scheme == scheme, col(row.value).between(first, last))
        return list(await self._session.exec(query.order_by(col(row.value), col(row.supplier)).limit(most)))

    async def _numbers(self, keys: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            query = select(SupplierRow.key, SupplierRow.number).where(col(SupplierRow.key).in_(chunk))
            found.update(dict((await self._session.exec(query)).all()))
        return found

    async def _known(self, query: Any) -> list[Known]:
        rows = await (await self._session.connection()).execute(query)
        return [Known(n, key, SubjectType(kind), *rest) for n, key, kind, *rest in rows]


_KNOWN = sa_select(
    *(
        col(column)
        for column in (
            SupplierRow.number,
            SupplierRow.key,
            SupplierRow.kind,
            SupplierRow.name,
            SupplierRow.country,
            SupplierRow.whole,
            SupplierRow.newest,
        )
    )
)
_FOLDED = """
select supplier, folded from supplier_name where supplier {these}
union all select supplier, folded from supplier_fact
    where supplier {these} and taken_back_at is null and text is not null
"""
_WITH_NAME = "select supplier, folded from supplier_name where folded in ({}) order by folded, supplier limit ?"
_GIVEN = """
with asked (scheme, value) as (values {}) select scheme, value from asked
where exists (select 1 from supplier_identifier as kept where kept.scheme = asked.scheme and kept.value = asked.value)
"""
_WITH_IDENTIFIER = """
select supplier from supplier_identifier join supplier as whose on whose.number = supplier
where scheme = ? and value = ? order by whose."key" <> ?, supplier limit ?
"""
_ITSELF, _WRITTEN, _ENTERED, _IDENTIFIER = range(4)
_DESCRIBED = f"""
select {_ITSELF}, number, "key", kind, name, country, newest, whole from supplier where number {{these}}
union all select {_WRITTEN}, supplier, text, country, folded, '', '', 0 from supplier_name where supplier {{these}}
union all select {_ENTERED}, supplier, text, '', folded, '', '', number from supplier_fact
    where supplier {{these}} and taken_back_at is null and text is not null
union all select {_IDENTIFIER}, supplier, scheme, value, '', '', '', 0 from supplier_identifier where supplier {{these}}
"""  # noqa: S608 (numbers only)
_FOLD_ANEW = (
    text("update supplier_name set folded = :f where supplier = :s and text = :t"),
    text("update supplier_fact set folded = :f where supplier = :s and text = :t"),
    text("update supplier set sorting = :f where number = :s and name = :t"),
)
_IDENTIFIERS = text(
    "insert into supplier_identifier (scheme, value, supplier) values (:k, :v, :s) on conflict do nothing"
)
_WHOLE = text("update supplier set whole = :w where number = :s")
