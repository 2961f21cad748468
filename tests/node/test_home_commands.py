"""Commands without a running node: a home is made or refused, help is there, and who does not answer is named."""

import re
import socket
from pathlib import Path

import typer
from click.testing import Result
from typer.testing import CliRunner

from comity_federation import strict_json
from comity_node.cli import node
from comity_schemas.member import Member, MemberStatus, Role
from command_network import Ran
from node_world import comity


def founding_of(home: Path) -> list[str]:
    return [
        *("--home", str(home), "--member", "undp", "--did", "did:web:undp.example", "--name", "UNDP"),
        *("--role", "agency", "--country", "international", "--registry", str(home.parent / "registry")),
        *("--bus", f"local:{home.parent / 'log.db'}"),
    ]


def found_by_command(home: Path, *more: str) -> Ran:
    return comity("init", *founding_of(home), *more)


def test_init_makes_a_home_that_only_its_owner_can_read_and_a_second_init_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "node"
    ran = found_by_command(home)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"password +\S{15,}", ran.stdout)
    assert re.search(r"token +comity_\S{30,}", ran.stdout)
    modes = {str(p.relative_to(home)): p.stat().st_mode & 0o777 for p in [home, *home.rglob("*")]}
    assert {mode for name, mode in modes.items() if (home / name).is_dir()} == {0o700}
    assert {mode for name, mode in modes.items() if (home / name).is_file()} == {0o600}
    assert {"settings.toml", "member.json", "node.db", "keys/signing.jwk", "keys/sealing.jwk"} <= set(modes)
    entry = Member.from_parsed(strict_json.loads((home / "member.json").read_bytes()))
    assert (entry.slug, entry.role, entry.status) == ("undp", Role.AGENCY, MemberStatus.PENDING)
    assert [key.kid for key in entry.signing_keys] == ["did:web:undp.example#signing-1"]
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    again = found_by_command(home)
    assert again.returncode == 1
    assert "[home.exists]" in again.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_init_with_an_entry_that_does_not_fit_makes_nothing(tmp_path: Path) -> None:
    ran = found_by_command(tmp_path / "node", "--country", "Atlantis")
    assert ran.returncode == 2
    assert "nothing was made" in ran.stderr
    assert not (tmp_path / "node").exists()


def test_a_directory_that_is_no_home_is_refused_with_the_remedy(tmp_path: Path) -> None:
    ran = comity("check", "--home", str(tmp_path))
    assert ran.returncode == 1
    assert "comity init" in ran.stderr
    assert "[settings.refused]" in ran.stderr


def test_a_node_that_does_not_answer_is_said_so_on_stderr_with_a_code() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ran = comity("report", "list", COMITY_URL=f"http://127.0.0.1:{taken.getsockname()[1]}", COMITY_TOKEN="comity_x")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is `comity serve` running there?" in ran.stderr
    assert "[remote.unreachable]" in ran.stderr


def test_every_command_of_the_list_has_help() -> None:
    listed = comity("--help").stdout
    names = re.findall(r"^│ (\w+) ", listed, re.M)
    assert {"demo", "init", "serve", "check", "screen", "verify", "import", "report", "review"} <= set(names)


def in_this_process(home: Path, *more: str) -> Result:
    app = typer.Typer()
    app.command()(node.init)
    return CliRunner().invoke(app, [*founding_of(home), *more])


def test_init_on_the_database_of_another_node_changes_nothing_there_and_leaves_nothing(tmp_path: Path) -> None:
    assert in_this_process(tmp_path / "first").exit_code == 0
    database = tmp_path / "first" / "node.db"
    before = database.read_bytes()
    ran = in_this_process(tmp_path / "second", "--database", f"sqlite+aiosqlite:///{database}", "--admin", "eve")
    assert ran.exit_code == 1 and "[database.in-use]" in ran.output
    assert database.read_bytes() == before
    assert list((tmp_path / "second").rglob("*")) == []


def test_init_with_a_database_that_does_not_answer_leaves_nothing_over_which_the_next_one_stumbles(
    tmp_path: Path,
) -> None:
    home = tmp_path / "node"
    ran = in_this_process(home, "--database", "postgresql+asyncpg://comity:secret@127.0.0.1:1/comity")
    assert ran.exit_code == 1 and "[database.unavailable]" in ran.output
    again = in_this_process(home)
    assert again.exit_code == 0, again.output
