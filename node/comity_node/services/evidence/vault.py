"""Evidence files at rest: one encrypted stream a file, its key in another directory.

    DATA/<id>          header, then messages of 64 KiB, the last one marked as such (libsodium secretstream)
    KEYS/<id>          the file's own random key; shredding it makes the file unreadable, wherever copies of it lie
    KEYS/<id>.going-on while it is being received, sealed with its key: how far it came, and the cipher's state there

Rules: never more than one piece in memory. What was answered is on the disk. A crash leaves bytes behind the recorded
end at most, and the next piece overwrites them. The state of the cipher could open the file, so copies of it that the
disk keeps must be worth nothing without the key.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from comity_federation.encoding import b64decode, b64encode
from comity_schemas.errors import ComityError

MESSAGE_BYTES = 64 * 1024
_OVERHEAD = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_NONCE = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES


class EvidenceUnreadable(ComityError):
    """The file or its key is damaged or gone; the report and its hash of the file are untouched."""

    code: ClassVar[str] = "evidence.unreadable"


class WrongOffset(ComityError):
    """The piece does not begin where the file ends so far; nothing of it was stored.

    Attributes:
        received: bytes received so far; go on there.
    """

    code: ClassVar[str] = "evidence.wrong-offset"

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes are here; send the piece that begins there. Nothing was stored")
        self.received = received


class Vault:
    """All evidence files of one node."""

    def __init__(self, data: Path, keys: Path) -> None:
        self._data = data
        self._keys = keys

    def begin(self, name: str) -> None:
        """Make an empty file with a fresh key."""
        for directory in (self._data, self._keys):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = sodium.crypto_secretstream_xchacha20poly1305_keygen()
        _write_durably(self._keys / name, key)
        state = sodium.crypto_secretstream_xchacha20poly1305_state()
        header = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        _write_durably(self._data / name, header)
        self._save(name, state, 0)

    def received(self, name: str) -> int:
        """Return how many bytes of an unfinished file are here.

        Raises:
            EvidenceUnreadable: it is finished, or was never begun.
        """
        return int(self._saved(name)["received"])

    def is_begun(self, name: str) -> bool:
        """Tell whether an unfinished file is here whole, as far as it came; without it, it can only begin anew."""
        try:
            self._saved(name)
        except EvidenceUnreadable:
            return False
        return True

    def append(self, name: str, offset: int, piece: bytes, *, last: bool) -> int:
        """Add the next piece; return how many bytes are here. An ended file may be asked again, with nothing to add.

        Args:
            name: which file.
            offset: where the piece begins.
            piece: whole messages of 64 KiB, but for the last one.
            last: whether the file ends with it.

        Raises:
            WrongOffset: it does not begin where the file ends so far.
            EvidenceUnreadable: the file was never begun.
        """
        with self._alone(name):
            saved = self._saved(name)
            received = int(saved["received"])
            if offset != received or (saved["ended"] and piece):
                raise WrongOffset(received)
            if saved["ended"]:
                return received
            state = _restored(b64decode(saved["state"]))
            with (self._data / name).open("r+b") as file:
                file.seek(_HEADER + received // MESSAGE_BYTES * (MESSAGE_BYTES + _OVERHEAD))
                file.truncate()
                for start in range(0, max(len(piece), 1), MESSAGE_BYTES):
                    message = piece[start : start + MESSAGE_BYTES]
                    tag = _FINAL if last and start + MESSAGE_BYTES >= len(piece) else 0
                    file.write(sodium.crypto_secretstream_xchacha20poly1305_push(state, message, name.encode(), tag))
                file.flush()
                os.fsync(file.fileno())
            self._save(name, state, received + len(piece), ended=last)
            return received + len(piece)

    def finish(self, name: str) -> None:
        """Forget the state of the cipher, once the whole file was found good."""
        _shred_file(self._going_on(name))

    def read(self, name: str) -> Iterator[bytes]:
        """Give a finished file's content, a message at a time.

        Raises:
            EvidenceUnreadable: it was changed, cut off, or its key is gone; what came before is true.
        """
        try:
            key = (self._keys / name).read_bytes()
            with (self._data / name).open("rb") as file:
                state = sodium.crypto_secretstream_xchacha20poly1305_state()
                sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, file.read(_HEADER), key)
                tag = None
                while tag != _FINAL:
                    sealed = file.read(MESSAGE_BYTES + _OVERHEAD)
                    message, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(state, sealed, name.encode())
                    yield message
                if file.read(1):
                    raise EvidenceUnreadable("something was put behind the end of an evidence file")
        except (OSError, CryptoError, ValueError) as error:
            raise EvidenceUnreadable("an evidence file was changed, cut off, or its key is gone") from error

    def read_begun(self, name: str) -> Iterator[bytes]:
        """Give the same, once its first message was read: whose key or file is gone is told before anything is given.

        Raises:
            EvidenceUnreadable: its beginning cannot be read; later the same as of `read`.
        """
        messages = self.read(name)
        return chain([next(messages)], messages)

    def shred(self, name: str) -> None:
        """Destroy a file's key, then the file. What lies in backups of the data is unreadable from then on."""
        try:
            # Whoever adds a piece comes to an end first, and puts nothing there afterwards.
            with self._alone(name):
                self._destroy(name)
        except EvidenceUnreadable:
            # A crash took the key; what lies beside it goes too.
            self._destroy(name)

    def _destroy(self, name: str) -> None:
        for path in (self._keys / name, self._going_on(name), self._fresh(name)):
            _shred_file(path)
        (self._data / name).unlink(missing_ok=True)

    def _going_on(self, name: str) -> Path:
        return self._keys / f"{name}.going-on"

    def _fresh(self, name: str) -> Path:
        return self._keys / f"{name}.fresh"

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        try:
            descriptor = os.open(self._keys / name, os.O_RDONLY)
        except OSError as error:
            raise EvidenceUnreadable("this evidence file was never begun, or is shredded") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _save(self, name: str, state: Any, received: int, *, ended: bool = False) -> None:
        # The cipher's state: with it, and only with it, the stream goes on after a restart as if nothing had happened.
        kept = bytes(state.statebuf[n] for n in range(sodium.crypto_secretstream_xchacha20poly1305_STATEBYTES))
        saved = json.dumps({"received": received, "ended": ended, "state": b64encode(kept)}).encode()
        nonce, key = secrets.token_bytes(_NONCE), (self._keys / name).read_bytes()
        sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(saved, name.encode(), nonce, key)
        _write_durably(self._fresh(name), nonce + sealed)
        self._fresh(name).replace(self._going_on(name))

    def _saved(self, name: str) -> dict[str, Any]:
        try:
            key, kept = (self._keys / name).read_bytes(), self._going_on(name).read_bytes()
            opened = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(kept[_NONCE:], name.encode(), kept[:_NONCE], key)
            saved: dict[str, Any] = json.loads(opened)
            (self._data / name).stat()
        except (OSError, CryptoError, ValueError) as error:
            raise EvidenceUnreadable("this evidence file is not being received") from error
        return saved


def _restored(kept: bytes) -> Any:
    state: Any = sodium.crypto_secretstream_xchacha20poly1305_state()
    for place, byte in enumerate(kept):
        state.statebuf[place] = byte
    return state


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _shred_file(path: Path) -> None:
    try:
        # Where it lies, not cut off before: that would only let go of it.
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
