"""A misspelt `COMITY_` variable stops a node: it would pass for a setting that is made."""

import re
from pathlib import Path

import pytest

import servers
from comity_node.wiring.environment import OTHERS, unknown_variables
from comity_node.wiring.settings import Settings, SettingsRefused, read_settings

SMALL = 'member = "agency"\ndatabase = "sqlite+aiosqlite:///node.db"\nbus = "local:log.db"\nregistry = "registry"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SMALL)
    return path


def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMITY_EVN", "production")
    with pytest.raises(SettingsRefused, match="COMITY_EVN is no setting; is COMITY_ENV meant"):
        read_settings(file)
    monkeypatch.delenv("COMITY_EVN")
    monkeypatch.setenv("COMITY_ENV", "production")
    assert read_settings(file).env == "production"


def test_what_is_no_setting_and_like_none_is_refused_too_and_what_is_not_ours_is_left_alone() -> None:
    names = ["COMITY_PORT", "comity_host", "COMITY_HOME", "COMITYX", "PATH", "COMITY_SERVICE_HOST", "COMITY_QQQQ"]
    told = unknown_variables(names, Settings.model_fields)
    assert told == ["COMITY_QQQQ is no setting", "COMITY_SERVICE_HOST is no setting"]


def test_a_list_that_is_not_written_as_one_is_told_without_its_content(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMITY_EVIDENCE_SCANNER", "clamdscan --secret -")
    with pytest.raises(SettingsRefused, match="evidence_scanner") as refused:
        read_settings(file)
    assert "--secret" not in str(refused.value) and "JSON" in str(refused.value)


def test_settings_in_another_encoding_are_refused_in_words(file: Path) -> None:
    file.write_bytes(SMALL.encode() + "# für uns\n".encode("latin-1"))
    with pytest.raises(SettingsRefused, match="is no TOML"):
        read_settings(file)


def test_every_variable_that_anything_here_reads_is_known_and_none_beside() -> None:
    read = re.compile(r"""(?:environ(?:\.get\(|\[)|envvar=|\$\{?)"?COMITY_([A-Z_]+)""")
    found = set()
    for place in ("comity", "node", "federation", "deploy", "tests", ".ci", "docs"):
        start = servers.CHECKOUT / place
        for path in [start] if start.is_file() else start.rglob("*"):
            if path.suffix in ("", ".py", ".sh", ".md", ".yml") and path.is_file():
                found |= set(read.findall(path.read_text(errors="ignore")))
    settings = {name.upper() for name in Settings.model_fields}
    assert found - settings - OTHERS == set()
    assert OTHERS - found <= {"DOCUMENT_EXPORTS", "TEST_KAFKA", "TEST_POSTGRES"}
