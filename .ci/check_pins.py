"""Fails when the hash-pinned requirement files no longer cover what pyproject.toml asks for.

Every dependency must have a pin that satisfies it, the pins that run must be the pins that are tested, and no file may
name an index or a place of the machine it was made on. The remedy is always `bash .ci/requirements`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent


def pins(name: str) -> dict[str, str]:
    """The pinned version of each package in a requirement file."""
    text = (CHECKOUT / name).read_text()
    return {canonicalize_name(package): version for package, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", text)}


def uncovered(asked: list[str], pinned: dict[str, str], name: str) -> Iterator[str]:
    """The requirements that a file does not satisfy."""
    for text in asked:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{name} has no {requirement.name}"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{name} has {requirement.name} {version}, pyproject.toml asks for {requirement.specifier}"


def unpinned(name: str) -> Iterator[str]:
    """The lines that are neither a pin with hashes nor a hash, such as an index address or a path."""
    for number, line in enumerate((CHECKOUT / name).read_text().splitlines(), start=1):
        if not re.fullmatch(r"[\w.-]+==[^\s;]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            yield f"{name}:{number} is neither a pin nor its hash: {line}"


def faults() -> Iterator[str]:
    """All that is wrong with the requirement files, one sentence each."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    run, development, build = (pins(f"requirements{kind}.txt") for kind in ("", "-dev", "-build"))
    asked = project["project"]["dependencies"]
    yield from uncovered(asked, run, "requirements.txt")
    yield from uncovered(asked + project["dependency-groups"]["dev"], development, "requirements-dev.txt")
    yield from uncovered(project["build-system"]["requires"], build, "requirements-build.txt")
    for name, version in (*run.items(), *build.items()):
        if development.get(name, version) != version:
            yield f"{name} is {version} where it runs and {development[name]} where it is tested"
    for path in (*CHECKOUT.glob("requirements*.txt"), *CHECKOUT.glob("deploy/*/requirements.txt")):
        yield from unpinned(str(path.relative_to(CHECKOUT)))


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found) or "all dependencies are pinned")
    sys.exit(f"{len(found)} faults; the remedy: bash .ci/requirements" if found else 0)
