"""What a local server needs from the network, fetched once into the user's cache.

The rules:

- Only what a pin file of this checkout names, with its hash, is ever used.
- Nothing is found half fetched: everything is made under another name, or counts only with its stamp.
- Two first starts at the same time fetch once: a lock of the kernel, so that a crash leaves none behind.
- Progress goes to stderr: a bar on a terminal, else one line a stage. stdout stays clean.

Standard library only: this runs before anything is installed.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

BAR_WIDTH = 28
"""Characters between the brackets of the progress bar."""


class CannotStart(Exception):
    """A local server cannot start. The text says why and what to do, for the person at the terminal."""


def cache_directory() -> Path:
    """The user's cache for Comity: ``COMITY_CACHE``, else below ``XDG_CACHE_HOME``, else ``~/.cache/comity``."""
    if own := os.environ.get("COMITY_CACHE"):
        return Path(own).expanduser().absolute()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).absolute() / "comity"
    return Path.home() / ".cache" / "comity"


class Progress:
    """One stage of fetching, shown on stderr while it lasts."""

    def __init__(self, title: str, steps: int) -> None:
        self._title = title
        self._steps = max(steps, 1)
        self._done = 0
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Show the stage as begun."""
        if self._is_terminal:
            self._draw()
        else:
            print(f"{self._title} ...", file=sys.stderr, flush=True)
        return self

    def step(self) -> None:
        """Count one more piece as fetched."""
        self._done = min(self._done + 1, self._steps)
        if self._is_terminal:
            self._draw()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar: full if the stage ended well, as it stands if not."""
        if self._is_terminal:
            if error is None:
                self._done = self._steps
                self._draw()
            print(file=sys.stderr, flush=True)

    def _draw(self) -> None:
        filled = BAR_WIDTH * self._done // self._steps
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        print(f"\r{self._title} [{bar}] {self._done}/{self._steps}", end="", file=sys.stderr, flush=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cache's lock of this name, waiting for whoever has it.

    Raises:
        CannotStart: the cache cannot be written.
    """
    path = cache_directory() / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise CannotStart(
            f"the cache {path.parent} cannot be written ({error.strerror}). Name another directory in COMITY_CACHE."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another start is fetching {name}; waiting for it ...", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(content: bytes | Path) -> str:
    """The SHA-256 of these bytes or of this file, as hexadecimal digits."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private_python(name: str, requirements: Path) -> Path:
    """The Python of a virtual environment in the cache that holds exactly these hash-pinned packages.

    It is made when it is not there yet. Its directory is named after the pins and the machine, so that another
    checkout with other pins finds its own.

    Raises:
        CannotStart: Python lacks ``venv``, or the packages cannot be had.
    """
    pins = requirements.read_bytes()
    key = digest(pins + platform.machine().encode())[:12]
    place = cache_directory() / f"{name}-python-{key}"
    python, stamp = place / "bin" / "python", place / "complete"
    with locked(name):
        if not (stamp.exists() and python.exists()):
            shutil.rmtree(place, ignore_errors=True)
            with Progress(f"fetching the packages of {name}", pins.count(b"==")) as progress:
                _make_environment(place)
                _install(python, requirements, progress.step)
            stamp.touch()
    return python


def _make_environment(place: Path) -> None:
    making = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "venv", str(place)], capture_output=True, text=True, check=False
    )
    if making.returncode:
        raise CannotStart(
            f"{sys.executable} cannot make a virtual environment in {place}. Install its venv module "
            f"(on Debian and Ubuntu: apt install python3-venv). It said: {_last_line(making.stdout + making.stderr)}"
        )


def _install(python: Path, requirements: Path, on_package: Callable[[], None]) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements)]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if line.startswith("Collecting "):
                on_package()
    if pip.returncode == 0:
        return
    text = "".join(said)
    if "connection broken by" in text or "Could not fetch URL" in text:
        raise CannotStart(
            "the packages could not be downloaded: the package index does not answer. Check the network "
            "(or pip's proxy and index settings) and start again."
        )
    if "DO NOT MATCH THE HASHES" in text:
        raise CannotStart(
            f"a downloaded package is not the one pinned in {requirements}, so nothing was installed. Empty pip's "
            "cache (pip cache purge) and start again; if it stays, do not trust that index."
        )
    raise CannotStart(f"pip could not install {requirements}: {_last_line(text)}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1]
