"""Numbers for a monitoring system: how late, how much waits, what was refused. No person, no content, no token.

Read anew for every request, in the Prometheus text format. Its cost does not grow with what was accepted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from comity_federation.registry import Registry
from comity_node.api.contract import sends
from comity_node.auth import MetricsReader, ThisNode
from comity_node.services.operating.room import disk_troubles
from comity_node.services.operating.status import RUNS, Status, measure, weigh
from comity_node.wiring.locks import is_held
from comity_schemas.errors import ComityError

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses=sends(CONTENT_TYPE_LATEST.partition(";")[0]))
async def get_metrics(_reader: MetricsReader, node: ThisNode) -> Response:
    """Numbers for a monitoring system; read with the token of the setting `metrics_token_file`."""
    registry: Registry | str
    try:
        registry = await node.registry()
    except ComityError as error:
        registry = str(error)
    async with node.database.read() as store:
        measures = await measure(store, node.clock())
    running = {part: is_held(node.home.lock(part)) for part in RUNS}
    found = weigh(measures, registry, running, node.settings.member, node.clock())
    # As `comity status` counts: a disk that is full is the administrator's too.
    status = replace(found, troubles=[*disk_troubles(node.home.path), *found.troubles])
    return Response(render(status), media_type=CONTENT_TYPE_LATEST)


def render(status: Status) -> bytes:
    """Return a node's numbers in the Prometheus text format."""
    # One of our own for every answer: the library's global one would bring whatever else was put into it.
    collected = CollectorRegistry(auto_describe=False)
    collected.register(_Given(list(_families(status))))
    return generate_latest(collected)


class _Given:
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def _families(status: Status) -> Iterator[GaugeMetricFamily]:
    now, measures = status.as_of, status.measures
    yield _gauge("comity_info", "The release that runs.", ["version"], [([version("comity")], 1)])
    yield _number("comity_needs_you", "Things that need the administrator: comity status.", len(status.troubles))
    yield _gauge(
        "comity_runs", "Whether a part of the node runs.", ["part"], [([p], r) for p, r in status.running.items()]
    )
    yield _gauge(
        "comity_condition_seconds",
        "For how long a condition has held something up.",
        ["name"],
        [([c.name], _age(c.since, now)) for c in measures.conditions],
    )
    for name, backlog, what in (
        ("outbox", measures.outgoing, "released and not on the bus"),
        ("inbox", measures.undecided, "received and not decided"),
    ):
        yield _number(f"comity_{name}_waiting", f"Statements {what}.", backlog.waiting)
        yield _number(f"comity_{name}_oldest_seconds", f"Age of the oldest one {what}.", _age(backlog.since, now))
    yield _gauge(
        "comity_quarantine_records",
        "Records in quarantine by log and by the step at which they were refused.",
        ["member", "step"],
        [([member, str(step)], count) for (member, step), count in sorted(measures.refused.items())],
    )
    yield from _of_registry(status)
    yield from _of_logs(status)


def _of_registry(status: Status) -> Iterator[GaugeMetricFamily]:
    registry = status.registry
    if registry is not None:
        left = (registry.expires - status.as_of).total_seconds()
        yield _number("comity_registry_version", "The registry in force.", registry.version)
        yield _number("comity_registry_expires_seconds", "Time until it expires; negative: nothing is accepted.", left)


def _of_logs(status: Status) -> Iterator[GaugeMetricFamily]:
    logs = status.heard
    for name, what, values in (
        ("head", "Last place of the unbroken chain.", [log.head for log in logs]),
        ("missing", "Statements announced that have not arrived.", [log.missing for log in logs]),
        ("waiting", "Records that wait, as for an earlier one.", [log.waiting for log in logs]),
        ("frozen", "1 when the member signed two stories.", [log.frozen_from is not None for log in logs]),
    ):
        rows = [([log.slug], float(value)) for log, value in zip(logs, values, strict=True)]
        yield _gauge(f"comity_log_{name}", what, ["member"], rows)
    heard = [([log.slug], _age(log.heard_at, status.as_of)) for log in logs if log.heard_at is not None]
    yield _gauge("comity_log_heard_seconds", "Time since the member was heard; absent: never.", ["member"], heard)


def _gauge(name: str, what: str, labels: list[str], rows: Iterable[tuple[list[str], float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family


def _number(name: str, what: str, value: float) -> GaugeMetricFamily:
    return _gauge(name, what, [], [([], value)])


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else (now - since).total_seconds()
