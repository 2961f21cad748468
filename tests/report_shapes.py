"""Reports of every shape for property tests, in two halves (what leaves, what stays), and what comes of one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

import builders
from builders import REPORT
from comity_node.domain.minimize import (
    Minimized,
    Policy,
    minimize,
    outgoing_finding,
)
from comity_schemas.finding import Commitment, Severity, SourceType
from comity_schemas.report import Report

OBSERVATION = {**REPORT["observations"][0], "indicators": [{"indicator": "FL08", "basis": "stated"}]}
COMMITMENT = Commitment(root="B" * 43, signature="a.b.c")


def report(*, party: dict[str, Any] | None = None, observations: list[dict[str, Any]] | None = None, **changes: Any):  # type: ignore[no-untyped-def]
    """A valid report with one observation that leaves; `observations` change it one by one."""
    changed = [{**OBSERVATION, "ref": f"O{n}", **o} for n, o in enumerate(observations or [{}], start=1)]
    return builders.report(observations=changed, party={**REPORT["party"], **(party or {})}, **changes)


@dataclass(frozen=True)
class Leaving:
    """What would be sent of one draft, and what would be kept behind digests."""

    observation: str
    sent: dict[str, Any]
    withheld: dict[str, Any]


def leaving(minimized: Minimized) -> list[Leaving]:
    drafts = []
    for draft in minimized.drafts:
        out = outgoing_finding(draft.finding, draft.handling)
        sent = {"kind": out.kind, "handling": out.handling.to_parsed(), "body": out.body, "disclosed": out.disclosed}
        drafts.append(Leaving(draft.observation, sent, out.withheld))
    return drafts


def sent_of(source: Report) -> list[dict[str, Any]]:
    return [draft.sent for draft in leaving(minimize(source, Policy(), COMMITMENT))]


def only(source: Report) -> Leaving:
    (draft,) = leaving(minimize(source, Policy(), COMMITMENT))
    return draft


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


# --- reports of every shape

TEXT = st.text("abcñŁЖ工ع ", min_size=1, max_size=12)
REF = st.from_regex(r"[A-Z][0-9]{1,4}", fullmatch=True)
DIGEST = st.sampled_from(["A" * 43, "C" * 43])
MONTH = st.sampled_from(["2026-12", "2027"])
PEOPLE = st.integers(0, 30) | st.integers(0, 1_000_000)
NAME = st.fixed_dictionaries({"text": TEXT}, optional={"kind": st.sampled_from(["registered", "trading"])})
NAMES = st.lists(NAME, min_size=1, max_size=2)


IDENTIFIERS = st.lists(
    st.builds(lambda n: {"scheme": "UNGM", "id": str(n)}, st.integers(1000, 9999)), min_size=1, max_size=2
)


INDICATORS = st.lists(st.sampled_from([f"FL{n:02}" for n in range(1, 11)]), min_size=1, max_size=3, unique=True).map(
    lambda codes: [{"indicator": code, "basis": "inferred"} for code in codes]
)
STATUS = st.sampled_from([{"status": "alleged"}, {"status": "closed-verified", "verified": "desk"}])


PARTY = st.sampled_from(["supplier", "site"]).flatmap(
    lambda kind: st.fixed_dictionaries({"type": st.just(kind), "names": NAMES, "country": st.just("BR")})
) | st.fixed_dictionaries(
    {"type": st.just("labour-provider"), "names": NAMES, "country": st.just("MY")},
    optional={
        "supplies_to": st.lists(
            st.fixed_dictionaries({"names": NAMES}, optional={"identifiers": IDENTIFIERS}), min_size=1, max_size=2
        )
    },
)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {name: value for part in found for name, value in part.items()})


PARTY_THAT_LEAVES = merged(
    PARTY,
    st.fixed_dictionaries(
        {},
        optional={
            "identifiers": IDENTIFIERS,
            "region": TEXT,
            "municipality": TEXT,
            "sector": st.just({"scheme": "ISIC4", "code": "A01"}),
            "named_after_person": st.booleans(),
        },
    ),
)
NAMED = {"names": [{"text": "Unidade Dois", "kind": "trading"}], "country": "BR"}
KNOWN = {"identifiers": [{"scheme": "UNGM", "id": "7777"}], "region": "PE", "municipality": "Ipojuca"}


SITES = st.sampled_from(
    [{**NAMED, **more, "type": "site", "ref": "S1"} for more in ({}, KNOWN, {"named_after_person": True})]
)


PROVIDERS = st.sampled_from(
    [
        {**NAMED, **more, "type": "labour-provider", "ref": "L1"}
        for more in ({}, KNOWN, {"supplies_to": [{"names": NAMED["names"], "identifiers": KNOWN["identifiers"]}]})
    ]
)
FURTHER_THAT_LEAVES = st.builds(lambda s, p: {"sites": [s], "labour_providers": [p]}, SITES, PROVIDERS)
ABOUT = st.sampled_from([{}, {}, {"about": "S1"}, {"about": "L1"}])


REPORT_THAT_LEAVES = st.fixed_dictionaries(
    {
        "v": st.just(1),
        "source": st.sampled_from([*SourceType]).map(str),
        "scheme": st.just("SMETA"),
        "notice": st.just("announced"),
        "access": st.just("full"),
        "finished_precision": st.sampled_from(["day", "year"]),
    },
    optional={"scheme_version": st.just("7"), "valid_until": st.just("2028-01-01"), "event": DIGEST},
)


OBSERVATION_THAT_LEAVES = merged(
    STATUS,
    ABOUT,
    st.fixed_dictionaries(
        {
            "indicators": INDICATORS,
            "severity": st.sampled_from(["S2", "S3", "S4"]),
            "extent": st.sampled_from(["systemic", "isolated"]),
        },
        optional={
            "collaborative_action": st.booleans(),
            "remedies": st.lists(st.sampled_from(["wages-paid", "fees-repaid"]), max_size=2),
            "remedy_due": MONTH,
        },
    ),
)


COUNTED = st.fixed_dictionaries({}, optional={"affected": PEOPLE}) | PEOPLE.flatmap(
    lambda n: st.fixed_dictionaries({"affected": st.just(n), "affected_women": st.integers(0, n)})
)


OBSERVATION_THAT_STAYS = merged(
    COUNTED,
    st.fixed_dictionaries(
        {
            "clause": st.fixed_dictionaries({"clause": REF}, optional={"label": st.just("Wages")}),
            "description": TEXT,
        },
        optional={"testimony": TEXT, "place": TEXT, "evidence": st.lists(st.just("E1"), max_size=1)},
    ),
)
TOO_LIGHT = st.fixed_dictionaries({"severity": st.sampled_from(["S0", "S1"]), "indicators": INDICATORS})
NOT_INDICATED = st.fixed_dictionaries({"severity": st.sampled_from([*Severity]).map(str)})


NOT_CHOSEN = merged(OBSERVATION_THAT_LEAVES, OBSERVATION_THAT_STAYS).flatmap(
    lambda o: (
        TOO_LIGHT.map(lambda change: {**o, **change})
        | NOT_INDICATED.map(lambda change: {k: v for k, v in {**o, **change}.items() if k != "indicators"})
    )
)
PREMISES = st.sampled_from(["business", "housing", "not-confirmed"])
PARTY_THAT_STAYS = st.fixed_dictionaries({}, optional={"address": TEXT, "premises": PREMISES})
LATER = st.sampled_from(["2031-01-31", "2032-02-29"])


CLIENT = st.fixed_dictionaries({}) | st.fixed_dictionaries(
    {"client": TEXT},
    optional={
        "client_did": st.just("did:web:client.example"),
        "client_consent": st.fixed_dictionaries({"given": st.just("2026-01-01"), "scope": TEXT}),
    },
)


INTERVIEWS = PEOPLE.flatmap(
    lambda n: st.fixed_dictionaries({"interviews": st.just(n)}, optional={"interviewed_women": st.integers(0, n)})
)


SCOPE = st.fixed_dictionaries(
    {},
    optional={
        "assessed": st.lists(st.sampled_from(["FL01", "FL02"]), max_size=2, unique=True),
        "not_assessed": st.just([{"indicator": "FL11", "why": "access-denied"}]),
    },
)


ALONE_THAT_STAYS = st.fixed_dictionaries(
    {
        "ref": REF,
        "evidence": st.lists(
            st.fixed_dictionaries(
                {"media_type": st.just("image/png"), "bytes": PEOPLE, "sha256": DIGEST},
                optional={"caption": TEXT, "keep_until": LATER},
            ).map(lambda e: {"ref": "E1", **e}),
            min_size=1,
            max_size=1,
        ),
    },
    optional={
        "auditor": st.sampled_from(["did:web:audit.example", "did:web:b.example"]),
        "team": st.lists(TEXT, max_size=2),
        "supersedes": DIGEST,
        "keep_until": LATER,
        "scope": SCOPE,
        "workforce": PEOPLE,
        "files_reviewed": PEOPLE,
        "started": st.dates(date(2020, 1, 1), date(2022, 1, 1)).map(str),
        "sharing_basis": st.sampled_from(["auditee-consent", "public-register"]),
        "sharing_scope": TEXT,
        "summary": TEXT,
    },
)
REPORT_THAT_STAYS = merged(ALONE_THAT_STAYS, CLIENT, INTERVIEWS)


@dataclass(frozen=True)
class Parts:
    """The part of a report that leaves; the rest is drawn as often as a test likes."""

    report: dict[str, Any]
    party: dict[str, Any]
    further: dict[str, list[dict[str, Any]]]
    observations: list[dict[str, Any]]

    def complete(self, draw: Callable[..., Any]) -> Report:
        day = draw(st.integers(1, 28))
        month = draw(st.integers(1, 12)) if self.report["finished_precision"] == "year" else 5
        observations = [{**o, **draw(OBSERVATION_THAT_STAYS)} for o in self.observations]
        others = draw(st.lists(NOT_CHOSEN, max_size=2))
        numbered = [{**o, "ref": f"{draw(REF)}-{n}"} for n, o in enumerate([*observations, *others])]
        for n, observation in enumerate(numbered):
            if draw(st.booleans()):
                observation["follows_up"] = {"report": draw(DIGEST), "observation": f"{draw(REF)}-{n}"}
        named = {o.get("about") for o in self.observations}
        further = {
            kind: [
                {**(p if p["ref"] in named else draw(FURTHER_THAT_LEAVES)[kind][0]), **draw(PARTY_THAT_STAYS)}
                for p in parties
            ]
            for kind, parties in self.further.items()
        }
        return Report.from_parsed(
            {
                **self.report,
                **draw(REPORT_THAT_STAYS),
                "finished": f"2026-{month:02}-{day:02}",
                "party": {**self.party, **draw(PARTY_THAT_STAYS)},
                **further,
                "observations": numbered,
            }
        )


PARTS = st.builds(
    Parts,
    REPORT_THAT_LEAVES,
    PARTY_THAT_LEAVES,
    FURTHER_THAT_LEAVES,
    st.lists(OBSERVATION_THAT_LEAVES, min_size=1, max_size=2),
)


@st.composite
def reports(draw: Callable[..., Any], parts: st.SearchStrategy[Parts] = PARTS) -> Report:
    return draw(parts).complete(draw)
