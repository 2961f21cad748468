"""From a register's rows to reports, each with an identity and a digest of its content.

Identity: SHA-256 over the register's scheme code and the mapping's key fields, each reduced to what it means: a tax
number to its normal form, a date to ISO, the listing to its first day (so that a suspension and a new listing change
the row, not its identity), a name or an address to its letters and digits. Another order of rows or columns, another
case, other accents, blanks, punctuation, delimiter or encoding change nothing.

Content: SHA-256 over the report without its references. It differs when anything differs that the report keeps, and
also when the mapping says something else now: both are reasons to look again.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from pydantic import ValidationError

from comity_federation import strict_json
from comity_federation.encoding import b64encode, digest
from comity_node.domain.register.listing import Period, read_date, read_listing, valid_until
from comity_node.domain.register.mapping import IndicatorReason, Register
from comity_node.domain.register.persons import bears_a_persons_name, is_person_number, names_a_person_by_number
from comity_node.domain.register.place import house_of, municipality_of, tells_a_place
from comity_node.domain.register.table import Cells, ProblemKind, RowProblem, open_table
from comity_node.domain.spelling import bare, joined, plain
from comity_node.domain.vocabulary import read_articles
from comity_schemas.finding import Clause
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import IndicatorFound
from comity_schemas.report import AuditedParty, Observation, Premises, Report, SharingBasis
from comity_schemas.subject import Name, Sector
from comity_schemas.wire import misfits

LEAST_SECRET_BYTES = 16
MOST_NAME, MOST_ADDRESS = 200, 300
"""Characters, as in the report."""


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One row as a report, not signed by anybody."""

    line: int
    identity: str
    """Which row of the register this is, however it is written."""
    content: str
    """What it says; another digest under the same identity is a changed row."""
    report: Report


def read_rows(stream: BinaryIO, register: Register, *, secret: bytes) -> Iterator[ImportedRow | RowProblem]:
    """Return the rows of a register in the file's order: each a report, or the reason why not.

    Args:
        stream: The file, opened for bytes; it is read as the result is iterated.
        register: The mapping and its gazetteer.
        secret: Of this node, always the same; without it nobody can tell a raid's reference from the public row.

    Raises:
        RegisterUnreadable: at once where the header does not fit; while iterating where the file is too large, and
            then nothing of it may be kept.
        ValueError: the secret is too short to be one.
    """
    if len(secret) < LEAST_SECRET_BYTES:
        raise ValueError(f"the secret needs at least {LEAST_SECRET_BYTES} bytes")
    table = open_table(stream, register.mapping.file, sorted(set(register.mapping.columns.named().values())))
    return _each_once(_Row(cells, register, secret).read() if isinstance(cells, Cells) else cells for cells in table)


def _each_once(rows: Iterator[ImportedRow | RowProblem]) -> Iterator[ImportedRow | RowProblem]:
    seen: dict[str, tuple[int, str]] = {}
    for row in rows:
        if isinstance(row, RowProblem):
            yield row
            continue
        line, content = seen.setdefault(row.identity, (row.line, row.content))
        if line == row.line:
            yield row
        elif content == row.content:
            yield RowProblem(row.line, ProblemKind.REPEATED, f"it says the same as line {line}")
        else:
            reason = f"it has the key of line {line} but says something else; line {line} was taken"
            yield RowProblem(row.line, ProblemKind.CONTRADICTORY, reason)


