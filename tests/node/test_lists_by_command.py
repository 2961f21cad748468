"""Lists by command: whole, however many pages a node gives them in."""

import json
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from comity_node.cli.audit import list_audits
from comity_node.cli.case import list_cases
from comity_node.cli.job import list_jobs
from comity_node.cli.report import list_reports


class _TwoPages(BaseHTTPRequestHandler):
    """A node with more of everything than one page holds."""

    def do_GET(self) -> None:
        second = "cursor=more" in self.path
        item = dict.fromkeys(("statement", "published_by", "id", "kind", "batch", "state", "done", "total"), "x")
        item |= {"stage": "done", "notice": None, "received_at": "2026-10-01T12:00", "opened_at": "2026-10-01T12:00"}
        item |= {"firm": None, "marks": [], "next_step": None, "passed_on": 0, "why": None}
        item["statement"] = item["id"] = "the last one" if second else "the first one"
        raw = json.dumps({"items": [item], "next": None if second else "more"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_list_by_command_is_whole_however_many_pages_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with HTTPServer(("127.0.0.1", 0), _TwoPages) as node:
        serving = Thread(target=node.serve_forever, daemon=True)
        serving.start()
        monkeypatch.setenv("COMITY_URL", f"http://127.0.0.1:{node.server_port}")
        every = (list_cases, list_reports, partial(list_jobs, as_json=False), partial(list_audits, planned=False))
        for show in every:
            show()
            said = capsys.readouterr().out
            assert said.index("the first one") < said.index("the last one")
        node.shutdown()
        serving.join()
