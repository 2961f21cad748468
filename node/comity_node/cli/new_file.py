"""Files that commands write: there whole or not at all, and at first for nobody but whoever ran the command."""

import errno
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, NoReturn

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""A disk that holds no more says so where it is written to, without the name of the file."""


def _end_in_order() -> dict[signal.Signals, Any]:
    """Let a signal that ends this program, as when its terminal is closed, unwind it; return what it did before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    ending = (signal.SIGTERM, signal.SIGHUP)
    return {each: signal.signal(each, _end) for each in ending if signal.getsignal(each) is signal.SIG_DFL}


def _end(number: int, _: Any) -> NoReturn:
    sys.exit(128 + number)


class NewFile:
    """A file that appears under its name only once it is whole, readable by its owner only. Two at once never mix."""

    def __init__(self, path: Path, *, replaces: bool = False) -> None:
        """Make nothing yet.

        Args:
            path: where it shall be.
            replaces: whether it may take the place of an earlier one, which stays until then; its mode goes over.
        """
        self._path, self._replaces = path, replaces

    def __enter__(self) -> IO[bytes]:
        """Open it beside its place, under a name of its own.

        Raises:
            OSError: one is there already and stays, or the directory cannot be written.
        """
        if not self._replaces and os.path.lexists(self._path):
            raise self._is_there()
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory, and no file", str(self._path))
        if not self._path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such directory", str(self._path.parent))
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".comity-", suffix=".part")
        self._part = Path(name)
        self._before = _end_in_order()
        self._stream = os.fdopen(handle, "wb")
        return self._stream

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        """Give it its name, or leave nothing of it.

        Raises:
            OSError: it could not be written to its end, or one is there by now and stays.
        """
        self._name(error)
        try:
            self._stream.close()
            if kind is None and self._replaces:
                self._take_its_place()
            elif kind is None:
                self._appear()
        except OSError as late:
            self._name(late)
            raise
        finally:
            self._part.unlink(missing_ok=True)
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _name(self, error: BaseException | None) -> None:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            error.filename = str(self._path)

    def _take_its_place(self) -> None:
        if self._path.exists():
            self._part.chmod(self._path.stat().st_mode & 0o777)
        self._part.replace(self._path)

    def _appear(self) -> None:
        # Unlike a new name, a link never takes the place of what came meanwhile.
        try:
            os.link(self._part, self._path)
        except FileExistsError as error:
            raise self._is_there() from error
        except OSError:
            # A file system that knows no links.
            self._part.rename(self._path)

    def _is_there(self) -> FileExistsError:
        return FileExistsError(errno.EEXIST, "is there already, and is not overwritten", str(self._path))
