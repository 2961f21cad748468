"""OpenRefine's Reconciliation API 0.2, for OpenRefine and whatever speaks as it does.

OpenRefine sends no header of its own, so here the token may stand in the address as `api_key`, as its users know it
from other services; the manifest hands it on. Everything else is as in an own screening.

Source: W3C Entity Reconciliation CG, Reconciliation Service API 0.2; its JSON Schemas.
"""

from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from comity_federation.registry import Registry
from comity_node.api.contract import refuses
from comity_node.api.yente import Dataset, describe_answer, scope_of
from comity_node.auth import ReconcilingOfficer, ThisNode
from comity_node.db.suppliers import Wanted
from comity_node.domain.conventions import reconciling
from comity_node.domain.conventions.asking import PROPERTIES, ROW, SCHEMATA, Example, ExampleRefused
from comity_node.domain.conventions.entities import Profile, number_of
from comity_node.domain.conventions.options import Options, Scope, shown
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.services.conventions.matching import find_profiles, list_profiles, match, publishers
from comity_node.vocabulary import countries
from comity_node.wiring import Node

router = APIRouter(prefix="/reconcile", tags=["reconciliation"])

_FORM = "application/x-www-form-urlencoded"
_OPEN_TO_PAGES = {"Access-Control-Allow-Origin": "*"}
"""OpenRefine's own pages ask too. A token is in no cookie, so no page can use one that it was not given."""

_FRAMED = "default-src 'none'; frame-ancestors http://127.0.0.1:* http://localhost:*"
"""A preview stands in OpenRefine's page, which runs on the user's own machine. It has nothing to click at."""

_SENT = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"queries": {"type": "string"}, "extend": {"type": "string"}},
                }
            }
        },
    }
}

Prefix = Annotated[str, Query(max_length=300)]
Text = Annotated[str | None, Query(max_length=2_500)]
"""Servers refuse addresses of more than 64 KiB in words of their own; encoded, a character can take twelve bytes."""

EntityId = Annotated[str, Query(max_length=100)]
_HTML: dict[int | str, dict[str, Any]] = {200: {"description": "a page", "content": {"text/html": {}}}}


class Shown(JSONResponse):
    """An answer that a page of OpenRefine may read."""

    def __init__(self, content: Any, **more: Any) -> None:
        super().__init__(content, headers={**_OPEN_TO_PAGES, **more.pop("headers", {})}, **more)


@router.get("/{dataset}", response_model=dict[str, Any], responses=refuses(400, 403, 404))
async def get_manifest(
    request: Request,
    person: ReconcilingOfficer,
    node: ThisNode,
    dataset: Dataset,
    queries: Text = None,
    extend: Text = None,
) -> Response:
    """What this service can; with `queries` or `extend`, what a POST answers. Prefer the POST: a name in an address
    stands in the logs of whatever is between.
    """
    scope = scope_of(await node.registry(), dataset)
    if queries or extend:
        return await _answer(node, person, scope, queries, extend)
    return Shown(_manifest(request, dataset))


def _manifest(request: Request, dataset: str) -> dict[str, Any]:
    base = f"{str(request.base_url).rstrip('/')}/reconcile/{quote(dataset)}"
    key = request.query_params.get("api_key")
    handed_on = "" if key is None else f"?{urlencode({'api_key': key})}"
    and_key = "" if key is None else f"&{urlencode({'api_key': key})}"

    def service(what: str) -> dict[str, str]:
        return {
            "service_url": base,
            "service_path": f"/suggest/{what}{handed_on}",
            "flyout_service_url": base,
            "flyout_service_path": f"/flyout/{what}?id=${{id}}{and_key}",
        }

    page = f"{base}/preview?id={{{{id}}}}{and_key}"
    return {
        "versions": ["0.2"],
        "name": f"Comity: suppliers ({dataset})",
        "identifierSpace": f"{base}/entities/",
        "schemaSpace": "https://followthemoney.tech/ns#",
        "documentation": "https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/",
        "batchSize": reconciling.MOST_QUERIES,
        "authentication": {"type": "apiKey", "name": "api_key", "in": "query"},
        "defaultTypes": [reconciling.a_type(schema) for schema in SCHEMATA],
        "view": {"url": page},
        "preview": {"url": page, "width": 430, "height": 300},
        "suggest": {what: service(what) for what in ("entity", "type", "property")},
        "extend": {
            "propose_properties": {"service_url": base, "service_path": f"/extend/property{handed_on}"},
            "property_settings": [],
        },
    }


@router.post("/{dataset}", response_model=dict[str, Any], responses=refuses(400, 403, 404), openapi_extra=_SENT)
async def reconcile_batch(request: Request, person: ReconcilingOfficer, node: ThisNode, dataset: Dataset) -> Response:
    """Suppliers that may be meant by up to 100 cells, or what columns are filled with. `match` is identity only."""
    scope = scope_of(await node.registry(), dataset)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise ExampleRefused(f"send `queries` or `extend` as a field of a form ({_FORM})")
    try:
        sent = parse_qs((await request.body()).decode("utf-8"), max_num_fields=20)
    except ValueError as error:
        raise ExampleRefused("the form cannot be read: it is no UTF-8, or has too many fields") from error
    return await _answer(node, person, scope, *(sent.get(name, [None])[0] for name in ("queries", "extend")))


