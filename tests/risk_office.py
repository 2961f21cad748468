"""A node where people at risk are seen to: focal points in their order, local contacts, and cases that are walked."""

from datetime import date
from typing import Any

from builders import IDENTIFIERS, NAMES
from comity_node.db import Database
from comity_node.domain.pointing import Whom
from comity_node.domain.protection import Case, ContactKind, Step
from comity_node.services.protection import cases, contacts, duty
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import Name
from node_world import NOW
from review_office import Office

WHOM = Whom("BR", (Name(text=NAMES[0]["text"]),), (Identifier.from_parsed(IDENTIFIERS[0]),))
HOTLINE = contacts.contact_of("BR", "Exemplo Hotline", ContactKind.HOTLINE, "+55 100", date(2027, 1, 1))
ABROAD = contacts.contact_of("AR", "Ejemplo", ContactKind.NGO, "+54 100", date(2027, 1, 1))
STEPS: dict[Step, dict[str, Any]] = {
    Step.REFERRAL_CONTACTED: {"contact": HOTLINE.id},
    Step.REFERRAL_OFFERED: {"consent": False},
}


async def furnished(database: Database) -> Office:
    """People, two further focal points, and local contacts."""
    made = Office(database)
    await made.open()
    for name in ("flo", "fox"):
        await made.hire(name, "focal-point")
    await made.write(lambda store: duty.name_duty(store, made.people["ana"], ["fay", "flo", "fox"], NOW))
    await made.write(lambda store: contacts.take_in(store, made.people["fay"], [HOTLINE, ABROAD], NOW))
    return made


async def open_case(office: Office, who: str = "ana", **more: Any) -> Case:
    opening = cases.Opening(**{"whom": WHOM, "place": "BR", "children": False, **more})
    return await office.write(lambda store: cases.open_case(store, office.people[who], opening, NOW))


async def step(office: Office, case: Case, what: Step, who: str = "fay", **more: Any) -> Case:
    given = {**STEPS.get(what, {}), **more}
    return await office.write(lambda store: cases.take_step(store, office.people[who], case.id, what, NOW, **given))


async def walk(office: Office, case: Case, until: Step) -> Case:
    for what in case.path[len(case.steps) : case.path.index(until) + 1]:
        case = await step(office, case, what)
    return case


async def trail(office: Office) -> list[Any]:
    async with office.database.read() as store:
        return [entry for _, entry in await store.trail.page(before=None, most=100)]
