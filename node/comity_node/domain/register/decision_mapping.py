"""The mapping of a register of decisions: which column means what, and which words of the source mean which code.

Data, no code, as for findings: every phrase that is read stands in the file, so a reviewer can object to it. Phrases
are compared without case and accents; a phrase that is in no list means nothing here, and its cell stays at the node.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from comity_node.domain.register.mapping import (
    ColumnName,
    DateForms,
    FileForm,
    Persons,
    Sentence,
    Words,
    mapping_as,
    read_toml,
)
from comity_schemas.countries import COUNTRIES
from comity_schemas.decision import AuthorityCode, End, Ground, Lifted, Measure, SourceCode
from comity_schemas.finding import SchemeCode
from comity_schemas.subject import NameKind
from comity_schemas.wire import PRINTABLE, Wire, text

Phrase = Annotated[str, StringConstraints(max_length=120, pattern=PRINTABLE)]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=60)]
"""Words as the source writes them."""
DecisionKey = Literal["authority", "name", "other_name", "country", "start", "address"]
DATES_IN_A_NOTE = ("{start}", "{end}", "{same_end}")


class DecisionColumns(Wire):
    """Which column holds what; columns that are not named here are never read."""

    name: ColumnName
    start: ColumnName
    end: ColumnName | None = None
    """Without it no end is stated."""
    country: ColumnName
    other_name: ColumnName | None = None
    region: ColumnName | None = None
    authority: ColumnName | None = None
    """Who decided; without it, the one authority of the mapping."""
    origin: ColumnName | None = None
    """Whose decision it is: another authority than who decided makes it a recognition."""
    grounds: ColumnName | None = None
    address: ColumnName | None = None
    order: ColumnName | None = None
    """What kind of order it is, where the register holds several."""
    sources: ColumnName | None = None
    notes: ColumnName | None = None

    def named(self) -> dict[str, str]:
        """Return the columns that are mapped, by what they hold."""
        return dict(self.to_parsed())


class AuthorityForm(Wire):
    """An authority and how the source writes it."""

    code: AuthorityCode
    country: text(20)  # type: ignore[valid-type]
    """An ISO 3166-1 code, or `international`."""
    written: Phrases


class NameMark(Wire):
    """Words that announce another name, in a name or in brackets behind it."""

    kind: NameKind
    words: Phrases


class AlsoSaid(Wire):
    """A note in which another document is quoted with other dates."""

    source: SourceCode
    note: text(200)  # type: ignore[valid-type]
    """The note's words, `{start}` and `{end}` where the other dates stand, `{same_end}` where the row's own does."""

    @model_validator(mode="after")
    def _has_dates(self) -> Self:
        if "{end}" not in self.note or set(re.findall(r"\{\w*\}", self.note)) - set(DATES_IN_A_NOTE):
            raise ValueError(f"a note has {{end}}, and of {', '.join(DATES_IN_A_NOTE)} no other")
        return self


class DecisionMapping(Wire):
    """A whole mapping file for a register of decisions."""

    kind: Literal["decision"]
    title: Sentence
    url: text(500) | None = None  # type: ignore[valid-type]
    scheme: Annotated[SchemeCode, StringConstraints(max_length=30)]
    """The register's code; part of every row's identity, so it never changes."""
    key: Annotated[tuple[DecisionKey, ...], Field(min_length=1, max_length=6)]
    file: FileForm
    columns: DecisionColumns
    dates: DateForms
    source: SourceCode
    """What the register itself is called where another document is quoted."""
    measure: Measure
    measure_why: Sentence
    measures: dict[Measure, Phrases] = Field(default_factory=dict)
    """Words in the column of orders that mean another measure."""
    parsed_only: Sentence | None = None
    """Why nothing of this register is kept or proposed: its rows are read, counted and let go."""
    other_name_separator: Annotated[str, StringConstraints(max_length=1)] | None = None
    authorities: Annotated[tuple[AuthorityForm, ...], Field(min_length=1, max_length=50)]
    recognition_words: Phrases = ()
    """In the column of grounds, before the authority whose decision is recognised."""
    countries: dict[str, Phrases] = Field(default_factory=dict)
    """ISO code to spellings of this source that the one list of countries cannot know; they stay at the node."""
    only_these_countries: bool = False
    """The column holds no names of countries, but states for instance: only the spellings here are read."""
    regions: Words = frozenset()
    """All values of the region's column that may be told."""
    ends: dict[End, Phrases] = Field(default_factory=dict)
    """A cell of the end's column that is no date."""
    ends_by_note: dict[End, Phrases] = Field(default_factory=dict)
    grounds: dict[Ground, Phrases] = Field(default_factory=dict)
    no_grounds: Phrases = ()
    """Names of documents that sound like a ground."""
    every_ground: Annotated[tuple[Ground, ...], Field(max_length=5)] = ()
    lifted_by_note: dict[Lifted, Phrases] = Field(default_factory=dict)
    also_said: Annotated[tuple[AlsoSaid, ...], Field(max_length=20)] = ()
    labour_provider_words: Phrases = ()
    name_marks: Annotated[tuple[NameMark, ...], Field(max_length=10)] = ()
    remark_words: Phrases = ()
    """Begin a bracket behind a name that is no name: a registration number, a limit of the exclusion."""
    persons: Persons

    @model_validator(mode="after")
    def _complete(self) -> Self:
        mapped = self.columns.named()
        missing = [field for field in self.key if field not in mapped and field != "authority"]
        if missing:
            raise ValueError(f"the key needs {missing[0]}, which no column holds")
        if "authority" not in mapped and len(self.authorities) > 1:
            raise ValueError("several authorities need a column that tells which")
        unknown = sorted(set(self.countries) - COUNTRIES)
        unknown += [a.country for a in self.authorities if a.country not in COUNTRIES | {"international"}]
        if unknown:
            raise ValueError(f"{unknown[0]} is not an ISO 3166-1 country code")
        if End.DATE in self.ends or End.DATE in self.ends_by_note:
            raise ValueError("a date needs no words")
        if any("%m" not in form for form in self.dates):
            raise ValueError("a decision's dates need whole days")
        return self


def parse_decision_mapping(toml: str) -> DecisionMapping | None:
    """Return the mapping of a register of decisions; None where the file describes a register of findings.

    Raises:
        MappingRefused: it is not TOML, or says that it is of decisions and is not.
    """
    said = read_toml(toml)
    return mapping_as(DecisionMapping, said) if said.get("kind") == "decision" else None
