"""How a node is: what is late, since when, what is safe, what to do. Quick, and true whether the node runs or not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.db.backlog import Backlog
from comity_node.db.cases import NOTHING_UNREVIEWED, Unreviewed
from comity_node.db.conditions import Condition
from comity_node.db.logs import LogStatus
from comity_node.db.search import UP_TO_DATE, Reach
from comity_node.db.supplier_words import SupplierWord
from comity_node.domain.advice import Advice, advise
from comity_node.domain.due_process import FIXED, Process, Windows
from comity_node.services.answering.moment import Coverage, cover
from comity_node.services.operating.retention import NOTHING_DESTROYED, Retention
from comity_node.services.publishing.deliveries import Correction, corrections, not_applied, others
from comity_node.services.remedy.contracts import NOTHING_DUE, Due
from comity_node.services.remedy.plans import NOTHING_LATE, Late
from comity_schemas.member import Member, MemberStatus

LATE_AFTER = timedelta(minutes=5)
"""How long something released or received may wait before it counts as late."""

SOON = timedelta(hours=2)
"""How long before a registry's end an administrator is told."""

RUNS = ("api", "receiver", "relay")
"""What a node that runs consists of."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What the database says, unweighed."""

    conditions: Sequence[Condition]
    outgoing: Backlog
    undecided: Backlog
    logs: Mapping[str, LogStatus]
    records: Mapping[str, Mapping[str, int]]
    """Member to state to number of records."""
    refused: Mapping[tuple[str, int], int]
    """Member and step to how many records are in quarantine."""
    disputes: Sequence[SupplierWord] = ()
    """Those that nobody has decided yet."""
    unreviewed: Unreviewed = NOTHING_UNREVIEWED
    """Of people at risk: how much no focal point has looked at."""
    contacts: tuple[int, int] = (0, 0)
    """Local contacts, and of how many the review date is past."""
    process: Sequence[Process] = ()
    """What was done for the proposals that nobody has decided yet."""
    corrections: Sequence[Correction] = ()
    """What this node took back or corrected lately."""
    applied: Mapping[str, int] = field(default_factory=dict)
    """Member to the last place of this node's log that it has said to have applied."""
    name_index: Reach = UP_TO_DATE
    """How far the name index is."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be."""

    name: str
    since: datetime | None
    what: str
    advice: Advice


@dataclass(frozen=True, slots=True)
class Heard:
    """One member's log as this node has it."""

    slug: str
    status: str
    head: int
    announced: int | None
    heard_at: datetime | None
    frozen_from: int | None
    waiting: int
    refused: int

    @property
    def missing(self) -> int:
        """How many statements it has announced that have not arrived."""
        return 0 if self.announced is None or self.frozen_from is not None else max(0, self.announced - self.head)


@dataclass(frozen=True, slots=True)
class Status:
    """How a node is at one moment."""

    as_of: datetime
    troubles: Sequence[Trouble]
    """What needs the administrator of this node."""
    late: Sequence[Trouble]
    """What is late at others; nothing to do here unless it lasts."""
    under_way: Sequence[Trouble]
    """What is behind here and catches up by itself."""
    running: Mapping[str, bool]
    measures: Measures
    registry: Registry | None
    heard: Sequence[Heard]
    windows: Windows = FIXED
    """How long each step of due process may take here."""
    plans: Late = NOTHING_LATE
    """What is late of corrective-action plans."""
    contracts: Due = NOTHING_DUE
    """What of the contract register is due or ends soon."""
    retention: Retention = NOTHING_DESTROYED
    """What was destroyed in time, and what is kept beyond it."""

    @property
    def healthy(self) -> bool:
        """Whether nothing needs the administrator of this node."""
        return not self.troubles


async def measure(store: Store, now: datetime) -> Measures:
    """Read what is needed to say how the node is."""
    return Measures(
        conditions=await store.conditions.all(),
        outgoing=await store.backlogs.outgoing(),
        undecided=await store.backlogs.undecided(),
        logs={log.member: log for log in await store.logs.all()},
        records=await store.received.counts(),
        refused=await store.quarantine.counts(),
        unreviewed=await store.cases.count_unreviewed(),
        contacts=await store.referrals.count(now.date()),
        process=await store.due_process.open(),
        disputes=await store.words.open_disputes(),
        corrections=await corrections(store),
        applied=await store.deliveries.furthest(),
        name_index=await store.search.reach(),
    )


