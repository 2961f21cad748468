"""Asks a node as others' programs do, through their own unchanged clients: `ask.py URL TOKEN JOINED LEI`.

Runs in an environment without Comity. Ends with 0 only if every client understood every answer.
"""

# ruff: noqa: PLC0415 - each client is imported by what asks with it

import importlib.util
import sys
import tempfile
import types
from pathlib import Path

GLOVES = "Exemplar Gloves Sdn Bhd"


def yente_client(url: str, token: str, joined: str, lei: str) -> str:
    """OpenSanctions' own client for yente."""
    from yente_client import Client
    from yente_client.entities import Company
    from yente_client.exceptions import AuthenticationError, BadRequestError, NotFoundError

    with Client(base_url=f"{url}/yente", api_key=token) as client:
        assert client.healthz().status == "ok"
        assert {"default", "labour_office", "city_hall"} <= {dataset.name for dataset in client.datasets().datasets}
        assert client.algorithms().best == "comity"
        by_name = client.match(Company(name=[GLOVES]), algorithm="best", threshold=0.5, limit=3)
        assert (len(by_name.results), len(by_name.matches)) == (1, 0), by_name
        by_number = client.match(Company(name=["Quite Other"], leiCode=[lei]))
        (found,) = by_number.matches
        assert found.properties["topics"] == ["forced.labor", "debarment"]
        assert found.referents == [joined]
        assert found.contributing_explanations, found
        assert not client.match(Company(name=[GLOVES]), exclude_entities=[joined]).results
        assert len(client.match(Company(name=[GLOVES]), datasets=["city_hall"]).results) == 1
        assert client.search("exemplar gloves").results[0].id == found.id
        every = dict(client.match_iter([(str(n), Company(name=[GLOVES])) for n in range(20)], on_error="collect"))
        assert len(every) == 20 and all(len(answer.results) == 1 for answer in every.values())
        # The id of a supplier that was joined leads to the one it stands under.
        entity = client.fetch(joined)
        assert entity.id == found.id
        (risk,), (sanction,) = entity.properties["risks"], entity.properties["sanctions"]
        assert (risk.schema_, sanction.schema_) == ("Risk", "Sanction")
        for refused, ask in (
            (NotFoundError, lambda: client.match(Company(name=[GLOVES]), datasets=["nowhere"])),
            (NotFoundError, lambda: client.fetch("NK-unknown")),
            (BadRequestError, lambda: client.match(Company(name=[GLOVES]), limit=0)),
            (BadRequestError, lambda: client.match(Company(name=[" "]))),
        ):
            try:
                ask()
            except refused as error:
                assert error.detail
            else:
                raise AssertionError(f"{refused.__name__} was expected")
    with Client(base_url=f"{url}/yente", api_key="comity_wrong") as stranger:
        try:
            stranger.algorithms()
        except AuthenticationError:
            return f"match, match_iter, search, fetch, datasets, algorithms; found {found.id}"
    raise AssertionError("a wrong token was let in")


def nomenklatura(url: str, token: str, joined: str, lei: str) -> str:
    """nomenklatura's enricher, without its matcher, which would need scikit-learn for nothing that is asked here."""
    root = Path(importlib.util.find_spec("nomenklatura").submodule_search_locations[0])
    without_matcher = types.ModuleType("nomenklatura.enrich")
    without_matcher.__path__ = [str(root / "enrich")]
    sys.modules["nomenklatura.enrich"] = without_matcher
    from followthemoney import model
    from followthemoney.types import registry
    from nomenklatura.cache import Cache
    from nomenklatura.dataset import Dataset
    from nomenklatura.db import get_engine, get_metadata
    from nomenklatura.enrich.yente import YenteEnricher
    from nomenklatura.entity import CompositeEntity

    buyer = Dataset({"name": "buyer", "title": "A buyer's vendors"})
    with tempfile.TemporaryDirectory() as place:
        cache = Cache(get_engine(f"sqlite:///{place}/cache.db"), get_metadata(), buyer, create=True)
        config = {"api": f"{url}/yente/", "dataset": "default", "api_key": token, "cache_days": 0}
        enricher = YenteEnricher(buyer, cache, config)
        vendor = CompositeEntity.from_data(
            buyer,
            {"id": "v-1", "schema": "Company", "properties": {"name": [GLOVES], "country": ["my"], "leiCode": [lei]}},
        )
        (found,) = enricher.match_wrapped(vendor)
        # The newest that needs no compiler knows neither the topic forced.labor nor the schema Risk, and drops them.
        known = {topic for topic in ("forced.labor", "debarment") if registry.topic.validate(topic)}
        assert set(found.get("topics")) == known >= {"debarment"}, found.to_dict()
        assert found.get("leiCode") == [lei]
        told = list(enricher.expand_wrapped(vendor, found))
        beside = [schema for schema in ("Risk", "Sanction") if model.get(schema)]
        assert sorted(entity.schema.name for entity in told) == ["Company", *beside], told
        assert all(entity.get("entity") == [found.id] for entity in told if entity.schema.name != "Company")
        stranger = CompositeEntity.from_data(
            buyer, {"id": "v-2", "schema": "Company", "properties": {"name": ["Nobody"]}}
        )
        assert not list(enricher.match_wrapped(stranger))
        cache.close()
    return f"match, expand; found {found.id} with {len(told) - 1} entities beside it"


def reconciliation(url: str, token: str, joined: str, lei: str) -> str:
    """A client of the Reconciliation API 0.2, which sends no header of its own."""
    from py_reconciliation_service_api import build_reconciliation_service
    from py_reconciliation_service_api.models.reconciliation import ReconciliationQuery, ReconciliationQueryProperty

    service = build_reconciliation_service(f"{url}/reconcile/default?api_key={token}")
    assert service._manifest.batch_size == 100
    number = ReconciliationQueryProperty(pid="leiCode", v=lei)
    answers = service.reconcile_batch(
        [
            ReconciliationQuery(query=GLOVES, type="Company", limit=3),
            ReconciliationQuery(query="Quite Other", properties=[number]),
            ReconciliationQuery(query="Nobody At All"),
        ]
    )
    (by_name,), (by_number,), nobody = (answer.result for answer in answers)
    assert (by_name.match, by_number.match, by_name.id == by_number.id, nobody) == (False, True, True, [])
    assert by_number.score == 100 and by_number.features
    return f"manifest, a batch of three; found {by_number.id}"


if __name__ == "__main__":
    for client in (yente_client, nomenklatura, reconciliation):
        print(f"{client.__name__}: {client(*sys.argv[1:])}", flush=True)
