"""Every vector is decided as the file says, and no way to refuse or wait is without a vector."""

import ast
import inspect
import json
from datetime import UTC, datetime
from typing import Any

import pytest

import vectors
from builders import CHECKOUT
from comity_federation import decide as decide_module
from comity_federation import jws, peer_tokens, strict_json
from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Decision, Forked, Refused, Repeated, Trust, Waiting
from comity_federation.encoding import b64encode
from comity_federation.peer_tokens import PeerTokenRefused, open_peer_token
from comity_federation.signed_reports import ReportRefused, open_report
from comity_schemas.member import Member


def _read(name: str) -> Any:
    return json.loads((vectors.FOLDER / name).read_text("utf-8"))


MEMBERS = {name: Member.from_parsed(entry) for name, entry in _read("members.json").items()}
RECORDS = _read("records.json")
CHECKPOINTS = _read("checkpoints.json")
PEER_TOKENS = _read("peer-tokens.json")
REPORTS = _read("signed-reports.json")


def _told(decision: Decision) -> dict[str, Any]:
    """A decision in the words of the vectors."""
    match decision:
        case Accepted(claims=claims, hash=name, body=body, missing=missing):
            readable = None if body is None else body.model_dump(mode="json", exclude_unset=True)
            return {"outcome": "accepted", "seq": claims.seq, "hash": name, "body": readable, "missing": list(missing)}
        case Repeated(seq=seq, hash=name):
            return {"outcome": "repeated", "seq": seq, "hash": name}
        case Waiting(why=why):
            return {"outcome": "waiting", "why": why}
        case Refused(step=step, code=code):
            return {"outcome": "refused", "step": step, "code": code}
        case Forked(at=at, hash=name, other=other):
            return {"outcome": "forked", "at": at, "hash": name, "other": other}


@pytest.mark.parametrize("vector", RECORDS, ids=lambda v: v["name"])
def test_decide_answers_what_the_vector_expects(vector: dict[str, Any]) -> None:
    decision = decide(
        vectors.read(vector["record"]), Trust(MEMBERS[vector["member"]]), vectors.seen_read(vector.get("seen", {}))
    )
    told = _told(decision)
    if "pieces" in vector["record"] and told["outcome"] == "accepted":
        del told["body"]  # Left out of the file: it is as long as the record.
    assert told == vector["expect"]


@pytest.mark.parametrize("vector", CHECKPOINTS, ids=lambda v: v["name"])
def test_a_checkpoint_is_taken_or_refused_as_its_vector_says(vector: dict[str, Any]) -> None:
    raw, member = vectors.read(vector["checkpoint"]), MEMBERS[vector["member"]]
    if vector["expect"]["outcome"] == "accepted":
        assert open_checkpoint(raw, member).to_parsed() == vector["expect"]["claims"]
    else:
        with pytest.raises(CheckpointRefused):
            open_checkpoint(raw, member)


@pytest.mark.parametrize("vector", PEER_TOKENS, ids=lambda v: v["name"])
def test_a_peer_token_is_taken_or_refused_as_its_vector_says(vector: dict[str, Any]) -> None:
    by_did = {MEMBERS[name].did: MEMBERS[name] for name in vector["members"]}
    now = datetime.fromtimestamp(vector["now"], UTC)
    if vector["expect"]["outcome"] == "accepted":
        caller = open_peer_token(vector["token"], by_did.get, vector["audience"], now)
        assert caller.did == vector["expect"]["member"]
    else:
        with pytest.raises(PeerTokenRefused) as refused:
            open_peer_token(vector["token"], by_did.get, vector["audience"], now)
        assert (refused.value.code, refused.value.reason) == (vector["expect"]["code"], vector["expect"]["reason"])


def test_every_reason_to_refuse_a_peer_token_has_a_vector() -> None:
    reasons = _reasons(peer_tokens, "PeerTokenRefused")
    assert len(reasons) == 9
    assert {v["expect"]["reason"] for v in PEER_TOKENS if v["expect"]["outcome"] == "refused"} == reasons


