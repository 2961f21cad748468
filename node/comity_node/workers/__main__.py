"""`python -m comity_node.workers HOME`: the exchange process that `comity serve` starts, and that ends with it."""

import asyncio
import sys
from pathlib import Path

from comity_node.wiring.logs import set_up_logs
from comity_node.workers.exchange import ExchangeRuns
from comity_node.workers.running import run_exchange


def _main(home: Path) -> int:
    set_up_logs()
    try:
        asyncio.run(run_exchange(home, ends_with_parent=True))
    except ExchangeRuns as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
