"""Writes the test vectors under `schemas/vectors/`, or tells which no longer fit the code.

    python tests/vectors.py            writes
    python tests/vectors.py --check    exit 1, naming each file that differs

Keys, salts, decoys and times are fixed, so that the files are the same on every machine. What each vector expects is
written by hand in the modules `vector_*`; nothing here asks `decide` for the answer.
"""

import argparse
import base64
import hashlib
import json
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from builders import CHECKOUT, Made, Publisher, key_of
from comity_federation.decision import Earlier, Place, Seen
from comity_federation.encoding import b64encode
from comity_schemas.generate import drifted
from comity_schemas.member import Member

FOLDER = CHECKOUT / "schemas" / "vectors"
LONG = 8_000
"""Records longer than this are stored in pieces."""


@contextmanager
def fixed_salts(seed: str) -> Iterator[None]:
    """Replace randomness by a stream that only the seed decides. For vectors; real salts are never like this."""
    numbers = count()

    def token_bytes(length: int | None = None) -> bytes:
        block = hashlib.sha256(f"comity vectors {seed} {next(numbers)}".encode()).digest()
        assert length is not None and length <= len(block)
        return block[:length]

    with patch.object(secrets, "token_bytes", token_bytes):
        yield


@dataclass
class Collection:
    """The vectors and the registry entries they name."""

    members: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        name: str,
        why: str,
        build: Callable[[], bytes | Made],
        /,
        *,
        member: tuple[str, Member],
        seen: Seen | None = None,
        **expect: Any,
    ) -> None:
        with fixed_salts(name):
            made = build()
        raw = made.raw if isinstance(made, Made) else made
        if expect["outcome"] == "accepted":
            assert isinstance(made, Made)
            expect = {**expect, "seq": made.seq, "hash": made.hash, "body": expect.get("body", made.body)}
            expect["missing"] = list(made.missing)
            if len(raw) > LONG:
                del expect["body"]
        entry = member[1].to_parsed()
        assert self.members.setdefault(member[0], entry) == entry, f"two members are called {member[0]}"
        assert all(other["name"] != name for other in self.records), name
        vector = {"name": name, "why": why, "member": member[0], "record": written(raw)}
        if seen is not None:
            vector["seen"] = seen_written(seen)
        self.records.append({**vector, "expect": expect})


def written(raw: bytes) -> dict[str, Any]:
    """Bytes as text where they are UTF-8, in pieces that repeat where they are long."""
    if len(raw) > LONG:
        # Not zlib: what it writes differs between versions, and these files are compared byte for byte.
        return {"pieces": _pieces(raw.decode("ascii"))}
    try:
        return {"text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _pieces(text: str) -> list[tuple[str, int]]:
    pieces, at = [], 0
    for found in re.finditer(r"(.{100,1000}?)\1{2,}", text):
        unit = found[1]
        pieces += [(text[at : found.start()], 1), (unit, len(found[0]) // len(unit))]
        at = found.end()
    return [*pieces, (text[at:], 1)]


def read(record: dict[str, Any]) -> bytes:
    """The bytes that `written` wrote."""
    match record:
        case {"text": text}:
            return text.encode("utf-8")
        case {"base64": text}:
            return base64.b64decode(text)
        case {"pieces": pieces}:
            return "".join(text * times for text, times in pieces).encode("ascii")
    raise AssertionError(record)


def seen_written(seen: Seen) -> dict[str, Any]:
    """The state of a log, what is empty left out."""
    whole = {
        "head": seen.head,
        "places": {str(seq): {"hash": place.hash, "key": place.key} for seq, place in seen.places.items()},
        "earlier": {name: {"seq": e.seq, "kind": e.kind} for name, e in seen.earlier.items()},
        "branch": {str(seq): name for seq, name in seen.branch.items()},
        "other_branch": sorted(seen.other_branch),
        "frozen_from": seen.frozen_from,
    }
    return {name: value for name, value in whole.items() if value}


def seen_read(value: dict[str, Any]) -> Seen:
    """The state of a log as a vector tells it; an empty log where it tells none."""
    return Seen(
        value.get("head", 0),
        {int(seq): Place(**place) for seq, place in value.get("places", {}).items()},
        {name: Earlier(**e) for name, e in value.get("earlier", {}).items()},
        {int(seq): name for seq, name in value.get("branch", {}).items()},
        frozenset(value.get("other_branch", ())),
        value.get("frozen_from"),
    )


def keys_written() -> dict[str, Any]:
    """Every key with its private part, so that others can make vectors of their own."""
    publisher, other = Publisher(), Publisher("other", keys=(key_of("other 1"),))
    named = [(p.kid(n), key) for p in (publisher, other) for n, key in enumerate(p.keys)]
    named += [("did:web:audit.example#auditor-1", key_of("auditor"))]
    return {
        "warning": "Test keys. Their private parts are public: never list them in a registry.",
        "keys": {
            kid: {"kty": "OKP", "crv": "Ed25519", "x": b64encode(key.verify_key.encode()), "d": b64encode(bytes(key))}
            for kid, key in named
        },
    }


def texts() -> dict[Path, str]:
    """Every vector file with its content."""
    # Here and not above: those modules fill a Collection, which this one defines.
    import vector_bodies  # noqa: PLC0415
    import vector_others  # noqa: PLC0415
    import vector_records  # noqa: PLC0415
    import vector_steps  # noqa: PLC0415

    collection = Collection()
    vector_records.add_to(collection)
    vector_steps.add_to(collection)
    vector_bodies.add_to(collection)
    files = {
        "keys.json": keys_written(),
        "records.json": collection.records,
        "checkpoints.json": vector_others.checkpoints(collection),
        "peer-tokens.json": vector_others.peer_tokens(collection),
        "signed-reports.json": vector_others.signed_reports(collection),
        # Last: the others add to it.
        "members.json": collection.members,
    }
    return {FOLDER / name: _lines(value) for name, value in files.items()}


def _lines(value: list[Any] | dict[str, Any]) -> str:
    """JSON with one vector or entry a line, so that a difference shows which."""
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]\n"
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(inner)}" for name, inner in value.items()) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python tests/vectors.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    wanted = texts()
    differing = drifted(wanted)
    if parser.parse_args(arguments).check:
        for path in differing:
            print(f"differs from the code: {path}", file=sys.stderr)
        return 1 if differing else 0
    FOLDER.mkdir(exist_ok=True)
    for path in differing:
        path.unlink() if path not in wanted else path.write_text(wanted[path], "utf-8")
    return 0


if __name__ == "__main__":
    # As `vectors`, not as `__main__`: the other modules import it by that name.
    import vectors

    sys.exit(vectors.main())