class _Misfit(Exception):
    """One cell does not fit; the text holds nothing of it."""

    def __init__(self, kind: ProblemKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class _Row:
    """One row while it is read."""

    def __init__(self, cells: Cells, register: Register, secret: bytes) -> None:
        self._cells = cells
        self._mapping = register.mapping
        self._gazetteer = register.gazetteer
        self._crosswalk = register.crosswalk
        self._columns = register.mapping.columns.named()
        self._secret = secret

    def read(self) -> ImportedRow | RowProblem:
        try:
            return self._imported()
        except _Misfit as misfit:
            return RowProblem(self._cells.line, misfit.kind, str(misfit))
        except ValidationError as error:
            return RowProblem(self._cells.line, ProblemKind.DOES_NOT_FIT, misfits(error))

    def _imported(self) -> ImportedRow:
        self._refuse_natural_persons()
        if self._mapping.current_states is not None and self._cell("state") not in self._mapping.current_states:
            raise _Misfit(ProblemKind.NOT_LISTED, "the register says that it is not listed any more")
        if not self._text("name", MOST_NAME):
            raise self._misfit("name", "is empty")
        self._text("address", MOST_ADDRESS)
        identifier, periods = self._identifier(), self._periods()
        finished, precise = self._finished(periods)
        key = self._key(identifier, periods, finished, precise)
        identity = _sha256([self._mapping.scheme, *([field, key[field]] for field in self._mapping.key)])
        report = self._report(identity, identifier, periods, finished, precise)
        if self._mapping.event:
            met = [self._mapping.scheme, *([field, key[field]] for field in self._mapping.event)]
            report = report.model_copy(update={"event": self._reference(met)})
        said = report.to_parsed()
        # The reference follows from the identity, and the event from this node's secret: neither is the row's content.
        for reference in ("ref", "event"):
            said.pop(reference, None)
        return ImportedRow(self._cells.line, identity, _sha256(said), report)

    def _cell(self, field: str) -> str:
        """Return a cell; empty where the field has no column or the cell is empty."""
        column = self._columns.get(field)
        cell = "" if column is None else self._cells.by_column[column]
        return joined(cell) if self._mapping.file.joins_ideographs else cell

    def _text(self, field: str, most: int) -> str:
        text = self._cell(field)
        if len(text) > most:
            raise self._misfit(field, f"is longer than {most} characters")
        return text

    def _misfit(self, field: str, reason: str) -> _Misfit:
        return _Misfit(ProblemKind.DOES_NOT_FIT, f"{self._columns[field]} {reason}")

    def _refuse_natural_persons(self) -> None:
        most = self._mapping.persons.identifier_most_digits
        if is_person_number(self._cell("identifier"), most):
            reason = f"{self._columns['identifier']} is a natural person's number"
        elif names_a_person_by_number(self._cell("name")):
            reason = f"{self._columns['name']} carries a number as natural persons' entries do"
        else:
            return
        raise _Misfit(ProblemKind.NATURAL_PERSON, f"{reason}; natural persons are never imported")

    def _identifier(self) -> Identifier | None:
        scheme = self._mapping.identifier_scheme
        if scheme is None:
            return None
        try:
            return Identifier.of(scheme, unicodedata.normalize("NFKC", self._cell("identifier")))
        except ValidationError as error:
            raise self._misfit("identifier", f"is not a valid {scheme}: its form or check digit is wrong") from error

    def _periods(self) -> tuple[Period, ...]:
        dates = self._mapping.dates
        try:
            periods = read_listing(self._cell("listed"), dates.listed, dates.interval_words)
        except ValueError as error:
            raise self._misfit("listed", str(error)) from error
        delisted = self._cell("delisted")
        if delisted and periods[-1].end is None:
            return (*periods[:-1], self._ended(periods[-1], delisted))
        if periods[-1].end is not None:
            raise _Misfit(ProblemKind.NOT_LISTED, "its last listing has ended")
        return periods

    def _ended(self, period: Period, delisted: str) -> Period:
        try:
            end = read_date(delisted, self._mapping.dates.listed)
        except ValueError as error:
            raise self._misfit("delisted", str(error)) from error
        if end < period.start:
            raise self._misfit("delisted", "is before the day it was listed")
        return Period(period.start, end)

    def _finished(self, periods: tuple[Period, ...]) -> tuple[date, bool]:
        """Return the inspection's day, or the first of its year and False."""
        written, forms = self._cell("finished"), self._mapping.dates.finished
        if not written and self._mapping.dates.finished_may_be_empty:
            return date(periods[0].start.year, 1, 1), False
        for form in forms:
            try:
                finished = read_date(written, [form])
            except ValueError:
                continue
            if finished > periods[0].start:
                raise self._misfit("finished", "is later than the day it was listed")
            return finished, form != "%Y"
        raise self._misfit("finished", f"is no date in the form {' or '.join(forms)}")

    def _key(
        self, identifier: Identifier | None, periods: tuple[Period, ...], finished: date, precise: bool
    ) -> dict[str, str]:
        """Return what can tell one row from another, each reduced to what it means."""
        key: dict[str, str] = {
            "identifier": identifier.id if identifier else "",
            "name": bare(self._cell("name")),
            "finished": str(finished) if precise else str(finished.year),
            "listed": str(periods[0].start),
            "address": bare(self._cell("address")),
            "articles": bare(self._cell("articles")),
            "summary": bare(self._cell("summary")),
        }
        return key

    def _report(
        self, identity: str, identifier: Identifier | None, periods: tuple[Period, ...], finished: date, precise: bool
    ) -> Report:
        mapping, says = self._mapping, self._mapping.says
        return Report(
            v=1,
            ref=f"{re.sub(r'[^A-Za-z0-9]+', '-', mapping.scheme)}-{identity[:32]}",
            source=says.source,
            scheme=mapping.scheme,
            scheme_version=mapping.scheme_version,
            finished=finished,
            finished_precision="day" if precise else "year",
            notice=says.notice,
            access=says.access,
            sharing_basis=SharingBasis.PUBLIC_REGISTER,
            valid_until=self._valid_until(periods),
            event=self._event(identifier, finished),
            party=self._party(identifier),
            observations=self._observations(periods),
        )

    def _valid_until(self, periods: tuple[Period, ...]) -> date:
        dates, ended = self._mapping.dates, periods[-1].end
        try:
            last = valid_until(periods, dates.valid_months, dates.earlier_listings)
        except ValueError as error:
            raise self._misfit("listed", str(error)) from error
        return last if ended is None else min(last, ended)

    def _observations(self, periods: tuple[Period, ...]) -> tuple[Observation, ...]:
        mapping, says = self._mapping, self._mapping.says
        listings = ", ".join(map(str, periods))
        common: dict[str, Any] = {
            "description": f"{says.description}\nListed {listings}.",
            "place": self._cell("address") or None,
            "extent": says.extent,
            "affected": self._affected(),
            "status": says.status,
        }
        if mapping.articles is None:
            found = _found(says.indicators)
            return (Observation(ref="1", clause=says.clause, indicators=found, severity=says.severity, **common),)
        observed = []
        for number, article in enumerate(self._articles(), 1):
            picked = mapping.articles.of(article)
            indicators = () if picked is None else _found(picked.indicators)
            severity = says.severity if picked is None else picked.severity
            clause = Clause(clause=article, label=says.clause.label)
            observed.append(
                Observation(ref=str(number), clause=clause, indicators=indicators, severity=severity, **common)
            )
        return tuple(observed)

    def _articles(self) -> tuple[str, ...]:
        assert self._crosswalk is not None
        found = read_articles(self._cell("articles"), self._crosswalk)
        if found.unread or not found.clauses:
            raise self._misfit("articles", "names a law that the crosswalk does not know")
        return found.clauses

    def _party(self, identifier: Identifier | None) -> AuditedParty:
        mapping, address, region = self._mapping, self._cell("address"), self._region()
        municipality = None
        if region is not None:
            municipality = municipality_of(address, region, self._gazetteer, mapping.place.cut_at)
        return AuditedParty(
            type=mapping.says.subject,
            names=(Name(text=self._cell("name")),),
            identifiers=None if identifier is None else (identifier,),
            country=mapping.country,
            region=region,
            municipality=municipality,
            address=address or None,
            premises=Premises.NOT_CONFIRMED,
            sector=self._sector(),
            named_after_person=bears_a_persons_name(self._cell("name"), mapping.persons),
        )

    def _region(self) -> str | None:
        region = plain(self._cell("region"))
        if region and region not in self._mapping.place.regions:
            raise self._misfit("region", "is none of the regions of the mapping")
        return region or None

    def _sector(self) -> Sector | None:
        form = self._mapping.sector
        digits = re.sub(r"[\s./-]", "", self._cell("sector"))
        if form is None or not digits:
            return None
        if not re.fullmatch(re.sub(r"[./-]", "", form.written).replace("0", "[0-9]"), digits):
            raise self._misfit("sector", f"is no code in the form {form.written}")
        remaining = iter(digits)
        return Sector(scheme=form.scheme, code="".join(c if c in "./-" else next(remaining) for c in form.written))

    def _affected(self) -> int | None:
        written = self._cell("affected")
        if not written:
            return None
        if not re.fullmatch(r"[0-9]{1,7}", written):
            raise self._misfit("affected", "is no number of people")
        return int(written)

    def _event(self, identifier: Identifier | None, finished: date) -> str | None:
        """Return a reference shared by the firms met at one place in one year; vague places are shared by nobody."""
        address, place = self._cell("address"), self._mapping.place
        if not address or not place.raids_share_address:
            return None
        region = self._region()
        house = house_of(address, place.streets, place.cut_at)
        town = municipality_of(address, region, self._gazetteer, place.cut_at) if house and region else None
        where = [*house, region, town] if house and region and town else [bare(address)]
        met = [self._mapping.scheme, *where, str(finished.year)]
        if not tells_a_place(address, place.vague, place.cut_at):
            met.append(identifier.id if identifier else bare(self._cell("name")))
        return self._reference(met)

    def _reference(self, met: object) -> str:
        """Return a reference that nobody without this node's secret can tell from the row."""
        return b64encode(hmac.new(self._secret, strict_json.dumps(met), hashlib.sha256).digest())


def _found(reasons: Iterable[IndicatorReason]) -> tuple[IndicatorFound, ...]:
    return tuple(IndicatorFound(indicator=i.indicator, basis=i.basis) for i in reasons)


def _sha256(value: object) -> str:
    return digest(strict_json.dumps(value))
