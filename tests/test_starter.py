"""The starter `./comity`, on small checkouts of their own: a package of a few lines, served from a directory.

Everything is real (Python, venv, pip, hashes) but the size of what is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import servers

TOOLS = ["sh", "dirname", "readlink", "cksum", "cat", "rm", "grep", "tail", "sed", "ls"]

BACKEND = """
import pathlib, zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    entry = {"METADATA": "Metadata-Version: 2.1\\nName: comity\\nVersion: 1.0\\n",
             "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
             "entry_points.txt": "[console_scripts]\\ncomity = comity_stub:main\\n", "RECORD": ""}
    name = "comity-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        wheel.writestr("comity_stub.pth", str(pathlib.Path.cwd()))
        for file, text in entry.items():
            wheel.writestr("comity-1.0.dist-info/" + file, text)
    return name
"""
STUB = """
import os, sys, tiny
def main():
    print("args", sys.argv[1:], "checkout", os.environ["COMITY_CHECKOUT"])
"""


def make_tiny_wheel(directory: Path, version: str) -> str:
    """Write a package of one empty module into the directory and give its pinned requirement."""
    directory.mkdir(exist_ok=True)
    wheel = directory / f"tiny-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("tiny.py", f"version = {version!r}\n")
        content.writestr(
            f"tiny-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        )
        content.writestr(
            f"tiny-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        content.writestr(f"tiny-{version}.dist-info/RECORD", "")
    return f"tiny=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class Checkout:
    """A small checkout with a copy of the real starter."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.wheels = place.parent / "wheels"  # pip splits this setting at spaces
        place.mkdir()
        shutil.copy(servers.CHECKOUT / "comity", place / "comity")
        pin = make_tiny_wheel(self.wheels, "1.0")
        for kind in ("", "-dev", "-build"):
            (place / f"requirements{kind}.txt").write_text(pin)
        (place / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "comity"\nversion = "1.0"\n'
        )
        (place / "backend.py").write_text(BACKEND)
        (place / "comity_stub.py").write_text(STUB)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "COMITY_"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
        }

    def start(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the starter to its end."""
        return subprocess.run(
            [self.place / "comity", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout that was never started, at a place with a space in its name."""
    return Checkout(tmp_path / "a checkout")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that was started once."""
    checkout = Checkout(tmp_path_factory.mktemp("started") / "checkout")
    first = checkout.start("first")
    assert first.returncode == 0, first.stderr
    return checkout


def shim(directory: Path, before: str) -> str:
    """A PATH with nothing but the starter's tools and a python3 that runs these statements first."""
    directory.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (directory / tool).symlink_to(found)
    code = f"import sys; {before}; code = sys.argv.pop(1); exec(code)"
    (directory / "python3").write_text(
        f'#!/bin/sh\n[ "$1" != -c ] || exec "{sys.executable}" -c "{code}" "$2"\nexec "{sys.executable}" "$@"\n'
    )
    (directory / "python3").chmod(0o755)
    return str(directory)


def test_the_first_start_installs_and_hands_everything_over(checkout: Checkout) -> None:
    first = checkout.start("screen", "Acme Ltd", "--json")
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"args ['screen', 'Acme Ltd', '--json'] checkout {checkout.place}\n"
    assert "installing the packages of requirements.txt" in first.stderr


def test_the_second_start_is_quick_and_runs_no_pip(started: Checkout) -> None:
    pip = started.place / ".venv" / "bin" / "python"
    before = (started.place / ".venv" / "install.log").stat().st_mtime_ns
    began = time.monotonic()
    second = started.start("again", PATH=f"{started.environment['PATH']}")
    elapsed = time.monotonic() - began
    bare = time.monotonic()
    subprocess.run([pip, "-c", "import comity_stub"], check=True)
    bare = time.monotonic() - bare
    assert second.stdout.startswith("args ['again']")
    assert second.stderr == ""
    assert (started.place / ".venv" / "install.log").stat().st_mtime_ns == before
    assert elapsed - bare < 0.5


def test_it_starts_through_a_symbolic_link_from_elsewhere(started: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "comity"
    link.symlink_to(started.place / "comity")
    outcome = subprocess.run(
        [link, "x"], env=started.environment, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert outcome.stdout == f"args ['x'] checkout {started.place}\n"


def test_changed_pins_are_installed_at_the_next_start(checkout: Checkout) -> None:
    checkout.start()
    pin = make_tiny_wheel(checkout.wheels, "2.0")
    for kind in ("", "-dev", "-build"):
        (checkout.place / f"requirements{kind}.txt").write_text(pin)
    assert checkout.start().returncode == 0
    script = "import tiny; print(tiny.version)"
    installed = subprocess.run(
        [checkout.place / ".venv" / "bin" / "python", "-c", script], capture_output=True, text=True, check=True
    )
    assert installed.stdout == "2.0\n"


def test_an_interrupted_installation_is_repaired(checkout: Checkout) -> None:
    # What a kill in the middle leaves: a .venv without its stamp, with half a package.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout.place / ".venv"], check=True)
    outcome = checkout.start("after")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("args ['after']")


def test_a_moved_checkout_is_installed_anew(checkout: Checkout, tmp_path: Path) -> None:
    checkout.start()
    moved = checkout.place.rename(tmp_path / "moved")
    checkout.place = moved
    outcome = checkout.start("x")
    assert outcome.stdout == f"args ['x'] checkout {moved}\n"


def test_two_first_starts_at_once_install_once(checkout: Checkout) -> None:
    both = [
        subprocess.Popen(
            [checkout.place / "comity", str(number)],
            env=checkout.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("installing the packages" in stderr for _, stderr in said) == 1
    assert sum("waiting for it" in stderr for _, stderr in said) == 1


def test_a_too_old_python_is_said_with_the_remedy(checkout: Checkout, tmp_path: Path) -> None:
    path = shim(tmp_path / "bin", "sys.version_info = (3, 10, 14)")
    outcome = checkout.start(PATH=path)
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert "Python 3.11 or newer is needed" in outcome.stderr
    assert "apt install python3" in outcome.stderr
    assert not (checkout.place / ".venv").exists()


def test_a_missing_venv_module_is_said_with_the_remedy(checkout: Checkout, tmp_path: Path) -> None:
    # As on Debian without python3-venv. The interpreter asked is the base one, so that one must be the shim.
    shimmed = tmp_path / "bin"
    path = shim(shimmed, f"sys._base_executable = '{shimmed}/python3'; sys.modules['ensurepip'] = None")
    outcome = checkout.start(PATH=path)
    assert outcome.returncode == 1
    assert "has no venv module" in outcome.stderr
    assert "apt install python3-venv" in outcome.stderr
    assert not (checkout.place / ".venv").exists()


def test_a_checkout_that_cannot_be_written_is_told_in_words(checkout: Checkout) -> None:
    pins = checkout.place / "requirements.txt"
    pins.unlink()
    pins.mkdir()  # Nobody can open it for writing, root neither.
    refused = checkout.start("anything")
    assert refused.returncode == 1
    assert "where .venv belongs. Use a checkout of your own." in refused.stderr


def test_no_network_is_said_with_the_remedy_and_cured_by_the_next_start(checkout: Checkout) -> None:
    nowhere = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "PIP_RETRIES": "1"}
    outcome = checkout.start(**nowhere)
    assert outcome.returncode == 1
    assert "the package index does not answer. Check the network" in outcome.stderr
    assert checkout.start().returncode == 0


def test_a_package_with_another_hash_is_not_installed(checkout: Checkout) -> None:
    other = "0" * 64
    for kind in ("", "-dev", "-build"):
        (checkout.place / f"requirements{kind}.txt").write_text(f"tiny==1.0 --hash=sha256:{other}\n")
    outcome = checkout.start()
    assert outcome.returncode == 1
    assert "a downloaded package is not the pinned one" in outcome.stderr
    assert not list((checkout.place / ".venv").glob("lib/python3*/site-packages/tiny*"))


def test_bench_runs_benchmarks_by_name_with_the_options_given(started: Checkout) -> None:
    benchmarks = started.place / "tests" / "bench"
    benchmarks.mkdir(parents=True)
    shutil.copy(servers.CHECKOUT / "tests" / "bench" / "__main__.py", benchmarks)
    (benchmarks / "matching.py").write_text("'How fast.'\nimport sys; print('measured', sys.argv[1:])\n")
    (benchmarks / "catch_up.py").write_text("print('caught up')\n")
    assert "There are: catch-up matching" in started.start("bench").stderr
    assert "There are: catch-up matching" in started.start("bench", "nothing", "matching").stderr
    assert "matching         How fast.\n" in started.start("bench", "--list").stdout
    both = started.start("bench", "matching", "catch-up", "--fast")
    assert both.stdout == "measured ['--fast']\ncaught up\n"
    (benchmarks / "catch_up.py").write_text("raise SystemExit('the view lacks an entry')\n")
    failed = started.start("bench", "catch-up", "matching")
    assert (failed.returncode, failed.stdout) == (1, "measured []\n")
