"""The shapes of yente's API. Its clients ignore the fields that are ours.

Source: yente 5.5 `data/common.py`.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from comity_node.api.bodies import Body
from comity_node.domain.watching.vendors import MOST_ROW

MOST_RESULTS = 500


class Loose(BaseModel):
    """A shape of somebody else's; they may send more than is read."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class OptionsIn(Body):
    """What yente's protocol cannot say of one query. Ours: their clients do not send it."""

    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] | None = None
    exclude_ids: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    row: Annotated[str, Field(min_length=1, max_length=MOST_ROW)] | None = None
    """The row of your own list that the query is about, by its own id: what you judged of it counts."""


class ExampleIn(Loose):
    """Whom a query is about: an entity as far as it is known."""

    id: str | None = None
    schema_: Annotated[str, Field(alias="schema", max_length=60)]
    properties: dict[str, Any]
    options: OptionsIn = OptionsIn()


class MatchIn(Loose):
    """A batch of queries, each under a key of the client's."""

    queries: dict[str, ExampleIn | None]
    weights: dict[str, float] = {}
    config: dict[str, Any] = {}


class TotalOut(BaseModel):
    """How many there are before the limit."""

    value: int
    relation: str = "eq"


class EntityOut(BaseModel):
    """A supplier as an entity of FollowTheMoney; `identifiers` is ours: scheme and number."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    caption: str
    schema_: Annotated[str, Field(alias="schema")]
    properties: dict[str, list[Any]]
    datasets: list[str]
    referents: list[str]
    target: bool
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    last_change: datetime | None = None
    identifiers: list[str] = []


class FeatureOut(BaseModel):
    """One line of the comparison; the scores of all lines make the score."""

    score: float
    detail: str | None
    query: str | None
    candidate: str | None


class ScoredOut(EntityOut):
    """A supplier that may be the one asked about. `match` speaks of identity only, never of what anybody did."""

    score: float
    match: bool
    explanations: dict[str, FeatureOut]
    verdict: str
    reason: str


class MatchesOut(BaseModel):
    """What one query found. `status` 400: it was not asked at all, and `detail` says why."""

    status: int
    results: list[ScoredOut]
    total: TotalOut
    query: dict[str, Any]
    warnings: list[str] = []
    detail: str | None = None
    comity: dict[str, Any] | None = None


class MatchOut(BaseModel):
    """Answers by the keys of the queries. Absence is never clearance: see `comity`."""

    responses: dict[str, MatchesOut]
    limit: int
    warnings: list[str] = []
    comity: dict[str, Any]


class SearchOut(BaseModel):
    """A part of the suppliers found."""

    results: list[EntityOut]
    facets: dict[str, Any]
    total: TotalOut
    limit: int
    offset: int
    warnings: list[str] = []
    comity: dict[str, Any]


class CatalogOut(BaseModel):
    """Whose statements can be asked for."""

    datasets: list[dict[str, Any]]
    current: list[str]
    outdated: list[str]
    index_stale: bool


class AlgorithmOut(BaseModel):
    """How suppliers are compared."""

    name: str
    description: str
    features: dict[str, Any]
    docs: dict[str, Any]


class AlgorithmsOut(BaseModel):
    """There is one algorithm."""

    algorithms: list[AlgorithmOut]
    default: str
    best: str


class AliveOut(BaseModel):
    """The process answers."""

    status: str = "ok"
