"""An officer who puts screenings on file, at a node to which another member speaks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders import FINDING_IN_CLEAR, HANDLING, Made, Publisher, key_of
from comity_node.domain.trail import Event
from node_world import Bench, Clock, House, Town

ENGAGE = {**HANDLING, "contact": "engage", "permitted_use": ["engagement", "due-diligence"]}
PUBLIC = {**ENGAGE, "tlp": "CLEAR", "onward": "anyone"}
NAMES = iter(
    "Ambarita Brezovica Cintalapa Dharwad Ekibastuz Fushun Gjirokaster Hvolsvollur Itzehoe Jyvaskyla "
    "Kroonstad Lautoka Mzimba Nizwa Oyonnax Pleven Qiqihar Rzeszow Szombathely Tromso Uummannaq".split()
)
"""Of suppliers that nobody takes for each other."""


def cnpj(root: int) -> str:
    """A number of the Brazilian register with its check digits."""
    digits = [int(each) for each in f"{root:08d}0001"]
    for weights in ([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]):
        rest = sum(weight * each for weight, each in zip(weights, digits, strict=True)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    return "".join(map(str, digits))


class Desk:
    """An officer at a node, another member whose statements arrive there, and a supplier of which they speak."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.bench = Bench(house.node.database, datetime.now(UTC))
        self.name = next(NAMES)
        slug = self.name.lower()
        self.body = Publisher(slug, keys=(key_of(slug),))
        self.number = {"scheme": "BR-CNPJ", "id": cnpj(int.from_bytes(slug[:3].encode()))}
        self.said: list[Made] = []

    def finding(self, handling: dict[str, Any] = ENGAGE, **changes: Any) -> Made:
        clear = {**FINDING_IN_CLEAR, "valid_until": "2027-03-31"}
        shown = {"names": [{"text": self.name}], "identifiers": [self.number]}
        given = {"handling": handling, "clear": clear, "disclosed": shown, **changes}
        return self.body.finding(**given)

    async def hears(self, *made: Made) -> None:
        self.said += made
        await self.bench.arrive(self.body.member(), *(each.raw for each in made))

    @property
    def after(self) -> dict[str, Any]:
        return self.body.after(self.said[-1])

    async def ask(self, method: str, path: str = "", **body: Any) -> Any:
        async with self.house.api(self.house.people["officer"]) as api:
            given = {"json": body} if method == "POST" else {"params": body}
            return await api.request(method, f"/api/v1/filed-screenings{path}", **given)

    async def get(self, path: str = "", **params: Any) -> Any:
        answer = await self.ask("GET", path, **params)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str = "", **body: Any) -> Any:
        answer = await self.ask("POST", path, **body)
        assert answer.is_success, answer.text
        return answer.json()

    async def file(self, reference: str = "0042", **more: Any) -> Any:
        bidders = [{"identifiers": [self.number], "name": self.name}, {"name": "=Zzyzx"}]
        given = {"reference": f"{self.name}/2026/{reference}", "stage": "tender", "suppliers": bidders}
        return await self.post(**{**given, **more})

    async def trail(self, event: Event, filed: dict[str, Any]) -> list[Any]:
        async with self.house.node.database.read() as store:
            page = await store.trail.page(before=None, most=500)
        return [entry for _, entry in page if (entry.event, entry.subject) == (event, filed["id"])]


async def filing_house(place: Path) -> AsyncIterator[House]:
    town = Town(place)
    house = await town.found("agency", clock=Clock(datetime(2026, 11, 1, 9, tzinfo=UTC)))
    await town.refresh()
    await house.hire("officer", "officer")
    yield house
    await town.close()
