"""`python -m comity_node.workers HOME`: the exchange process that `comity serve` starts, and that ends with it."""

import gc

# All that imports make stays: looking for garbage among it is a sixth of the start.
gc.disable()

import asyncio  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from comity_node.wiring.logs import set_up_logs  # noqa: E402
from comity_node.workers.exchange import ExchangeRuns  # noqa: E402
from comity_node.workers.running import run_exchange  # noqa: E402


def _main(home: Path) -> int:
    gc.freeze()
    gc.enable()
    set_up_logs()
    try:
        asyncio.run(run_exchange(home, ends_with_parent=True))
    except ExchangeRuns as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
