"""Checking an export of the trail without trusting the node, line by line, in bounded memory.

What is believed is the member's key, as the registry lists it, and the checkpoints that other members received:

1. Numbers go on without holes, and each digest leads to the hash beside it: nothing inside was changed, removed, added
   or moved unseen.
2. A checkpoint fixes all before it: its signature is the member's, and it names what the chain comes to there.
3. The export's own entry is the last that is shown, binds what was selected, and lies before a checkpoint.
4. A checkpoint that another member kept names a hash of this chain, unless it is older or younger than the file.

What it cannot show is said in docs/trail.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comity_federation import strict_json
from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.lone_record import as_when_signed, claimed_moment
from comity_node.domain.trail import START, Event, TrailEntry, entry_digest, link
from comity_node.domain.trail_export import MAX_LINE_BYTES, VERSION, Manifest
from comity_schemas.member import Member
from comity_schemas.statement import Checkpoint

MOST_PROBLEMS = 20
"""So many are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit: in which line, and what it must come from."""

    line: int
    what: str


@dataclass(slots=True)
class Verdict:
    """What an export is worth."""

    member: str = ""
    first: int = 0
    last: int = 0
    shown: int = 0
    left_out: int = 0
    anchored_to: int = 0
    """The last entry that a checkpoint fixes."""
    anchored_at: datetime | None = None
    """When, by the node's clock, the last of them was signed."""
    closed: bool = False
    """Whether the export's own entry was found, and a checkpoint fixes it."""
    witnessed: int = 0
    """How many checkpoints that others kept name a hash of this chain."""
    witnessed_to: int = 0
    outside: int = 0
    """How many are older or younger than this file."""
    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing contradicts it."""
        return not self.problems


class _Broken(Exception):
    """The rest of the file cannot be read."""


def examine(
    lines: Iterable[bytes], member_of: Callable[[str], Member | None], witnesses: Iterable[bytes] = ()
) -> Verdict:
    """Return what an export is worth.

    Args:
        lines: Of the file, each with its line feed.
        member_of: Who has a DID, by a registry that the caller trusts.
        witnesses: Checkpoints of this member that others kept, as signed.
    """
    reading = _Reading(member_of, witnesses)
    number = 0
    try:
        for number, raw in enumerate(lines, start=1):
            reading.take(number, raw)
    except _Broken as error:
        reading.note(number, str(error))
        return reading.verdict
    reading.finish(number)
    return reading.verdict


class _Reading:
    def __init__(self, member_of: Callable[[str], Member | None], witnesses: Iterable[bytes]) -> None:
        self.verdict = Verdict()
        self._member_of = member_of
        self._given = list(witnesses)
        self._wanted: dict[str, list[Checkpoint]] = {}
        self._member: Member | None = None
        self._place, self._chain = 0, START
        self._ended = False
        self._export = 0
        self._manifest: Manifest | None = None
        self._binds, self._bound, self._counted, self._counted_before = START, START, 0, 0
        self._times: list[int] = []

    def note(self, line: int, what: str) -> None:
        if len(self.verdict.problems) < MOST_PROBLEMS:
            self.verdict.problems.append(Problem(line, what))
        else:
            self.verdict.more_problems += 1

    def take(self, line: int, raw: bytes) -> None:
        if len(raw) > MAX_LINE_BYTES or not raw.endswith(b"\n"):
            raise _Broken("this line is cut off, or longer than any of an export")
        try:
            value = strict_json.loads(raw)
        except strict_json.NotStrict as error:
            raise _Broken("this is no line of an export") from error
        if not isinstance(value, dict):
            raise _Broken("this is no line of an export")
        if self._ended:
            raise _Broken("something was added behind the end")
        try:
            self._take(line, value)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise _Broken("this line lacks something, or holds something else than an export's") from error

    def _take(self, line: int, value: Mapping[str, Any]) -> None:
        if line == 1:
            self._begin(value)
        elif "left_out" in value:
            self._skip(line, value)
        elif "anchor" in value:
            self._anchor(line, value)
        elif "end" in value:
            self._end(line, value)
        else:
            self._show(line, value)

    def _begin(self, value: Mapping[str, Any]) -> None:
        if value.get("trail") != VERSION:
            raise _Broken("this is no export of a trail, or of a version that this program does not know")
        self._member = self._member_of(value["member"])
        if self._member is None:
            raise _Broken("the registry does not know whose trail this is")
        self._place, self._chain, self._export = int(value["after"]), str(value["hash"]), int(value["export"])
        self.verdict.member, self.verdict.first = self._member.slug, self._place + 1
        if self._place == 0 and self._chain != START:
            raise _Broken("it begins with the first entry, and not as a trail begins")
        for raw in self._given:
            checkpoint = self._opened(raw)
            if checkpoint is None:
                self.note(1, "a checkpoint given as a witness is none of this member")
            else:
                self._wanted.setdefault(checkpoint.trail, []).append(checkpoint)
        self._meet()

    def _show(self, line: int, value: Mapping[str, Any]) -> None:
        number, hash_ = int(value["number"]), str(value["hash"])
        entry = TrailEntry(
            datetime.fromisoformat(value["at"]),
            value["actor"],
            Event(value["event"]),
            value["subject"],
            value["detail"],
        )
        self._expect(line, number)
        of_entry = entry_digest(number, value["salt"], entry)
        if link(self._chain, of_entry) != hash_:
            self.note(line, f"entry {number} was changed, or does not follow what stands before it")
        self._chain = hash_
        self.verdict.shown += 1
        self._bound, self._counted_before = self._binds, self._counted
        self._binds, self._counted = link(self._binds, of_entry), self._counted + 1
        if number == self._export and entry.event is Event.TRAIL_EXPORTED:
            self._manifest = Manifest.of_entry(entry)
            self._check_selection(line)
        elif self._manifest is not None:
            self.note(line, f"entry {number} was put in behind the export's own entry")
        self._meet()

    def _check_selection(self, line: int) -> None:
        assert self._manifest is not None
        told, found = self._manifest.entries, self._counted_before
        if self._manifest.first != self.verdict.first:
            self.note(line, "the file begins elsewhere than the export did")
        if told > found:
            self.note(line, f"{told} entries were exported and {found} are shown: some were taken out of the file")
        elif told < found:
            self.note(line, f"{told} entries were exported and {found} are shown: some were put into the file")
        elif self._manifest.binds != self._bound:
            self.note(line, "the entries shown are not those that were exported")

    def _skip(self, line: int, value: Mapping[str, Any]) -> None:
        digests, hash_ = value["left_out"], str(value["hash"])
        self._expect(line, int(value["from"]))
        for each in digests[:-1]:
            self._chain = link(self._chain, str(each))
            self._place += 1
            self._meet()
        self._chain = link(self._chain, str(digests[-1]))
        self.verdict.left_out += len(digests)
        if self._chain != hash_:
            self.note(line, f"the entries left out up to {self._place} were changed, removed or moved")
            self._chain = hash_
        self._meet()

    def _expect(self, line: int, number: int) -> None:
        """Go on to a place, and say what it means when it is not the next."""
        expected = self._place + 1
        if number > expected:
            missing = f"entry {expected} is" if number == expected + 1 else f"entries {expected} to {number - 1} are"
            self.note(line, f"{missing} missing before this line")
        elif number < expected:
            self.note(line, f"entry {number} stands behind entry {self._place}: moved, or repeated")
        self._place = number

    def _anchor(self, line: int, value: Mapping[str, Any]) -> None:
        number = int(value["anchor"])
        checkpoint = self._opened(str(value["checkpoint"]).encode("ascii"))
        if checkpoint is None:
            self.note(line, "this checkpoint was not signed by the member")
        elif number != self._place or checkpoint.trail != self._chain:
            at = _time(checkpoint)
            self.note(line, f"the checkpoint signed at {at:%Y-%m-%d %H:%M:%S} UTC names another trail than this file")
        else:
            self.verdict.anchored_to, self.verdict.anchored_at = number, _time(checkpoint)
            self._times.append(checkpoint.iat)

    def _end(self, line: int, value: Mapping[str, Any]) -> None:
        self._ended = True
        if value["end"] != self._place or value["lines"] != line:
            self.note(line, "the end names another place or number of lines: lines were taken out or put in")

    def finish(self, line: int) -> None:
        verdict = self.verdict
        verdict.last = self._place
        if not self._ended:
            self.note(line, "the file ends before its end: it was cut off")
        if self._manifest is None:
            self.note(line, "the export's own entry is missing: the end was cut off")
        verdict.closed = self._manifest is not None and verdict.anchored_to >= self._export
        for checkpoints in self._wanted.values():
            for checkpoint in checkpoints:
                # Between two that fix this chain its hash must be one of it.
                if self._times and self._times[0] < checkpoint.iat < self._times[-1]:
                    at = _time(checkpoint)
                    self.note(
                        line,
                        f"another member holds a checkpoint signed at {at:%Y-%m-%d %H:%M:%S} UTC that names no hash of "
                        "this trail: the trail was rewritten or set back since, or two were kept",
                    )
                else:
                    verdict.outside += 1

    def _meet(self) -> None:
        """Notice where the chain comes to what another member was told."""
        met = self._wanted.pop(self._chain, None)
        if met:
            self.verdict.witnessed += len(met)
            self.verdict.witnessed_to = self._place

    def _opened(self, raw: bytes) -> Checkpoint | None:
        assert self._member is not None
        try:
            # What the registry closes later does not change who signed.
            return open_checkpoint(raw, as_when_signed(self._member))
        except CheckpointRefused:
            return None


def _time(checkpoint: Checkpoint) -> datetime:
    return claimed_moment(checkpoint.iat)
