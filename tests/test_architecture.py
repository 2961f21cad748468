"""Rules of the house that no linter knows, each with its reason and a bad sample that it must catch."""

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

import comity_federation
import comity_node
import comity_schemas
from comity_schemas.errors import ComityError

CHECKOUT = Path(__file__).parent.parent
PACKAGES = (comity_schemas, comity_federation, comity_node)

LONGEST_FUNCTION = 60
LONGEST_MODULE = 480
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "handler", "managers", "handlers"})

WHY = {
    "long function": f"longer than {LONGEST_FUNCTION} lines: keep the tail short, and the rest follows",
    "long module": f"longer than {LONGEST_MODULE} lines: one concept a file",
    "empty name": "this name says nothing, so anything ends up in it; name what it holds",
    "second copy": "this import works from the checkout only, and makes a second copy of every class",
    "no code": "callers switch on an error's code: each class needs its own, in the class itself",
    "odd code": "a code is lower-case words with hyphens, parts divided by dots: it is stable and machine-readable",
    "shared code": "two classes with one code cannot be told apart by whoever switches on it",
    "no docstring": "an error's first line says what a caller is told and can do about it",
}


def sources() -> list[Path]:
    """Every Python file that is shipped."""
    found = [path for folder in ("schemas", "federation", "node") for path in (CHECKOUT / folder).rglob("*.py")]
    return [path for path in found if "__pycache__" not in path.parts]


def is_migration(path: Path) -> bool:
    return "migrations" in path.parts


def long_functions(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name}, {lines} lines: {WHY['long function']}"


def long_module(code: str) -> Iterator[str]:
    lines = len(code.splitlines())
    if lines > LONGEST_MODULE:
        yield f"{lines} lines: {WHY['long module']}"


def empty_names(path: Path) -> Iterator[str]:
    for part in (*path.parent.parts, path.stem):
        if EMPTY_NAMES & set(part.split("_")):
            yield f"{part}: {WHY['empty name']}"


