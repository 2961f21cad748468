"""Keys as files: JWK (RFC 8037), the private half readable by its owner only.

Rules: a key file is never overwritten; a private key that others can read is not loaded; Ed25519 signs and X25519
seals, and neither passes for the other; no error and no repr ever shows the private half.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from nacl import public as nacl_public
from nacl import signing as nacl_signing
from pydantic import ConfigDict, StringConstraints, ValidationError

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_schemas.errors import ComityError
from comity_schemas.member import PublicKey
from comity_schemas.wire import Digest, Wire

MAX_KEY_FILE_BYTES = 4 * 1024
"""Largest key file read, in bytes. A JWK is under 500."""

_KEY_NAME = r"^[A-Za-z0-9][A-Za-z0-9._:%#-]{0,279}$"
KeyName = Annotated[str, StringConstraints(pattern=_KEY_NAME)]
"""A key's `kid`: a member's is `<did>#<key>`, a holder's any short name."""


def is_key_name(text: str) -> bool:
    """Tell whether a text can be a key's name."""
    return re.fullmatch(_KEY_NAME, text) is not None


class KeyFileError(ComityError):
    """Root of what can be wrong with a key file.

    Attributes:
        path: the file concerned.
    """

    code: ClassVar[str] = "key"

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path


class KeyFileExists(KeyFileError):
    """There is a file already; keys are never overwritten."""

    code: ClassVar[str] = "key.exists"


class KeyFileExposed(KeyFileError):
    """Others can read the private key."""

    code: ClassVar[str] = "key.exposed"


class KeyFileUnreadable(KeyFileError):
    """Missing, not a JWK, or a key of another kind than wanted."""

    code: ClassVar[str] = "key.unreadable"


class KeyNameRefused(ComityError):
    """The name cannot be a key's `kid`."""

    code: ClassVar[str] = "key.name-refused"


class NamedKey(PublicKey):
    """A public key with its name; the content of a `.pub` file."""

    kid: KeyName

    @property
    def key(self) -> PublicKey:
        """The key without its name."""
        return PublicKey(kty=self.kty, crv=self.crv, x=self.x)


class _PrivateJwk(Wire):
    # Pydantic quotes the input in its errors: not here.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    kty: Literal["OKP"]
    crv: Literal["Ed25519", "X25519"]
    kid: KeyName
    x: Digest
    d: Digest


@dataclass(frozen=True, slots=True)
class SigningPair:
    """A private Ed25519 key and its name."""

    kid: str
    secret: nacl_signing.SigningKey = field(repr=False)

    @property
    def public(self) -> NamedKey:
        """The half that others may see."""
        return NamedKey(kty="OKP", crv="Ed25519", x=b64encode(bytes(self.secret.verify_key)), kid=self.kid)


@dataclass(frozen=True, slots=True)
class SealingPair:
    """A private X25519 key and its name."""

    kid: str
    secret: nacl_public.PrivateKey = field(repr=False)

    @property
    def public(self) -> NamedKey:
        """The half that others may see."""
        return NamedKey(kty="OKP", crv="X25519", x=b64encode(bytes(self.secret.public_key)), kid=self.kid)


Pair = TypeVar("Pair", SigningPair, SealingPair)


def new_signing_pair(kid: str) -> SigningPair:
    """Make a new Ed25519 key.

    Raises:
        KeyNameRefused: `kid` cannot be a name.
    """
    return _named(SigningPair(kid, nacl_signing.SigningKey.generate()))


def new_sealing_pair(kid: str) -> SealingPair:
    """Make a new X25519 key.

    Raises:
        KeyNameRefused: `kid` cannot be a name.
    """
    return _named(SealingPair(kid, nacl_public.PrivateKey.generate()))


def verify_key(key: PublicKey) -> nacl_signing.VerifyKey:
    """Return what verifies this key's signatures.

    Raises:
        ValueError: not an Ed25519 key in canonical base64url.
    """
    return nacl_signing.VerifyKey(_public_bytes(key, "Ed25519"))


def sealing_key(key: PublicKey) -> nacl_public.PublicKey:
    """Return what seals for this key's owner.

    Raises:
        ValueError: not an X25519 key in canonical base64url.
    """
    return nacl_public.PublicKey(_public_bytes(key, "X25519"))


def fingerprint(key: PublicKey) -> str:
    """Return what two people compare over the telephone: the first 16 hexadecimal digits of the key.

    Raises:
        NotCanonical: the key is not canonical base64url.
    """
    digits = b64decode(key.x)[:8].hex()
    return " ".join(digits[i : i + 4] for i in range(0, 16, 4))


