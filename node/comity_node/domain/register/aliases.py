"""Names out of a name: registers write aliases into it, behind words, in quotes and in brackets.

What is in doubt stays part of the name as it is written: a bracket in the middle belongs to it, and so does one that
is neither quoted, nor an abbreviation, nor made of the name's own words (`Sucursal (Panamá)` is a place).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from comity_node.domain.spelling import plain
from comity_schemas.subject import Name, NameKind

_BRACKET = re.compile(r"\s*\((?P<inner>[^()]*(?:\([^()]*\)[^()]*)*)\)\s*[.,;]?\s*(?:\*?\d{1,4})?\s*$")
_FOOTNOTE = re.compile(r"\s*(?:,\s*)?\*?\s*\d{3}\s*$|\s*\*\d{1,4}\s*$")
_OPEN_BRACKET = re.compile(r"\s*\([^()]*$")
_QUOTES = "\"'“”„‘’«»[] "
_QUOTED = re.compile(r"^\s*[\"'“„‘«](?P<name>.+?)[\"'”“’»]\s*$")
_EDGE = " ,;:/-–"


@dataclass(frozen=True)
class NameReading:
    """How a register announces other names."""

    marks: Sequence[tuple[NameKind, str]]
    remarks: Sequence[str]

    @cached_property
    def kinds(self) -> dict[str, NameKind]:
        """What each mark announces."""
        return {plain(word): kind for kind, word in self.marks}

    @cached_property
    def mark(self) -> re.Pattern[str] | None:
        """Any of the marks as a word of its own, the longer ones first."""
        words = sorted(self.kinds, key=len, reverse=True)
        return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})(?![^\W_])") if words else None

    @cached_property
    def remark_beginnings(self) -> tuple[str, ...]:
        """How a remark begins."""
        return tuple(map(plain, self.remarks))


def read_names(written: str, reading: NameReading) -> list[Name]:
    """Return the name and its aliases, the name first; empty where nothing is left of it."""
    rest, found = written, list[Name]()
    while (match := _BRACKET.search(rest)) is not None and match.start() > 0:
        aliases = _bracket(match["inner"], rest[: match.start()], reading)
        if aliases is None:
            break
        found += aliases
        rest = rest[: match.start()]
    if _OPEN_BRACKET.search(rest) and _OPEN_BRACKET.sub("", rest).strip(_EDGE):
        # The source cut the name off.
        rest = _OPEN_BRACKET.sub("", rest)
    name, behind = _at_mark(rest, reading)
    for kind, alias in behind:
        found += [Name(text=each, kind=kind) for each in _several(alias)]
    main = name.strip(_EDGE)
    # A blank of any kind is no name, such as the one that spreadsheets do not break a line at.
    kept = [Name(text=main)] if main.strip() else []
    for each in found:
        if each.text.strip() and plain(each.text) not in {plain(name.text) for name in kept}:
            kept.append(each)
    return kept


def read_other_name(written: str, reading: NameReading) -> list[Name]:
    """Return the names in a column of other names: in brackets that follow each other, or as in a name."""
    rest = _FOOTNOTE.sub("", written).strip()
    if not any(c.isalpha() for c in rest) or _is_remark(rest, reading):
        return []
    if not rest.startswith("("):
        return read_names(rest, reading)
    inside = re.findall(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)", rest)
    return [name for inner in inside for name in _bracket(inner, "", reading) or []]


def _bracket(inner: str, before: str, reading: NameReading) -> list[Name] | None:
    """Return the names in a bracket; empty where it is a remark, None where it belongs to the name."""
    if not inner.strip(_QUOTES + _EDGE) or _is_remark(inner, reading):
        return []
    outside, behind = _at_mark(inner, reading)
    if behind and not outside.strip(_EDGE):
        return [Name(text=each, kind=kind) for kind, alias in behind for each in _several(alias)]
    quoted = _QUOTED.match(inner)
    alias = inner.strip(_QUOTES)
    own_words = set(re.findall(r"\w+", plain(before)))
    repeats = bool(before) and set(re.findall(r"\w+", plain(alias))) <= own_words
    if quoted or repeats or not before or _abbreviates(alias, before):
        return [Name(text=alias, kind=NameKind.TRADING)]
    return None


def _abbreviates(alias: str, name: str) -> bool:
    """Tell whether a word in capitals stands for the name: in a name without capitals, or as some of its initials."""
    if " " in alias or alias != alias.upper() or not any(c.isalpha() for c in alias):
        return False
    if name != name.upper():
        return True
    initials = iter(word[0] for word in re.findall(r"\w+", plain(name)))
    return len(alias) > 1 and all(any(c == letter for c in initials) for letter in plain(alias))


def _is_remark(inner: str, reading: NameReading) -> bool:
    return plain(inner).strip(_QUOTES).startswith(reading.remark_beginnings)


def _at_mark(written: str, reading: NameReading) -> tuple[str, list[tuple[NameKind, str]]]:
    """Cut a name at the words that announce others; return what stands before, and the others."""
    folded = plain(written)
    # A letter that folds to two would cut at the wrong place: such a name stays whole.
    hits = list(reading.mark.finditer(folded)) if reading.mark and len(folded) == len(written) else []
    if not hits:
        return written, []
    others = []
    for hit, end in zip(hits, [*(hit.start() for hit in hits[1:]), len(written)], strict=True):
        others.append((reading.kinds[hit[0]], written[hit.end() : end].strip(_QUOTES + _EDGE)))
    return written[: hits[0].start()], [(kind, alias) for kind, alias in others if alias]


def _several(alias: str) -> list[str]:
    return [part.strip(_QUOTES + _EDGE) for part in re.split(r"\s+or\s+|;", alias) if part.strip(_QUOTES + _EDGE)]
