"""The crosswalk file: which indicators the clauses of one scheme propose, and on what that rests. Data, no code.

A file is closed: an unknown key is a mistake, not a remark. Every row names its source.
"""

import re
import tomllib
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from comity_schemas import finding
from comity_schemas.errors import ComityError
from comity_schemas.finding import SchemeCode
from comity_schemas.indicators import Basis, CrosswalkOnly, Indicator
from comity_schemas.wire import PRINTABLE, Wire

MAX_CHARACTERS = 1_000_000
"""Largest crosswalk file accepted."""

Code = Indicator | CrosswalkOnly


class CrosswalkRefused(ComityError):
    """The crosswalk file is not one; nothing of it is used. `line` counts from 1."""

    code: ClassVar[str] = "crosswalk.refused"

    def __init__(self, file: str, line: int, reason: str) -> None:
        """Say which file, where and why."""
        super().__init__(f"{file}, line {line}: {reason}. Nothing of this file is used")
        self.file = file
        self.line = line
        self.reason = reason


class Proposed(StrEnum):
    """How a clause and an indicator hang together."""

    STATED = "stated"
    """The clause itself names the practice."""
    INFERRED = "inferred"
    """It follows from what the clause asks for, and is named by no word of it."""
    NOT_ASSESSED = "not assessed"
    """Somebody could think so, but an audit of this clause does not look for it: never proposed."""


def code_of(text: str) -> Code:
    """Return the code that a text names.

    Raises:
        ValueError: there is no such code.
    """
    for kind in (Indicator, CrosswalkOnly):
        if text in {code.value for code in kind}:
            return kind(text)
    raise ValueError(f"{text} is no code of the vocabulary; `comity indicators` lists them")


def _known(text: str) -> str:
    return code_of(text).value


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000, pattern=PRINTABLE), BeforeValidator(_one_line)
]
CodeText = Annotated[str, AfterValidator(_known)]
ClauseCode = Annotated[str, StringConstraints(pattern=finding.CLAUSE)]
ActCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,9}$")]
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Clause(Wire):
    """One clause of a scheme."""

    clause: ClauseCode
    title: Sentence
    indicators: dict[CodeText, Proposed]
    """Code to how it hangs together with the clause; empty where the clause proposes nothing."""
    note: Sentence | None = None
    """Why, where the title does not tell."""
    source: SourceName
    """One of the file's sources."""

    @property
    def proposed(self) -> dict[Indicator, Basis]:
        """What a person may pick under this clause: never what only the crosswalk knows."""
        return {
            Indicator(code): Basis(how.value)
            for code, how in self.indicators.items()
            if how is not Proposed.NOT_ASSESSED and isinstance(code_of(code), Indicator)
        }


class Crosswalk(Wire):
    """A whole crosswalk file: one scheme in the versions that number their clauses alike."""

    scheme: SchemeCode
    versions: Annotated[tuple[SchemeCode, ...], Field(min_length=1, max_length=20)]
    """How reports write the version; the first is the one to use."""
    title: Sentence
    publisher: Sentence
    superseded_by: SchemeCode | None = None
    incomplete: Sentence | None = None
    """What is missing of the scheme."""
    reviewed: bool
    """False until a person who knows the scheme has checked the file."""
    sources: Annotated[dict[SourceName, Sentence], Field(min_length=1)]
    written: dict[Sentence, ActCode] = Field(default_factory=dict)
    """For laws: how an Act is written in the register, and what its articles' codes begin with."""
    details: tuple[Sentence, ...] = ()
    """For laws: regulations under an Act, whose articles only detail the Act's."""
    clause: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=2_000)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: set[str] = set()
        for row in self.clause:
            if row.source not in self.sources:
                raise ValueError(f"clause {row.clause} names the source {row.source!r}, which the file does not list")
            if row.clause.casefold() in seen:
                raise ValueError(f"clause {row.clause} stands there twice")
            seen.add(row.clause.casefold())
        return self

    def find(self, clause: str) -> Clause | None:
        """Return the clause of this code."""
        return next((row for row in self.clause if row.clause.casefold() == clause.casefold()), None)


def parse_crosswalk(text: str, file: str) -> Crosswalk:
    """Return the crosswalk that a file holds.

    Raises:
        CrosswalkRefused: it is not TOML or not a crosswalk; with line and reason.
    """
    if len(text) > MAX_CHARACTERS:
        raise CrosswalkRefused(file, 1, f"it is longer than {MAX_CHARACTERS} characters")
    try:
        return Crosswalk.from_parsed(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = int(line[1]) if line else text.count("\n") + 1
        raise CrosswalkRefused(file, number, f"it is not TOML: {str(error).partition(' (at')[0].lower()}") from error
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        # A misspelt key is two errors: the one that is missing, and the one that says which it is.
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        loc = [part for part in first["loc"] if part != "[key]"]
        raise CrosswalkRefused(file, _line_of(text, loc, first["msg"]), _reason(loc, first)) from error
    except TypeError as error:
        raise CrosswalkRefused(file, 1, "a date or time stands unquoted; a crosswalk has none") from error


def _line_of(text: str, loc: list[int | str], message: str) -> int:
    """Return the line of a key, as far as it can be found; else of the clause it belongs to, else the first."""
    lines = text.splitlines()
    begin, end, key = 0, len(lines), ""
    if loc[:1] == ["clause"] and len(loc) > 1:
        heads = [number for number, line in enumerate(lines) if line.strip() == "[[clause]]"]
        if int(loc[1]) < len(heads):
            begin = heads[int(loc[1])]
            end = next((number for number in heads if number > begin), len(lines))
        key = str(loc[2]) if len(loc) > 2 else ""
    elif loc:
        key = str(loc[0])
    elif named := re.search(r"clause (\S+)", message):
        # The last of two clauses with one code is the one too many.
        found = [n for n, line in enumerate(lines) if re.match(rf'clause\s*=\s*["\']{re.escape(named[1])}["\']', line)]
        return found[-1] + 1 if found else 1
    for number in range(begin, end):
        if key and re.match(rf"\[*{re.escape(key)}\]*\s*(=|$)", lines[number].strip()):
            return number + 1
    return begin + 1


def _reason(loc: list[int | str], found: object) -> str:
    assert isinstance(found, dict)
    message = str(found["msg"]).removeprefix("Value error, ")
    keys = [str(part) for part in loc if not isinstance(part, int)]
    where = ".".join(keys)
    if found["type"] == "extra_forbidden":
        return f"no such key is known: {keys[-1]}"
    if found["type"] == "missing":
        return f"{keys[-1]} is missing"
    given = f": {found['input'][:60]!r}" if isinstance(found["input"], str) and found["type"] != "value_error" else ""
    return f"{where}: {message}{given}" if where else message
