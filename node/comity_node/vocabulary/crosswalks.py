"""Crosswalks that come with Comity, and those a member puts into its node's home. A file, without code."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from comity_node.domain.vocabulary import Clause, Crosswalk, CrosswalkRefused, Crosswalks, parse_crosswalk

_BUNDLED = files("comity_node.vocabulary") / "crosswalks"
_MOST_FILES = 200


@cache
def bundled_crosswalks() -> tuple[tuple[str, Crosswalk], ...]:
    """Return the crosswalks that come with Comity, by file name."""
    found = sorted((entry for entry in _BUNDLED.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name)
    return tuple((entry.name, parse_crosswalk(entry.read_text("utf-8"), entry.name)) for entry in found)


def read_crosswalk(path: Path) -> Crosswalk:
    """Return the crosswalk of a file.

    Raises:
        CrosswalkRefused: it is not one, or cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CrosswalkRefused(str(path), line, "it is not UTF-8 text") from error
    except OSError as error:
        raise CrosswalkRefused(str(path), 1, f"it cannot be read: {error.strerror}") from error
    return parse_crosswalk(text, str(path))


def crosswalks_with(folder: Path | None) -> Crosswalks:
    """Return the bundled crosswalks and those of a folder; a broken file is refused, the others are used."""
    found: list[tuple[str, Crosswalk]] = [*bundled_crosswalks()]
    refused: list[CrosswalkRefused] = []
    for path in _files_of(folder):
        try:
            found.append((str(path), read_crosswalk(path)))
        except CrosswalkRefused as error:
            refused.append(error)
    return Crosswalks.of(found, refused)


def describe_crosswalk(origin: str, crosswalk: Crosswalk) -> dict[str, Any]:
    """Return what a crosswalk is, without its clauses."""
    ours = any(crosswalk is each for _, each in bundled_crosswalks())
    return {
        "scheme": crosswalk.scheme,
        "versions": list(crosswalk.versions),
        "title": crosswalk.title,
        "publisher": crosswalk.publisher,
        "superseded_by": crosswalk.superseded_by,
        "incomplete": crosswalk.incomplete,
        "reviewed": crosswalk.reviewed,
        "origin": "comity" if ours else Path(origin).name,
        "clauses": len(crosswalk.clause),
    }


def describe_clause(crosswalk: Crosswalk, row: Clause) -> dict[str, Any]:
    """Return one clause with its source in words."""
    return {
        "clause": row.clause,
        "title": row.title,
        "indicators": {code: how.value for code, how in row.indicators.items()},
        "note": row.note,
        "source": crosswalk.sources[row.source],
    }


def _files_of(folder: Path | None) -> list[Path]:
    return sorted(folder.glob("*.toml"))[:_MOST_FILES] if folder is not None and folder.is_dir() else []
