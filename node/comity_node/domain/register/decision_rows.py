"""From a register of decisions to rulings: each row a decision with the source's words beside it, or why not.

The words of the source stay in the ruling. What leaves of a row are codes, dates, names and a region out of a closed
list. A recognition is tied to the decision it follows where exactly one can be meant; else it names the authority only.
"""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import BinaryIO, TypeVar

from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.encoding import b64encode, digest
from comity_node.domain.names import lasting_name
from comity_node.domain.register.aliases import NameReading, read_names, read_other_name
from comity_node.domain.register.decision_mapping import AlsoSaid, DecisionMapping
from comity_node.domain.register.listing import read_date
from comity_node.domain.register.persons import bears_a_persons_name
from comity_node.domain.register.rows import LEAST_SECRET_BYTES, MOST_NAME
from comity_node.domain.register.table import Cells, ProblemKind, RowProblem, open_table
from comity_node.domain.ruling import Ruling, Written
from comity_node.domain.spelling import bare, plain, tidy
from comity_schemas.decision import Act, Authority, Decision, End, Ground, Stand, Term
from comity_schemas.subject import Name, SubjectType
from comity_schemas.wire import misfits

C = TypeVar("C")

ReadCountry = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class ImportedRuling:
    """One row as a ruling."""

    line: int
    identity: str
    """Which row of the register this is, however it is written."""
    ruling: Ruling


def read_rulings(
    stream: BinaryIO, mapping: DecisionMapping, *, secret: bytes, read_country: ReadCountry
) -> list[ImportedRuling | RowProblem]:
    """Return the rows of a register in the file's order, recognitions tied to what they follow.

    Args:
        stream: The file, opened for bytes.
        mapping: How to read it.
        secret: Of this node, always the same; without it nobody can tell a decision's reference from the public row.
        read_country: The ISO code of a spelling; None where nobody can tell.

    Raises:
        RegisterUnreadable: the header does not fit, or the file is too large; nothing of it may be kept.
        ValueError: the secret is too short to be one.
    """
    if len(secret) < LEAST_SECRET_BYTES:
        raise ValueError(f"the secret needs at least {LEAST_SECRET_BYTES} bytes")
    reading = _Reading(mapping, secret, read_country)
    table = open_table(stream, mapping.file, sorted(set(mapping.columns.named().values())))
    rows = [reading.read(cells) if isinstance(cells, Cells) else cells for cells in table]
    return tie(_each_once(rows))


def tie(rows: Sequence[ImportedRuling | RowProblem]) -> list[ImportedRuling | RowProblem]:
    """Let each recognition refer to the decision it follows, where exactly one row can be meant.

    A row can be meant if the recognised authority decided it, a name of both is equal and their countries do not
    differ; among several, the one that ends on the same day.
    """
    originals: dict[tuple[str, str], dict[str, ImportedRuling]] = defaultdict(dict)
    for row in rows:
        if isinstance(row, ImportedRuling) and row.ruling.decision.act.of is None:
            for name in _folded(row):
                originals[row.ruling.decision.authority.code, name][row.identity] = row
    return [row if isinstance(row, RowProblem) else _tied(row, originals) for row in rows]


def _tied(row: ImportedRuling, originals: dict[tuple[str, str], dict[str, ImportedRuling]]) -> ImportedRuling:
    decision = row.ruling.decision
    if decision.act.of is None:
        return row
    meant: dict[str, ImportedRuling] = {}
    for name in _folded(row):
        meant |= originals.get((decision.act.of.code, name), {})
    fitting = [m for m in meant.values() if decision.country in (None, m.ruling.decision.country)]
    if len(fitting) > 1:
        fitting = [m for m in fitting if m.ruling.decision.terms[0].until == decision.terms[0].until]
    if len(fitting) != 1:
        return row
    act = decision.act.model_copy(update={"reference": fitting[0].ruling.decision.reference})
    tied = decision.model_copy(update={"act": act})
    return replace(row, ruling=row.ruling.model_copy(update={"decision": tied}))


def _folded(row: ImportedRuling) -> set[str]:
    # Not by the lexicon: with every word it learns, another reference would be said of the same row.
    return {lasting_name(name.text) for name in row.ruling.decision.names or ()}


