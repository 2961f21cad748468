"""Requests made from the contract, put to a served node with tokens of every role: what it answers must be in it.

Made by schemathesis; a part of them with things that really exist put in, so that they reach deeper than "not found".
"""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_world import (
    EXIT_PLAN,
    MEDIA_TYPE,
    PICTURE,
    ROLES,
    SCREENED,
    Office,
    a_decision,
    a_plan,
    factories,
    furnish,
    register,
    vendors,
)
from heard import NOBODY_BLAMED
from node_world import Town, served

METRICS_TOKEN = "a-token-of-the-monitoring-system"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not "what fits the schema is taken": a signature, or what was done before, can be wrong in a request that fits."""


CONTRACTS = base64.b64encode(b"reference,supplier,ends\nC-1,Exemplar Gloves,2030-12-31\n").decode("ascii")
SENSIBLE: dict[str, dict[str, Any]] = {
    "POST /api/v1/reviews": {"report": None, "observation": "O1"},
    "POST /api/v1/revisions": {"statement": None, "status": "under-engagement"},
    "POST /api/v1/contracts/import": {"form": "csv", "content": CONTRACTS},
    "PATCH /api/v1/contracts/{contract_id}": {"note": "as on page 4", "reason": "misread"},
    "PUT /api/v1/contracts/{contract_id}/exit-plan": EXIT_PLAN,
    "POST /api/v1/contracts/{contract_id}/duties": {"kind": "give-audit-report", "due": "2027-01-31"},
    "POST /api/v1/contracts/{contract_id}/terminate": {"reason": "labour-rights"},
    "POST /api/v1/contracts/{contract_id}/resume": {"reason": "it was another contract"},
    "PATCH /api/v1/duties/{duty_id}": {"due": "2024-02-28", "reason": "misread"},
    "POST /api/v1/duties/{duty_id}/move": {"to": "done"},
    "POST /api/v1/plan-items": {"report": None, "observation": "O1", "remedy": "fees-repaid", "due": "2027-01"},
    "PATCH /api/v1/plan-items/{item_id}": {"due": "2024-02", "reason": "misheard"},
    "POST /api/v1/plan-items/{item_id}/move": {"to": "done"},
    "POST /api/v1/plan-items/{item_id}/escalate": {"step": "reminded"},
    "POST /api/v1/reviews/{review_id}/check": NOBODY_BLAMED,
    "POST /api/v1/corroborations": {"about": None, "report": None, "says": "supports", "observation": "O1"},
    "POST /api/v1/audits/planned": a_plan(),
    "POST /api/v1/audits/done": {"report": None},
    "POST /api/v1/replies": {"review": None, "act": "dispute", "codes": ["remedied"]},
    "POST /reconcile/{dataset}": {"queries": '{"q0": {"query": "Mill"}}'},
    "POST /yente/match/{dataset}": {"queries": {"q": {"schema": "Company", "properties": {"name": ["Mill"]}}}},
    "POST /api/v1/screenings": {"suppliers": [{"name": "Mill", "row": "M-1"}]},
    "POST /api/v1/suppliers": {"name": "Entered", "country": "CH"},
    "POST /api/v1/suppliers/search": {"newest_first": True},
    "POST /api/v1/judgements/{judgement_id}/undo": {},
    "POST /api/v1/suppliers/{number}/facts": {"fact": "owned-by", "other": None},
    "POST /api/v1/suppliers/join": {"first": None, "second": None, "because": "same-identifier"},
    "POST /api/v1/cases/{case_id}/steps": {"step": "reviewed"},
    "POST /api/v1/cases/{case_id}/staff": {"name": "focal person"},
    "PUT /api/v1/focal-points": {"names": ["focal person", "all"]},
    "POST /api/v1/vendor-contacts": vendors("vendor,mail\nMill,desk@mill.example"),
    "POST /api/v1/vendors/{vendor_id}/judgements": {"supplier": 1, "judged": "unsure"},
    "POST /api/v1/vendors": {"rows": [{"row": "M-1", "name": "Mill"}], "replace": False},
    "POST /api/v1/decisions": a_decision(),
    "POST /api/v1/reports/{report_id}/joint-acts": {"act": "hold", "reason": "a court asks for it"},
    "POST /api/v1/filed-screenings": {"reference": "M/1", "stage": "tender", "suppliers": [{"name": "Mill"}]},
    "POST /api/v1/filed-screenings/{filing_id}/keep": {"until": "2099-12-31"},
    "POST /api/v1/filed-screenings/{filing_id}/letter": {},
    "POST /api/v1/replies/{word_id}/decide": {"outcome": "dismissed"},
}
"""What somebody would ask who knows what there is, by the operation; None: one of those that exist."""

SENSIBLE_QUERY: dict[str, dict[str, Any]] = {
    "GET /api/v1/plan": {"report": None, "observation": "O1"},
    "GET /reconcile/{dataset}/preview": {"id": None},
    "GET /api/v1/vocabulary/clauses": {"scheme": "SMETA", "version": "7.0"},
}
"""The same where it stands behind the question mark."""


@dataclass
class Site:
    """A served node and what can be asked of it."""

    url: str
    tokens: dict[str, str]
    things: dict[str, list[Any]]
    """By the name of a path's parameter or a body's field."""
    reports: list[bytes]
    """Signed and not submitted yet."""
    operations: int
    """How many the contract has."""


@dataclass
class Tally:
    """What came of the requests."""

    asked: int = 0
    operations: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    """Operation and status to how many."""
    faults: list[str] = field(default_factory=list)
    """With the request that shows each."""

    @property
    def server_errors(self) -> int:
        return sum(count for name, count in self.statuses.items() if name.split()[-1].startswith("5"))

    @property
    def reached(self) -> set[str]:
        """Which operations were answered with success at least once."""
        return {name.rpartition(" ")[0] for name in self.statuses if name.split()[-1].startswith("2")}

    @property
    def missed(self) -> set[str]:
        """Which were asked for and never answered with success."""
        return {name.rpartition(" ")[0] for name in self.statuses} - self.reached


@contextmanager
def site(place: Path, *, often: int) -> Iterator[Site]:
    """Serve a node whose people have something to do; so many of each thing that is used up by it."""
    town, tokens, things, reports = asyncio.run(_set_up(place, often))
    house = town.houses["agency"]
    with served(house.home) as node:
        _wait_for_the_own_statement(node.url, tokens["all"], things)
        yield Site(node.url, tokens, things, reports, _count_operations(node.url))


async def _set_up(place: Path, often: int) -> tuple[Town, dict[str, str], dict[str, list[Any]], list[bytes]]:
    town = Town(place)
    office = await furnish(town)
    file = office.house.home / "metrics-token"
    file.write_text(METRICS_TOKEN)
    settings_file = office.house.home / "settings.toml"
    settings_file.write_text(f'{settings_file.read_text()}metrics_token_file = "{file}"\n')
    await office.published()
    things = await _things(office, often)
    tokens = {who: office.person(who).token for who in (*ROLES, "all")}
    tokens["a monitoring system"] = METRICS_TOKEN
    reports = [office.signed() for _ in range(often)]
    await town.close()
    return town, tokens, things, reports


async def _things(office: Office, often: int) -> dict[str, list[Any]]:
    reports = [
        await (office.report(firm) if number % 2 else office.report_with_evidence(firm))
        for firm in ("firm", "rival")
        for number in range(often)
    ]
    return {
        "observation": ["O1"],
        "ref": ["E1"],
        "objection_id": [await office.objection() for _ in range(often)],
        "joint_act_id": [await office.joint_act("reviewer 2") for _ in range(often)],
        "report_id": reports,
        "report": reports,
        "review_id": [await make("reviewer 2") for make in _reviews(office) for _ in range(often)],
        "file_id": [await office.screening_file("all", cancelled=bool(n % 2)) for n in range(2 * often)],
        "ruling_id": [await office.ruling("reviewer 2") for _ in range(often)],
        "link_id": [await office.link() for _ in range(often)],
        "word_id": [
            *[await office.word(published=True) for _ in range(often)],
            *[await office.word(act="dispute") for _ in range(often)],
        ],
        "contract_id": [
            *[await office.contract(exit_by="officer 2") for _ in range(often)],
            *[await office.terminated() for _ in range(often)],
        ],
        "duty_id": [await office.duty() for _ in range(often)],
        "item_id": [await office.plan_item() for _ in range(often)],
        "review": [await office.proposal() for _ in range(often)],
        "about": [await office.record("body")],
        "case_id": [await office.case("all") for _ in range(often)],
        "contact_id": [await office.contact() for _ in range(often)],
        "batch": [await office.batch("reviewer 2") for _ in range(often)],
        "job_id": [await office.job("all") for _ in range(often)],
        "person_id": [await office.hired() for _ in range(often)],
        "token_id": [await office.token("all") for _ in range(often)],
        **await _suppliers(office, often),
        "record_id": [str(await office.refused()) for _ in range(3)],
        "member": ["agency", "firm"],
        "dataset": ["default", "comity", "agency"],
        "export_number": [str((await office.made("all", "POST", "trail/exports", json={}))["number"])],
    }


async def _suppliers(office: Office, often: int) -> dict[str, list[Any]]:
    known = [await office.supplier() for _ in range(2 * often)]
    alone = [await office.supplier() for _ in range(3)]
    numbers: list[Any] = [number for number, _ in known]
    return {
        # A report's section too has a number.
        "number": ["1", *map(str, numbers)],
        "entity": [f"supplier-{number}" for number in numbers],
        "id": [f"supplier-{number}" for number in numbers],
        "first": numbers[:often],
        "second": numbers[often:],
        "statements": [[statement] for _, statement in known],
        "other": numbers[:often],
        "owner": numbers[:often],
        "fact_id": [await office.fact() for _ in range(often)],
        "filing_id": [await office.filing() for _ in range(often)],
        "vendor_id": [await office.vendor("all") for _ in range(2 * often)],
        "watch_id": [await office.watch("all")],
        "list_id": [await office.factory_list() for _ in range(often)],
        "kept apart": [number for number, _ in alone[:2]],
        "split": list(alone[2]),
        "judgement_id": [
            *[await office.judgement() for _ in range(often)],
            *[await office.row_judgement(of) for of in ("all", "officer 2") for _ in range(often)],
        ],
    }


def _reviews(office: Office) -> tuple[Callable[[str], Awaitable[str]], ...]:
    """Proposals at every stage of due process."""
    return office.proposal, office.checked, office.heard


def _wait_for_the_own_statement(url: str, token: str, things: dict[str, list[str]]) -> None:
    end = time.monotonic() + 60
    with httpx2.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as api:
        while time.monotonic() < end:
            (item,) = api.get("/published", params={"limit": 1}).json()["items"]
            if item["state"] == "sent" and api.get(f"/records/{item['statement']}").status_code == 200:
                things["statement"] = [item["statement"]]
                return
            time.sleep(0.1)
    raise AssertionError("the node did not receive its own statement")


def _count_operations(url: str) -> int:
    paths = httpx2.get(f"{url}/api/v1/openapi.json").json()["paths"]
    return sum(len(item) for item in paths.values())


def exercise(site: Site, cases: int, seen: Any = lambda tally: None) -> Tally:
    """Put so many requests to every operation of the contract."""
    contract = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json")
    tally = Tally()
    with requests.Session() as session:
        for found in contract.get_all_operations():
            _exercise(found.ok(), site, session, cases, tally)
            tally.operations += 1
            seen(tally)
    return tally


def _exercise(operation: Any, site: Site, session: requests.Session, cases: int, tally: Tally) -> None:
    fits = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    has_input = any(operation.iter_parameters()) or operation.body
    made = st.one_of(fits, fits, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)) if has_input else fits
    whose = st.one_of(st.just("all"), st.sampled_from(sorted(site.tokens)))
    asked = 0

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        nonlocal asked
        case, who = data.draw(made), data.draw(whose)
        more = _deepen(case, site, data)
        headers = {"Authorization": f"Bearer {site.tokens[who]}", **more.pop("headers", {})}
        answer = case.call(base_url=site.url, session=session, headers=headers, **more)
        asked += 1
        tally.statuses[f"{operation.label} {answer.status_code}"] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            tally.faults.append(f"{operation.label} as {who}: {'; '.join(str(e) for e in group.exceptions)}")

    # An operation without anything to vary is asked as often as its askers differ.
    ask()
    tally.asked += asked


def _deepen(case: Any, site: Site, data: st.DataObject) -> dict[str, Any]:
    """Put what exists into a request, most of the time; return what is to be sent otherwise than made."""
    wholly = data.draw(st.booleans())
    for name in case.path_parameters or {}:
        # Most of the time: some operations name two things, and both must exist.
        if name in site.things and (wholly or data.draw(st.integers(0, 3))):
            case.path_parameters[name] = data.draw(st.sampled_from(site.things[name]))
    if wholly and case.operation.label == "POST /api/v1/suppliers/keep-apart":
        first, second = site.things["kept apart"]
        case.body = {"first": first, "second": second, "because": "namesake"}
        return {}
    if wholly and case.operation.label == "POST /api/v1/suppliers/{number}/split":
        number, statement = site.things["split"]
        case.path_parameters["number"] = str(number)
        case.body = {"statements": [statement], "because": "namesake"}
        return {}
    if wholly and case.operation.label in SENSIBLE_QUERY:
        case.query = {
            name: data.draw(st.sampled_from(site.things[name])) if value is None else value
            for name, value in SENSIBLE_QUERY[case.operation.label].items()
        }
        return {}
    if wholly and case.operation.label in SENSIBLE:
        case.body = {
            name: data.draw(st.sampled_from(site.things[name])) if value is None else value
            for name, value in SENSIBLE[case.operation.label].items()
        }
        return {}
    if case.operation.label == "POST /api/v1/factory-lists" and isinstance(case.body, dict) and wholly:
        case.body = factories()
    if case.operation.label == "POST /api/v1/imports" and isinstance(case.body, dict) and data.draw(st.booleans()):
        case.body = register()
    if isinstance(case.body, dict):
        for name in case.body:
            if name in site.things and data.draw(st.booleans()):
                case.body[name] = data.draw(st.sampled_from(site.things[name]))
    if case.operation.label.startswith("PATCH ") and data.draw(st.booleans()):
        case.query = {"offset": 0}
        return {"data": PICTURE, "headers": {"Content-Type": "application/octet-stream"}}
    if case.operation.label.startswith("POST /api/v1/screening-files") and "{" not in case.operation.label and wholly:
        case.query = {} if case.operation.label.endswith("look") else {"name": "vendors.csv"}
        return {"data": SCREENED["content"], "headers": dict(SCREENED["headers"])}
    if case.operation.label == "POST /api/v1/vendors/file" and wholly:
        case.query = {}
        return {"data": SCREENED["content"], "headers": dict(SCREENED["headers"])}
    if case.operation.label == "POST /api/v1/reports" and data.draw(st.booleans()):
        raw = bytearray(data.draw(st.sampled_from(site.reports)))
        if data.draw(st.booleans()):
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        return {"data": bytes(raw), "headers": dict(MEDIA_TYPE)}
    return {}