def write_key_pair(path: Path, pair: SigningPair | SealingPair) -> Path:
    """Write the private half to `path` (mode 0600) and the public half to `path`.pub; return the latter's path.

    Raises:
        KeyFileExists: one of the two is there already; nothing was changed.
        OSError: the directory cannot be written.
    """
    named = pair.public
    private = {"kty": "OKP", "crv": named.crv, "kid": named.kid, "x": named.x, "d": b64encode(bytes(pair.secret))}
    public_path = path.with_name(path.name + ".pub")
    for each in (path, public_path):
        if os.path.lexists(each):
            raise KeyFileExists(each, "exists already; keys are never overwritten")
    _write_new(path, strict_json.dumps(private) + b"\n", mode=0o600)
    try:
        _write_new(public_path, strict_json.dumps(named.to_parsed()) + b"\n", mode=0o644)
    except BaseException:
        path.unlink()
        raise
    return public_path


def load_signing_pair(path: Path) -> SigningPair:
    """Read a private Ed25519 key.

    Raises:
        KeyFileExposed: others can read it.
        KeyFileUnreadable: missing, or not such a key.
    """
    jwk = _load_private(path, "Ed25519")
    return _agreeing(path, jwk, SigningPair(jwk.kid, nacl_signing.SigningKey(b64decode(jwk.d))))


def load_sealing_pair(path: Path) -> SealingPair:
    """Read a private X25519 key.

    Raises:
        KeyFileExposed: others can read it.
        KeyFileUnreadable: missing, or not such a key.
    """
    jwk = _load_private(path, "X25519")
    return _agreeing(path, jwk, SealingPair(jwk.kid, nacl_public.PrivateKey(b64decode(jwk.d))))


def load_public(path: Path) -> NamedKey:
    """Read a `.pub` file.

    Raises:
        KeyFileUnreadable: missing, not a public JWK, or a private one: that is refused, so that it does not travel.
    """
    raw, _ = _read(path)
    try:
        parsed = strict_json.loads(raw)
        if isinstance(parsed, dict) and "d" in parsed:
            raise KeyFileUnreadable(path, "this is a private key; the public half ends in .pub")
        named = NamedKey.from_parsed(parsed)
        _public_bytes(named, named.crv)
    except (strict_json.NotStrict, ValidationError, ValueError) as error:
        raise KeyFileUnreadable(path, "not a public key as JWK (kty, crv, x, kid)") from error
    return named


def _named(pair: Pair) -> Pair:
    try:
        _ = pair.public
    except ValidationError as error:
        raise KeyNameRefused(
            f"{pair.kid!r} cannot name a key: letters, digits and . _ : % # - only, at most 280"
        ) from error
    return pair


def _public_bytes(key: PublicKey, crv: str) -> bytes:
    if key.crv != crv:
        raise ValueError(f"an {crv} key is needed, this is {key.crv}")
    try:
        return b64decode(key.x)
    except NotCanonical as error:
        raise ValueError("x is not canonical base64url") from error


def _load_private(path: Path, crv: str) -> _PrivateJwk:
    raw, mode = _read(path)
    try:
        parsed = strict_json.loads(raw)
        if isinstance(parsed, dict) and "x" in parsed and "d" not in parsed:
            raise KeyFileUnreadable(path, "this is the public half; the private one is needed")
        jwk = _PrivateJwk.from_parsed(parsed)
        b64decode(jwk.d)
    except (strict_json.NotStrict, ValidationError, NotCanonical):
        # Without `from`: the cause could quote the private half.
        raise KeyFileUnreadable(path, "not a private key as JWK (kty, crv, kid, x, d)") from None
    if mode & 0o077:
        raise KeyFileExposed(path, f"others can read this private key (mode {mode:04o}); run: chmod 600 {path}")
    if jwk.crv != crv:
        raise KeyFileUnreadable(path, f"an {crv} key is needed, this is {jwk.crv}")
    return jwk


def _agreeing(path: Path, jwk: _PrivateJwk, pair: Pair) -> Pair:
    if pair.public.x != jwk.x:
        raise KeyFileUnreadable(path, "x and d are not one pair")
    return pair


def _read(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileUnreadable(path, "not a file")
            raw = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileUnreadable(path, error.strerror or "cannot be read") from error
    if len(raw) > MAX_KEY_FILE_BYTES:
        raise KeyFileUnreadable(path, f"larger than {MAX_KEY_FILE_BYTES} bytes")
    return raw, status.st_mode & 0o777


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, mode)

    try:
        # "x" is O_EXCL: two writers cannot both win, and a symlink is not followed.
        with open(path, "xb", opener=opener) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise KeyFileExists(path, "exists already; keys are never overwritten") from error
