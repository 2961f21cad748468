"""`comity key` and `comity registry` as people use them: what they print, what they write, how they exit."""

import json
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from comity_federation import keys
from comity_federation.registry import read_registry
from comity_node.cli import key, registry
from comity_schemas.member import MemberStatus, Role
from registry_world import last, new_member

HASH = last(4).hash

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty directory; the exit code must be the one expected."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.add_typer(key.app, name="key")
    app.add_typer(registry.app, name="registry")

    def command(line: str, *, code: int = 0, answer: str | None = None) -> Result:
        result = CliRunner().invoke(app, line.split(), input=answer)
        assert result.exit_code == code, result.output
        return result

    return command


@pytest.fixture
def begun(run: Run) -> Run:
    """A registry of three holders, published, without members."""
    for name in ("a", "b", "c", "hub"):
        run(f"key new {name}.jwk --name holder-{name}")
    run("registry init reg --holder a.jwk.pub --holder b.jwk.pub --holder c.jwk.pub --threshold 2 --hub hub.jwk.pub")
    run("registry sign reg --key a.jwk --yes")
    run("registry sign reg --key b.jwk --yes")
    run("registry publish reg --hub-key hub.jwk")
    return run


def write_member(slug: str) -> None:
    Path(f"{slug}.json").write_text(json.dumps(new_member(slug).to_parsed()))


def publish_member(run: Run, slug: str) -> None:
    write_member(slug)
    run(f"registry add reg {slug}.json --activate")
    run("registry sign reg --key a.jwk --yes")
    run("registry sign reg --key c.jwk --yes")
    run("registry publish reg --hub-key hub.jwk")


def status(slug: str) -> MemberStatus | None:
    member = read_registry(Path("reg"), None, datetime.now(UTC)).member(slug)
    return member.status if member else None


# comity key


def test_a_new_key_is_readable_by_its_owner_only_and_its_public_half_holds_no_secret(run: Run) -> None:
    told = run("key new mine.jwk --name did:web:undp.example#k1").stdout
    assert Path("mine.jwk").stat().st_mode & 0o777 == 0o600
    private, public = json.loads(Path("mine.jwk").read_text()), json.loads(Path("mine.jwk.pub").read_text())
    assert set(private) == {"kty", "crv", "kid", "x", "d"}
    assert public == {name: private[name] for name in ("kty", "crv", "kid", "x")}
    assert private["d"] not in told
    assert "mine.jwk.pub" in told
    pair = keys.load_signing_pair(Path("mine.jwk"))
    signed = pair.secret.sign(b"bytes")
    assert keys.verify_key(keys.load_public(Path("mine.jwk.pub"))).verify(signed) == b"bytes"
    assert private["d"] not in repr(pair)


def test_a_sealing_key_opens_what_was_sealed_for_it_and_does_not_sign(run: Run) -> None:
    run("key new seal.jwk --sealing")
    pair = keys.load_sealing_pair(Path("seal.jwk"))
    assert keys.sealing_key(pair.public.key) == pair.secret.public_key
    with pytest.raises(keys.KeyFileUnreadable, match="Ed25519 key is needed"):
        keys.load_signing_pair(Path("seal.jwk"))
    with pytest.raises(ValueError, match="Ed25519 key is needed"):
        keys.verify_key(pair.public.key)


@pytest.mark.parametrize("there", ["mine.jwk", "mine.jwk.pub"])
def test_a_key_is_never_overwritten_and_no_half_is_left_behind(run: Run, there: str) -> None:
    Path(there).write_text("precious")
    assert "[key.exists]" in run("key new mine.jwk", code=1).stderr
    assert Path(there).read_text() == "precious"
    assert [path.name for path in Path().iterdir()] == [there]


def test_a_key_is_not_written_through_a_dangling_link(run: Run) -> None:
    Path("mine.jwk").symlink_to("elsewhere.jwk")
    assert "[key.exists]" in run("key new mine.jwk", code=1).stderr
    assert not Path("elsewhere.jwk").exists()


