"""Lives of findings over three nodes and a real Kafka: every status, every allowed step, every standing, by the API.

Two members publish; they and a third one, which only reads, each see all of it in what the bus brought them. What must
be reached is worked out from the code, so a new status or step fails here until it is walked.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api_world import MEDIA_TYPE
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.app import create_app
from comity_node.domain.lifecycle import may_start
from comity_node.domain.supplier_view import AnyEntry, CorroborationEntry, Entry, NoticeEntry, Standing, standing
from comity_schemas.finding import SourceType, Status, Verified
from comity_schemas.member import Role
from heard import NOBODY_BLAMED
from lives import EVERY_STEP, lives
from node_world import House, Town, audit_report, exchanging, until

pytestmark = pytest.mark.kafka

VERIFIED = {Status.CLOSED_CLAIMED: Verified.DESK, Status.CONTRACT_ENDED: Verified.BY_WORKERS}
"""How a closure is verified, by what was said before; what is in progress is closed by a follow-up, on site."""


@dataclass
class Life:
    """One finding: what has been said of it and what is still to come."""

    name: str
    to_come: list[Status]
    source: str = "audit"
    finished: str = "2026-03-14"
    report: str = ""
    statement: str = ""
    review: str = ""
    said: list[Status] = field(default_factory=list)


class Desk:
    """The people of one publisher, each request theirs, at the application of their own node."""

    def __init__(self, town: Town, house: House) -> None:
        self.house, self._town = house, town
        transport = httpx2.ASGITransport(app=create_app(house.node), raise_app_exceptions=False)
        self._api = httpx2.AsyncClient(transport=transport, base_url="http://node/api/v1")

    async def hire(self) -> None:
        await self.house.hire("greta", "auditor", firm="firm")
        await self.house.hire("ana", "reviewer")
        await self.house.hire("ben", "focal-point")
        await self.house.hire("fay", "reviewer")

    async def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.house.people[who].token}", **more.pop("headers", {})}
        answer = await self._api.request(method, path, headers=headers, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def submit(self, life: Life, **observed: Any) -> str:
        party = {"type": "supplier", "names": [{"text": life.name}], "country": "BR"}
        content = audit_report(observed, ref=uuid.uuid4().hex, party=party, source=life.source, finished=life.finished)
        raw = self._town.signed(content)
        return str((await self.ask("greta", "POST", "/reports", content=raw, headers=MEDIA_TYPE))["id"])

    async def propose(self, life: Life) -> dict[str, Any]:
        """Propose what comes next in a finding's life."""
        after = life.to_come[0]
        if not life.said:
            life.report = await self.submit(life, status=after)
        elif (life.said[-1], after) == (Status.IN_PROGRESS, Status.CLOSED_VERIFIED):
            closes = {"follows_up": {"report": life.report, "observation": "O1"}, "verified": Verified.ON_SITE}
            life.report = await self.submit(life, status=after, **closes)
        else:
            verified = VERIFIED[life.said[-1]] if after is Status.CLOSED_VERIFIED else None
            body = {"statement": life.statement, "status": after, "verified": verified}
            return dict(await self.ask("ana", "POST", "/revisions", json=body))
        return dict(await self.ask("ana", "POST", "/reviews", json={"report": life.report, "observation": "O1"}))

    async def release(self, review: dict[str, Any]) -> str:
        """Let the supplier be heard where it must be, and a second person release."""
        name = str(review["id"])
        if review["process"]["stage"] == "check-needed":
            await self.ask("ben", "POST", f"/reviews/{name}/check", json=NOBODY_BLAMED)
            await self.ask("ana", "POST", f"/reviews/{name}/notify")
        await self.ask("ben", "POST", f"/reviews/{name}/approve")
        return name

    async def statements(self) -> dict[str, str]:
        """By review the hash of what was signed for it."""
        items = (await self.ask("ana", "GET", "/published?limit=200"))["items"]
        return {item["review"]: item["statement"] for item in items if item["statement"]}

    async def released(self) -> int:
        """How many statements two people released."""
        return len((await self.ask("ana", "GET", "/published?limit=200"))["items"])

    async def advance(self, alive: Sequence[Life]) -> None:
        """Let each finding take its next step, and wait until all are signed."""
        for life in alive:
            life.review = await self.release(await self.propose(life))

        async def all_signed() -> dict[str, str]:
            signed = await self.statements()
            return signed if all(life.review in signed for life in alive) else {}

        signed = await until("every step is signed", all_signed) if alive else {}
        for life in alive:
            life.statement = signed[life.review]
            life.said.append(life.to_come.pop(0))

    async def take_back(self, life: Life) -> None:
        body = {"statement": life.statement, "reason": "factual-error"}
        await self.release(await self.ask("ana", "POST", "/withdrawals", json=body))

    async def corroborate(self, life: Life) -> None:
        """Tell own evidence, of another audit, beside another member's finding."""
        report = await self.submit(Life(life.name, [], finished="2025-11-20"))
        body = {"about": life.statement, "report": report, "says": "supports", "observation": "O1"}
        review = await self.ask("ana", "POST", "/corroborations", json=body)
        await self.ask("ben", "POST", f"/reviews/{review['id']}/consent")
        await self.release(review)

    async def tell_of_audits(self, site: str) -> None:
        """Tell that one audit is planned, and that another is done."""
        body = {"names": [site], "country": "BR", "scheme": "SA8000", "month": f"{datetime.now(UTC):%Y-%m}"}
        plan = await self.ask("ana", "POST", "/audits/planned", json={**body, "assessed": ["FL07", "WG01"]})
        report = await self.submit(Life(site, [], finished="2026-02-10"), severity="S1")
        done = await self.ask("ana", "POST", "/audits/done", json={"report": report, "with_result": True})
        for review in (plan, done):
            await self.release(review)

    async def dispute(self, life: Life) -> None:
        said = {"review": life.review, "act": "dispute", "codes": ["facts-disputed"]}
        word = (await self.ask("ana", "POST", "/replies", json=said))["id"]
        await self.release(await self.ask("ana", "POST", f"/replies/{word}/release"))


