"""One server process that lives no longer than whoever asked for it.

A script calls `leave_on_signals`, starts its server inside `running`, announces it, and then waits in
`stay_until_told`. However that ends (SIGTERM, Ctrl-C, the parent's death, an error on the way up), the server is
stopped: asked first, killed after ten seconds. On Linux it dies even with a script that was killed outright.
"""

import argparse
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from local_cache import CannotStart

STOP_SECONDS = 10
"""How long a server may take to stop before it is killed."""
READY_SECONDS = 90
"""How long a server may take to answer. Three seconds are usual; a loaded machine needs more."""
ATTEMPTS = 3
"""Starts with fresh ports: another process may take a free port before the server does."""
LOG_LINES = 15
"""How much of a dead server's log is shown."""
_PR_SET_PDEATHSIG = 1
"""Linux: the signal this process gets when its parent ends."""


class LostItsPort(CannotStart):
    """A port that was free a moment ago was taken before the server could listen on it."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to run one server and how to end it."""

    arguments: Sequence[str]
    log: Path
    stop_signal: signal.Signals
    account: Mapping[str, object]
    """Keyword arguments of `subprocess.Popen` that choose the account; empty: our own."""


def common_arguments(description: str) -> argparse.ArgumentParser:
    """The command line that all local servers share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--directory", type=Path, help="keep the data here (default: temporary, removed at the end)")
    parser.add_argument("--fetch-only", action="store_true", help="fetch what is missing and stop")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="also stop when stdin ends, as it does when the parent dies"
    )
    return parser


def leave_on_signals() -> None:
    """Turn SIGTERM, SIGINT and SIGHUP into a normal exit, so that everything opened is closed again."""

    def leave(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # a second one must not interrupt the stopping
        sys.exit(0)

    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, leave)


@contextmanager
def data_directory(given: Path | None, name: str) -> Iterator[Path]:
    """The given directory, made if needed; or a temporary one that goes away afterwards."""
    with ExitStack() as stack:
        if given is None:
            temporary = tempfile.TemporaryDirectory(prefix=f"comity-{name}-", ignore_cleanup_errors=True)
            yield Path(stack.enter_context(temporary))
        else:
            given.mkdir(parents=True, exist_ok=True)
            yield given.resolve()


@contextmanager
def running(command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server; stop it when the block is left, however it is left."""
    with command.log.open("ab") as log:
        process = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches only us, and we stop it in order
            preexec_fn=_dies_with_parent(command.stop_signal),
            **command.account,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(command.stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: afterwards nothing may be imported
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal))


def wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers.

    Raises:
        LostItsPort: it died because its port was taken.
        CannotStart: it died or stayed silent; the text ends with the last lines of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not answers():
        if process.poll() is not None:
            end = tail(log)
            error = LostItsPort if "Address already in use" in end else CannotStart
            raise error(f"the server ended with status {process.returncode}. Its log ends:\n{end}")
        if time.monotonic() > deadline:
            raise CannotStart(f"the server did not answer for {READY_SECONDS} seconds. Its log ends:\n{tail(log)}")
        time.sleep(0.05)


def tail(log: Path) -> str:
    """The last lines of a log, indented."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"    {line}" for line in lines) or "    (empty)"


def free_ports(wanted: int, count: int) -> list[int]:
    """This many different free ports on 127.0.0.1, the first being the wanted one unless that is 0.

    Raises:
        CannotStart: the wanted port is taken.
    """
    with ExitStack() as stack:
        ports = []
        for port in [wanted, *[0] * (count - 1)]:
            probe = stack.enter_context(socket.socket())
            # As servers do it: connections that are only fading out do not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError as error:
                raise CannotStart(
                    f"port {port} on 127.0.0.1 cannot be used ({error.strerror}). Stop what uses it, or leave "
                    "--port out."
                ) from error
            ports.append(probe.getsockname()[1])
        return ports


def with_fresh_ports(serve_once: Callable[[], None]) -> None:
    """Serve; begin again when the server loses its port to another process, a few times at most."""
    for _ in range(ATTEMPTS - 1):
        try:
            return serve_once()
        except LostItsPort:
            continue
    return serve_once()


def announce(**facts: object) -> None:
    """Tell whoever started us, as one line of JSON on stdout, that the server is ready and where."""
    print(json.dumps(facts), flush=True)


def stay_until_told(process: subprocess.Popen[bytes], log: Path, *, until_stdin_closes: bool) -> None:
    """Stay until a signal comes, or until stdin ends if that is asked for.

    Raises:
        CannotStart: the server ended by itself.
    """
    while process.poll() is None:
        if not until_stdin_closes:
            time.sleep(0.2)
        elif select.select([0], [], [], 0.2)[0] and not os.read(0, 4096):
            return
    raise CannotStart(f"the server ended by itself with status {process.returncode}. Its log ends:\n{tail(log)}")


def run(name: str, serve: Callable[[], None]) -> None:
    """Run a script's main function: what cannot be done is said on stderr in one sentence, with exit status 1."""
    leave_on_signals()
    try:
        serve()
    except CannotStart as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
