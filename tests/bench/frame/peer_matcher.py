"""A peer that compares the same candidates and pairs: nomenklatura, in an interpreter of its own.

It is never a dependency of ours: the benchmark makes an environment for it from `.ci/peer.txt` and throws it away. That
is the newest release whose whole chain has wheels, and its best algorithm is logic-v1; since logic-v2 it needs PyICU,
which wants a compiler. An interpreter that has a later one is asked for logic-v2. Where there is neither, the rows say
why.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.frame.progress import say
from servers import CHECKOUT

DEFAULT_THRESHOLD = 0.7
"""yente's."""

MOST_SECONDS = 900
"""To install the packages, on a slow line."""

Asked = tuple[str, str, str, str]
"""Name and country of one side, name and country of the other."""

_THERE = """
import json, sys
from followthemoney import model
try:
    from followthemoney import ValueEntity as Entity
except ImportError:
    from nomenklatura.entity import CompositeEntity as Entity
from nomenklatura.matching import get_algorithm

algorithm = get_algorithm("logic-v2") or get_algorithm("logic-v1")
try:
    from nomenklatura.matching.types import ScoringConfig
    config = (ScoringConfig.defaults(),)
except ImportError:
    config = ()


def entity(key, name, country):
    made = Entity(model.get("Company"), {"id": key, "schema": "Company", "properties": {}})
    made.add("name", name)
    if country:
        made.add("country", country)
    return made


for number, line in enumerate(sys.stdin):
    name, country, other, elsewhere = json.loads(line)
    one, two = entity(f"a{number}", name, country), entity(f"b{number}", other, elsewhere)
    print(algorithm.NAME, algorithm.compare(one, two, *config).score)
"""


class Peer:
    """nomenklatura in another interpreter, if there is one that answers."""

    def __init__(self, python: Path | None, why_not: str = "not asked for") -> None:
        self.python = python
        self._why_not = why_not
        self._algorithm = "logic-v2"
        self.is_there = False
        if python is not None:
            asked = json.dumps(["Exemplar Ltd", "", "Exemplar Limited", ""]) + "\n"
            done = subprocess.run([python, "-c", _THERE], input=asked, capture_output=True, text=True, check=False)
            self.is_there = done.returncode == 0
            if self.is_there:
                self._algorithm = done.stdout.split()[0]
            else:
                self._why_not = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]

    @property
    def version(self) -> str:
        """Which release it is."""
        said = "from importlib.metadata import version; print(version('nomenklatura'))"
        return subprocess.run([str(self.python), "-c", said], capture_output=True, text=True, check=True).stdout.strip()

    def in_words(self) -> str:
        """Return what it is, or why it is not there."""
        if self.is_there:
            return f"nomenklatura {self.version}, {self._algorithm}"
        return f"nomenklatura {self._algorithm}: not measured ({self._why_not})"

    def scores(self, asked: Sequence[Asked]) -> list[float]:
        """Return its score of each pair, in their order."""
        lines = "".join(json.dumps(each) + "\n" for each in asked)
        done = subprocess.run([str(self.python), "-c", _THERE], input=lines, capture_output=True, text=True, check=True)
        return [float(line.split()[1]) for line in done.stdout.splitlines()]


@contextmanager
def peer_of(python: Path | None) -> Iterator[Peer]:
    """Yield the peer: of an interpreter that has it, or of an environment that is made for it and thrown away."""
    if python is not None:
        yield Peer(python)
        return
    with tempfile.TemporaryDirectory(prefix="comity-peer-") as place:
        say("installing nomenklatura into an environment that is thrown away")
        there = Path(place) / "env" / "bin" / "python"
        pip = "install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes --only-binary :all:"
        steps: list[list[str | Path]] = [
            [sys.executable, "-m", "venv", "--without-pip", there.parents[1]],
            [sys.executable, "-m", "pip", "--python", there, *pip.split(), "-r", CHECKOUT / ".ci" / "peer.txt"],
        ]
        yield _installed(there, steps)


def _installed(python: Path, steps: Sequence[Sequence[str | Path]]) -> Peer:
    for step in steps:
        try:
            subprocess.run(step, capture_output=True, text=True, check=True, timeout=MOST_SECONDS)
        except subprocess.CalledProcessError as failed:
            return Peer(None, (failed.stderr.strip().splitlines() or ["pip said nothing"])[-1])
        except subprocess.TimeoutExpired:
            return Peer(None, f"not installed within {MOST_SECONDS} s")
    return Peer(python)
