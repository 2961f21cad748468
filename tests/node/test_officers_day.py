"""An officer's whole day over two nodes: a list is kept and screened, rows are judged, the screening is filed, another
member publishes and withdraws a finding, and the officer is told each time. Everything as the API gives it.
"""

import asyncio
import contextlib
import csv
import hashlib
import hmac
import io
import uuid
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from api_world import MEDIA_TYPE, Office, furnish
from broker_world import free_ports
from comity_node.workers import watching
from comity_node.workers.screening_files import FileScreener
from comity_schemas.member import Role
from heard import NOBODY_BLAMED
from mail_server import Taking
from node_world import Actor, House, Town, audit_report, exchanging, until
from supplier_desk import CNPJ, LEI, OTHER_CNPJ
from watch_room import Receiver, receiver

VENDORS = (
    b"Vendor No;Vendor Name;Country\n"
    b"V-1;Kautschukwerk Mittelrhein AG;DE\n"
    b"V-2;Sonnenblick Textil;AT\n"
    b"V-3;Brasov Footwear Works;RO\n"
    b"V-4;Nobody Has Heard Of It;SE\n"
)
ROWS = ("V-1", "V-2", "V-3", "V-4")
AS_FILE = {"Content-Type": "application/octet-stream"}


class Reporter:
    """Another member: what its reviewers publish and take back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def publishes(self, name: str, *numbers: dict[str, str], severity: str = "S2") -> str:
        """Let a finding about a supplier be released by two people; return its hash once it is in the log."""
        ask = self._office.made
        party = {"type": "supplier", "names": [{"text": name}], "identifiers": list(numbers), "country": "BR"}
        content = audit_report({"severity": severity}, ref=uuid.uuid4().hex, party=party)
        signed = self._office.town.signed(content)
        report = (await ask("auditor", "POST", "reports", content=signed, headers=MEDIA_TYPE))["id"]
        body = {"report": report, "observation": "O1"}
        review = (await ask("reviewer", "POST", "reviews", json=body))["id"]
        await ask("reviewer", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
        await ask("reviewer", "POST", f"reviews/{review}/notify")
        if severity == "S4":
            await ask("focal 2", "POST", f"reviews/{review}/consent")
        await ask("focal", "POST", f"reviews/{review}/approve")

        async def in_the_log() -> str | None:
            items = (await ask("reviewer", "GET", "published?limit=20"))["items"]
            return next((i["statement"] for i in items if i["review"] == review and i["state"] == "sent"), None)

        return str(await until("the finding is published", in_the_log))

    async def withdraws(self, statement: str) -> None:
        """Let a finding be taken back by two people."""
        asked = {"statement": statement, "reason": "factual-error"}
        review = (await self._office.made("reviewer", "POST", "withdrawals", json=asked))["id"]
        await self._office.made("reviewer 2", "POST", f"reviews/{review}/approve")


class Officer:
    """A procurement officer, who asks the API of the own node and nothing else."""

    def __init__(self, body: House, actor: Actor) -> None:
        self._body, self._actor = body, actor

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """Ask, and return what a good answer says."""
        async with self._body.api(self._actor) as api:
            answer = await api.request(method, f"/api/v1/{path}", **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.text

    async def screens(self, file: bytes) -> tuple[str, dict[str, dict[str, str]]]:
        """Screen a file as a job; return the job, and each row of its result by its id."""
        job = (await self.ask("POST", "screening-files?name=vendors.csv", content=file, headers=AS_FILE))["id"]

        async def done() -> bool:
            return bool((await self.ask("GET", f"screening-files/{job}"))["state"] == "done")

        await until("the file is screened", done)
        text = await self.ask("GET", f"screening-files/{job}/result")
        return job, {row["Vendor No"]: row for row in csv.DictReader(io.StringIO(text), delimiter=";")}

    async def hears(self, statement: str) -> None:
        """Wait until the own node has a statement, as by the feed."""

        async def there() -> bool:
            return statement in {each["statement"] for each in (await self.ask("GET", "changes"))["items"]}

        await until("the statement has come", there)

    async def judges(self, row: str, supplier: str, judged: str) -> Any:
        kept = {each["row"]: each["id"] for each in (await self.ask("GET", "vendors"))["items"]}
        body = {"supplier": int(supplier), "judged": judged, "words": "looked in the register"}
        return await self.ask("POST", f"vendors/{kept[row]}/judgements", json=body)


@pytest.fixture
def server() -> Iterator[Controller]:
    controller = Controller(Taking(), hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    yield controller
    controller.stop()


@asynccontextmanager
async def at_work(*tasks: Any) -> AsyncIterator[None]:
    """Run what goes on beside the API while the block lasts."""
    running = [asyncio.create_task(task) for task in tasks]
    try:
        yield
    finally:
        for each in running:
            assert not each.done(), each
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each


class Day:
    """What happens on the day, one thing after another."""

    def __init__(self, member: Reporter, ove: Officer, pia: Officer, hook: Receiver, server: Controller) -> None:
        self.member, self.ove, self.pia, self.hook, self.server = member, ove, pia, hook, server

    async def others_have_shared_three_findings(self) -> None:
        await self.member.publishes("Kautschukwerk Mittelrhein", LEI)
        await self.member.publishes("Sonnenblick Textil", CNPJ, severity="S4")
        await self.ove.hears(await self.member.publishes("Brasov Footwear", OTHER_CNPJ))

    async def the_own_list_is_kept_and_screened(self) -> None:
        kept = await self.ove.ask("POST", "vendors/file", content=VENDORS, headers=AS_FILE)
        assert (kept["added"], kept["problems"]) == (4, [])
        _, self.found = await self.ove.screens(VENDORS)
        assert [self.found[row]["verdict"] for row in ROWS] == ["review", "review", "review", "none"]

    async def each_row_is_judged(self) -> None:
        """The same; not the same, which two have to say of the gravest; and nobody can tell."""
        ove, number = self.ove, {row: self.found[row]["supplier_id"] for row in ROWS}
        assert (await ove.judges("V-1", number["V-1"], "same"))["holds"] == "holds"
        dismissed = await ove.judges("V-2", number["V-2"], "not-same")
        assert dismissed["holds"] == "needs a second person"
        _, meanwhile = await ove.screens(VENDORS)
        assert meanwhile["V-2"]["verdict"] == "review", "one person's word hides nothing of the gravest"
        (waits,) = await self.pia.ask("GET", "vendor-judgements/waiting")
        assert (waits["id"], waits["name"]) == (dismissed["id"], "Sonnenblick Textil")
        assert (await self.pia.ask("POST", f"vendor-judgements/{waits['id']}/confirm"))["holds"] == "holds"
        await ove.judges("V-3", number["V-3"], "unsure")
        known = await ove.ask("POST", "suppliers/search", json={"name": "Kautschukwerk Mittelrhein AG"})
        assert [each["number"] for each in known["suppliers"]] == [int(number["V-1"])], "its spelling is an alias now"

    async def nothing_is_asked_a_second_time(self) -> None:
        self.job, again = await self.ove.screens(VENDORS)
        assert [again[row]["verdict"] for row in ROWS] == ["match", "none", "review", "none"]
        assert "judged to be the same on" in again["V-1"]["reason"] and again["V-1"]["state"] == "findings shared"
        assert f"judged not to be supplier {self.found['V-2']['supplier_id']}" in again["V-2"]["reason"]
        assert again["V-2"]["findings_current"] == "0" and "judged unsure on" in again["V-3"]["reason"]

    async def it_is_filed_under_the_tenders_reference(self) -> None:
        given = {"reference": "RFP/2026/0042", "stage": "evaluation"}
        self.filed = (await self.ove.ask("POST", f"filed-screenings/of-file/{self.job}", json=given))["id"]
        proved = await self.ove.ask("POST", f"filed-screenings/{self.filed}/verify")
        assert (proved["same"], proved["since"]) == (True, [])

    async def news_is_wanted_by_mail_by_a_call_and_by_the_feed(self) -> None:
        await self.ove.ask("POST", "watches", json={"title": "bidders", "mail": "ove@body.example"})
        self.watch = await self.ove.ask("POST", "watches", json={"title": "bidders", "webhook": self.hook.url})
        tried = await self.ove.ask("POST", f"watches/{self.watch['id']}/test")
        assert (tried["state"], self.hook.bodies[0]["test"]) == ("sent", True)
        self.cursor = (await self.ove.ask("GET", "changes?after=now"))["next"]

    async def another_member_reports_on_the_recognised_firm(self) -> None:
        """Under a name that is like none of the list: what was recognised is told under whatever name."""
        self.news = await self.member.publishes("莱茵橡胶厂", LEI)
        assert await called(self.hook, self.watch, 1) == [("new", self.news, "V-1", "match")]
        assert await mailed(self.server, 1) == ["new, your row V-1 (match)"]
        rows = (await self.ove.ask("GET", f"vendors/touched?statement={self.news}"))["rows"]
        assert [(each["row"], each["verdict"]) for each in rows] == [("V-1", "match")]
        assert await self.changed() == [("new", self.news)]

    async def it_is_withdrawn_and_whoever_was_told_is_told(self) -> None:
        await self.member.withdraws(self.news)
        assert (await called(self.hook, self.watch, 2))[1:] == [("withdrawn", self.news, "V-1", "match")]
        assert (await mailed(self.server, 2))[1:] == ["withdrawn, your row V-1 (match)"]
        assert await self.changed() == [("withdrawn", self.news)]
        sent = (await self.ove.ask("GET", f"watches/{self.watch['id']}/deliveries"))["items"]
        assert [(each["state"], each["test"]) for each in sent] == [("sent", False), ("sent", False), ("sent", True)]
        alerts = (await self.ove.ask("GET", f"alerts?watch={self.watch['id']}"))["items"]
        standings = [(each["what"], each["change"]["standing"]) for each in alerts]
        assert standings == [("withdrawn", "withdrawn"), ("new", "withdrawn")], "each with what is so now"

    async def the_file_still_proves_what_was_known_and_is_printed(self) -> None:
        proved = await self.ove.ask("POST", f"filed-screenings/{self.filed}/verify")
        since = [(each["row"], each["statement"], each["what"]) for each in proved["since"]]
        assert proved["same"] is True and since == [(1, self.news, "found newly, is withdrawn")]
        printed = await self.ove.ask("GET", f"filed-screenings/{self.filed}/csv")
        assert "Filed as RFP/2026/0042 (evaluation) by Ove" in printed and self.news not in printed

    async def changed(self) -> list[tuple[str, str]]:
        """What the feed tells since it was asked the last time."""
        page = await self.ove.ask("GET", f"changes?after={self.cursor}")
        self.cursor = page["next"]
        return [(each["what"], each["statement"]) for each in page["items"]]


async def test_an_officers_whole_day(town: Town, server: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LOOK_EVERY_S", 0.2)
    office = await furnish(town)
    mail = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_tls": "none", "mail_from": "node@body.example"}
    more = {**mail, "public_url": "https://comity.body.example/", "webhook_networks": ["127.0.0.0/8"]}
    body = await town.found("body", Role.PROCUREMENT_BODY, more=more)
    await town.refresh()
    ove, pia = [Officer(body, await body.hire(name, "officer")) for name in ("Ove", "Pia")]
    async with exchanging(office.house), exchanging(body), at_work(FileScreener(body.node).run()), receiver() as hook:
        day = Day(Reporter(office), ove, pia, hook, server)
        await day.others_have_shared_three_findings()
        await day.the_own_list_is_kept_and_screened()
        await day.each_row_is_judged()
        await day.nothing_is_asked_a_second_time()
        await day.it_is_filed_under_the_tenders_reference()
        await day.news_is_wanted_by_mail_by_a_call_and_by_the_feed()
        await day.another_member_reports_on_the_recognised_firm()
        await day.it_is_withdrawn_and_whoever_was_told_is_told()
        await day.the_file_still_proves_what_was_known_and_is_printed()


async def called(hook: Receiver, watch: dict[str, Any], count: int) -> list[tuple[str, str, str, str]]:
    """(what, statement, row, verdict) of all alerts that came, each call signed, none under an id that came before;
    the test's call came before them.
    """

    async def all_of_them() -> bool:
        return len(hook.calls) > count

    await until(f"{count} calls", all_of_them)
    assert len({headers["webhook-id"] for headers, _ in hook.calls}) == len(hook.calls) == count + 1
    for headers, content in hook.calls:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
        expected = hmac.new(b64decode(watch["secret"].removeprefix("whsec_")), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{b64encode(expected).decode()}"
    alerts = [alert for told in hook.bodies for alert in told["alerts"]]
    return [(a["what"], a["change"]["statement"], a["row"], a["verdict"]) for a in alerts]


async def mailed(server: Controller, count: int) -> list[str]:
    """What all mails that came say, none naming anybody; each once."""
    mails = server.handler.mails

    async def all_of_them() -> bool:
        return len(mails) >= count

    await until(f"{count} mails", all_of_them)
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == count
    texts = [mail.get_content() for mail in mails]
    assert not any("Kautschuk" in text or "莱茵" in text for text in texts)
    return [text.splitlines()[0].partition(": ")[2] for text in texts]
