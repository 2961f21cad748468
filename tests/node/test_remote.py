"""A command at a node: what goes where, and what is told when something else answers, or nothing does."""

import json

import pytest

from answering import GONE, answering
from comity_node import remote
from comity_node.remote import NodeRefused, NodeUnreachable, Remote, TokenUnfit


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)


def test_a_proxy_of_the_environment_is_not_shown_what_is_asked_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering((200, "{}")) as node, answering((200, "{}")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with Remote(node.url, "comity_secret") as here:
            here.post("/screenings", {"suppliers": [{"name": "Exemplar Gloves"}]})
    assert [path for path, _ in node.asked] == ["/api/v1/screenings"]
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "sent"),
    [((301, ""), False), ((200, "<html>hello</html>"), False), ((404, "<html>"), False), ((504, "<html>"), True)],
)
def test_whatever_is_no_node_is_told_so(answer: tuple[int, str], sent: bool) -> None:
    with answering(answer) as other, Remote(other.url) as here, pytest.raises(NodeUnreachable) as told:
        here.get("/tokens")
    assert f"what answers at {other.url} is no node: it says {answer[0]}" in str(told.value)
    assert told.value.sent is sent


def test_what_can_be_no_address_or_no_token_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(NodeUnreachable, match="is no address"):
        Remote("http://[::1", "comity_x")
    for token in ("comity_…", "comity_x\r"):
        with pytest.raises(TokenUnfit, match="nothing was sent") as refused:
            Remote("http://127.0.0.1:1", token)
        assert token not in str(refused.value)


def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_is_then_told_to_be_unknown() -> None:
    with answering(GONE, (201, '{"id": "x"}')) as node, Remote(node.url) as here:
        assert here.post("/cases", {}) == {"id": "x"}
    assert len(node.asked) == 2 and len(node.keys) == 1
    with answering(GONE) as node, Remote(node.url) as here, pytest.raises(NodeUnreachable) as told:
        here.post("/cases", {})
    assert len(node.asked) == 2 and len(node.keys) == 1
    assert "it may have been done or not: look before you ask for it again" in str(told.value)


def test_where_nothing_listens_nothing_was_sent_and_nobody_is_told_to_look() -> None:
    with answering(GONE) as gone:
        pass
    with Remote(gone.url) as here, pytest.raises(NodeUnreachable, match="is `comity serve` running there") as told:
        here.post("/cases", {})
    assert not told.value.sent


def test_what_the_node_still_works_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = (409, json.dumps({"code": "idempotency.in-progress", "detail": "being worked on"}))
    with answering(GONE, busy, busy, (201, '{"id": "x"}')) as node, Remote(node.url) as here:
        assert here.post("/cases", {}) == {"id": "x"}
    assert len(node.asked) == 4 and len(node.keys) == 1
    monkeypatch.setattr(remote, "_PATIENCE_S", 0.0)
    with answering(busy) as node, Remote(node.url) as here, pytest.raises(NodeUnreachable, match="may have been done"):
        here.post("/cases", {})


def test_a_refusal_of_the_node_keeps_its_code_and_words() -> None:
    problem = json.dumps({"code": "not-allowed", "detail": "your roles do not cover this"})
    with answering((403, problem)) as node, Remote(node.url) as here, pytest.raises(NodeRefused) as told:
        here.post("/cases", {})
    assert str(told.value) == "your roles do not cover this (not-allowed)"
    assert len(node.asked) == 1
