"""A node's API, people of every role, and real things to ask for: reports, proposals, statements, refused records."""

import base64
import hashlib
import io
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2
from PIL import Image

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, NAMES, Publisher
from comity_federation.encoding import b64encode, digest
from comity_federation.keys import SigningPair, load_signing_pair, new_signing_pair
from comity_federation.signed_reports import sign_report
from comity_federation.statements import genesis
from comity_node.app import create_app
from comity_node.domain.contracts import ExitCheck
from comity_node.mappings import mapping_text
from comity_node.services.accounts import hash_password, make_token
from comity_node.services.publishing.relay import Head, sign_queued
from heard import NOBODY_BLAMED, open_sample
from node_world import Actor, Bench, House, Town, audit_report

MEDIA_TYPE = {"Content-Type": "application/vnd.comity.report+json"}
PASSWORD = "a password of at least twelve"
ROLES = {
    "auditor": ("auditor",),
    "reviewer": ("reviewer",),
    "focal": ("focal-point",),
    "officer": ("officer",),
    "admin": ("admin",),
}
"""Somebody of each role alone; `NAME 2` is a second person of it."""


def _picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8), "gold").save(drawn, "PNG")
    return drawn.getvalue()


PICTURE = _picture()
LISTED = {
    "ref": "E1",
    "media_type": "image/png",
    "bytes": len(PICTURE),
    "sha256": b64encode(hashlib.sha256(PICTURE).digest()),
}
"""A file as a report lists it."""

SCREENED: dict[str, Any] = {
    "content": b"id,name,country\n1,Exemplar Gloves,MY\n2,,\n",
    "headers": {"Content-Type": "application/octet-stream"},
}
"""A file of suppliers, as it is sent to be screened."""
EXIT_PLAN = {"answers": {check.value: {"answer": "yes"} for check in ExitCheck}}
"""Every check of an exit plan, answered."""

_COLUMNS = "documentFormatted,name,year,state,address,workersAffected,cnae,inclusionDate"


_AS_OBSERVED = {
    **FINDING_IN_CLEAR,
    "indicators": [{"indicator": "FL07", "basis": "stated"}],
    "source": {**FINDING_IN_CLEAR["source"], "when": "2025-11"},
}
"""What the reports here observe too, by an earlier audit."""