def weigh(measures: Measures, registry: Registry | str, running: Mapping[str, bool], own: str, now: datetime) -> Status:
    """Return how a node is.

    Args:
        measures: what its database says.
        registry: the last good one, or in words why there is none.
        running: which parts of the node run.
        own: this node's own slug.
        now: the time.
    """
    known = registry if isinstance(registry, Registry) else None
    troubles = [
        *_not_running(running),
        *(Trouble(c.name, c.since, c.text, advise(c.name)) for c in measures.conditions),
    ]
    if isinstance(registry, str):
        troubles.append(Trouble("trust", None, registry, advise("trust")))
    named = {trouble.name for trouble in troubles}
    troubles += _waiting_too_long(measures, named, now)
    troubles += _nobody_has_looked(measures.unreviewed, now)
    heard: list[Heard] = []
    late: list[Trouble] = []
    if known is not None:
        troubles += registry_troubles(known, named, now)
        troubles += _registry_ends(known, named, now)
        heard = [_heard(member, measures) for member in known.members if member.status is not MemberStatus.PENDING]
        coverage = cover(known, dict(measures.logs), now)
        troubles += _alarms(heard, coverage, named)
        late = [*_late(heard, coverage, own), *_not_applied(measures, known, own, now)]
    return Status(now, troubles, late, _index_is_built(measures.name_index), running, measures, known, heard)


def _heard(member: Member, measures: Measures) -> Heard:
    log = measures.logs.get(member.slug, LogStatus(member.slug))
    records = measures.records.get(member.slug, {})
    return Heard(
        member.slug,
        member.status,
        log.head,
        log.announced_seq,
        log.heard_at,
        log.frozen_from,
        records.get("waiting", 0),
        sum(count for (slug, _), count in measures.refused.items() if slug == member.slug),
    )


def _not_running(running: Mapping[str, bool]) -> list[Trouble]:
    stopped = [part for part in RUNS if not running[part]]
    if not stopped:
        return []
    if len(stopped) == len(RUNS):
        what = "this node does not run; what follows is what its database says"
        return [Trouble("stopped", None, what, Advice("Nothing is lost.", "Start it: comity serve"))]
    safe = {
        "api": "What was released goes out and what others publish comes in.",
        "receiver": "What others publish waits on the bus.",
        "relay": "What is released waits in the outbox.",
    }
    start = {"api": "comity serve --only api"}
    return [
        Trouble(
            part,
            None,
            f"the {part} does not run",
            Advice(
                safe[part], f"Start it: {start.get(part, f'comity exchange --only {part}')}, or comity serve for all"
            ),
        )
        for part in stopped
    ]


def _index_is_built(reach: Reach) -> list[Trouble]:
    """Say how far the name index is while it is built anew, or after many suppliers came at once."""
    since = reach.built.since
    if since is None:
        return []
    done, share = reach.built.built, 100 * reach.built.built // max(1, reach.newest)
    what = f"the name index is being built: {done:,} of {reach.newest:,} suppliers are in it ({share} %)"
    following = "" if reach.built.batch is None else f", those up to {reach.built.batch:,} are being added"
    do = "Nothing: it goes on while the exchange runs. If these numbers stay, read the exchange's log on stderr."
    return [Trouble("name-index", datetime.fromisoformat(since), what + following, Advice(advise("search").safe, do))]


def _nobody_has_looked(unreviewed: Unreviewed, now: datetime) -> list[Trouble]:
    """Say that a focal point is needed, and nothing of what for."""
    since = unreviewed.since
    if since is None or (not unreviewed.passed_on and now - since < FIXED.escalation):
        return []
    what = "something that cannot wait is with the focal points, and none of them has looked at it"
    times = "once" if unreviewed.passed_on == 1 else f"{unreviewed.passed_on} times"
    on = f"; it was passed on {times}" if unreviewed.passed_on else ""
    return [Trouble("focal-point", since, what + on, advise("focal-point"))]