def test_a_private_key_that_others_can_read_is_not_used(begun: Run) -> None:
    publish_member(begun, "undp")
    Path("b.jwk").chmod(0o640)
    refused = begun(f"registry suspend reg undp --last 4:{HASH} --reason fork --key b.jwk", code=1).stderr
    assert "[key.exposed]" in refused
    assert "chmod 600 b.jwk" in refused
    assert not Path("reg/staged").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda jwk: {**jwk, "d": jwk["d"][:-1]},
        lambda jwk: {**jwk, "d": "A" * 43},
        lambda jwk: {**jwk, "x": "A" * 43},
        lambda jwk: {**jwk, "use": "sig"},
        lambda jwk: {**jwk, "crv": "P-256"},
        lambda jwk: {name: value for name, value in jwk.items() if name != "d"},
        lambda jwk: [],
    ],
)
def test_a_damaged_key_is_refused_without_showing_it(run: Run, spoil: Callable[[dict[str, str]], object]) -> None:
    run("key new mine.jwk")
    jwk = json.loads(Path("mine.jwk").read_text())
    Path("mine.jwk").write_text(json.dumps(spoil(jwk)))
    with pytest.raises(keys.KeyFileUnreadable) as refused:
        keys.load_signing_pair(Path("mine.jwk"))
    assert jwk["d"][:20] not in str(refused.value)


def test_a_private_key_is_not_taken_for_a_public_one(run: Run) -> None:
    for name in ("a", "hub"):
        run(f"key new {name}.jwk")
    refused = run("registry init reg --holder a.jwk --threshold 1 --hub hub.jwk.pub", code=1).stderr
    assert "this is a private key" in refused


# comity registry


def test_the_whole_way_from_nothing_to_an_active_member(begun: Run) -> None:
    write_member("undp")
    told = begun("registry add reg undp.json --activate").stdout
    assert "+ undp: new member, Undp, CH, agency, active, 1 signing key" in told
    assert "2 more signatures needed, from holder-a or holder-b or holder-c" in told
    assert "1 more signature needed" in begun("registry sign reg --key a.jwk --yes").stdout
    refused = begun("registry publish reg --hub-key hub.jwk", code=1)
    assert "[registry.signatures-missing]" in refused.stderr
    assert "targets needs 1 more (not signed yet: holder-b, holder-c)" in refused.stderr
    assert status("undp") is None
    assert "comity registry publish reg" in begun("registry sign reg --key c.jwk --yes").stdout
    assert "Published version 3" in begun("registry publish reg --hub-key hub.jwk").stdout
    assert status("undp") is MemberStatus.ACTIVE


def test_sign_shows_every_member_asks_and_takes_no_for_an_answer(begun: Run) -> None:
    publish_member(begun, "undp")
    write_member("unops")
    begun("registry add reg unops.json")
    told = begun("registry sign reg --key a.jwk", code=1, answer="n\n").stdout
    assert "+ unops: new member" in told
    assert re.search(r"(?m)^  undp +active +agency", told)
    assert "Nothing was signed." in told
    assert json.loads(begun("registry show reg --json").stdout)["staged"][0]["signed"] == []
    begun("registry sign reg --key a.jwk", answer="y\n")
    assert json.loads(begun("registry show reg --json").stdout)["staged"][0]["signed"] == ["holder-a"]


def test_a_stranger_signs_nothing(begun: Run) -> None:
    begun("key new stranger.jwk")
    write_member("undp")
    begun("registry add reg undp.json")
    assert "[registry.not-a-holder]" in begun("registry sign reg --key stranger.jwk --yes", code=1).stderr


def test_a_new_member_is_pending_until_activated(begun: Run) -> None:
    write_member("undp")
    assert "it has no right yet" in begun("registry add reg undp.json").stdout
    assert "pending" in begun("registry show reg").stdout


def test_one_holder_suspends_at_once_and_two_lift(begun: Run) -> None:
    publish_member(begun, "undp")
    told = begun(f"registry suspend reg undp --last 4:{HASH} --reason compromised --key b.jwk").stdout
    assert "Suspended undp, signed as holder-b" in told
    begun("registry publish reg --hub-key hub.jwk")
    assert status("undp") is MemberStatus.SUSPENDED
    assert "its suspension of" in begun("registry lift reg undp").stdout
    begun("registry sign reg --key b.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk", code=1)
    begun("registry sign reg --key c.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk")
    assert status("undp") is MemberStatus.ACTIVE


def test_a_member_is_removed_by_two(begun: Run) -> None:
    publish_member(begun, "undp")
    begun(f"registry remove reg undp --last 4:{HASH}")
    begun("registry sign reg --key a.jwk --yes")
    begun("registry sign reg --key b.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk")
    assert status("undp") is MemberStatus.REMOVED


