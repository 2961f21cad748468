"""A web server that says what a test wants, in place of a node or of something that is none."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GONE = None
"""The connection is closed without an answer."""


@dataclass
class Answering:
    """A server that gives its answers one after another, and remembers what it was asked."""

    answers: list[tuple[int, str] | None]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers."""
    url: str = ""

    @property
    def keys(self) -> set[str | None]:
        """The idempotency keys of all that was asked."""
        return {headers.get("idempotency-key") for _, headers in self.asked}


@contextmanager
def answering(*answers: tuple[int, str] | None) -> Iterator[Answering]:
    """Serve on this machine while the block lasts; the last answer is given again and again."""
    here = Answering(list(answers))

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            here.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            given = here.answers.pop(0) if len(here.answers) > 1 else here.answers[0]
            self.close_connection = True
            if given is not None:
                status, body = given
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

        do_GET = do_POST = answer  # noqa: N815 the names that the library looks for

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
