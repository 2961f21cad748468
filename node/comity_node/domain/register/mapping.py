"""The mapping file: which column of a register means what, and what a row of it says. Data, no code.

A mapping is closed: an unknown key is a mistake, not a remark. Whatever it sets by default for every row (severity,
indicators) carries a sentence why, so that a reviewer can object to it.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from comity_node.domain.register.listing import Earlier
from comity_node.domain.register.place import Gazetteer
from comity_node.domain.vocabulary import Crosswalk
from comity_schemas.countries import Country
from comity_schemas.errors import ComityError
from comity_schemas.finding import Access, Clause, Extent, Notice, SchemeCode, Severity, SourceType, Status
from comity_schemas.indicators import Basis, Indicator
from comity_schemas.subject import SectorScheme, SubjectType
from comity_schemas.wire import PRINTABLE, Wire, text

M = TypeVar("M", bound=Wire)

MAX_MAPPING_CHARACTERS = 200_000
"""Largest mapping file accepted."""


class MappingRefused(ComityError):
    """The mapping file is not one; `where` is its key or line."""

    code: ClassVar[str] = "import.mapping-refused"

    def __init__(self, where: str, reason: str) -> None:
        """Say where and why."""
        super().__init__(f"the mapping is refused at {where}: {reason}")
        self.where = where
        self.reason = reason


def _words(value: Any) -> Any:
    return frozenset(value.split()) if isinstance(value, str) else value


def _date_form(form: str) -> str:
    parts = [form[i + 1 : i + 2] for i, c in enumerate(form) if c == "%"]
    if sorted(parts) not in (["Y"], ["Y", "d", "m"]):
        raise ValueError("a date's form has %d, %m and %Y once each, or %Y alone")
    return form


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000, pattern=PRINTABLE), BeforeValidator(_one_line)
]
"""Plain words, in TOML over as many lines as they need."""
ColumnName = text(100)
Words = Annotated[frozenset[str], BeforeValidator(_words)]
"""Upper-case words without accents, in TOML one string with blanks or line ends between them."""
DateForms = Annotated[tuple[Annotated[str, AfterValidator(_date_form)], ...], Field(min_length=1, max_length=5)]
"""Forms of `strptime`, such as `%d/%m/%Y`."""
KeyField = Literal["identifier", "name", "finished", "listed", "address", "articles", "summary"]


class FileForm(Wire):
    """How the register's file is written."""

    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[,;|\t]$")]
    quote: Literal['"', "none"] = '"'
    joins_ideographs: bool = False
    """Blanks between Chinese or Japanese characters come from broken lines and are none."""
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1", "shift_jis"] = "utf-8"


class Columns(Wire):
    """Which column holds what; columns that are not named here are never read."""

    name: ColumnName  # type: ignore[valid-type]
    finished: ColumnName  # type: ignore[valid-type]
    listed: ColumnName  # type: ignore[valid-type]
    identifier: ColumnName | None = None  # type: ignore[valid-type]
    region: ColumnName | None = None  # type: ignore[valid-type]
    address: ColumnName | None = None  # type: ignore[valid-type]
    affected: ColumnName | None = None  # type: ignore[valid-type]
    sector: ColumnName | None = None  # type: ignore[valid-type]
    articles: ColumnName | None = None  # type: ignore[valid-type]
    """Which articles of law were broken; each is an observation of its own."""
    summary: ColumnName | None = None  # type: ignore[valid-type]
    """Only to tell rows and events apart: not a word of it is kept."""
    delisted: ColumnName | None = None  # type: ignore[valid-type]
    """The day on which the register's term ended. Such a row is taken and has expired; nothing was withdrawn."""
    state: ColumnName | None = None  # type: ignore[valid-type]
    """Tells whether a row is still on the register, with `current_states`."""

    def named(self) -> dict[str, str]:
        """Return the columns that are mapped, by what they hold."""
        return {field: column for field, column in self.to_parsed().items() if column is not None}


class Dates(Wire):
    """How dates are written, and how long the register lists somebody."""

    finished: DateForms
    listed: DateForms
    interval_words: Annotated[tuple[text(10), ...], Field(max_length=5)] = ()  # type: ignore[valid-type]
    valid_months: Annotated[int, Field(ge=1, le=120)]
    earlier_listings: Earlier
    finished_may_be_empty: bool = False
    """Then the year of the listing is told, and no more."""
    why: Sentence