@dataclass
class Network:
    """Three nodes after all was said, and what was said."""

    desks: list[Desk]
    houses: list[House]
    lives: list[Life]
    taken_back: Life
    disputed: Life
    supported: Life
    """Of the first member; the second one, which protects its sources, told evidence of its own that it is so."""
    seen: dict[str, dict[str, Entry]] = field(default_factory=dict)
    """By node: all findings in its view, by their hash."""
    beside: dict[str, dict[str, AnyEntry]] = field(default_factory=dict)
    """By node: all else."""
    audited: str = "Mill that was audited"

    async def look(self) -> bool:
        """Whether every node has everything that was released; what each sees is kept."""
        released = {desk.house.slug: await desk.released() for desk in self.desks}
        for house in self.houses:
            async with house.node.database.read() as store:
                heads = {slug: (await store.logs.of(slug)).head for slug in released}
                views = [await store.view.of_log(slug) for slug in released]
            entries = dict(pair for view in views for pair in view.items())
            self.seen[house.slug] = {name: entry for name, entry in entries.items() if isinstance(entry, Entry)}
            self.beside[house.slug] = {name: entry for name, entry in entries.items() if not isinstance(entry, Entry)}
            if heads != released:
                return False
        return True


@pytest_asyncio.fixture(scope="module")
async def network(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Everything said once, by two members, and received by three."""
    town = Town(tmp_path_factory.mktemp("lives"), f"kafka://{kafka}")
    mark = uuid.uuid4().hex[:8]
    roles = {f"agency-{mark}": Role.AGENCY, f"ministry-{mark}": Role.AUTHORITY, f"buyer-{mark}": Role.PROCUREMENT_BODY}
    houses = [await town.found(slug, role) for slug, role in roles.items()]
    town.admit(town.firm_entry())
    await town.refresh()
    await asyncio.to_thread(prepare_topics, KafkaSettings(bootstrap=kafka), list(roles))
    desks = [Desk(town, house) for house in houses[:2]]
    told = [Life(f"Supplier of life {number}", life) for number, life in enumerate(lives())]
    told.append(Life("Supplier that a court decided about", [Status.CONFIRMED], source="court"))
    told.append(Life("Supplier of long ago", [Status.ALLEGED], finished="2024-03-14"))
    back, disputed = Life("Supplier taken back", [Status.ALLEGED]), Life("Supplier that disputes", [Status.ALLEGED])
    told += [back, disputed]
    supported = next(life for life in told[::2] if life.to_come[-1] is not Status.OVERTURNED)
    made = Network(desks, houses, told, back, disputed, supported)
    async with AsyncExitStack() as running:
        running.push_async_callback(town.close)
        for house in houses:
            await running.enter_async_context(exchanging(house))
        await _tell(made)
        yield made


async def _tell(network: Network) -> None:
    by_desk = [(desk, network.lives[number::2]) for number, desk in enumerate(network.desks)]
    for desk, _ in by_desk:
        await desk.hire()
    while any(life.to_come for life in network.lives):
        await asyncio.gather(*(desk.advance([life for life in own if life.to_come]) for desk, own in by_desk))
    for desk, own in by_desk:
        if network.taken_back in own:
            await desk.take_back(network.taken_back)
        if network.disputed in own:
            await desk.dispute(network.disputed)
    await until("every node has everything", network.look)
    # Evidence stands beside what was heard of another member, so that comes before.
    await by_desk[1][0].corroborate(network.supported)
    await by_desk[0][0].tell_of_audits(network.audited)
    await until("every node has everything", network.look)


def steps(seen: dict[str, Entry]) -> set[tuple[Status, Status]]:
    """The steps that a node can tell from the statements it accepted."""
    findings = {name: entry.finding for name, entry in seen.items() if entry.finding is not None}
    return {
        (findings[finding.replaces].status, finding.status)
        for finding in findings.values()
        if finding.replaces is not None
    }


async def test_every_allowed_transition_is_reached_at_every_node(network: Network) -> None:
    assert len(network.seen) == 3
    for slug, seen in network.seen.items():
        assert steps(seen) == EVERY_STEP, slug


async def test_every_status_is_reached_at_every_node_and_every_way_to_verify_a_closure(network: Network) -> None:
    for slug, seen in network.seen.items():
        findings = [entry.finding for entry in seen.values() if entry.finding is not None]
        assert {finding.status for finding in findings} == set(Status), slug
        assert {finding.verified for finding in findings if finding.verified is not None} == set(Verified), slug
        starts = {finding.status for finding in findings if finding.replaces is None}
        assert starts == frozenset().union(*(may_start(source) for source in SourceType)), slug


async def test_every_standing_is_reached_and_three_nodes_see_the_same(network: Network) -> None:
    first, *others = network.seen.values()
    assert all(seen == first for seen in others)
    today = datetime.now(UTC).date()
    assert {standing(entry, today) for entry in first.values()} == set(Standing)
    assert standing(first[network.taken_back.statement], today) is Standing.WITHDRAWN
    for life in network.lives:
        if life is not network.taken_back and life.finished > "2026":
            shown = standing(first[life.statement], today)
            assert (shown is Standing.OVERTURNED) == (life.said[-1] is Status.OVERTURNED), life


async def test_the_order_of_every_life_is_what_every_node_tells(network: Network) -> None:
    for seen in network.seen.values():
        for life in network.lives:
            told: list[Status] = []
            name: str | None = life.statement
            while name is not None:
                finding = seen[name].finding
                assert finding is not None
                told.append(finding.status)
                name = finding.replaces
            assert told[::-1] == life.said
            assert set(pairwise(life.said)) <= EVERY_STEP


async def test_a_dispute_shows_beside_the_finding_at_the_node_that_only_reads(network: Network) -> None:
    reader = network.houses[2]
    officer = await reader.hire("sanna", "officer")
    asked = {"suppliers": [{"name": network.disputed.name, "country": "BR"}]}
    async with reader.api(officer) as api:
        answer = await api.post("/api/v1/screenings", json=asked)
    (hit,) = answer.json()["answers"][0]["findings"]
    assert (hit["statement"], hit["disputed"]) == (network.disputed.statement, "disputed")


async def test_independent_evidence_and_audits_are_told_and_seen_alike_by_three(network: Network) -> None:
    first, *others = network.beside.values()
    assert all(beside == first for beside in others)
    (told,) = [e.corroboration for e in first.values() if isinstance(e, CorroborationEntry)]
    assert told is not None and (told.about, told.says.value) == (network.supported.statement, "supports")
    notices = [e.notice for e in first.values() if isinstance(e, NoticeEntry)]
    assert sorted(notice.stage.value for notice in notices if notice is not None) == ["done", "planned"]
    reader = network.houses[2]
    officer = await reader.hire("olga", "officer")
    asked = {"suppliers": [{"name": name, "country": "BR"} for name in (network.supported.name, network.audited)]}
    async with reader.api(officer) as api:
        found = (await api.post("/api/v1/screenings", json=asked)).json()["answers"]
    hit = next(each for each in found[0]["findings"] if each["statement"] == network.supported.statement)
    assert hit["sources"] == {"supports": 1, "contradicts": 0}
    assert sorted(audit["notice"]["stage"] for audit in found[1]["audits"]) == ["done", "planned"]
