"""What the benchmarks exchange: findings of fifty members, ten about each supplier, signed by the production code.

The corpus is the same on every machine: keys, salts and decoys come from seeds. It lies in the user's cache, named
after what its first records look like, so that one made by code that signs otherwise is never taken. A smaller one
is the beginning of a larger one. A record has about 2 kB, a million of them 2 GB.
"""

import hashlib
import mmap
import multiprocessing
import random
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count, islice
from pathlib import Path
from unittest import mock

from bench.frame.progress import progress, say
from builders import HANDLING, IAT, Publisher, key_of
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Seen
from comity_federation.log_state import Peek, peek
from comity_federation.statements import Outgoing, Signed, genesis, sign_statement
from comity_node.domain.minimize import outgoing_finding
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.member import Member

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))

from local_cache import cache_directory, locked

MEMBERS = 50
A_SUPPLIER = 10
"""Findings about one supplier, by different members."""

_BLOCK = MEMBERS * A_SUPPLIER
_LENGTH = struct.Struct(">I")
_TERMS = Handling.from_parsed(HANDLING)

_FIRST = "Alpha Beta Gamma Delta Orion Rana Huafu Sinar Maju Prima Nova Sunrise Pacific Golden Silver Crescent".split()
_TRADE = "Garments Steel Foods Electronics Fishery Mining Cotton Rubber Palm Solar Brick Leather Gloves".split()
_FORM = {"BD": "Ltd", "MY": "Sdn. Bhd.", "BR": "Ltda", "CN": "Co., Ltd", "IN": "Pvt. Ltd", "VN": "JSC", "TR": "A.Ş."}


def publisher(number: int) -> Publisher:
    """Return the member of this number, with its key."""
    name = f"member-{number:02d}"
    return Publisher(name, keys=(key_of(f"corpus {name}"),))


def spare() -> Publisher:
    """Return the member that says nothing in the corpus: what a benchmark adds comes from it."""
    return publisher(MEMBERS)


@cache
def members() -> tuple[Member, ...]:
    """Return the fifty as the registry lists them."""
    return tuple(publisher(number).member() for number in range(MEMBERS))


