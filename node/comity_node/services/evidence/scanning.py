"""The hook for a malware scanner: a command of the member's own, given the file on its standard input.

Exit 0: nothing found. 1: something found. Anything else: it could not look, and the file waits unfinished.
"""

import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import Timer
from typing import ClassVar

from comity_schemas.errors import ComityError

_SECONDS = 300


class ScannerUnavailable(ComityError):
    """The malware scanner could not look at the file; the file is kept, and counts as not received yet."""

    code: ClassVar[str] = "evidence.scanner-unavailable"


def is_clean(command: Sequence[str], pieces: Iterable[bytes]) -> bool:
    """Tell whether the scanner found nothing.

    Raises:
        ScannerUnavailable: it does not run, ends otherwise, or takes longer than five minutes.
    """
    try:
        with subprocess.Popen(  # noqa: S603 the member's own setting
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as scanner:
            # Also of one that does not read: whoever writes to it would wait as long as it does.
            ends = Timer(_SECONDS, _kill, [scanner])
            ends.start()
            try:
                code = _told_by(scanner, pieces)
            except BaseException:
                _kill(scanner)
                raise
            finally:
                ends.cancel()
    except (OSError, subprocess.SubprocessError) as error:
        raise ScannerUnavailable("the malware scanner does not run; the file waits. Tell the administrator") from error
    if code not in (0, 1):
        raise ScannerUnavailable(f"the malware scanner ended with {code}; the file waits. Tell the administrator")
    return code == 0


def _told_by(scanner: subprocess.Popen[bytes], pieces: Iterable[bytes]) -> int:
    assert scanner.stdin is not None
    try:
        for piece in pieces:
            scanner.stdin.write(piece)
        scanner.stdin.close()
    except BrokenPipeError:
        # It has seen enough; its exit code says what.
        pass
    return scanner.wait()


def _kill(scanner: subprocess.Popen[bytes]) -> None:
    # With all that it began: a child of it may hold the pipe.
    with suppress(ProcessLookupError):
        os.killpg(scanner.pid, signal.SIGKILL)
