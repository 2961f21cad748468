"""yente's API, for its clients: the same screening in its shapes, under a prefix of its own.

Their clients take a base URL (`https://node.example/yente/`) and send the token as `Authorization: ApiKey ...`. What
their protocol cannot say stands beside it under names of our own; docs/conventions.md lists them.

Source: yente 5.5 `routers/match.py`, `routers/search.py`, `routers/admin.py`, `data/common.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from comity_federation.registry import Registry
from comity_node.api.contract import refuses
from comity_node.api.yente_shapes import (
    MOST_RESULTS,
    AlgorithmOut,
    AlgorithmsOut,
    AliveOut,
    CatalogOut,
    EntityOut,
    ExampleIn,
    MatchesOut,
    MatchIn,
    MatchOut,
    ScoredOut,
    SearchOut,
    TotalOut,
)
from comity_node.auth import Officer, ThisNode
from comity_node.db.suppliers import Wanted
from comity_node.domain.conventions.asking import (
    SCHEMATA,
    Example,
    ExampleRefused,
    has_half_characters,
    read_example,
)
from comity_node.domain.conventions.entities import (
    TOPICS,
    Profile,
    dataset_name,
    describe_entity,
    entity_id,
    facets,
    number_of,
)
from comity_node.domain.conventions.options import Options, Scope, describe_likeness, shown
from comity_node.domain.errors import NotFound
from comity_node.services.answering.answers import describe_coverage
from comity_node.services.answering.screen import Answer
from comity_node.services.conventions.matching import (
    Matched,
    find_profiles,
    list_profiles,
    match,
    publishers,
)
from comity_node.vocabulary import countries

router = APIRouter(prefix="/yente", tags=["yente"])

MOST_QUERIES = 100
MOST_EXCLUDED = 50
ALGORITHM = "comity"
THEIRS = ("best", "logic-v1", "logic-v2", "name-based", "name-qualified", "regression-v1", "ofac-249", "er-unstable")
"""Algorithms that clients ask for by name; here there is one, whatever it is called."""

ALL = ("default", "comity")
"""Names of the dataset of everything that this node may read; every member has one of its own beside it."""

Dataset = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
Names = Annotated[tuple[str, ...], Query(max_length=100)]
Threshold = Annotated[float, Query(ge=0, le=1)]
HowMany = Annotated[int, Query(description="1 to 500; a limit of 0 is refused, since it would look like nothing found")]


def scope_of(
    registry: Registry,
    dataset: str,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    wanted_topics: tuple[str, ...] = (),
    exclude_schema: tuple[str, ...] = (),
) -> Scope:
    """Return whose statements count.

    Raises:
        NotFound: no such dataset.
        ExampleRefused: a list is too long, or names what is not there: every answer would look like nothing found.
    """
    if max(map(len, (include, exclude, wanted_topics, exclude_schema))) > 100:
        raise ExampleRefused("at most 100 values of one parameter")
    names = {dataset_name(member.slug) for member in registry.members}
    if dataset not in (*ALL, *names):
        raise NotFound("no such dataset; GET /yente/catalog lists them")
    if not {*include, *exclude} <= {*ALL, *names}:
        raise ExampleRefused("no such dataset to include or exclude; GET /yente/catalog lists them")
    if not set(wanted_topics) <= set(TOPICS):
        raise ExampleRefused(f"topics are {' and '.join(TOPICS)}: no other is given here, and none is no clearance")
    return Scope(
        only=None if dataset in ALL else frozenset({dataset}),
        include=None if not include or set(include) & set(ALL) else frozenset(include),
        exclude=frozenset(names if set(exclude) & set(ALL) else exclude),
        topics=frozenset(wanted_topics),
        exclude_schema=frozenset(exclude_schema),
    )


def limited(limit: int) -> int:
    """Return a limit.

    Raises:
        ExampleRefused: it is not 1 to 500.
    """
    if not 1 <= limit <= MOST_RESULTS:
        raise ExampleRefused(f"limit is 1 to {MOST_RESULTS}: with none, every answer would look like nothing found")
    return limit


@router.post("/match/{dataset}", responses=refuses(400, 403, 404))
async def match_examples(
    body: MatchIn,
    request: Request,
    response: Response,
    person: Officer,
    node: ThisNode,
    dataset: Dataset,
    limit: HowMany = 5,
    threshold: Threshold = 0.7,
    cutoff: Annotated[float | None, Query(ge=0, le=1, deprecated=True)] = None,
    algorithm: Annotated[str, Query(max_length=60)] = "best",
    include_dataset: Names = (),
    exclude_dataset: Names = (),
    exclude_schema: Names = (),
    topics: Names = (),
    exclude_entity_ids: Names = (),
) -> MatchOut:
    """Suppliers that may be the ones asked about, by example; up to 100 queries, all at the same log positions.

    `match` is true for the verdict `match` only: an equal identifier. A name alone never gives it, however high it
    scores. `cutoff` leaves results out; `threshold` leaves none out. Unknown properties are ignored with a warning.
    """
    if len(body.queries) > MOST_QUERIES:
        raise ExampleRefused(
            f"Too many queries in one batch (limit: {MOST_QUERIES}); larger lists are a job of their own"
        )
    if len(exclude_entity_ids) > MOST_EXCLUDED:
        raise ExampleRefused(f"at most {MOST_EXCLUDED} exclude_entity_ids; a query's own options take 1000")
    registry = await node.registry()
    scope = scope_of(registry, dataset, include_dataset, exclude_dataset, topics, exclude_schema)
    common = Options(limited(limit), threshold, cutoff or 0.0, frozenset(exclude_entity_ids))
    warnings = [*_algorithm_warnings(algorithm), *_ignored(request, _OF_MATCH)]
    if body.weights or body.config:
        warnings.append("weights and config are not applied: there is one way to compare, and it is the same for all")
    asked = {key: example for key, example in body.queries.items() if example is not None}
    if not asked:
        raise ExampleRefused("No queries provided.")
    if any(has_half_characters(key + (example.id or "")) for key, example in asked.items()):
        raise ExampleRefused("a key or id of a query has characters that are none: halves of a surrogate pair")
    examples, refused = _read(asked)
    if not examples:
        raise ExampleRefused(next(iter(refused.values())))
    now = node.clock()
    matched = dict(
        zip(
            examples,
            await match(node.database, list(examples.values()), registry, person.id, now, _rows(asked, examples)),
            strict=True,
        )
    )
    responses = {
        key: _refused(example, refused[key])
        if key in refused
        else _matches(example, examples[key], matched[key], common, scope, now.date())
        for key, example in asked.items()
    }
    response.headers["x-batch-size"] = str(len(responses))
    first = next(iter(matched.values())).answer
    return MatchOut(responses=responses, limit=limit, warnings=warnings, comity=_rests_on(first))


_OF_MATCH = frozenset(
    {
        "limit",
        "threshold",
        "cutoff",
        "algorithm",
        "include_dataset",
        "exclude_dataset",
        "exclude_schema",
        "topics",
        "exclude_entity_ids",
        "fuzzy",
    }
)
_OF_SEARCH = frozenset(
    {
        "q",
        "schema",
        "include_dataset",
        "exclude_dataset",
        "exclude_schema",
        "countries",
        "topics",
        "datasets",
        "limit",
        "offset",
        "facets",
        "fuzzy",
        "simple",
        "filter_op",
    }
)


def _ignored(request: Request, known: frozenset[str]) -> list[str]:
    """Return a warning for each parameter that changes nothing here, by its name and never with its value."""
    return [
        f"the parameter {name} is not followed"
        for name in sorted(set(request.query_params) - known)
        if name.isidentifier() and len(name) <= 40
    ]


def _algorithm_warnings(algorithm: str) -> list[str]:
    if algorithm.lower() in (ALGORITHM, "best"):
        return []
    if algorithm.lower() in THEIRS:
        return [f"there is one algorithm here, {ALGORITHM}; it was used"]
    raise ExampleRefused(f"Invalid algorithm; there is one here: {ALGORITHM}")


def _read(asked: dict[str, ExampleIn]) -> tuple[dict[str, Example], dict[str, str]]:
    """Return the examples that can be asked about, and why the others cannot."""
    examples: dict[str, Example] = {}
    refused: dict[str, str] = {}
    for key, given in asked.items():
        try:
            examples[key] = read_example(given.schema_, given.properties, countries().read)
        except ExampleRefused as error:
            refused[key] = str(error)
    return examples, refused


def _rows(asked: Mapping[str, ExampleIn], examples: Iterable[str]) -> list[str | None]:
    return [asked[key].options.row for key in examples]


def _refused(given: ExampleIn, why: str) -> MatchesOut:
    query: dict[str, Any] = {"id": given.id, "schema": given.schema_, "properties": {}}
    return MatchesOut(status=400, results=[], total=TotalOut(value=0), query=query, detail=f"not asked: {why}")


def _matches(
    given: ExampleIn, example: Example, matched: Matched, common: Options, scope: Scope, today: date
) -> MatchesOut:
    options = common.with_own(**given.options.model_dump(exclude={"row"}))
    kept = shown(matched.candidates, options, scope, today)
    results = [
        ScoredOut(**describe_entity(each.profile, today), **describe_likeness(each.likeness, options.threshold))
        for each in kept[: options.limit]
    ]
    query = {
        "id": given.id,
        "schema": example.schema,
        "properties": {k: list(v) for k, v in example.properties.items()},
    }
    return MatchesOut(
        status=200,
        results=results,
        total=TotalOut(value=len(kept)),
        query=query,
        warnings=list(example.warnings),
        comity=describe_answer(matched.answer),
    )


def describe_answer(answer: Answer) -> dict[str, Any]:
    """Return what the network knows under what was asked, in the words of an own screening."""
    return {
        "verdict": answer.verdict.value,
        "state": answer.state.value,
        "decision_state": answer.decision_state.value,
        "unreadable": answer.unreadable,
        "speak_to_first": sorted({hit.entry.member for hit in answer.pointers}),
        "judged_not_to_be": [entity_id(each.judgement.supplier) for each in answer.set_aside],
        "through_labour_providers": [entity_id(each.provider.number) for each in answer.through],
    }


def _rests_on(answer: Answer) -> dict[str, Any]:
    return {
        "as_of": answer.as_of.isoformat(),
        "registry_version": answer.registry_version,
        "positions": answer.positions,
        "coverage": describe_coverage(answer.coverage),
        "words": "No finding or decision shared is no clearance: it says only what these members have shared.",
    }


@router.get("/search/{dataset}", responses=refuses(400, 403, 404))
async def search_entities(
    request: Request,
    person: Officer,
    node: ThisNode,
    dataset: Dataset,
    q: Annotated[str, Query(max_length=300)] = "",
    schema: Annotated[str, Query(max_length=60)] = "Thing",
    include_dataset: Names = (),
    exclude_dataset: Names = (),
    exclude_schema: Names = (),
    countries: Annotated[tuple[Annotated[str, Field(max_length=60)], ...], Query(max_length=100)] = (),
    topics: Names = (),
    datasets: Names = (),
    limit: HowMany = 10,
    offset: Annotated[int, Query(ge=0, le=9_499)] = 0,
) -> SearchOut:
    """Suppliers by a name; without one, all by name. A name stands in the address here: prefer `match`."""
    limited(limit)
    registry = await node.registry()
    scope = scope_of(registry, dataset, (*include_dataset, *datasets), exclude_dataset, topics, exclude_schema)
    now, codes = node.clock(), _codes(countries)

    def is_asked_for(profile: Profile) -> bool:
        return scope.holds(profile, now.date())

    if schema not in SCHEMATA:
        raise ExampleRefused(f"Invalid schema; ask for one of {', '.join(SCHEMATA)}")
    warnings = _ignored(request, _OF_SEARCH)
    if q.strip():
        example = read_example(schema, {"name": q}, lambda _: None)
        (found,) = await match(node.database, [example], registry, person.id, now)
        profiles = [c.profile for c in found.candidates if is_asked_for(c.profile)]
        profiles = [p for p in profiles if not codes or not set(p.countries).isdisjoint(codes)]
        total, page = TotalOut(value=len(profiles)), profiles[offset : offset + limit]
        rests = {**_rests_on(found.answer), **describe_answer(found.answer)}
    else:
        wanted = Wanted(country=next(iter(codes), None))
        listed = await list_profiles(node.database, wanted, person.id, now, is_asked_for, skip=offset, most=limit)
        page = profiles = list(listed.profiles)
        known = offset + len(page) + listed.further
        total = TotalOut(value=known, relation="gte" if listed.further else "eq")
        _, positions, words = await publishers(node.database, registry, now)
        rests = {"as_of": now.isoformat(), "positions": positions, "coverage": words}
        if len(codes) > 1:
            warnings.append("without a name only the first of several countries is followed")
        if listed.is_cut_off:
            warnings.append("not all suppliers were looked at, so more may be there: ask by name")
    return SearchOut(
        results=[EntityOut(**describe_entity(profile, now.date())) for profile in page],
        facets=facets(profiles, now.date()),
        total=total,
        limit=limit,
        offset=offset,
        warnings=warnings,
        comity=rests,
    )


def _codes(spellings: tuple[str, ...]) -> list[str]:
    """Return the codes of countries, in their order."""
    found = [countries().read(spelling) for spelling in spellings]
    if None in found:
        raise ExampleRefused("a country is none that the list of countries can read")
    return list(dict.fromkeys(code for code in found if code is not None))


@router.get(
    "/entities/{entity}",
    response_model=EntityOut,
    responses=refuses(403, 404) | {308: {"description": "it stands under another id"}},
)
async def fetch_entity(
    entity: Annotated[str, Path(max_length=100)], person: Officer, node: ThisNode, nested: bool = True
) -> EntityOut | RedirectResponse:
    """One supplier with its findings as risks and its decisions as sanctions; joined ones stand under one id."""
    number = number_of(entity)
    now = node.clock()
    found = {} if number is None else await find_profiles(node.database, [number], person.id, now)
    profile = None if number is None else found.get(number)
    if profile is None:
        raise NotFound("No such entity!")
    if profile.number != number:
        return RedirectResponse(entity_id(profile.number), status_code=308)
    return EntityOut(**describe_entity(profile, now.date(), nested=nested))


@router.get("/catalog", responses=refuses(403))
async def get_catalog(person: Officer, node: ThisNode) -> CatalogOut:
    """Whose statements can be asked for: everything, or one member's."""
    registry, now = await node.registry(), node.clock()
    members, positions, words = await publishers(node.database, registry, now)
    names = [dataset_name(member) for member in members]
    version = str(sum(positions.values()))
    everything = {
        "name": "comity",
        "title": "All that this node may read",
        "summary": words,
        "load": True,
        "index_current": True,
        "index_version": version,
        "version": version,
        "children": names,
    }
    of_members = [
        {
            "name": dataset_name(member),
            "title": member,
            "load": True,
            "index_current": True,
            "index_version": str(positions.get(member, 0)),
            "version": str(positions.get(member, 0)),
            "children": [],
        }
        for member in members
    ]
    datasets = [everything, {**everything, "name": "default", "children": ["comity"]}, *of_members]
    return CatalogOut(datasets=datasets, current=[*ALL, *names], outdated=[], index_stale=False)


@router.get("/algorithms", responses=refuses(403))
async def list_algorithms(person: Officer) -> AlgorithmsOut:
    """How suppliers are compared: one way, explained line by line."""
    words = "Lines with points that sum to the score: identifiers first, then names word by word, country, address."
    one = AlgorithmOut(name=ALGORITHM, description=words, features={}, docs={"description": words, "features": {}})
    return AlgorithmsOut(algorithms=[one], default=ALGORITHM, best=ALGORITHM)


@router.get("/healthz")
async def is_yente_alive() -> AliveOut:
    """Whether the process answers; of the database and the registry `/readyz` tells."""
    return AliveOut()