def per_member(size: int) -> int:
    """Return how many records each member has in a corpus of this size, which is rounded up to whole suppliers."""
    return -(-size // _BLOCK) * A_SUPPLIER


def finding(number: int, seq: int) -> Finding:
    """Return what the member of this number says at this place of its log."""
    block = (seq - 1) // A_SUPPLIER
    supplier = block * MEMBERS + (number * 7 + seq * 11) % MEMBERS
    about, this = random.Random(f"supplier {supplier}"), random.Random(f"finding {number} {seq}")
    country = about.choice(list(_FORM))
    names = [{"text": f"{about.choice(_FIRST)} {about.choice(_TRADE)} {supplier} {_FORM[country]}"}]
    if about.random() < 0.3:
        names.append({"text": f"{about.choice(_FIRST)} {supplier}", "kind": "trading"})
    return Finding.from_parsed(
        {
            "subject": "supplier",
            "names": names,
            "identifiers": [{"scheme": "XI-LEI", "id": _lei(supplier)}],
            "country": country,
            "region": about.choice(["Northern Province", "Coastal Division", "Central Region"]),
            "site_address": f"Plot {this.randrange(1, 900)}, Industrial Area {this.randrange(1, 30)}",
            "sector": {"scheme": "ISIC4", "code": f"C{about.randrange(10, 33)}"},
            "indicators": [
                {"indicator": code, "basis": "stated"}
                for code in sorted(this.sample([f"FL{n:02d}" for n in range(1, 12)], this.choice([1, 1, 2, 3])))
            ],
            "source": {
                "type": "audit",
                "scheme": this.choice(["SMETA", "SLCP", "SA8000"]),
                "notice": this.choice(["announced", "semi-announced", "unannounced"]),
                "access": "full",
                "when": f"2026-{this.randrange(1, 10):02d}",
            },
            "auditor": "did:web:audit.example",
            "clause": {"clause": f"{this.randrange(1, 9)}.{this.randrange(1, 20)}"},
            "severity": this.choice(["S2", "S2", "S3"]),
            "extent": this.choice(["systemic", "isolated"]),
            "affected": "25-49",
            "women_share": "25-50%",
            "sample": "11-24",
            "status": "alleged",
            "valid_until": "2035-12-31",
        }
    )


def outgoing(number: int, seq: int) -> Outgoing:
    """Return it as two people would have released it: names and numbers disclosed, seven fields withheld."""
    return outgoing_finding(finding(number, seq), _TERMS)


def _lei(number: int) -> str:
    stem = f"9999{number:014d}"
    return f"{stem}{98 - int(stem + '00') % 97:02d}"


def signed_log(number: int) -> Iterator[Signed]:
    """Yield the member's log from its first place on, without end; the same at every time and place."""
    hash_ = genesis(publisher(number).did)
    for at in count(1):
        signed = _sign(number, at, hash_)
        hash_ = signed.hash
        yield signed


def next_record(number: int, before: bytes | None) -> bytes:
    """Return the record after the last one of a member's log; None before the first."""
    if before is None:
        return _sign(number, 1, genesis(publisher(number).did)).record
    place = _place(before)
    return _sign(number, place.seq + 1, place.hash).record


def _place(raw: bytes) -> Peek:
    claimed = peek(raw)
    assert claimed is not None
    return claimed


def _sign(number: int, seq: int, prev: str) -> Signed:
    who = publisher(number)
    salts = random.Random(f"salts {number} {seq}")
    with mock.patch("secrets.token_bytes", salts.randbytes):
        return sign_statement(
            outgoing(number, seq),
            iss=who.did,
            kid=who.kid(),
            key=who.keys[0],
            seq=seq,
            prev=prev,
            now=datetime.fromtimestamp(IAT + seq, UTC),
        )


@dataclass(frozen=True)
class Corpus:
    """The logs of all members, each up to the same place."""

    directory: Path
    length: int
    """Places of each log."""

    @property
    def size(self) -> int:
        """How many records there are."""
        return self.length * MEMBERS

    @property
    def slugs(self) -> list[str]:
        """The members' names, in their order."""
        return [member.slug for member in members()]

    def log(self, number: int, *, after: int = 0) -> Iterator[bytes]:
        """Yield the records of one member in order."""
        with (self.directory / f"{number:02d}.records").open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            at = 0
            for place in range(self.length):
                (length,) = _LENGTH.unpack_from(view, at)
                at += _LENGTH.size
                if place >= after:
                    yield view[at : at + length]
                at += length

    def records(self, most: int) -> list[bytes]:
        """Return so many records, of all members in turn."""
        each = -(-most // MEMBERS)
        logs = [list(islice(self.log(number), each)) for number in range(MEMBERS)]
        return [raw for place in zip(*logs, strict=True) for raw in place][:most]

    def last(self, number: int) -> bytes:
        """Return the last record of a member's log."""
        *_, last = self.log(number, after=self.length - 1)
        return last

    def last_hash(self, number: int) -> str:
        """Return the hash at the end of a member's log."""
        return _place(self.last(number)).hash


def corpus_of(size: int) -> Corpus:
    """Return the corpus of this size, made if the cache has none as large."""
    wanted = per_member(size)
    home = cache_directory() / f"corpus-{_fingerprint()}"
    with locked("corpus"):
        there = sorted(int(path.name) for path in home.glob("*") if path.name.isdigit())
        place = home / str(next((length for length in there if length >= wanted), wanted))
        if not place.exists():
            _make(place, wanted)
            for smaller in there:
                shutil.rmtree(home / str(smaller))
    return Corpus(place, wanted)


def _fingerprint() -> str:
    first = [raw.record for number in (0, 1) for raw in islice(signed_log(number), 2)]
    who = publisher(0)
    assert isinstance(decide(first[0], who.trust(), Seen()), Accepted), "the corpus's records are not acceptable"
    return hashlib.sha256(b"".join(first)).hexdigest()[:12]


def _make(place: Path, length: int) -> None:
    coming = place.with_suffix(".coming")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    work = [(str(coming), number, length) for number in range(MEMBERS)]
    cores = multiprocessing.cpu_count() if length > 100 else 1
    with progress(f"signing {length * MEMBERS:,} findings", MEMBERS) as bar:
        if cores == 1:
            for done, each in enumerate(work, 1):
                _write_log(each)
                bar.at(done)
        else:
            with multiprocessing.get_context("spawn").Pool(cores) as pool:
                for done, _ in enumerate(pool.imap_unordered(_write_log, work), 1):
                    bar.at(done)
    coming.rename(place)  # last: what has the final name is whole
    size = sum(path.stat().st_size for path in place.iterdir())
    say(f"a corpus of {length * MEMBERS:,} findings, {size / 1e6:,.0f} MB, is now in {place}")


def _write_log(work: tuple[str, int, int]) -> None:
    directory, number, length = work
    with (Path(directory) / f"{number:02d}.records").open("wb", buffering=1 << 20) as file:
        for signed in islice(signed_log(number), length):
            file.write(_LENGTH.pack(len(signed.record)) + signed.record)
