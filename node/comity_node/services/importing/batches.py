"""A batch before its release: how many of what severity, and the sample that each of the two releasers must open.

Who releases thousands at once reads few of them. So both, who imported and who releases, open a sample, each another
one: of every severity or measure at least one, ten in all where there are as many. Which, is drawn by a digest and
cannot be chosen. That it was opened is recorded, and asked for at the release.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.errors import NotFound, SampleNotOpened
from comity_node.domain.people import Person
from comity_node.domain.trail import Event

SAMPLE = 10
"""Proposals in a sample, or all where there are fewer; more where there are more severities than that."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A batch as whoever releases it must see it."""

    batch: str
    states: dict[str, int]
    counts: dict[str, int]
    """Severity of findings, or measure of decisions, to how many."""
    sample: list[str]
    """Proposals that this person must open."""
    opened: list[str]
    """Those of them that were."""
    proposer: str
    proposer_left: int
    """How many of its own sample the proposer has not opened yet."""


async def overview(store: Store, batch: str, person_id: str) -> Overview:
    """Return a batch as one person must see it.

    Raises:
        NotFound: there is none of this name.
    """
    reviews = await store.reviews.of_batch(batch)
    if not reviews:
        raise NotFound("nothing was proposed under this batch")
    opened = await store.jobs.opened(batch)
    kinds = {review.id: kind_of(review) for review in reviews}
    mine, proposer = draw(batch, person_id, kinds), reviews[0].proposed_by
    return Overview(
        batch=batch,
        states=dict(Counter(review.state for review in reviews)),
        counts=dict(sorted(Counter(kinds.values()).items())),
        sample=mine,
        opened=[name for name in mine if (name, person_id) in opened],
        proposer=proposer,
        proposer_left=sum((name, proposer) not in opened for name in draw(batch, proposer, kinds)),
    )


async def require_sample(store: Store, batch: str, person: Person) -> None:
    """Let a batch be released only when both have opened their samples.

    Raises:
        NotFound: there is no such batch.
        SampleNotOpened: with who has how many left.
    """
    seen = await overview(store, batch, person.id)
    left = len(seen.sample) - len(seen.opened)
    if left or seen.proposer_left:
        raise SampleNotOpened(
            f"before a batch is released each of the two people opens a sample of it: you have {left} left, who "
            f"proposed it {seen.proposer_left}. Nothing was released. `comity review batch {batch}` lists yours"
        )


async def note_opening(store: Store, person: Person, review: Review, now: datetime) -> None:
    """Record that somebody has opened a proposal of a batch."""
    if review.batch is not None and await store.jobs.note_opened(review.id, person.id, now):
        await store.trail.add(now, person.id, Event.PROPOSAL_OPENED, review.id, batch=review.batch)


def draw(batch: str, person_id: str, kinds: dict[str, str]) -> list[str]:
    """Return which proposals of a batch one person must open: always the same, and nobody's choice."""
    order = sorted(kinds, key=lambda name: digest(f"{batch} {person_id} {name}"))
    first = {kinds[name]: name for name in reversed(order)}
    chosen = [name for name in order if name in first.values()]
    rest = [name for name in order if name not in chosen]
    return [*chosen, *rest[: max(0, SAMPLE - len(chosen))]]


def kind_of(review: Review) -> str:
    """Return by what a proposal is counted: the severity of a finding, the measure of a decision."""
    content = json.loads(review.content)
    if "finding" in content:
        return str(content["finding"]["severity"])
    return str(content["decision"]["measure"]) if "decision" in content else review.act
