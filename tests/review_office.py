"""An agency's people and its reports on a bare database, for tests of what two people may release."""

from collections.abc import Awaitable, Callable
from typing import Any

from comity_federation import strict_json
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.signed_reports import sign_report
from comity_federation.statements import genesis
from comity_node.db import Database, Store
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person
from comity_node.services.publishing.relay import Head, sign_queued
from comity_node.services.review.audience import consent
from comity_node.services.review.release import approve, propose_release, propose_withdrawal, reject
from comity_schemas.member import Member, MemberStatus, Role
from comity_schemas.report import Report
from comity_schemas.statement import WithdrawalReason
from heard import hear
from node_world import NOW, audit_report

WRONG = WithdrawalReason.FACTUAL_ERROR


class Office:
    """An agency's people and its reports, on a bare database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people: dict[str, Person] = {}
        self.pair: SigningPair = new_signing_pair("did:web:agency.example#k1")
        self.member = _member(self.pair)

    async def open(self) -> None:
        for name, role in (("ana", "reviewer"), ("ben", "reviewer"), ("fay", "focal-point"), ("cy", "reviewer")):
            await self.hire(name, role)

    async def hire(self, name: str, role: str, firm: str | None = None) -> None:
        self.people[name] = await self.write(
            lambda store: add_person(
                store, name=name, roles=[PersonRole(role)], firm=firm, password_hash=None, by="test", now=NOW
            )
        )

    async def write(self, act: Callable[[Store], Awaitable[Any]]) -> Any:
        async with self.database.write() as store:
            return await act(store)

    async def store_report(
        self, name: str = "R" * 43, marks: tuple[str, ...] = (), origin: str = "register", **changes: Any
    ) -> str:
        content = audit_report(**changes)
        parsed = content.to_parsed()
        stored = StoredReport(
            id=name,
            origin=origin,
            raw=strict_json.dumps(parsed) if origin == "register" else _signed(content),
            firm="firm",
            kid=None,
            root=None,
            signature=None,
            identity=None,
            marks=marks,
            submitted_by=self.people["ana"].id,
            received_at=NOW,
        )
        await self.write(lambda store: store.reports.add(stored))
        return name

    async def propose(self, who: str, report_id: str = "R" * 43, observation: str = "O1", **more: Any) -> Review:
        review: Review = await self.write(
            lambda store: propose_release(
                store, self.people[who], report_id, observation, policy=Policy(), now=NOW, **more
            )
        )
        return review

    async def withdraw(self, who: str, statement: str) -> Review:
        review: Review = await self.write(
            lambda store: propose_withdrawal(store, self.people[who], statement, WRONG, NOW)
        )
        return review

    async def hear(self, review: Review, who: str = "ana") -> None:
        """Let the supplier be heard, with a window that is over at once."""
        await self.write(lambda store: hear(store, self.people[who], review.id, NOW))

    async def heard(self, who: str, report_id: str = "R" * 43, observation: str = "O1", **more: Any) -> Review:
        """Propose, and let the supplier be heard."""
        review = await self.propose(who, report_id, observation, **more)
        await self.hear(review)
        async with self.database.read() as store:
            found = await store.reviews.find(review.id)
        assert found is not None
        return found

    async def consent(self, review: Review, who: str = "fay") -> None:
        """Let a focal point consent that members of the site's own country read it."""
        await self.write(lambda store: consent(store, self.people[who], review.id, NOW))

    async def approve(self, who: str, review: Review) -> None:
        await self.write(lambda store: approve(store, self.people[who], review.id, NOW, Role.AGENCY))

    async def reject(self, who: str, review: Review) -> None:
        await self.write(lambda store: reject(store, self.people[who], review.id, NOW))

    async def sign(self) -> list[str]:
        """Let the relay sign what is queued; return all hashes in log order."""
        floor = Head(0, genesis(self.member.did))
        while await sign_queued(self.database, self.member, self.pair, floor, NOW):
            pass
        async with self.database.read() as store:
            return [item.hash or "" for item in await store.outbox.in_state("signed", most=1_000)]

    async def released(self) -> int:
        async with self.database.read() as store:
            assert await store.reviews.all_approved() == await store.outbox.review_ids()
            return len(await store.outbox.review_ids())

    async def state(self, review: Review) -> str:
        async with self.database.read() as store:
            found = await store.reviews.find(review.id)
        assert found is not None
        return found.state


def _member(pair: SigningPair) -> Member:
    return Member.from_parsed(
        {
            "did": "did:web:agency.example",
            "slug": "agency",
            "names": ["Agency"],
            "country": "CH",
            "role": Role.AGENCY,
            "status": MemberStatus.ACTIVE,
            "signing_keys": [{"kid": pair.kid, "key": pair.public.key.to_parsed()}],
        }
    )


def _signed(content: Report) -> bytes:
    auditor = new_signing_pair("did:web:firm.example#auditor-1")
    return sign_report(content, iss="did:web:firm.example", kid=auditor.kid, key=auditor.secret, now=NOW)
