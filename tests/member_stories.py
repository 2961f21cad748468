"""What three honest members publish: statements of every sort and checkpoints, on a bus, with their registry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES, Made, Publisher, key_of
from comity_federation.bus import Bus, checkpoints_topic, statements_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import b64encode
from comity_federation.registry import Registry
from comity_federation.statements import cloud_event_headers
from comity_schemas.member import Role
from comity_schemas.statement import Checkpoint
from node_world import NOW, registry_of

AGENCY = Publisher("agency")
BODY = Publisher("body", Role.PROCUREMENT_BODY, (key_of("body 1"), key_of("body 2")))
WORKERS = Publisher("workers", Role.WORKER_ORGANISATION, (key_of("workers 1"), key_of("workers 2")))
BOXES = (b64encode(b"for the first group" * 20), b64encode(b"for the second group" * 20))
EVERYBODY = (AGENCY, BODY, WORKERS)


@dataclass
class Story:
    """Members, what each has published so far, and where."""

    members: tuple[Publisher, ...] = EVERYBODY
    logs: dict[str, list[Made]] = field(default_factory=dict)
    registry_version: int = 1

    def registry(self) -> Registry:
        return registry_of(*(publisher.member() for publisher in self.members), version=self.registry_version)

    def log(self, publisher: Publisher) -> list[Made]:
        return self.logs.setdefault(publisher.name, [])

    def next_place(self, publisher: Publisher) -> dict[str, object]:
        log = self.log(publisher)
        return publisher.after(log[-1]) if log else {}

    async def say(self, bus: Bus, publisher: Publisher, made: Made) -> Made:
        """Publish one statement as a relay would."""
        self.log(publisher).append(made)
        headers = cloud_event_headers(publisher.did, made.seq, made.kind, NOW)
        await bus.publish(statements_topic(publisher.name), made.raw, headers)
        return made

    async def check_in(self, bus: Bus, publisher: Publisher, now: datetime = NOW, key: int = 0) -> bytes:
        """Publish a checkpoint over what was said so far."""
        raw = checkpoint(publisher, self.log(publisher), now, key=key, registry_version=self.registry_version)
        await bus.publish(checkpoints_topic(publisher.name), raw, {"content-type": "application/jwt"})
        return raw


def checkpoint(
    publisher: Publisher, log: Sequence[Made], now: datetime = NOW, *, key: int = 0, registry_version: int = 1
) -> bytes:
    """A member's word on its own head."""
    said = Checkpoint(
        v=1,
        iss=publisher.did,
        iat=int(now.timestamp()),
        seq=log[-1].seq if log else 0,
        hash=log[-1].hash if log else publisher.genesis,
        registry_version=registry_version,
        registry_hash="R" * 43,
        trail="T" * 43,
    )
    return sign_checkpoint(said, publisher.kid(key), publisher.keys[key])


async def tell_everything(bus: Bus) -> Story:
    """Publish findings, a revision, withdrawals, a kind nobody reads yet, sealed boxes, and a checkpoint of each."""
    story = Story()
    first = await story.say(bus, AGENCY, AGENCY.finding(boxes=BOXES))
    second = await story.say(bus, AGENCY, AGENCY.finding(disclosed=_named("Second"), **story.next_place(AGENCY)))
    revised = {**FINDING_IN_CLEAR, "replaces": second.hash, "severity": "S3"}
    more = {"disclosed": _named("Second, revised"), **story.next_place(AGENCY)}
    await story.say(bus, AGENCY, AGENCY.finding(clear=revised, **more))
    await story.say(bus, AGENCY, AGENCY.withdrawal(first.hash, **story.next_place(AGENCY)))
    await story.say(bus, AGENCY, AGENCY.make(kind="pointer", clear={"x": 1}, **story.next_place(AGENCY)))
    await story.say(bus, AGENCY, AGENCY.finding(disclosed=_named("Last"), **story.next_place(AGENCY)))
    for publisher in (BODY, WORKERS):
        for number in range(4):
            shown = _named(f"{publisher.name} {number}")
            await story.say(bus, publisher, publisher.finding(disclosed=shown, **story.next_place(publisher)))
    for publisher in story.members:
        await story.check_in(bus, publisher)
    return story


def _named(name: str) -> dict[str, object]:
    return {"names": [{"text": name}, *NAMES], "identifiers": IDENTIFIERS}


def topics_of(members: Iterable[Publisher]) -> list[str]:
    return [statements_topic(publisher.name) for publisher in members]