async def _answer(node: Node, person: Person, scope: Scope, queries: str | None, extend: str | None) -> Response:
    now, registry = node.clock(), await node.registry()
    if extend:
        asked = reconciling.read_extension(extend)
        numbers = {each: n for each in asked.ids if (n := number_of(each)) is not None}
        found = await find_profiles(node.database, sorted(set(numbers.values())), person.id, now)
        profiles = {entity: found[n] for entity, n in numbers.items() if n in found}
        return Shown(reconciling.extend(asked, profiles, now.date()))
    if not queries:
        raise ExampleRefused("give `queries` or `extend`")
    return await _reconcile(node, person, registry, scope, queries)


async def _reconcile(node: Node, person: Person, registry: Registry, scope: Scope, queries: str) -> Response:
    batch, now = reconciling.read_batch(queries), node.clock()
    examples: dict[str, Example] = {}
    refused: dict[str, str] = {}
    for key, query in batch.items():
        try:
            examples[key] = reconciling.read_query(query, countries().read)
        except ExampleRefused as error:
            refused[key] = str(error)
    if not examples:
        raise ExampleRefused(next(iter(refused.values())))
    rows = [reconciling.row_of(batch[key]) for key in examples]
    matched = await match(node.database, list(examples.values()), registry, person.id, now, rows)
    answers: dict[str, Any] = {
        key: {"result": [], "status": 400, "detail": f"not asked: {refused[key]}"} for key in refused
    }
    for (key, example), found in zip(examples.items(), matched, strict=True):
        options = Options(limit=min(batch[key].limit, reconciling.MOST_SHOWN), threshold=0.0, cutoff=0.0)
        kept = shown(found.candidates, options, scope, now.date())[: options.limit]
        answers[key] = {
            "result": [reconciling.describe_candidate(each.profile, each.likeness) for each in kept],
            "warnings": list(example.warnings),
            "comity": describe_answer(found.answer),
        }
    return Shown({key: answers[key] for key in batch}, headers={"x-batch-size": str(len(batch))})


@router.get("/{dataset}/suggest/entity", response_model=dict[str, Any], responses=refuses(403, 404))
async def suggest_entity(
    person: ReconcilingOfficer,
    node: ThisNode,
    dataset: Dataset,
    prefix: Prefix = "",
    cursor: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> Response:
    """Suppliers whose name begins so."""
    scope, now = scope_of(await node.registry(), dataset), node.clock()
    wanted = Wanted(name=prefix.strip() or None)

    def is_asked_for(profile: Profile) -> bool:
        return scope.holds(profile, now.date())

    listed = await list_profiles(node.database, wanted, person.id, now, is_asked_for, skip=cursor, most=10)
    return Shown({"result": [reconciling.describe_suggestion(profile) for profile in listed.profiles]})


@router.get("/{dataset}/suggest/type", response_model=dict[str, Any], responses=refuses(403, 404))
async def suggest_type(person: ReconcilingOfficer, node: ThisNode, dataset: Dataset, prefix: Prefix = "") -> Response:
    """Schemata that begin so."""
    scope_of(await node.registry(), dataset)
    return Shown({"result": reconciling.suggest(SCHEMATA, prefix)})


@router.get("/{dataset}/suggest/property", response_model=dict[str, Any], responses=refuses(403, 404))
async def suggest_property(
    person: ReconcilingOfficer, node: ThisNode, dataset: Dataset, prefix: Prefix = ""
) -> Response:
    """Properties that are compared and begin so."""
    scope_of(await node.registry(), dataset)
    return Shown({"result": reconciling.suggest({**PROPERTIES, ROW: reconciling.ROW_WORDS}, prefix)})


@router.get("/{dataset}/extend/property", response_model=dict[str, Any], responses=refuses(403, 404))
async def propose_properties(
    person: ReconcilingOfficer,
    node: ThisNode,
    dataset: Dataset,
    type: Annotated[str, Query(max_length=60)] = "Thing",
    limit: Annotated[int, Query(ge=0, le=100)] = 0,
) -> Response:
    """Properties with which columns can be filled."""
    scope_of(await node.registry(), dataset)
    every = [{"id": name, "name": words} for name, words in reconciling.EXTENSIONS.items()]
    return Shown({"type": type, "limit": limit, "properties": every[:limit] if limit else every})


@router.get("/{dataset}/flyout/{what}", response_model=dict[str, str], responses=refuses(403, 404))
async def show_flyout(
    person: ReconcilingOfficer,
    node: ThisNode,
    dataset: Dataset,
    what: Annotated[str, Path(pattern="^(entity|type|property)$")],
    id: EntityId,
) -> Response:
    """What is shown of a supplier, type or property to whoever points at it."""
    scope_of(await node.registry(), dataset)
    words = (
        reconciling.card(*await _one(node, person, id))
        if what == "entity"
        else reconciling.note(SCHEMATA if what == "type" else PROPERTIES, id)
    )
    if words is None:
        raise NotFound("no such type or property")
    return Shown({"id": id, "html": words})


@router.get("/{dataset}/preview", response_class=HTMLResponse, responses=refuses(403, 404) | _HTML)
async def preview_entity(person: ReconcilingOfficer, node: ThisNode, dataset: Dataset, id: EntityId) -> HTMLResponse:
    """A supplier as a small page."""
    scope_of(await node.registry(), dataset)
    shown_page = reconciling.page(*await _one(node, person, id))
    return HTMLResponse(shown_page, headers={"Content-Security-Policy": _FRAMED})


async def _one(node: Node, person: Person, entity: str) -> tuple[Profile, str]:
    number, now = number_of(entity), node.clock()
    found = {} if number is None else await find_profiles(node.database, [number], person.id, now)
    if number not in found:
        raise NotFound("no such supplier")
    _, _, coverage = await publishers(node.database, await node.registry(), now)
    return found[number], coverage
