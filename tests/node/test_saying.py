"""What a member's role may not publish is refused where it is proposed, and again at the release."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api_world import a_decision, a_plan
from comity_federation.decision import Accepted, Refused
from comity_federation.lone_record import rehearse
from comity_node.db import Database
from comity_node.domain.errors import CannotPropose
from comity_node.domain.noticing import outgoing_notice
from comity_node.domain.saying import require_may_say
from comity_node.mappings import mapping_text
from comity_node.services.review.audit_notices import propose_plan
from comity_node.services.review.release import approve
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.handling import Handling
from comity_schemas.member import Role
from comity_schemas.statement import ALLOWED_KINDS, Kind
from node_world import NOW, Town
from review_office import Office

_DECISIONS = b"""list,name,other_name,address,country,from_date,to_date,grounds,origin
WB,EXEMPLAR WORKS LTD,,,Georgia,2024-12-10,2026-12-09,Fraudulent Practices,World Bank Group
"""
PLANNED = {"country": "TH", "scheme": "SMETA", "month": "2026-12", "assessed": ["FL07"]}
MILL = {"subject": "site", "stage": "planned", "names": [{"text": "Mill Two"}], "valid_until": "2027-02-28"}
PLAN = AuditNotice.from_parsed({**PLANNED, **MILL})
TERMS = Handling.from_parsed(
    {
        "tlp": "GREEN",
        "contact": "engage",
        "purpose": "supply-chain-due-diligence",
        "permitted_use": ["due-diligence"],
        "onward": "members",
    }
)


@pytest.mark.parametrize("role", Role)
def test_what_may_be_proposed_is_what_every_node_accepts_from_this_role(role: Role) -> None:
    decision = rehearse(outgoing_notice(PLAN, TERMS), datetime(2026, 11, 1, tzinfo=UTC), role)
    may = Kind.AUDIT_NOTICE in ALLOWED_KINDS[role]
    assert isinstance(decision, Accepted if may else Refused)
    if may:
        require_may_say(role, Kind.AUDIT_NOTICE)
        return
    assert isinstance(decision, Refused) and (decision.step, decision.code) == (11, "role")
    with pytest.raises(CannotPropose, match=f"role {role}, and every node would refuse audit-notice"):
        require_may_say(role, Kind.AUDIT_NOTICE)


async def test_a_worker_organisation_is_told_at_once_that_it_may_tell_no_audit_and_no_decision(tmp_path: Path) -> None:
    town = Town(tmp_path)
    house = await town.found("union", Role.WORKER_ORGANISATION)
    await town.refresh()
    await house.hire("ana", "reviewer")
    decided = {
        "mapping": mapping_text("mdb_debarment"),
        "table": base64.b64encode(_DECISIONS).decode(),
    }
    asked = {
        "audits/planned": a_plan(),
        "audits/done": {"report": "A" * 43},
        "decisions": a_decision(),
    }
    async with house.api(house.people["ana"]) as api:
        for path, body in asked.items():
            answer = await api.post(f"/api/v1/{path}", json=body)
            said = answer.json()
            assert (answer.status_code, said["code"]) == (409, "review.cannot-propose"), said
            assert "worker-organisation" in said["detail"] and "may publish: corroboration, fin" in said["detail"]
        imported = await api.post("/api/v1/imports", json=decided)
        assert (imported.status_code, imported.json()["code"]) == (409, "review.cannot-propose"), imported.text
        assert (await api.get("/api/v1/reviews")).json()["items"] == []
        pointer = await api.post("/api/v1/pointers", json={"names": ["Mill Two"], "country": "TH"})
        assert pointer.status_code == 201, pointer.text
    async with house.api() as nobody:
        assert (await nobody.post("/api/v1/audits/planned", json=a_plan())).status_code == 401
    await town.close()


async def test_a_proposal_of_before_is_refused_where_it_would_be_released(sqlite: Database) -> None:
    office = Office(sqlite)
    await office.hire("ana", "reviewer")
    await office.hire("ben", "reviewer")
    review = await office.write(lambda store: propose_plan(store, office.people["ana"], PLAN, own="union", now=NOW))
    role = Role.WORKER_ORGANISATION
    with pytest.raises(CannotPropose, match="every node would refuse this statement at step 11"):
        await office.write(lambda store: approve(store, office.people["ben"], review.id, NOW, role))
    async with sqlite.read() as store:
        found = await store.reviews.find(review.id)
        assert found is not None and found.state == "proposed"
        assert await store.outbox.of_review(review.id) is None