def _each_once(rows: Iterable[ImportedRuling | RowProblem]) -> list[ImportedRuling | RowProblem]:
    seen: dict[str, ImportedRuling] = {}
    found: list[ImportedRuling | RowProblem] = []
    for row in rows:
        if isinstance(row, RowProblem):
            found.append(row)
            continue
        first = seen.setdefault(row.identity, row)
        if first is row:
            found.append(row)
        elif first.ruling == row.ruling:
            found.append(RowProblem(row.line, ProblemKind.REPEATED, f"it says the same as line {first.line}"))
        else:
            reason = f"it has the key of line {first.line} but says something else; line {first.line} was taken"
            found.append(RowProblem(row.line, ProblemKind.CONTRADICTORY, reason))
    return found


class _Misfit(Exception):
    """One cell does not fit; the text holds nothing of it."""


class _Reading:
    """A mapping while rows are read by it."""

    def __init__(self, mapping: DecisionMapping, secret: bytes, read_country: ReadCountry) -> None:
        self.mapping, self.secret, self._read_country = mapping, secret, read_country
        self.columns = mapping.columns.named()
        self.authorities = {
            plain(word): Authority.from_parsed({"code": a.code, "country": a.country})
            for a in mapping.authorities
            for word in (a.code, *a.written)
        }
        self.countries = {plain(word): code for code, words in mapping.countries.items() for word in words}
        marks = [(mark.kind, word) for mark in mapping.name_marks for word in mark.words]
        self.names = NameReading(marks, mapping.remark_words)
        self.also_said = [(said, _pattern(said)) for said in mapping.also_said]

    def country(self, written: str) -> str | None:
        """Return the code that a cell means; the mapping's own spellings go before the list of countries."""
        own = self.countries.get(plain(written))
        return own if own is not None or self.mapping.only_these_countries else self._read_country(written)

    @cached_property
    def only_authority(self) -> Authority:
        """The one authority of a register that names none."""
        only = self.mapping.authorities[0]
        return Authority.from_parsed({"code": only.code, "country": only.country})

    def read(self, cells: Cells) -> ImportedRuling | RowProblem:
        """Return one row as a ruling, or why not."""
        try:
            return _Row(self, cells).ruling()
        except _Misfit as misfit:
            return RowProblem(cells.line, ProblemKind.DOES_NOT_FIT, str(misfit))
        except ValidationError as error:
            return RowProblem(cells.line, ProblemKind.DOES_NOT_FIT, misfits(error))