def _waiting_too_long(measures: Measures, named: set[str], now: datetime) -> list[Trouble]:
    """Say what waits although nothing is known to hold it up."""
    found = []
    out, inbox = measures.outgoing, measures.undecided
    if out.since is not None and now - out.since > LATE_AFTER and not named & {"relay", "bus", "stopped"}:
        what = f"{out.waiting} released statements are not on the bus yet"
        found.append(
            Trouble("outbox", out.since, what, Advice(advise("relay").safe, "Read the relay's log on stderr."))
        )
    held = {"settle", "receive", "registry", "receiver", "stopped"}
    if inbox.since is not None and now - inbox.since > LATE_AFTER and not named & held:
        what = f"{inbox.waiting} records were received and are not decided yet"
        found.append(
            Trouble("inbox", inbox.since, what, Advice(advise("settle").safe, "Read the receiver's log on stderr."))
        )
    return found


def registry_troubles(registry: Registry, named: set[str], now: datetime) -> list[Trouble]:
    """Say that the last good registry has expired, unless a condition of the registry is named already."""
    if registry.expires > now or "registry" in named:
        return []
    what = (
        f"the registry expired at {registry.expires:%Y-%m-%d %H:%M} UTC; this machine's clock says "
        f"{now:%Y-%m-%d %H:%M} UTC. What arrives waits, undecided"
    )
    return [Trouble("registry", registry.expires, what, advise("registry"))]


def _registry_ends(registry: Registry, named: set[str], now: datetime) -> list[Trouble]:
    if "registry" in named or not now < registry.expires <= now + SOON:
        return []
    what = f"the registry expires at {registry.expires:%Y-%m-%d %H:%M} UTC, and no newer one was fetched"
    return [Trouble("registry", None, what, advise("registry"))]


def _alarms(heard: Sequence[Heard], coverage: Coverage, named: Collection[str]) -> list[Trouble]:
    """Say what only the registrar can clear up, and must hear of."""
    found = [
        Trouble(
            "fork",
            None,
            f"{log.slug} signed two different statements for place {log.frozen_from}: its log is frozen there",
            Advice(
                "Everything it said before that place stays; nothing from there on counts.",
                "Call the registrar. `comity quarantine list` has the proof.",
            ),
        )
        for log in heard
        if log.frozen_from is not None
    ]
    # The relay says the same once it has lasted, and with more words.
    if coverage.newer_registry and "registry-behind" not in named:
        found.append(
            Trouble(
                "older-registry",
                None,
                f"{', '.join(coverage.newer_registry)} follow a newer registry than this node was shown",
                Advice(
                    "The registry that this node has stays in force.",
                    "Wait a minute. If it stays, call the registrar over another channel: somebody holds it back.",
                ),
            )
        )
    return found


def _late(heard: Sequence[Heard], coverage: Coverage, own: str) -> list[Trouble]:
    wait = "Nothing here. If it lasts, tell the hub: somebody may withhold records."
    found = [
        Trouble(
            "log",
            log.heard_at,
            f"{log.slug} has announced {log.announced}, this node has {log.head}: {log.missing} statements are missing"
            + (f", {log.waiting} that came early wait for them" if log.waiting else ""),
            Advice("What came in order counts, and answers say what is missing.", wait),
        )
        for log in heard
        if log.missing
    ]
    silent = Advice("What it said before counts; answers say since when it was not heard.", "Ask the member.")
    mine = Advice("Others do not hear this node.", "See the relay's log on stderr.")
    found += [
        Trouble("silent", since, f"nothing was heard of {slug}", mine if slug == own else silent)
        for slug, since in coverage.not_heard
    ]
    return found


def _not_applied(measures: Measures, registry: Registry, own: str, now: datetime) -> list[Trouble]:
    """Say who has not said within a day that it applied what this node took back or corrected."""
    advice = Advice(
        "Everybody else shows it. What it lacks reaches that node as soon as it reads this log again.",
        "Ask the member whether its node runs: until then it may show what is not true any more. "
        "`comity review applied STATEMENT` names everybody.",
    )
    lacking = not_applied(measures.corrections, measures.applied, others(registry, own), now)
    return [
        Trouble(
            "not-applied",
            missing[0].sent_at,
            f"{slug} has not said that it applied {len(missing)} of what this node took back or corrected; the oldest "
            f"is the {missing[0].kind} at place {missing[0].seq}",
            advice,
        )
        for slug, missing in lacking.items()
    ]
