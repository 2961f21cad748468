"""What lies encrypted in the database, its keys in files apart from it: who copies the database alone reads nothing.

    KEYS/<bundle>     keys of 32 bytes, one for each report that one transaction stored
    KEYS/words        the one key of short texts that may stay as long as the node: drafts, notes, references

A report's key is named `<bundle>.<place>`. Rules: a key is on the disk before the transaction that needs it commits; a
crash between the two leaves a key that nothing needs. Shredding overwrites one key; a file goes with its last one.
Sealed with XChaCha20-Poly1305; what it belongs to is authenticated, so that no row can be given another's content.
"""

import os
import secrets
from pathlib import Path
from typing import ClassVar, Final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from comity_federation.encoding import b64decode, b64encode
from comity_schemas.errors import ComityError

_KEY: Final = sodium.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
_NONCE: Final = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_SHREDDED: Final = bytes(_KEY)
_WORDS: Final = "words"
_SEALED: Final = "sealed:"


class KeyGone(ComityError):
    """The key of something encrypted is shredded or lost, or its content was changed; its hash is untouched."""

    code: ClassVar[str] = "database.key-gone"


class KeyFiles:
    """The directory of keys of one node."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, bundle: str, keys: list[bytes]) -> None:
        """Put keys on the disk, all in one file."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_durably(self._directory / bundle, b"".join(keys), os.O_EXCL)
        _sync_directory(self._directory)

    def find(self, name: str) -> bytes:
        """Return a key.

        Raises:
            KeyGone: it is shredded, or its file is not there.
        """
        bundle, place = _parts(name)
        try:
            with (self._directory / bundle).open("rb") as file:
                file.seek(place * _KEY)
                key = file.read(_KEY)
        except OSError as error:
            raise KeyGone("the key of this is gone: restore keys/reports from a backup") from error
        if len(key) != _KEY or key == _SHREDDED:
            raise KeyGone("the key of this is shredded")
        return key

    def shred(self, name: str) -> None:
        """Destroy a key; what was sealed with it is unreadable from then on, wherever copies of it lie."""
        bundle, place = _parts(name)
        path = self._directory / bundle
        if not path.exists():
            return
        with path.open("r+b") as file:
            file.seek(place * _KEY)
            file.write(_SHREDDED)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            is_last = not file.read().strip(b"\0")
        if is_last:
            path.unlink()
            _sync_directory(self._directory)

    def of_words(self) -> bytes:
        """Return the key of short texts, made when it is first asked for."""
        path = self._directory / _WORDS
        if not path.exists():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._directory / f"{_WORDS}.{secrets.token_hex(8)}"
            _write_durably(fresh, secrets.token_bytes(_KEY), os.O_EXCL)
            try:
                # Whoever is first: a link never replaces a key that is in use.
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
            _sync_directory(self._directory)
        return path.read_bytes()

    def find_of_words(self) -> bytes:
        """Return the key of short texts that are kept already: a new one would open none of them.

        Raises:
            KeyGone: its file is not there.
        """
        try:
            return (self._directory / _WORDS).read_bytes()
        except OSError as error:
            raise KeyGone("the key of drafts and notes is gone; restore it from a backup") from error


class Seals:
    """Sealing and opening within one transaction; without a directory nothing is sealed (tests on a bare database)."""

    def __init__(self, files: KeyFiles | None) -> None:
        self._files = files
        self._bundle = secrets.token_hex(8)
        self._fresh: list[bytes] = []

    def seal(self, content: bytes, about: str) -> tuple[str | None, bytes]:
        """Return the name of a new key and the content sealed with it."""
        if self._files is None:
            return None, content
        key = secrets.token_bytes(_KEY)
        self._fresh.append(key)
        return f"{self._bundle}.{len(self._fresh) - 1}", _sealed(key, content, about)

    def open(self, name: str | None, sealed: bytes, about: str) -> bytes:
        """Return what was sealed.

        Raises:
            KeyGone: see there.
        """
        if name is None:
            return sealed
        bundle, place = _parts(name)
        if bundle == self._bundle:
            return _opened(self._fresh[place], sealed, about)
        if self._files is None:
            raise KeyGone("this database was opened without its keys")
        return _opened(self._files.find(name), sealed, about)

    def shred(self, name: str | None) -> None:
        """Destroy a key at once; the transaction need not succeed."""
        if self._files is not None and name is not None:
            self._files.shred(name)

    def keep(self) -> None:
        """Put the new keys on the disk; before the commit."""
        if self._files is not None and self._fresh:
            self._files.add(self._bundle, self._fresh)

    @property
    def can_seal(self) -> bool:
        """Whether there is a place for keys."""
        return self._files is not None

    def seal_words(self, words: str | None) -> str | None:
        """Return a short text sealed for as long as the node lives."""
        if words is None or self._files is None:
            return words
        return _SEALED + b64encode(_sealed(self._files.of_words(), words.encode(), _WORDS))

    def open_words(self, kept: str | None) -> str | None:
        """Return a short text; one that was kept before texts were sealed as it is.

        Raises:
            KeyGone: see there.
        """
        if kept is None or not kept.startswith(_SEALED):
            return kept
        if self._files is None:
            raise KeyGone("this database was opened without its keys")
        return _opened(self._files.find_of_words(), b64decode(kept.removeprefix(_SEALED)), _WORDS).decode()


def _parts(name: str) -> tuple[str, int]:
    bundle, _, place = name.partition(".")
    return bundle, int(place)


def _sealed(key: bytes, content: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(content, about.encode(), nonce, key)


def _opened(key: bytes, sealed: bytes, about: str) -> bytes:
    try:
        nonce, rest = sealed[:_NONCE], sealed[_NONCE:]
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(rest, about.encode(), nonce, key)
    except (CryptoError, ValueError) as error:
        raise KeyGone("this was changed in the database, or is another's content") from error


def _write_durably(path: Path, content: bytes, how: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