class _Row:
    def __init__(self, reading: _Reading, cells: Cells) -> None:
        self._reading, self._cells, self._mapping = reading, cells, reading.mapping

    def ruling(self) -> ImportedRuling:
        authority = self._authority("authority") or self._reading.only_authority
        names, start = self._names(), self._date("start")
        # Somebody's own name as a trading name is no firm's name.
        firms = names[:1] + [name for name in names[1:] if not self._names_a_person(name.text)]
        after_person = firms != names or bears_a_persons_name(names[0].text, self._mapping.persons)
        identity = self._identity(authority, start)
        written = [
            Written(what=self._reading.columns[field], words=self._cell(field))
            for field in self._reading.columns
            if self._cell(field)
        ]
        decision = Decision(
            reference=b64encode(hmac.new(self._reading.secret, identity.encode(), hashlib.sha256).digest()),
            subject=self._subject(),
            names=tuple(firms),
            country=self._country(),
            region=self._region(),
            named_after_person=after_person,
            authority=authority,
            measure=next(iter(self._by_words(self._mapping.measures, self._cell("order"))), self._mapping.measure),
            act=self._act(authority),
            stand=Stand.RELAYS,
            grounds=self._grounds(),
            terms=self._terms(start),
            lifted=next(iter(self._by_words(self._mapping.lifted_by_note, self._cell("notes"))), None),
        )
        return ImportedRuling(
            self._cells.line,
            identity,
            Ruling(v=1, publication=self._mapping.title[:300], written=tuple(written), decision=decision),
        )

    def _cell(self, field: str) -> str:
        column = self._reading.columns.get(field)
        return "" if column is None else self._cells.by_column[column]

    def _misfit(self, field: str, reason: str) -> _Misfit:
        return _Misfit(f"{self._reading.columns[field]} {reason}")

    def _names(self) -> list[Name]:
        written = self._cell("name")
        if not any(c.isalpha() for c in written):
            raise self._misfit("name", "holds no name")
        if len(written) > MOST_NAME:
            raise self._misfit("name", f"is longer than {MOST_NAME} characters")
        names = read_names(written, self._reading.names)
        separator, other = self._mapping.other_name_separator, self._cell("other_name")
        for each in other.split(separator) if separator else [other]:
            names += [n for n in read_other_name(each, self._reading.names) if n not in names]
        if not names:
            # Nothing but words that announce a name, or a remark.
            raise self._misfit("name", "holds no name")
        return names[:20]

    def _names_a_person(self, name: str) -> bool:
        words = set(re.findall(r"\w+", plain(name)))
        persons = self._mapping.persons
        return bool(words & persons.person_names) and not words & persons.business_words

    def _subject(self) -> SubjectType:
        provides = self._has(self._cell("name"), self._mapping.labour_provider_words)
        return SubjectType.LABOUR_PROVIDER if provides else SubjectType.SUPPLIER

    def _country(self) -> str | None:
        written = self._cell("country")
        if not written:
            return None
        code = self._reading.country(written)
        if code is None:
            raise self._misfit("country", "is none that the list of countries or the mapping can read")
        return code

    def _region(self) -> str | None:
        region = plain(self._cell("region"))
        return region if region in self._mapping.regions else None

    def _authority(self, field: str) -> Authority | None:
        written = self._cell(field)
        if not written:
            return None
        found = self._reading.authorities.get(plain(written))
        if found is None:
            raise self._misfit(field, "is none of the authorities of the mapping")
        return found

    def _act(self, authority: Authority) -> Act:
        origin, grounds = self._authority("origin"), plain(self._cell("grounds"))
        for words in self._mapping.recognition_words:
            if grounds.startswith(plain(words)):
                origin = self._reading.authorities.get(tidy(grounds[len(words) :]))
                if origin is None:
                    raise self._misfit("grounds", "recognises none of the authorities of the mapping")
        if origin is None or origin.code == authority.code:
            return Act(type="original")
        return Act(type="recognition", of=origin)

    def _grounds(self) -> tuple[Ground, ...]:
        written = self._cell("grounds")
        named = plain(written)
        for words in self._mapping.no_grounds:
            named = named.replace(plain(words), "")
        recognises = any(named.startswith(plain(words)) for words in self._mapping.recognition_words)
        if not written or recognises:
            return self._mapping.every_ground
        found = self._by_words(self._mapping.grounds, named)
        return (*self._mapping.every_ground, *(found or [Ground.OTHER]))

    def _terms(self, start: date | None) -> tuple[Term, ...]:
        own, note = self._term(start), self._cell("notes")
        others = []
        for said, pattern in self._reading.also_said:
            match = pattern.search(note)
            if match is not None and match.groupdict().get("same_end", str(own.until)) == str(own.until):
                others.append(self._other_term(said, match.groupdict(), start))
        if not others:
            return (own,)
        return (own.model_copy(update={"source": self._mapping.source}), *others)

    def _other_term(self, said: AlsoSaid, dates: dict[str, str], start: date | None) -> Term:
        try:
            began = date.fromisoformat(dates["start"]) if "start" in dates else start
            return Term(source=said.source, start=began, end=End.DATE, until=date.fromisoformat(dates["end"]))
        except ValueError as error:
            raise self._misfit("notes", "quotes a date that is none") from error

    def _term(self, start: date | None) -> Term:
        written = self._cell("end")
        by_note = self._by_words(self._mapping.ends_by_note, self._cell("notes"))
        for end, words in self._mapping.ends.items():
            if plain(written) in map(plain, words):
                return Term(start=start, end=end)
        if not written:
            return Term(start=start, end=by_note[0] if by_note else End.NOT_STATED)
        until = self._date("end")
        if start is not None and until is not None and until < start:
            raise self._misfit("end", "is before its start")
        return Term(start=start, end=End.DATE, until=until)

    def _date(self, field: str) -> date | None:
        written = self._cell(field)
        if not written:
            return None
        try:
            return read_date(written, self._mapping.dates)
        except ValueError as error:
            raise self._misfit(field, str(error)) from error

    def _by_words(self, codes: dict[C, tuple[str, ...]], written: str) -> list[C]:
        return [code for code, words in codes.items() if self._has(written, words)]

    @staticmethod
    def _has(written: str, words: Sequence[str]) -> bool:
        folded = plain(written)
        return any(plain(word) in folded for word in words)

    def _identity(self, authority: Authority, start: date | None) -> str:
        key = {
            "authority": authority.code,
            "name": bare(self._cell("name")),
            "other_name": bare(self._cell("other_name")),
            "country": bare(self._cell("country")),
            "start": str(start or ""),
            "address": bare(self._cell("address")),
        }
        parts = [self._mapping.scheme, *([field, key[field]] for field in self._mapping.key)]
        return digest(strict_json.dumps(parts))


def _pattern(said: AlsoSaid) -> re.Pattern[str]:
    day = r"\d{4}-\d{2}-\d{2}"
    pattern = re.escape(said.note)
    for name in ("start", "end", "same_end"):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{day})")
    return re.compile(pattern)