def test_a_key_is_closed_and_a_fork_thawed_by_two(begun: Run) -> None:
    publish_member(begun, "undp")
    assert "closed: counts up to statement 4" in begun(f"registry close-key reg undp k1 --last 4:{HASH}").stdout
    assert "the branch through statement 4" in begun(f"registry thaw reg undp --last 4:{HASH}").stdout
    begun("registry sign reg --key a.jwk --yes")
    begun("registry sign reg --key b.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk")
    member = read_registry(Path("reg"), None, datetime.now(UTC)).member("undp")
    assert member is not None
    assert member.signing_keys[0].closed == member.thawed == last(4)


def test_holders_change_with_the_old_and_the_new_threshold(begun: Run) -> None:
    begun("key new d.jwk --name holder-d")
    told = begun(
        "registry rotate reg --holder b.jwk.pub --holder c.jwk.pub --holder d.jwk.pub --threshold 2 --hub hub.jwk.pub"
    ).stdout
    assert "+ holder holder-d" in told
    assert "- holder holder-a" in told
    for name in ("b", "c"):
        begun(f"registry sign reg --key {name}.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk")
    write_member("undp")
    begun("registry add reg undp.json")
    assert "[registry.not-a-holder]" in begun("registry sign reg --key a.jwk --yes", code=1).stderr


def test_the_hubs_daily_signature_goes_on_while_a_change_waits(begun: Run) -> None:
    write_member("undp")
    begun("registry add reg undp.json")
    assert "signed version 2 again" in begun("registry publish reg --hub-key hub.jwk --renew").stdout
    assert Path("reg/staged/targets.json").exists()


def test_the_registry_travels_as_files(begun: Run) -> None:
    write_member("undp")
    begun("registry add reg undp.json --activate")
    for holder in ("a", "c"):
        shutil.move("reg", f"at-{holder}")
        begun(f"registry sign at-{holder} --key {holder}.jwk --yes")
        shutil.move(f"at-{holder}", "reg")
    begun("registry publish reg --hub-key hub.jwk")
    assert status("undp") is MemberStatus.ACTIVE


@pytest.mark.kafka
def test_publishing_makes_the_topics_of_active_members_once(begun: Run, kafka: str) -> None:
    slug = f"agency-{secrets.token_hex(4)}"
    publish_member(begun, slug)
    write_member("waiting")
    begun("registry add reg waiting.json")
    begun("registry sign reg --key a.jwk --yes")
    begun("registry sign reg --key b.jwk --yes")
    told = begun(f"registry publish reg --hub-key hub.jwk --kafka {kafka}").stdout
    assert f"+ comity.statements.v1.{slug}" in told
    assert f"+ comity.checkpoints.v1.{slug}" in told
    assert "waiting" not in told
    again = begun(f"registry publish reg --hub-key hub.jwk --kafka {kafka}").stdout
    assert "0 made, 0 corrected, 2 as they should be" in again


def test_a_broker_that_is_not_there_leaves_the_registry_published(begun: Run) -> None:
    publish_member(begun, "undp")
    # In a process of its own: kafka-python leaves its sockets open when nothing answers.
    command = [sys.executable, "-c", "from comity_node.cli import main; main()", "registry", "publish", "reg"]
    command += ["--hub-key", "hub.jwk", "--kafka", "127.0.0.1:1"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "The registry is published." in refused.stdout
    assert "[bus.unavailable]" in refused.stderr
    assert status("undp") is MemberStatus.ACTIVE


def test_show_says_the_same_to_people_and_to_scripts(begun: Run) -> None:
    publish_member(begun, "undp")
    shown = json.loads(begun("registry show reg --json").stdout)
    told = begun("registry show reg").stdout
    registry = read_registry(Path("reg"), None, datetime.now(UTC))
    assert (shown["published"]["version"], shown["published"]["hash"]) == (registry.version, registry.hash)
    assert f"Version {registry.version}, hash {registry.hash}" in told
    assert [member["slug"] for member in shown["published"]["members"]] == ["undp"]
    assert shown["published"]["threshold"] == 2
    assert [holder["name"] for holder in shown["published"]["holders"]] == ["holder-a", "holder-b", "holder-c"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("registry show nowhere", 1, "registry.absent"),
        ("registry publish reg --hub-key a.jwk", 1, "registry.not-the-hub"),
        ("registry sign reg --key a.jwk --yes", 1, "registry.nothing-staged"),
        ("registry sign reg --key missing.jwk", 1, "key.unreadable"),
        ("registry remove reg nobody --last 0", 1, "registry.change-refused"),
        ("registry add reg missing.json", 1, "missing.json"),
        ("registry add reg broken.json", 1, "registry.refused"),
        ("registry add reg undp.json --status removed", 2, "only pending or active"),
        (f"registry suspend reg undp --last 4:{HASH} --reason whim --key a.jwk", 2, "whim"),
        ("registry remove reg undp", 2, "--last"),
        (
            "registry init reg --holder a.jwk.pub --threshold 1 --hub hub.jwk.pub",
            1,
            "registry.exists",
        ),
    ],
)
def test_a_refusal_is_said_on_stderr_with_its_code(begun: Run, line: str, code: int, said: str) -> None:
    write_member("undp")
    Path("broken.json").write_text('{"did": "did:web:x", "extra": 1}')
    result = begun(line, code=code)
    assert said in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("text", ["4", "4:", "4:short", "x:" + "A" * 43, "-1:" + "A" * 43, ":", "4:" + HASH + ":1"])