class SectorForm(Wire):
    """Which classification the sector's code belongs to, and how its digits are written."""

    scheme: SectorScheme
    written: Annotated[str, StringConstraints(pattern=r"^[A-Z]?0[0./-]{0,11}$")]
    """A `0` for each digit, such as `0000-0/00`; a cell with more or fewer digits is refused."""


class Place(Wire):
    """What of a place may be told."""

    regions: Words = frozenset()
    """All values the region's column may have."""
    gazetteer: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")] | None = None
    """Name of a list of official municipalities by region that comes with Comity."""
    municipalities: dict[str, tuple[str, ...]] | None = None
    """Such a list of one's own, by region; without either list no municipality is ever told."""
    cut_at: Words = frozenset()
    vague: Annotated[tuple[text(60), ...], Field(max_length=50)] = ()  # type: ignore[valid-type]
    """Parts of addresses that name no place; two firms that share only these were not met in one raid."""
    streets: Words = frozenset()
    """Words with which a street begins: two addresses with one street, number and municipality are one place."""
    raids_share_address: bool = False
    """Addresses are exact enough that firms with the same one, in the same year, were met in one raid."""


class Persons(Wire):
    """How natural persons, and firms named after one, are told in this register."""

    identifier_most_digits: Annotated[int, Field(ge=1, le=60)] | None = None
    """A tax number of so many digits or fewer is a person's."""
    legal_forms: Words = frozenset()
    sole_trader_forms: Words = frozenset()
    business_words: Words = frozenset()
    """Words that say what a firm does; without any, every firm is flagged as named after a person."""
    person_names: Words = frozenset()
    saints_titles: Words = frozenset()
    particles: Words = frozenset()


class IndicatorReason(Wire):
    """One indicator that every row stands for, and why."""

    indicator: Indicator
    basis: Basis
    why: Sentence


class ArticleSays(Wire):
    """What is picked where these articles stand; articles in no such list are kept and yield no finding.

    A crosswalk only proposes: who writes the mapping picks what the article supports, and says why.
    """

    clauses: Annotated[tuple[text(32), ...], Field(min_length=1, max_length=100)]  # type: ignore[valid-type]
    severity: Severity
    severity_why: Sentence
    indicators: Annotated[tuple[IndicatorReason, ...], Field(min_length=1, max_length=11)]


class ArticleForm(Wire):
    """How the cell of articles is read."""

    scheme: SchemeCode
    """The crosswalk that knows how the laws are written."""
    version: SchemeCode
    says: Annotated[tuple[ArticleSays, ...], Field(min_length=1, max_length=50)]

    def of(self, clause: str) -> ArticleSays | None:
        """Return what is picked for one article."""
        return next((said for said in self.says if clause in said.clauses), None)


class Says(Wire):
    """What every row of the register says."""

    source: Literal[SourceType.PUBLIC_REGISTER]
    """Nothing else: an imported row carries no auditor's signature and rests on the register's publication."""
    subject: SubjectType
    clause: Clause
    description: Sentence
    """Stays in the report."""
    severity: Severity
    severity_why: Sentence
    status: Literal[Status.ALLEGED, Status.CONFIRMED]
    """Confirmed only where a court or an authority decided with due process."""
    status_why: Sentence
    extent: Extent = Extent.NOT_STATED
    notice: Notice = Notice.NOT_STATED
    access: Access = Access.NOT_STATED
    indicators: Annotated[tuple[IndicatorReason, ...], Field(max_length=11)]


