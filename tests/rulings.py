"""Decisions of authorities as they are imported: the mappings, what was taken, and what a person asks a node."""

from datetime import date
from functools import partial
from typing import Any

from comity_node.domain.register import (
    DecisionMapping,
    ImportedRuling,
    RowProblem,
    parse_decision_mapping,
    read_rulings,
)
from comity_node.domain.ruling import decision_handling
from comity_node.domain.supplier_view import DecisionEntry, DecisionStanding, EntryState, decision_standing
from comity_node.mappings import mapping_text
from comity_node.vocabulary import countries
from comity_schemas.decision import Decision
from node_world import House

SECRET = b"a secret of this node, for tests"
TODAY = date(2026, 11, 22)
rulings_of = partial(read_rulings, read_country=countries().read)


def mapping(name: str) -> DecisionMapping:
    read = parse_decision_mapping(mapping_text(name))
    assert read is not None
    return read


BANKS, LABOR = mapping("mdb_debarment"), mapping("us_h2_debarment")


def taken(rows: list[ImportedRuling | RowProblem]) -> list[ImportedRuling]:
    assert [row for row in rows if isinstance(row, RowProblem)] == []
    return [row for row in rows if isinstance(row, ImportedRuling)]


def standing(decision: Decision) -> DecisionStanding:
    terms = decision_handling(decision)
    return decision_standing(DecisionEntry("H" * 43, "agency", 1, terms, decision, EntryState.CURRENT), TODAY)


async def asked(house: House, who: str, path: str, body: Any = None) -> Any:
    async with house.api(house.people[who]) as api:
        answer = await (api.get(f"/api/v1/{path}") if body is None else api.post(f"/api/v1/{path}", json=body))
    assert answer.is_success, answer.text
    return answer.json()