def test_a_last_statement_is_a_number_and_a_hash(begun: Run, text: str) -> None:
    publish_member(begun, "undp")
    refused = begun(f"registry remove reg undp --last={text}", code=1)
    assert "names no statement" in refused.stderr


def test_a_suspension_that_would_wait_for_a_new_root_is_not_called_done(begun: Run) -> None:
    publish_member(begun, "undp")
    begun("key new d.jwk --name holder-d")
    begun(
        "registry rotate reg --holder a.jwk.pub --holder b.jwk.pub --holder d.jwk.pub --threshold 2 --hub hub.jwk.pub"
    )
    refused = begun(f"registry suspend reg undp --last 4:{HASH} --reason compromised --key b.jwk", code=1).stderr
    assert "a new root is staged" in refused and "move reg/staged away" in refused
    Path("reg/staged").rename("waiting")
    begun(f"registry suspend reg undp --last 4:{HASH} --reason compromised --key b.jwk")
    begun("registry publish reg --hub-key hub.jwk")
    assert status("undp") is MemberStatus.SUSPENDED


def test_a_holder_is_shown_each_right_that_is_given_and_taken(begun: Run) -> None:
    begun("key new auditor.jwk --name did:web:firm.example#auditor-1")
    begun("key new other.jwk --name did:web:firm.example#auditor-2")
    auditor, other = (keys.load_public(Path(f"{name}.jwk.pub")) for name in ("auditor", "other"))
    given = {"scheme": "SMETA", "basis": "accredited", "valid_from": "2025-01-01", "valid_until": "2027-12-31"}
    entry = new_member("firm", role=Role.AUDIT_FIRM).to_parsed()
    entry |= {
        "names": ["Firm", "Other Name"],
        "endpoint": "https://firm.example/\x1b[2K",
        "report_keys": [{"kid": auditor.kid, "key": auditor.key.to_parsed()}],
        "authorisations": [given],
    }
    Path("firm.json").write_text(json.dumps(entry))
    begun("registry add reg firm.json --activate")
    shown = begun("registry sign reg --key a.jwk --yes").stdout
    assert f"+ firm: auditor's key did:web:firm.example#auditor-1 ({keys.fingerprint(auditor)})" in shown
    assert "+ firm: may audit SMETA, accredited, 2025-01-01 to 2027-12-31" in shown
    assert "+ firm: names Firm / Other Name" in shown
    assert "\x1b" not in shown and r"endpoint https://firm.example/\u001b[2K" in shown
    begun("registry sign reg --key b.jwk --yes")
    begun("registry publish reg --hub-key hub.jwk")
    entry |= {
        "report_keys": [{"kid": other.kid, "key": other.key.to_parsed()}],
        "authorisations": [{**given, "scheme": "amfori BSCI"}],
    }
    Path("firm.json").write_text(json.dumps(entry))
    told = begun("registry add reg firm.json").stdout
    assert f"~ firm: auditor's key {auditor.kid} ({keys.fingerprint(auditor)}) taken away" in told
    assert f"~ firm: new auditor's key {other.kid} ({keys.fingerprint(other)})" in told
    assert "~ firm: may audit no more SMETA, accredited, 2025-01-01 to 2027-12-31" in told
    assert "~ firm: may audit amfori BSCI, accredited, 2025-01-01 to 2027-12-31" in told
