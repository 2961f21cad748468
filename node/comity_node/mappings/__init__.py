"""Mappings that come with Comity, and where others are found. A member adds one as a file, without code."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from comity_node.domain.register import (
    DecisionMapping,
    Gazetteer,
    MappingRefused,
    Register,
    parse_decision_mapping,
    parse_mapping,
)
from comity_node.domain.vocabulary import Crosswalk, CrosswalkUnknown
from comity_node.vocabulary import crosswalks_with

_BUNDLED = files(__name__)


def bundled_mappings() -> list[str]:
    """Return the names of the mappings that come with Comity."""
    return sorted(entry.name.removesuffix(".toml") for entry in _BUNDLED.iterdir() if entry.name.endswith(".toml"))


def mapping_text(name_or_path: str) -> str:
    """Return the text of a bundled mapping, or of a mapping file.

    Raises:
        MappingRefused: there is none, or it is no UTF-8 text.
    """
    if name_or_path in bundled_mappings():
        return (_BUNDLED / f"{name_or_path}.toml").read_text("utf-8")
    try:
        return Path(name_or_path).read_text("utf-8-sig")
    except FileNotFoundError as error:
        known = ", ".join(bundled_mappings())
        raise MappingRefused(name_or_path, f"no such file, and no mapping of that name; known are {known}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MappingRefused(name_or_path, "the file cannot be read as UTF-8 text") from error


def find_register(name_or_path: str) -> Register:
    """Return the register of a bundled mapping's name or of a mapping file's path.

    Raises:
        MappingRefused: there is none, or it is not a mapping.
    """
    return register_of(mapping_text(name_or_path))


def read_register(mapping: str) -> Register | DecisionMapping:
    """Return what a mapping's text describes: a register of findings, or one of decisions.

    Raises:
        MappingRefused: it is neither.
    """
    return parse_decision_mapping(mapping) or register_of(mapping)


def register_of(mapping: str) -> Register:
    """Return the register of a mapping's text.

    Raises:
        MappingRefused: it is not a mapping, or the gazetteer it names does not come with Comity.
    """
    return parse_mapping(mapping, _gazetteer_named, _crosswalk_of)


def _crosswalk_of(scheme: str, version: str) -> Crosswalk:
    try:
        return crosswalks_with(None).scheme(scheme, version)
    except CrosswalkUnknown as error:
        raise ValueError(str(error)) from error


@cache
def _gazetteer_named(name: str) -> Gazetteer:
    file = _BUNDLED / f"{name}.tsv"
    if not file.is_file():
        raise ValueError(f"no gazetteer of that name comes with Comity: {name}")
    return Gazetteer.read(file.read_text("utf-8"))