class Mapping(Wire):
    """A whole mapping file."""

    title: Sentence
    url: text(500) | None = None  # type: ignore[valid-type]
    scheme: Annotated[SchemeCode, StringConstraints(max_length=30)]
    """The register's code; part of every row's identity, so it never changes."""
    scheme_version: SchemeCode | None = None
    identifier_scheme: text(23) | None = None  # type: ignore[valid-type]
    country: Country
    key: Annotated[tuple[KeyField, ...], Field(min_length=1, max_length=7)]
    """What tells one row from all others, whatever the rest of it says."""
    file: FileForm
    columns: Columns
    dates: Dates
    sector: SectorForm | None = None
    place: Place = Place()
    articles: ArticleForm | None = None
    event: Annotated[tuple[KeyField, ...], Field(max_length=7)] = ()
    """Rows that agree in all of these tell of one event."""
    current_states: Annotated[tuple[text(60), ...], Field(min_length=1, max_length=20)] | None = None  # type: ignore[valid-type]
    persons: Persons
    says: Says

    @model_validator(mode="after")
    def _complete(self) -> Self:
        mapped = self.columns.named()
        pairs: list[tuple[str, object]] = [
            ("identifier", self.identifier_scheme),
            ("sector", self.sector),
            ("region", self.place.regions),
            ("state", self.current_states),
            ("articles", self.articles),
        ]
        for field, meaning in pairs:
            if (field in mapped) != bool(meaning):
                raise ValueError(f"the column for {field} and its meaning come together or not at all")
        missing = [field for field in (*self.key, *self.event) if field not in mapped]
        if missing:
            raise ValueError(f"the key needs {missing[0]}, which no column holds")
        if self.place.gazetteer and self.place.municipalities:
            raise ValueError("a gazetteer and municipalities of one's own exclude each other")
        if (self.place.gazetteer or self.place.municipalities) and not {"region", "address"} <= mapped.keys():
            raise ValueError("municipalities need a column for region and one for address")
        if self.place.raids_share_address and "address" not in mapped:
            raise ValueError("raids can only share an address that a column holds")
        if any("%m" not in form for form in self.dates.listed):
            raise ValueError("the listing needs whole days")
        codes = [found.indicator for found in self.says.indicators]
        if len(set(codes)) != len(codes):
            raise ValueError("an indicator is named twice")
        return self


@dataclass(frozen=True, slots=True)
class Register:
    """A mapping with the municipalities it names or holds, and the crosswalk it names."""

    mapping: Mapping
    gazetteer: Gazetteer
    crosswalk: Crosswalk | None = None
    """How the articles of law are written."""


def parse_mapping(
    toml: str, gazetteer_named: Callable[[str], Gazetteer], crosswalk_of: Callable[[str, str], Crosswalk]
) -> Register:
    """Return the register that a mapping file describes.

    Args:
        toml: The file's text.
        gazetteer_named: Finds the gazetteer a mapping names.
        crosswalk_of: Finds the crosswalk of a scheme and version.

    Raises:
        MappingRefused: it is not TOML, not a mapping, or its gazetteer is not to be had.
    """
    mapping = mapping_as(Mapping, read_toml(toml))
    place, articles = mapping.place, mapping.articles
    try:
        crosswalk = None if articles is None else crosswalk_of(articles.scheme, articles.version)
    except ValueError as error:
        raise MappingRefused("articles", str(error)) from error
    try:
        if place.gazetteer is not None:
            return Register(mapping, gazetteer_named(place.gazetteer), crosswalk)
        own = [(region, name) for region, names in (place.municipalities or {}).items() for name in names]
        return Register(mapping, Gazetteer.of(own), crosswalk)
    except ValueError as error:
        where = "place.municipalities" if place.gazetteer is None else "place.gazetteer"
        raise MappingRefused(where, str(error)) from error


def read_toml(toml: str) -> dict[str, Any]:
    """Return what a mapping file says, whatever it describes.

    Raises:
        MappingRefused: it is too long or not TOML.
    """
    if len(toml) > MAX_MAPPING_CHARACTERS:
        raise MappingRefused("the file", f"it is longer than {MAX_MAPPING_CHARACTERS} characters")
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise MappingRefused("the file", str(error)) from error


def mapping_as(model: type[M], said: dict[str, Any]) -> M:
    """Return a mapping of one type.

    Raises:
        MappingRefused: it is none, with the first key that does not fit.
    """
    try:
        return model.from_parsed(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise MappingRefused(".".join(map(str, first["loc"])) or "the file", _reason(first)) from error
    except TypeError as error:
        raise MappingRefused("the file", "a date or time stands unquoted; a mapping has none") from error


def _reason(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "no such key is known"
    given = "" if found["type"] == "missing" or not isinstance(found["input"], str) else f": {found['input'][:60]!r}"
    return f"{found['msg'].removeprefix('Value error, ')}{given}"
