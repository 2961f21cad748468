"""What commands write: there whole or not at all, nobody else's, and never in the place of what was there."""

import errno
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from comity_node.cli import contract, evidence, quarantine, supplier, trail
from comity_node.cli.new_file import NewFile
from node_world import clean_environment


def test_a_file_that_fails_on_the_way_leaves_nothing_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("earlier")
    with pytest.raises(RuntimeError), NewFile(tmp_path / "out.csv", replaces=True) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.csv", "earlier")]


def test_a_directory_or_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        pytest.raises(IsADirectoryError, match=r"is a directory, and no file.*out"),
        NewFile(tmp_path / "out", replaces=True),
    ):
        pytest.fail("it was opened")
    with pytest.raises(OSError, match="full") as told, NewFile(tmp_path / "out.csv", replaces=True):
        raise OSError(errno.ENOSPC, "full")
    assert told.value.filename == str(tmp_path / "out.csv")


def test_a_workbook_that_has_no_room_on_its_disk_is_told_in_words_and_what_was_there_stays(tmp_path: Path) -> None:
    given, out = tmp_path / "pairs.csv", tmp_path / "said.xlsx"
    given.write_text("name1,name2\n" + "".join(f"Exemplar Gloves {n},Exemplar {n}\n" for n in range(200)))
    out.write_text("earlier")
    room = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
    words = ["compare", "--file", str(given), "--out", str(out)]
    ran = subprocess.run(
        [sys.executable, "-c", f"{room} from comity_node.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
    )
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (1, f"Error: {out}: File too large [file]"), ran.stderr
    assert (out.read_text(), sorted(tmp_path.iterdir())) == ("earlier", [given, out])


ENDED = """
import os, pathlib, signal, sys
from comity_node.cli.new_file import NewFile
# Whoever runs the tests may have told all to outlive its terminal.
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[2:] else signal.SIG_DFL)
with NewFile(pathlib.Path("first")) as stream:
    stream.write(b"whole")
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
with NewFile(pathlib.Path("second")) as stream:
    stream.write(b"half")
    os.kill(os.getpid(), int(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_ended_half_way_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    ran = subprocess.run([sys.executable, "-c", ENDED, str(int(number))], cwd=tmp_path, check=False)
    assert (ran.returncode, [path.name for path in tmp_path.iterdir()]) == (128 + number, ["first"])


def test_a_program_that_is_to_outlive_its_terminal_writes_all(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ENDED, str(int(signal.SIGHUP)), "outlives"]
    assert subprocess.run(words, cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "second").read_bytes() == b"half"


def test_a_new_file_is_for_its_owner_only_and_one_in_the_place_of_another_keeps_its_mode(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with NewFile(out) as stream:
        stream.write(b"one")
    assert (out.read_bytes(), out.stat().st_mode & 0o777) == (b"one", 0o600)
    out.chmod(0o640)
    with NewFile(out, replaces=True) as stream:
        stream.write(b"two")
    assert (out.read_bytes(), out.stat().st_mode & 0o777) == (b"two", 0o640)
    assert list(tmp_path.iterdir()) == [out]


def test_what_is_there_or_comes_meanwhile_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(FileExistsError), NewFile(out) as stream:
        stream.write(b"mine")
        out.write_bytes(b"theirs")
    with pytest.raises(FileExistsError, match="not overwritten"), NewFile(out):
        pass
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"theirs"]


def test_two_that_write_one_file_at_once_never_mix(tmp_path: Path) -> None:
    out, both = tmp_path / "out.csv", threading.Barrier(2)

    def write(letter: bytes) -> None:
        with NewFile(out, replaces=True) as stream:
            for _ in range(3):
                both.wait(10)
                stream.write(letter * 10_000)
                stream.flush()

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert out.read_bytes() in (b"a" * 30_000, b"b" * 30_000)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (contract.app, ["export", "OUT"]),
        (evidence.app, ["get", "--out", "OUT", "R" * 43, "E-1"]),
        (supplier.app, ["export", "7", "OUT.csv"]),
        (trail.app, ["witness", "agency", "--out", "OUT"]),
        (quarantine.app, ["show", "7", "--raw-to", "OUT"]),
    ],
)
def test_a_command_that_gets_no_answer_leaves_no_file(tmp_path: Path, app: typer.Typer, words: Sequence[str]) -> None:
    given = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    ran = CliRunner().invoke(app, given, env={"COMITY_URL": "http://127.0.0.1:1", "COMITY_TOKEN": "comity_x"})
    assert ran.exit_code == 1 and "[remote.unreachable]" in ran.output
    assert list(tmp_path.iterdir()) == []