class Office:
    """An agency's node, its people, and one application that all requests go to."""

    def __init__(self, town: Town, house: House, rival: SigningPair) -> None:
        self.town, self.house, self._rival = town, house, rival
        self.app = create_app(house.node)
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._api = httpx2.AsyncClient(transport=transport, base_url="http://node")
        self._refused = 0
        self._records: dict[str, str] = {}

    def person(self, who: str) -> Actor:
        return self.house.people[who]

    async def ask(
        self, who: str | None, method: str, path: str, key: str | None = None, **more: Any
    ) -> httpx2.Response:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.person(who).token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        path = path if path.startswith("/") else f"/api/v1/{path}"
        return await self._api.request(method, path, headers=headers, **more)

    async def made(self, who: str, method: str, path: str, **more: Any) -> Any:
        """Ask, and return the JSON of an answer that must be good."""
        answer = await self.ask(who, method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def signed(self, firm: str = "firm", severity: str = "S2", scheme: str = "SMETA") -> bytes:
        """A report that nobody has seen yet, signed by a firm's auditor."""
        pair = {"firm": self.town.auditor, "rival": self._rival}[firm]
        did = pair.kid.partition("#")[0]
        content = audit_report(
            {"severity": severity}, auditor=did, scheme=scheme, ref=uuid.uuid4().hex, evidence=[LISTED]
        )
        return sign_report(content, iss=did, kid=pair.kid, key=pair.secret, now=datetime.now(UTC))

    async def report(self, firm: str = "firm", severity: str = "S2", scheme: str = "SMETA") -> str:
        """A report received of a firm."""
        who = {"firm": "auditor", "rival": "auditor 2"}[firm]
        made = await self.made(who, "POST", "reports", content=self.signed(firm, severity, scheme), headers=MEDIA_TYPE)
        return str(made["id"])

    async def report_with_evidence(self, firm: str = "firm") -> str:
        """A report whose one file was received."""
        report = await self.report(firm)
        who = {"firm": "auditor", "rival": "auditor 2"}[firm]
        headers = {"Content-Type": "application/octet-stream"}
        await self.made(who, "PATCH", f"reports/{report}/evidence/E1?offset=0", content=PICTURE, headers=headers)
        return report

    async def objection(self, firm: str = "firm") -> str:
        """A standing objection of a firm's auditor."""
        report = await self.report(firm)
        who = {"firm": "auditor", "rival": "auditor 2"}[firm]
        return str((await self.made(who, "POST", f"reports/{report}/objections", json={"reason": "wrong site"}))["id"])

    async def joint_act(self, by: str = "reviewer") -> str:
        """A legal hold that somebody proposed."""
        body = {"act": "hold", "reason": "a court asks for it"}
        return str((await self.made(by, "POST", f"reports/{await self.report()}/joint-acts", json=body))["id"])

    async def proposal(self, by: str = "reviewer", severity: str = "S2") -> str:
        """An open proposal of a reviewer."""
        body = {"report": await self.report(severity=severity), "observation": "O1"}
        return str((await self.made(by, "POST", "reviews", json=body))["id"])

    async def heard(self, by: str = "reviewer") -> str:
        """An open proposal of a reviewer whose supplier was heard."""
        review = await self.checked(by)
        await self.made("reviewer", "POST", f"reviews/{review}/notify")
        return review

    async def checked(self, by: str = "reviewer") -> str:
        """An open proposal of a reviewer for which nobody could be blamed."""
        review = await self.proposal(by)
        await self.made("reviewer", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
        return review

    async def link(self) -> str:
        """The id of a supplier's link."""
        made = await self.made("reviewer", "POST", f"reviews/{await self.heard('reviewer 2')}/link")
        return str(made["id"])

    async def word(self, by: str = "reviewer 2", *, act: str = "reply", published: bool = False) -> str:
        """What a supplier said to a proposal of the second reviewer, or to what was published since."""
        if published:
            await self.published()
            about = (await self.made("reviewer", "GET", "published?limit=1"))["items"][0]["review"]
        else:
            about = await self.proposal("reviewer 2")
        body = {"review": about, "act": act, "codes": ["remedied"]}
        return str((await self.made(by, "POST", "replies", json=body))["id"])

    def a_filing(self) -> dict[str, Any]:
        """A screening of somebody nobody knows, to be put on file."""
        return {"reference": uuid.uuid4().hex, "stage": "tender", "suppliers": [{"name": "Nobody Knows It"}]}

    async def filing(self) -> str:
        """The id of a screening on file."""
        return str((await self.made("officer", "POST", "filed-screenings", json=self.a_filing()))["id"])

    async def plan_item(self) -> str:
        """The id of an item that was due long ago, of an observation of a report."""
        body = {"report": await self.report(), "observation": "O1", "remedy": "fees-repaid", "due": "2024-01"}
        return str((await self.made("reviewer", "POST", "plan-items", json=body))["id"])

    async def case(self, by: str = "reviewer 2") -> str:
        """People at risk, seen by whoever opened it and the second focal point, who is on duty."""
        await self.made("admin", "PUT", "focal-points", json={"names": ["focal 2 person"]})
        body = {"names": [f"Exemplo {uuid.uuid4().hex}"], "country": "BR"}
        return str((await self.made(by, "POST", "cases", json=body))["id"])

    def a_contact(self) -> dict[str, str]:
        """A local contact nobody has taken in yet, as it is taken in."""
        name = f"Exemplo {uuid.uuid4().hex}"
        return {"country": "BR", "name": name, "kind": "ngo", "reach": "+55 100", "review_by": "2099-01-01"}

    async def contact(self) -> str:
        """A local contact."""
        given = self.a_contact()
        await self.made("reviewer", "POST", "contacts", json={"contacts": [given]})
        kept = (await self.made("reviewer", "GET", "contacts"))["items"]
        return next(str(each["id"]) for each in kept if each["name"] == given["name"])

    async def contract(self, *, exit_by: str | None = None) -> str:
        """The id of a contract, with its exit plan answered by somebody if they are named."""
        body = {"reference": uuid.uuid4().hex, "supplier": "Exemplar Gloves", "ends": "2030-12-31"}
        contract = str((await self.made("officer", "POST", "contracts", json=body))["id"])
        if exit_by is not None:
            await self.made(exit_by, "PUT", f"contracts/{contract}/exit-plan", json=EXIT_PLAN)
        return contract

    async def terminated(self) -> str:
        """The id of a contract that was cut."""
        contract = await self.contract(exit_by="officer 2")
        await self.made("officer", "POST", f"contracts/{contract}/terminate", json={"reason": "labour-rights"})
        return contract

    async def duty(self) -> str:
        """The id of a duty of a contract."""
        body = {"kind": "give-audit-report", "due": "2024-01-31"}
        made = await self.made("officer", "POST", f"contracts/{await self.contract()}/duties", json=body)
        return str(made["id"])

    async def batch(self, by: str = "reviewer") -> str:
        """The open proposals of an imported register."""
        batch = str((await self.made(by, "POST", "imports", json=register()))["batch"])
        for who in ("reviewer", "reviewer 2", "focal", "all"):
            await open_sample(lambda path, who=who: self.made(who, "GET", path), batch)  # type: ignore[misc]
        return batch

    async def job(self, by: str = "reviewer") -> str:
        """An import that was cut short after its first row, as by a restart."""
        job = (await self.made(by, "POST", "imports", json=register()))["id"]
        async with self.house.node.database.write() as store:
            found = await store.jobs.find(job)
            assert found is not None
            await store.jobs.put(replace(found, state="running", ended_at=None))
        return str(job)

    async def screening_file(self, by: str = "officer", *, cancelled: bool = False) -> str:
        """The id of a file that is to be screened, or was cancelled before; nothing here does it."""
        made = await self.made(by, "POST", "screening-files", params={"name": "vendors.csv"}, **SCREENED)
        if cancelled:
            await self.made(by, "POST", f"screening-files/{made['id']}/cancel")
        return str(made["id"])

    async def ruling(self, by: str = "reviewer") -> str:
        """What is held of a decision that was proposed."""
        return str((await self.made(by, "POST", "decisions", json=a_decision()))["ruling"])

    async def published(self) -> str:
        """The hash of a statement that this node has signed."""
        await self.made("reviewer 2", "POST", f"reviews/{await self.heard()}/approve")
        await self.sign()
        item = (await self.made("reviewer", "GET", "published?limit=1"))["items"][0]
        assert item["state"] == "signed", item
        return str(item["statement"])

    async def sign(self) -> None:
        """Sign what was released, as the relay does."""
        node = self.house.node
        member = node.own_member(await node.registry())
        floor = Head(0, genesis(member.did))
        await sign_queued(node.database, member, load_signing_pair(node.home.signing_key), floor, node.clock())

    async def record(self, of: str) -> str:
        """The hash of the one record received from a member's log."""
        if of not in self._records:
            publisher = Publisher(of)
            finding = publisher.finding(clear=_AS_OBSERVED)
            await Bench(self.house.node.database, datetime.now(UTC)).arrive(publisher.member(), finding.raw)
            self._records[of] = finding.hash
        return self._records[of]

    async def supplier(self) -> tuple[int, str]:
        """The number of a supplier that nobody knew yet, and one of the two statements about it."""
        publisher = Publisher(f"m{uuid.uuid4().hex[:12]}")
        lone = {"disclosed": {"names": [{"text": f"Supplier of {publisher.name}"}]}}
        first = publisher.finding(**lone)
        second = publisher.finding(**lone, **publisher.after(first))
        await Bench(self.house.node.database, datetime.now(UTC)).arrive(publisher.member(), first.raw, second.raw)
        listed = await self.made("officer", "POST", "suppliers/search", json={"name": f"Supplier of {publisher.name}"})
        return int(listed["suppliers"][0]["number"]), second.hash

    async def vendor(self, of: str) -> str:
        """The id of a row of an officer's own list."""
        named = uuid.uuid4().hex
        await self.made(of, "POST", "vendors", json={"rows": [{"row": named, "name": f"Vendor {named}"}]})
        kept = (await self.made(of, "GET", "vendors?limit=1"))["items"]
        return str(kept[0]["id"])

    async def row_judgement(self, of: str) -> str:
        """The id of a judgement that a row of an officer's does not mean a supplier."""
        number, _ = await self.supplier()
        body = {"supplier": number, "judged": "not-same"}
        made = await self.made(of, "POST", f"vendors/{await self.vendor(of)}/judgements", json=body)
        return str(made["id"])

    async def watch(self, of: str) -> str:
        """The id of a watch of an officer's; one ends first, since nobody has many."""
        for before in await self.made(of, "GET", "watches"):
            await self.ask(of, "DELETE", f"watches/{before['id']}")
        body = {"title": "mine", "mail": "officer@agency.example"}
        return str((await self.made(of, "POST", "watches", json=body))["id"])

    async def fact(self) -> str:
        """The id of something entered of a supplier."""
        number, _ = await self.supplier()
        body = {"fact": "former-name", "name": "Formerly"}
        return str((await self.made("reviewer", "POST", f"suppliers/{number}/facts", json=body))["id"])

    async def factory_list(self) -> str:
        """The id of a list of factories that counts."""
        return str((await self.made("reviewer", "POST", "factory-lists", json=factories()))["id"])

    async def judgement(self) -> str:
        """The id of a judgement that stands."""
        (first, _), (second, _) = await self.supplier(), await self.supplier()
        body = {"first": first, "second": second, "because": "other"}
        return str((await self.made("reviewer", "POST", "suppliers/join", json=body))["id"])

    async def refused(self) -> int:
        """The number of a record in quarantine."""
        self._refused += 1
        junk = Publisher("junk").member()
        await Bench(self.house.node.database, datetime.now(UTC)).arrive(junk, b"junk %d" % self._refused)
        return int((await self.made("admin", "GET", "quarantine?member=junk&limit=1"))["items"][0]["id"])

    async def token(self, of: str) -> str:
        """The id of one more token of somebody."""
        node = self.house.node
        async with node.database.write() as store:
            return (await make_token(store, self.person(of).person, label="one more", now=node.clock())).id

    async def hired(self) -> str:
        """The id of somebody new."""
        name = f"new {uuid.uuid4().hex}"
        body = {"name": name, "roles": ["officer"], "password": PASSWORD}
        return str((await self.made("admin", "POST", "people", json=body))["id"])


async def furnish(town: Town, database: str | None = None) -> Office:
    """Found an agency with two people of every role, who submit for two firms, and one with all roles."""
    house = await town.found("agency", database=database)
    rival = new_signing_pair("did:web:rival.example#auditor-1")
    signing = new_signing_pair("did:web:rival.example#signing-1")
    town.admit(town.firm_entry())
    town.admit(
        town.firm_entry(
            did="did:web:rival.example",
            slug="rival",
            signing_keys=({"kid": signing.kid, "key": signing.public.key.model_dump()},),
            report_keys=({"kid": rival.kid, "key": rival.public.key.model_dump()},),
        )
    )
    await town.refresh()
    password = hash_password(PASSWORD)
    for name, roles in ROLES.items():
        for who, firm in ((name, "firm"), (f"{name} 2", "rival")):
            # The founder has the name `admin` already.
            account = f"{who} person"
            await house.hire(account, *roles, firm=firm if name == "auditor" else None, password=password)
            house.people[who] = house.people[account]
    await house.hire("all", *(role for roles in ROLES.values() for role in roles), firm="firm", password=password)
    return Office(town, house, rival)


def a_decision() -> dict[str, Any]:
    """A decision nobody has proposed yet, as it is proposed."""
    return {"decision": {**DECISION_IN_CLEAR, "names": NAMES, "reference": digest(uuid.uuid4().hex)}}


def a_plan() -> dict[str, Any]:
    """An audit that somebody plans, as it is proposed."""
    month = f"{datetime.now(UTC):%Y}-12"
    return {"names": ["Mill Two"], "country": "TH", "scheme": "SMETA", "month": month, "assessed": ["FL07"]}


def register() -> dict[str, str]:
    """A public register of one row, as it is imported."""
    row = (
        f'11.222.333/0001-81,CERAMICA EXEMPLO LTDA,2024,PE,"RUA {uuid.uuid4().hex}, IPOJUCA/PE",7,4120-4/00,06/10/2025'
    )
    table = f"{_COLUMNS}\n{row}\n".encode()
    return {"mapping": mapping_text("br_lista_suja"), "table": base64.b64encode(table).decode("ascii")}


def vendors(table: str) -> dict[str, str]:
    """A list of vendors' contacts, as it is taken in."""
    return {"table": base64.b64encode(table.encode()).decode("ascii")}


def factories() -> dict[str, str]:
    """A list of one factory that nobody knows yet, as it is taken in."""
    table = f"name,country,address\nMill {uuid.uuid4().hex},China,1 Road\n".encode()
    return {"title": "Factories", "table": base64.b64encode(table).decode("ascii")}
