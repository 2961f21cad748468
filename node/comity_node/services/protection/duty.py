"""Who is on duty for people at risk: a focal point and deputies in their order, and what goes on to the next."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from comity_node.db import Store
from comity_node.domain.errors import Contradictory, NotFound
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.protection import Case, whose_turn
from comity_node.domain.trail import Event

_ACTOR = "exchange"
MOST_ON_DUTY = 20


async def on_duty(store: Store) -> list[str]:
    """Return focal point and deputies in their order, as far as they have open accounts.

    Where nobody is named, every focal point is: people at risk do not wait for an administrator.
    """
    able = await _able(store)
    return [person for person in await store.referrals.duty() if person in able] or able


async def name_duty(store: Store, by: Person, names: Sequence[str], now: datetime) -> None:
    """Name the focal point and its deputies by the names of their accounts, in this order.

    Raises:
        Contradictory: somebody is named twice.
        NotFound: somebody has no open account with the role of a focal point.
    """
    if len(set(names)) != len(names):
        raise Contradictory("somebody is named twice; nothing was changed")
    people = []
    for name in names:
        found = await store.accounts.find_by_name(name)
        if found is None or PersonRole.FOCAL_POINT not in found[0].roles:
            raise NotFound(f"{name} is no person with the role of a focal point; nothing was changed")
        people.append(found[0].id)
    await store.referrals.put_duty(people)
    await store.trail.add(now, by.id, Event.DUTY_NAMED, "focal points", people=people)


async def pass_on(store: Store, after: timedelta, now: datetime) -> int:
    """Hand on every case that nobody has looked at for so long, or of which all focal points have left.

    Returns how many were handed to the next deputy.
    """
    handed = 0
    for case in await store.cases.unreviewed():
        if now - case.passed_on_at < after:
            continue
        following = whose_turn(await on_duty(store), case.staff)
        if following is not None:
            await store.cases.assign(case.id, following)
        # Also when all were told: `comity status` then says so, and the clock begins anew.
        await store.cases.pass_on(case.id, now)
        detail = {} if following is None else {"person": following}
        await store.trail.add(now, _ACTOR, Event.CASE_PASSED_ON, case.id, **detail)
        handed += 1
    # Where no focal point is left, nobody could see to it any more, nor let anybody else.
    for case in await _without_focal_point(store):
        following = whose_turn(await on_duty(store), case.staff)
        if following is not None:
            await store.cases.assign(case.id, following)
            await store.trail.add(now, _ACTOR, Event.CASE_PASSED_ON, case.id, person=following)
            handed += 1
    return handed


async def anything_to_pass_on(store: Store, after: timedelta, now: datetime) -> bool:
    """Tell whether `pass_on` would hand anything on."""
    if any(now - case.passed_on_at >= after for case in await store.cases.unreviewed()):
        return True
    return bool(await _without_focal_point(store))


async def _without_focal_point(store: Store) -> list[Case]:
    """Return the cases of which every focal point has left; none while nobody could take one over."""
    able = await on_duty(store)
    return await store.cases.without(await _able(store)) if able else []


async def _able(store: Store) -> list[str]:
    return [person.id for person in await store.accounts.people() if PersonRole.FOCAL_POINT in person.roles]
