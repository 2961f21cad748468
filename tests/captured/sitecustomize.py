"""Notes every connection, datagram and name that a Python process asks the system for: what could leave a node.

Python starts it by itself where PYTHONPATH names this directory. A hook of the interpreter cannot be taken away, and
every socket of every library in the process goes through it.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_OUT = Path(os.environ["COMITY_CAPTURE"])
_LEAVING = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}


def _note(what: str, where: object) -> None:
    line = json.dumps([time.time(), what, where])
    # One write a line: several threads note at once.
    os.write(_FILE, f"{line}\n".encode())


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _LEAVING:
        return
    # The socket comes first, but where a name is asked for.
    where = arguments[0] if event.startswith("socket.get") else arguments[1]
    _note(event, list(where) if isinstance(where, tuple) else str(where))


_FILE = os.open(_OUT / f"{os.getpid()}.jsonl", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
_note("started", sys.orig_argv[1:4])
sys.addaudithook(_hook)