def second_copies(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        for module in modules:
            if re.match(r"(node|federation|schemas)(\.|$)", module):
                yield f"line {node.lineno}, {module}: {WHY['second copy']}"
                break


def wrong_errors(classes: Iterable[type[ComityError]]) -> Iterator[str]:
    classes = list(classes)
    owned = {cls: vars(cls).get("code") for cls in classes}
    shared = {code for code, count in Counter(owned.values()).items() if count > 1 and code is not None}
    for cls, code in owned.items():
        if code is None:
            yield f"{cls.__name__}: {WHY['no code']}"
        elif not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*", code):
            yield f"{cls.__name__}, {code!r}: {WHY['odd code']}"
        if code in shared:
            yield f"{cls.__name__}, {code!r}: {WHY['shared code']}"
        if not (vars(cls).get("__doc__") or "").strip():
            yield f"{cls.__name__}: {WHY['no docstring']}"


def error_classes(root: type[ComityError] = ComityError) -> set[type[ComityError]]:
    found = {root}
    for cls in root.__subclasses__():
        found |= error_classes(cls)
    return found


def all_modules() -> list[ModuleType]:
    """Import every module of ours, so that no error class stays unseen. Alembic's env.py runs only under Alembic."""
    names = [m.name for p in PACKAGES for m in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")]
    return [importlib.import_module(name) for name in names if not name.endswith("migrations.env")]


def of_files(paths: Iterable[Path], rule: str) -> list[str]:
    checks = {"long function": long_functions, "long module": long_module, "second copy": second_copies}
    return [
        f"{path.relative_to(CHECKOUT)}: {fault}"
        for path in paths
        for fault in checks[rule](path.read_text(encoding="utf-8"))
    ]


# --- the rules hold


def test_no_function_is_long() -> None:
    paths = [path for path in sources() if not is_migration(path)]
    assert of_files([*paths, *(CHECKOUT / "tests").rglob("*.py")], "long function") == []


def test_no_module_is_long() -> None:
    assert of_files([path for path in sources() if not is_migration(path)], "long module") == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [fault for path in sources() for fault in empty_names(path.relative_to(CHECKOUT))] == []


def test_nothing_is_imported_from_the_checkout_by_its_folder() -> None:
    paths = [*sources(), *(CHECKOUT / "tests").rglob("*.py"), *(CHECKOUT / "deploy").rglob("*.py")]
    assert of_files(paths, "second copy") == []


def test_every_error_has_a_code_of_its_own_and_says_what_it_means() -> None:
    all_modules()
    ours = {cls for cls in error_classes() if cls.__module__.startswith("comity_")}
    assert len(ours) > 30
    assert sorted(wrong_errors(ours)) == []


def test_the_rules_look_at_all_of_the_code() -> None:
    names = {module.__name__ for module in all_modules()}
    files = {path for path in sources() if path.name != "__init__.py"}
    assert {"comity_node.db.rows.bus", "comity_federation.decide", "comity_schemas.finding"} <= names
    assert len(files) > 80
    # A folder without __init__.py would be walked over in silence.
    stems = {".".join(path.relative_to(CHECKOUT).parts[1:]).removesuffix(".py") for path in files}
    assert sorted(s for s in stems - names if not s.endswith(".env") and ".versions.0" not in s) == []


# --- each rule catches its own bad sample


def test_a_function_of_61_lines_is_caught_and_one_of_60_is_not() -> None:
    sample = "async def settle():\n" + "    x = 1\n" * LONGEST_FUNCTION
    assert list(long_functions(sample)) == [f"settle, 61 lines: {WHY['long function']}"]
    assert list(long_functions(sample.removesuffix("    x = 1\n"))) == []


def test_a_method_inside_a_class_is_a_function_too() -> None:
    sample = "class A:\n    def settle(self):\n" + "        x = 1\n" * LONGEST_FUNCTION
    assert len(list(long_functions(sample))) == 1


def test_a_module_of_481_lines_is_caught_and_one_of_480_is_not() -> None:
    assert list(long_module("x = 1\n" * (LONGEST_MODULE + 1))) == [f"481 lines: {WHY['long module']}"]
    assert list(long_module("x = 1\n" * LONGEST_MODULE)) == []


@pytest.mark.parametrize(
    "path", ["node/comity_node/utils.py", "node/comity_node/common/names.py", "node/comity_node/bus_handler.py"]
)
def test_a_name_that_says_nothing_is_caught(path: str) -> None:
    assert len(list(empty_names(Path(path)))) == 1


def test_a_name_that_says_something_is_not_caught() -> None:
    assert list(empty_names(Path("node/comity_node/domain/commonwealth.py"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "import node.comity_node",
        "import node.comity_node.db as db",
        "from node.comity_node import db",
        "from federation import comity_federation",
        "import schemas",
    ],
)
def test_an_import_by_folder_is_caught(line: str) -> None:
    assert list(second_copies(f"import os\n\n{line}\n")) != []


@pytest.mark.parametrize("line", ["import comity_node", "from . import node", "from comity_node.wiring.node import N"])
def test_an_import_of_the_package_is_not_caught(line: str) -> None:
    assert list(second_copies(line)) == []


class _Good(Exception):  # not a ComityError, so that the walk above never meets it
    """Says what."""

    code: ClassVar[str] = "sample.good"


class _Inherits(_Good):
    """Has the code of another."""


class _Shares(_Good):
    """Repeats the code of another."""

    code: ClassVar[str] = "sample.good"


class _Odd(_Good):
    """Has a code with blanks."""

    code: ClassVar[str] = "Sample Odd"


class _Silent(_Good):
    code: ClassVar[str] = "sample.silent"


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        ([_Good, _Inherits], "no code"),
        ([_Good, _Shares], "shared code"),
        ([_Odd], "odd code"),
        ([_Silent], "no docstring"),
    ],
)
def test_a_wrong_error_class_is_caught(sample: list[type[ComityError]], why: str) -> None:
    assert [fault for fault in wrong_errors(sample) if fault.endswith(WHY[why])] != []


def test_a_right_error_class_is_not_caught() -> None:
    assert list(wrong_errors([_Good])) == []  # type: ignore[list-item]
