"""Everything a broker can do to one record on its way, at random: what `HostileBus` is told when nobody picks."""

import random
from collections.abc import Iterable

from comity_federation.bus import statements_topic
from hostile_bus import Cheat, Shown, honest, with_parts
from member_stories import Story


def liar(story: Story, luck: random.Random) -> Cheat:
    """Return a cheat that picks one lie or the truth for each record.

    Args:
        story: what members have said; other members' records are taken from it.
        luck: decides, so that the same luck tells the same lies.
    """
    held: dict[str, list[bytes]] = {}

    def foreign() -> bytes:
        logs = [log for log in story.logs.values() if log]
        return luck.choice(luck.choice(logs)).raw if logs else b"{}"

    def lie(where: str, value: bytes) -> list[Shown]:
        at = luck.randrange(len(value) or 1)
        match luck.randrange(14):
            case 0:
                return []
            case 1:
                held.setdefault(where, []).append(value)
                return []
            case 2:
                return [(where, value), *((where, each) for each in reversed(held.pop(where, [])))]
            case 3:
                return [(where, value)] * luck.randrange(2, 4)
            case 4:
                return [(where, value[:at] + bytes([luck.randrange(256)]) + value[at + 1 :])]
            case 5:
                return [(where, value[:at])]
            case 6:
                return [(where, value + b" " * luck.choice((1, 70_000)))]
            case 7:
                return [(statements_topic(luck.choice([*story.logs])), value)]
            case 8:
                return [(where, foreign()), (where, value)]
            case 9:
                return [(where, None), (where, b""), (where, value)]
            case 10:
                return [(where, luck.randbytes(luck.randrange(200)))]
            case 11 if ".statements." in where and value.endswith(b"]}"):
                return [(where, _with_lies_in_parts(value, luck))]
        return list(honest(where, value))

    def cheat(where: str, value: bytes) -> Iterable[Shown]:
        return lie(where, value)

    return cheat


def _with_lies_in_parts(value: bytes, luck: random.Random) -> bytes:
    match luck.randrange(4):
        case 0:
            return with_parts(value, disclosures=lambda ds: luck.sample(ds, luck.randrange(len(ds) + 1)))
        case 1:
            return with_parts(value, disclosures=lambda ds: [*ds, "AAAA"])
        case 2:
            return with_parts(value, boxes=[])
    return with_parts(value, boxes=["AAAA"])
