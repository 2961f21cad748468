"""A peer that compares the same candidates and pairs: nomenklatura's logic-v2, in an interpreter of its own.

It is never a dependency of ours: whoever wants the comparison names a Python that has it. Where it is not there, the
rows say so and quote nothing.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

DEFAULT_THRESHOLD = 0.7
"""yente's."""

Asked = tuple[str, str, str, str]
"""Name and country of one side, name and country of the other."""

_THERE = """
import json, sys
from followthemoney import ValueEntity, model
from nomenklatura.matching import get_algorithm
from nomenklatura.matching.types import ScoringConfig

algorithm, config = get_algorithm("logic-v2"), ScoringConfig.defaults()


def entity(key, name, country):
    made = ValueEntity(model.get("Company"), {"id": key})
    made.add("name", name)
    if country:
        made.add("country", country)
    return made


for number, line in enumerate(sys.stdin):
    name, country, other, elsewhere = json.loads(line)
    one, two = entity(f"a{number}", name, country), entity(f"b{number}", other, elsewhere)
    print(algorithm.compare(one, two, config).score, flush=False)
"""


class Peer:
    """nomenklatura in another interpreter, if there is one."""

    def __init__(self, python: Path | None) -> None:
        self.python = python
        probe = [str(python), "-c", "import nomenklatura, followthemoney"]
        self.is_there = python is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def in_words(self) -> str:
        """Return what it is, or that it is not there."""
        return "nomenklatura logic-v2" if self.is_there else "nomenklatura logic-v2: not installed, not measured"

    def scores(self, asked: Sequence[Asked]) -> list[float]:
        """Return its score of each pair, in their order."""
        lines = "".join(json.dumps(each) + "\n" for each in asked)
        done = subprocess.run([str(self.python), "-c", _THERE], input=lines, capture_output=True, text=True, check=True)
        return [float(line) for line in done.stdout.split()]
