"""Kills a node at every database commit, bus call and file change between approval and settlement, and looks.

    ./comity bench crash [--points N] [--ground sqlite/locallog ...] [--role desk ...] [--jobs N] [--only POINT]

On each ground a run without a kill finds out what points there are; then each point gets a run of its own: the process
dies there, is started again, the story goes on, and one oracle judges what is left. With fewer points asked for than
there are, they are spread over all kinds. Prints a JSON line for each ground and one for all; exit 1 when anything is
lost, doubled, forked or not clean. What a failed run left is kept, and named on stderr.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import servers
from bench.frame.progress import say
from bench.frame.results import report
from comity_federation.bus import BusUnavailable, checkpoints_topic, statements_topic
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.wiring.logs import set_up_logs
from faults.crash_sabotage import SABOTAGES
from faults.crash_town import PUBLISHER, RECEIVER, Ground, copy_town, prepare
from faults.crash_trial import ROLES, Kill, Outcome, Trial, fork, warm_up

GROUNDS = [Ground(database, bus) for database in ("sqlite", "postgres") for bus in ("locallog", "kafka")]
FAULTS = ("lost", "doubled", "forked", "unclean")
TOPICS_AT_ONCE = 30
TRIES = 3
"""How often a point is tried that another order of events has hidden."""


@dataclass
class Result:
    """What came of the runs on one ground, or on all."""

    points: int = 0
    kinds: int = 0
    missed: int = 0
    lost: int = 0
    doubled: int = 0
    forked: int = 0
    unclean: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.points += outcome.killed
        self.missed += not outcome.killed
        for fault in FAULTS:
            setattr(self, fault, getattr(self, fault) + len(getattr(outcome, fault)))

    def join(self, other: "Result") -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def is_good(self) -> bool:
        return self.points > 0 and not any(getattr(self, fault) for fault in FAULTS)

    def print(self, ground: str) -> None:
        report("crash", self.points, "kills at distinct points", met=self.is_good, ground=ground, **asdict(self))


@dataclass(frozen=True)
class Way:
    """How a sweep goes: so many runs at a time, so long for a step of the story, and what is wrong on purpose."""

    jobs: int
    patience_s: float
    sabotage: str | None
    until: float
    """On the monotonic clock: when no further run begins."""


@dataclass
class Sweep:
    """All runs on one ground.

    Args:
        ground: on what the nodes stand.
        way: how it goes.
        scratch: where towns are made; on a disk in memory, if there is one.
        postgres: a server's URL, if the ground needs one.
        kafka: a broker's address, likewise.
    """

    ground: Ground
    way: Way
    scratch: Path
    postgres: str | None = None
    kafka: str | None = None
    _trials: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.scratch.mkdir()
        (self.scratch / "town").mkdir()
        self._prepared = asyncio.run(prepare(self.scratch / "town", self.ground, self.postgres, self.kafka))

    def find_points(self, roles: Sequence[str]) -> list[Kill]:
        """Return every point, from one run for each process.

        Raises:
            SystemExit: the story goes wrong without any kill.
        """
        found: list[Kill] = []
        for kill, outcome in self.run([self._kill(role, None) for role in roles]):
            if faults := faults_of(outcome):
                raise SystemExit(f"crash: {self.ground}: without any kill: {faults}")
            found += [self._kill(kill.role, point) for point in outcome.points]
        return found

    def run(self, kills: Iterable[Kill]) -> Iterator[tuple[Kill, Outcome]]:
        """Yield what came of each kill, several at a time."""
        waiting = list(reversed(list(kills)))
        running: dict[int, tuple[Kill, Path]] = {}
        while waiting or running:
            if time.monotonic() > self.way.until:
                waiting.clear()
                if not running:
                    return
            while waiting and len(running) < self.way.jobs:
                pid, place = self._begin(waiting[-1])
                running[pid] = (waiting.pop(), place)
            pid, _ = os.wait()
            kill, place = running.pop(pid)
            yield kill, self._end(kill, place)

    def _kill(self, role: str, point: str | None) -> Kill:
        return Kill(role, point, self.way.sabotage, 60.0 if point is None else self.way.patience_s)

    def _begin(self, kill: Kill) -> tuple[int, Path]:
        number = self._trials
        self._trials += 1
        if self.ground.bus == "kafka" and number % TOPICS_AT_ONCE == 0:
            self._replace_topics(number)
        place = self.scratch / f"trial-{number}"
        place.mkdir()
        return fork(lambda: self._try(kill, place, number)), place

    def _try(self, kill: Kill, place: Path, number: int) -> int:
        databases: dict[str, str] = {}
        try:
            for slug, url in self._prepared.databases.items():
                databases[slug] = servers.copy_database(self.postgres or "", url)
            outcome = Trial(self._prepared, place, kill, self._suffix(number), databases).run()
            (place / "outcome.json").write_text(json.dumps(asdict(outcome)))
        finally:
            for url in databases.values():
                servers.drop_database(self.postgres or "", url)
        return 0

    def _end(self, kill: Kill, place: Path) -> Outcome:
        written = place / "outcome.json"
        outcome = Outcome(unclean=["the run itself failed; see above"])
        if written.exists():
            outcome = Outcome(**json.loads(written.read_text()))
        if faults := faults_of(outcome):
            say(f"{self.ground} {kill.role}, killed at {kill.point}: {faults}; left in {place}")
        else:
            shutil.rmtree(place)
        return outcome

    def _suffix(self, number: int) -> str:
        return f"-{self.ground.database}-{os.getpgid(0)}-{number}" if self.ground.bus == "kafka" else ""

    def _replace_topics(self, first: int) -> None:
        """Make the topics of the next trials, and remove those of the trials that are over."""
        settings = KafkaSettings(self.kafka or "")
        slugs = [
            f"{member}{self._suffix(number)}"
            for number in range(first, first + TOPICS_AT_ONCE)
            for member in (PUBLISHER, RECEIVER, "third")
        ]

        def make() -> int:
            prepare_topics(settings, slugs)
            topics = [topic(slug) for slug in slugs for topic in (statements_topic, checkpoints_topic)]
            asyncio.run(until_led(settings, topics))
            return 0

        # Apart: the administration client has threads, and this process must have none when it forks.
        _, status = os.waitpid(fork(make), 0)
        if status:
            raise SystemExit("crash: the topics could not be made; see above")


async def until_led(settings: KafkaSettings, topics: Sequence[str]) -> None:
    """Wait until a broker leads each new topic; for a moment none does."""
    bus = KafkaBus(settings, client_id="comity-bench-crash")
    await bus.start()
    for topic in topics:
        while True:
            try:
                await bus.tail(topic, most=1)
                break
            except BusUnavailable:
                await asyncio.sleep(0.05)
    await bus.stop()


def faults_of(outcome: Outcome) -> str:
    """Return all that is wrong, in words; empty when nothing is."""
    found = [f"{fault}: {words}" for fault in FAULTS for words in getattr(outcome, fault)]
    return "; ".join(found)


def kind_of(kill: Kill) -> str:
    """Return what a point is, whichever time it is passed."""
    return f"{kill.role} {(kill.point or '').rpartition('#')[0]}"


def spread(kills: Sequence[Kill], most: int) -> list[Kill]:
    """Return at most so many: one of each kind first, evenly over all kinds when there are more."""
    kinds: dict[str, list[Kill]] = defaultdict(list)
    for kill in kills:
        kinds[kind_of(kill)].append(kill)
    in_turn = [kill for turn in zip_longest(*kinds.values()) for kill in turn if kill is not None]
    if most >= len(kinds):
        return in_turn[:most]
    return [in_turn[number * len(kinds) // most] for number in range(most)]


def sweep_ground(sweep: Sweep, roles: Sequence[str], most: int | None, only: str | None) -> Result:
    """Kill at every point of a ground, or at so many of them."""
    began = time.monotonic()
    found = sweep.find_points(roles)
    chosen = spread(found, len(found) if most is None else most)
    if only is not None:
        chosen = [kill for kill in found if only in f"{kill.role} {kill.point}"]
    result, kinds = Result(), set[str]()
    say(f"{sweep.ground}: {len(found)} points, of which {len(chosen)} are killed at")
    left = chosen
    for attempt in range(TRIES):
        again: list[Kill] = []
        for number, (kill, outcome) in enumerate(sweep.run(left)):
            if not outcome.killed and not faults_of(outcome) and attempt < TRIES - 1:
                again.append(kill)
            else:
                result.add(outcome)
                kinds |= {kind_of(kill)} if outcome.killed else set()
            if number % 20 == 19:
                say(f"{sweep.ground}: {number + 1} of {len(left)}, {time.monotonic() - began:.0f} s")
        left = again
    result.kinds, result.seconds = len(kinds), round(time.monotonic() - began, 1)
    return result


def warm(scratch: Path) -> None:
    """Let this process meet all the code once, before anything is forked from it.

    Raises:
        SystemExit: not even this went well; with what the nodes wrote.
    """
    set_up_logs()
    (scratch / "warm-up").mkdir()
    written = scratch / "warm-up.log"
    aside, log = os.dup(2), os.open(written, os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 2)
    try:
        prepared = asyncio.run(prepare(scratch / "warm-up", Ground("sqlite", "locallog"), None, None))
        copy_town(prepared, scratch / "warm", {})
        asyncio.run(warm_up(scratch / "warm"))
    except BaseException as error:
        raise SystemExit(f"crash: the story goes wrong without any kill: {error!r}\n{written.read_text()}") from error
    finally:
        os.dup2(aside, 2)
        os.close(aside)
        os.close(log)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="comity bench crash", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, help="at most so many, over all grounds (default: all there are)")
    parser.add_argument("--ground", nargs="*", default=[str(g) for g in GROUNDS], help="database/bus, several")
    parser.add_argument("--role", nargs="*", default=list(ROLES), choices=ROLES, help="which process is killed")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="runs at a time")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no further run after so long")
    parser.add_argument("--patience", type=float, default=30, help="seconds that a step of the story may take")
    parser.add_argument("--sabotage", choices=SABOTAGES, help="break the nodes first: the sweep must notice")
    parser.add_argument("--only", help="only the points whose name contains this")
    return parser.parse_args()


def serve(stack: ExitStack, given: str, script: Path, fact: str) -> str:
    """Return the address of a real server: the one given by the environment, or one started for the time."""
    return os.environ.get(given) or str(stack.enter_context(servers.started(script))[fact])


def sweep_all(asked: argparse.Namespace, scratch: Path) -> Result:
    """Sweep ground after ground, print each result, and return the sum."""
    grounds = [ground for ground in GROUNDS if str(ground) in asked.ground]
    needs = {each for ground in grounds for each in (ground.database, ground.bus)}
    total, left, began = Result(), asked.points, time.monotonic()
    way = Way(asked.jobs, asked.patience, asked.sabotage, began + asked.seconds)
    with ExitStack() as stack:
        postgres = kafka = None
        if "postgres" in needs:
            postgres = serve(stack, "COMITY_TEST_POSTGRES", servers.LOCAL_POSTGRES, "url")
        if "kafka" in needs:
            kafka = serve(stack, "COMITY_TEST_KAFKA", servers.LOCAL_BROKER, "bootstrap")
        warm(scratch)
        for number, ground in enumerate(grounds):
            sweep = Sweep(ground, way, scratch / str(ground).replace("/", "-"), postgres, kafka)
            share = None if left is None else -(-left // (len(grounds) - number))
            result = sweep_ground(sweep, asked.role, share, asked.only)
            result.print(str(ground))
            total.join(result)
            left = None if left is None else left - result.points - result.missed
    total.seconds = round(time.monotonic() - began, 1)
    return total


def main() -> int:
    """Sweep, print, and say by the exit code whether all was well."""
    asked = arguments()
    memory = Path("/dev/shm")
    scratch = Path(tempfile.mkdtemp(prefix="comity-crash-", dir=memory if memory.is_dir() else None))
    total = sweep_all(asked, scratch)
    total.print("all")
    if total.is_good:
        shutil.rmtree(scratch)
    return 0 if total.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