@pytest.mark.parametrize("vector", REPORTS, ids=lambda v: v["name"])
def test_a_signed_report_is_taken_or_refused_as_its_vector_says(vector: dict[str, Any]) -> None:
    raw, members = vectors.read(vector["report"]), [MEMBERS[name] for name in vector["members"]]
    if vector["expect"]["outcome"] == "accepted":
        opened = open_report(raw, members)
        assert opened.report.to_parsed() == vector["expect"]["report"]
        assert opened.firm.did == vector["expect"]["firm"]
    else:
        with pytest.raises(ReportRefused) as refused:
            open_report(raw, members)
        assert refused.value.code == vector["expect"]["code"]


def _reasons(module: Any, error: str) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == error]
    return {call.args[0].value for call in named if call.args and isinstance(call.args[0], ast.Constant)}


def _answers_in_the_source() -> set[tuple[Any, ...]]:
    """Every (step, code) that can be refused and every (why,) that can wait, read from decide's source."""
    found: set[tuple[Any, ...]] = set()
    lenders = {
        2: _reasons(strict_json, "NotStrict"),
        3: _reasons(jws, "MalformedJws"),
        6: _reasons(strict_json, "NotStrict"),
    }
    for node in ast.walk(ast.parse(inspect.getsource(decide_module))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        match name, node.args:
            case "Refused" | "refused", [ast.Constant(value=step), ast.Constant(value=code), *_]:
                found.add((step, code))
            case "Refused", [ast.Constant(value=step), ast.Attribute(attr="reason"), *_]:
                found |= {(step, reason) for reason in lenders[step]}
            case "Waiting" | "waiting", [ast.Constant(value=why), *_]:
                found.add((why,))
            case "Refused" | "refused" | "Waiting" | "waiting", [ast.Name() | ast.Attribute(), *_]:
                pass  # the two helpers themselves, which pass their arguments on
    return found


def test_every_code_that_decide_can_give_has_a_vector() -> None:
    answers = _answers_in_the_source()
    assert len(answers) > 40, "the source is no longer read"
    expected = [vector["expect"] for vector in RECORDS]
    shown = {(e["step"], e["code"]) for e in expected if e["outcome"] == "refused"}
    shown |= {(e["why"],) for e in expected if e["outcome"] == "waiting"}
    assert answers - shown == set()
    assert shown - answers == set()


def test_every_step_but_the_ninth_refuses_in_some_vector() -> None:
    steps = {v["expect"]["step"] for v in RECORDS if v["expect"]["outcome"] == "refused"}
    assert steps == set(range(1, 14)) - {9}
    assert {v["expect"]["outcome"] for v in RECORDS} == {"accepted", "repeated", "waiting", "refused", "forked"}


def test_the_committed_vectors_fit_the_generator() -> None:
    assert vectors.main(["--check"]) == 0


def test_a_changed_vector_file_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(vectors, "FOLDER", tmp_path)
    assert vectors.main([]) == 0
    assert vectors.main(["--check"]) == 0
    (tmp_path / "records.json").write_text("[]")
    assert vectors.main(["--check"]) == 1
    assert "records.json" in capsys.readouterr().err


def test_the_vectors_stay_small() -> None:
    assert sum(path.stat().st_size for path in vectors.FOLDER.iterdir()) < 700_000


def test_the_keys_of_the_file_are_those_of_the_members() -> None:
    keys = _read("keys.json")["keys"]
    listed = {key.kid: key.key.x for member in MEMBERS.values() for key in (*member.signing_keys, *member.report_keys)}
    assert {kid: key["x"] for kid, key in keys.items() if kid in listed} == listed


def test_the_readme_names_every_step() -> None:
    text = (CHECKOUT / "schemas" / "vectors" / "README.md").read_text("utf-8")
    assert all(f"\n{step}. " in text for step in range(1, 14))


def test_fixed_salts_end_with_the_generator() -> None:
    with vectors.fixed_salts("x"):
        fixed = b64encode(vectors.secrets.token_bytes(16))
    with vectors.fixed_salts("x"):
        assert b64encode(vectors.secrets.token_bytes(16)) == fixed
    assert b64encode(vectors.secrets.token_bytes(16)) != fixed
