"""A live node with something to find, and other programs' clients let loose on it: `serve.py PYTHON`.

Run by `.ci/clients`, with the Python of an environment that has the clients and nothing of Comity.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from builders import Publisher, key_of
from comity_schemas.member import MemberStatus
from node_world import Town, served
from supplier_desk import CNPJ, LEI, desk_at

GRAVE = {"severity": "S3", "status": "confirmed"}


async def furnish(place: Path) -> tuple[Path, str, str]:
    """Return a node's home, an officer's token and the id of a supplier that was joined with another."""
    town = Town(place)
    house = await town.found("agency")
    # The node decides again under its registry, so the members it heard stand there with the keys they signed with.
    office = Publisher("labour-office", keys=(key_of("office 1"), key_of("office 2")))
    members = {"city-hall": Publisher("city-hall"), office.name: office}
    town.admit(*(publisher.member(status=MemberStatus.PENDING) for publisher in members.values()))
    await town.refresh()
    officer = await house.hire("officer", "officer")
    desk = await desk_at(house.node.database)
    desk.publishers.update(members)
    first = await desk.say("Exemplar Gloves Sdn Bhd", office.name, LEI, country="MY", **GRAVE)
    second = await desk.say("示例手套有限公司", "city-hall", CNPJ, country="MY", kind="decision")
    numbers = sorted([await desk.number(first), await desk.number(second)])
    await desk.join(*numbers)
    await town.close()
    return house.home, officer.token, f"supplier-{numbers[1]}"


def main(python: str) -> int:
    """Serve the node and return what the clients end with."""
    with tempfile.TemporaryDirectory() as place:
        home, token, joined = asyncio.run(furnish(Path(place)))
        with served(home) as node:
            asking = Path(__file__).with_name("ask.py")
            # -I: nothing of this checkout is to be found by the clients.
            asked = subprocess.run(
                [python, "-I", str(asking), node.url, token, joined, LEI["id"]], check=False, timeout=240
            )
    return asked.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
