"""Vectors of checkpoints, peer tokens and signed reports."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from builders import IAT, AuditFirm, Publisher, key_of, report
from comity_federation import jws, strict_json
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import b64encode
from comity_federation.merkle import tree_root
from comity_federation.signed_reports import sign_report
from comity_schemas.member import Last, Member, MemberStatus
from comity_schemas.peers import PEER_TOKEN_TYP
from comity_schemas.statement import CHECKPOINT_TYP, REPORT_TYP, STATEMENT_TYP, Checkpoint
from vectors import Collection, fixed_salts, written

NOW = datetime.fromtimestamp(IAT, UTC)
CHECKPOINT: dict[str, Any] = {
    "v": 1,
    "iss": "did:web:agency.example",
    "iat": IAT,
    "seq": 3,
    "hash": "H" * 43,
    "registry_version": 7,
    "registry_hash": "R" * 43,
    "trail": "T" * 43,
}


def _entry(collection: Collection, name: str, member: Member) -> str:
    entry = member.to_parsed()
    assert collection.members.setdefault(name, entry) == entry
    return name


def checkpoints(collection: Collection) -> list[dict[str, Any]]:
    """Checkpoints, each with the member whose topic it is on and what comes of it."""
    agency, other = Publisher(), Publisher("other", keys=(key_of("other 1"),))
    plain = _entry(collection, "agency", agency.member())
    closed = agency.member(closed_keys={0: Last(seq=1, hash="A" * 43)})
    key_closed = _entry(collection, "agency-key-1-closed", closed)
    suspended = agency.member(status=MemberStatus.SUSPENDED, closed=Last(seq=1, hash="A" * 43))
    stopped = _entry(collection, "agency-suspended", suspended)
    good = sign_checkpoint(Checkpoint.from_parsed(CHECKPOINT), agency.kid(), agency.keys[0])

    def signed(typ: str = CHECKPOINT_TYP, **changes: Any) -> bytes:
        return jws.sign(agency.keys[0], agency.kid(), typ, strict_json.dumps({**CHECKPOINT, **changes})).encode()

    foreign = Checkpoint.from_parsed({**CHECKPOINT, "iss": other.did})
    rows: list[tuple[str, str, bytes]] = [
        ("checkpoint-by-a-closed-key", key_closed, good),
        ("checkpoint-of-a-suspended-member", stopped, good),
        ("checkpoint-of-another-member", plain, sign_checkpoint(foreign, other.kid(), other.keys[0])),
        ("checkpoint-naming-another-issuer", plain, signed(iss=other.did)),
        ("checkpoint-typed-as-a-statement", plain, signed(typ="comity-statement+sd-jwt")),
        ("checkpoint-with-another-field", plain, signed(note="x")),
        ("checkpoint-altered", plain, good[:-8] + (b"AAAAAAAA" if good[-8:] != b"AAAAAAAA" else b"BBBBBBBB")),
        ("checkpoint-with-newline", plain, good + b"\n"),
    ]
    second = sign_checkpoint(Checkpoint.from_parsed(CHECKPOINT), agency.kid(1), agency.keys[1])
    heads = {"part": 1, "of": 1, "heads": [{"member": "other", "seq": 9, "hash": "O" * 43}]}
    twice = {**heads, "heads": heads["heads"] * 2}
    rows += [
        ("checkpoint-with-a-member-twice-among-its-heads", plain, signed(peers=twice)),
        ("checkpoint-with-a-part-beyond-the-last", plain, signed(peers={**heads, "part": 2})),
        ("checkpoint-with-another-field-among-its-heads", plain, signed(peers={**heads, "note": "x"})),
    ]
    accepted = [
        ("checkpoint", plain, good, CHECKPOINT),
        ("checkpoint-by-the-second-key", key_closed, second, CHECKPOINT),
        ("checkpoint-with-heads-of-peers", plain, signed(peers=heads), {**CHECKPOINT, "peers": heads}),
    ]
    not_taken = {"outcome": "refused", "code": "checkpoint.refused"}
    judged: list[tuple[str, str, bytes, dict[str, Any]]] = [
        *((*row, {"outcome": "accepted", "claims": claims}) for *row, claims in accepted),
        *((*row, not_taken) for row in rows),
    ]
    return [
        {"name": name, "member": member, "checkpoint": written(raw), "expect": expect}
        for name, member, raw, expect in judged
    ]


def peer_tokens(collection: Collection) -> list[dict[str, Any]]:
    """Peer tokens, each with the registry, the node that is called and its time, and what comes of it."""
    agency, other = Publisher(), Publisher("other", keys=(key_of("other 1"),))
    called, last = other.did, Last(seq=1, hash="A" * 43)
    plain = _entry(collection, "agency", agency.member())
    key_closed = _entry(collection, "agency-key-1-closed", agency.member(closed_keys={0: last}))
    peer = _entry(collection, "other", other.member())
    claims: dict[str, Any] = {"v": 1, "iss": agency.did, "aud": called, "iat": IAT, "exp": IAT + 60}
    vectors: list[dict[str, Any]] = []

    def token(typ: str = PEER_TOKEN_TYP, key: int = 0, **changes: Any) -> str:
        given = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jws.sign(agency.keys[key], agency.kid(key), typ, strict_json.dumps(given))

    def add(name: str, text: str, reason: str | None = None, *, members: str = plain, now: int = IAT + 1) -> None:
        refused = {"outcome": "refused", "code": "peer-token.refused", "reason": reason}
        expect = refused if reason else {"outcome": "accepted", "member": agency.did}
        row = {"name": f"token-{name}" if name else "token", "members": [members, peer], "audience": called}
        vectors.append({**row, "now": now, "token": text, "expect": expect})

    good = token()
    add("", good)
    add("by-the-second-key", token(key=1), members=key_closed)
    add("of-a-clock-30-s-ahead", good, now=IAT - 30)
    add("of-a-clock-30-s-behind", good, now=IAT + 89)
    add("used-twice", good, now=IAT + 2)
    add("expired", good, "expired", now=IAT + 90)
    add("from-the-future", good, "from-the-future", now=IAT - 31)
    add("of-two-minutes", token(exp=IAT + 120), "lifetime")
    add("that-ends-before-it-begins", token(exp=IAT), "lifetime")
    add("for-another-node", token(aud="did:web:third.example"), "audience")
    add("for-its-own-node", token(aud=agency.did), "audience")
    add("naming-another-issuer", token(iss=other.did), "issuer")
    add("by-a-closed-key", good, "not-signed", members=key_closed)
    for status in (MemberStatus.PENDING, MemberStatus.SUSPENDED, MemberStatus.REMOVED):
        closed = None if status is MemberStatus.PENDING else last
        entry = _entry(collection, f"agency-{status}", agency.member(status=status, closed=closed))
        add(f"of-a-{status}-member", good, "not-signed", members=entry)
    stranger = Publisher("stranger", keys=(key_of("stranger"),))
    unknown = jws.sign(stranger.keys[0], stranger.kid(), PEER_TOKEN_TYP, strict_json.dumps(claims))
    add("of-a-stranger", unknown, "unknown-member")
    add("forged", jws.sign(stranger.keys[0], agency.kid(), PEER_TOKEN_TYP, strict_json.dumps(claims)), "not-signed")
    for typ in (CHECKPOINT_TYP, STATEMENT_TYP, REPORT_TYP, "JWT"):
        add(f"typed-{typ.partition('+')[0].lower()}", token(typ=typ), "malformed")
    for name in claims:
        add(f"without-{name}", token(**{name: None}), "malformed")
    add("with-another-claim", token(scope="all"), "malformed")
    add("with-a-text-for-a-time", token(exp=str(IAT + 60)), "malformed")
    add("with-a-list-for-an-audience", token(aud=[called]), "malformed")
    add("in-two-parts", good.rpartition(".")[0], "malformed")
    add("with-padding", good + "=", "malformed")
    add("not-ascii", good[:-1] + "é", "malformed")
    add("without-a-signature", good.rpartition(".")[0] + ".", "not-signed")
    add("too-large", good + "A" * 2_048, "too-large")
    return vectors


def signed_reports(collection: Collection) -> list[dict[str, Any]]:
    """Signed reports, as submitted, and what comes of them."""
    firm = AuditFirm()
    members = [_entry(collection, "audit", firm.member())]
    vectors: list[dict[str, Any]] = []

    def add(name: str, build: Callable[[], bytes], **expect: Any) -> None:
        with fixed_salts(name):
            vectors.append({"name": name, "members": members, "report": written(build()), "expect": expect})

    def honest(**changes: Any) -> bytes:
        return sign_report(report(**changes), iss=firm.did, kid=firm.kid, key=firm.key, now=NOW)

    def split(change: Callable[[dict[str, Any]], None], **changes: Any) -> Callable[[], bytes]:
        def build() -> bytes:
            whole = strict_json.loads(honest(**changes))
            change(whole)
            return strict_json.dumps(whole)

        return build

    add("report", honest, outcome="accepted", firm=firm.did, report=report().to_parsed())
    stranger = key_of("stranger")
    altered, malformed = (
        {"outcome": "refused", "code": "report.altered"},
        {"outcome": "refused", "code": "report.malformed"},
    )
    add("report-section-dropped", split(lambda w: w["sections"].pop()), **altered)
    add("report-sections-reordered", split(lambda w: w["sections"].reverse()), **altered)
    add("report-section-exchanged", split(lambda w: w["sections"].__setitem__(1, w["sections"][0])), **altered)
    add(
        "report-forged",
        lambda: sign_report(report(), iss=firm.did, kid=firm.kid, key=stranger, now=NOW),
        outcome="refused",
        code="report.bad-signature",
    )
    add(
        "report-unknown-auditor",
        lambda: sign_report(report(), iss=firm.did, kid=f"{firm.did}#nobody", key=stranger, now=NOW),
        outcome="refused",
        code="report.unknown-auditor",
    )
    add("report-naming-another-auditor", lambda: honest(auditor="did:web:else.example"), **malformed)
    add(
        "report-issuer-of-another-firm",
        lambda: sign_report(report(), iss="did:web:else.example", kid=firm.kid, key=firm.key, now=NOW),
        **malformed,
    )
    add("report-not-json", lambda: b"%PDF-1.7", **malformed)
    for name, sections in _misshapen().items():
        add(f"report-{name}", lambda s=sections: _bent(firm, s), **malformed)
    return vectors


def _misshapen() -> dict[str, list[tuple[Any, Any]]]:
    """Sections, each with its name, that are no report together."""
    whole = report().to_parsed()
    head = {k: v for k, v in whole.items() if k not in ("party", "observations", "evidence")}
    party = ("party", whole["party"])
    return {
        "head-twice": [("head", head), ("head", head), party],
        "party-first": [party, ("head", head)],
        "section-named-after-a-field": [("head", head), party, ("v", 2)],
        "observations-in-the-head": [("head", {**head, "observations": []}), party],
        "evidence-before-observations": [
            ("head", head),
            party,
            ("evidence", whole["evidence"][0]),
            ("observations", whole["observations"][0]),
        ],
        "no-party": [("head", head)],
        "name-a-list": [("head", head), party, ([], 1)],
        "field-unknown": [("head", {**head, "note": "x"}), party],
    }


def _bent(firm: AuditFirm, sections: list[tuple[Any, Any]]) -> bytes:
    """A report of any shape, signed all the same."""
    written_ones = [b64encode(strict_json.dumps(["c2FsdA", name, value])) for name, value in sections]
    root = b64encode(tree_root([section.encode() for section in written_ones]))
    claims = {"v": 1, "iss": firm.did, "iat": IAT, "root": root, "sections": len(sections)}
    signature = jws.sign(firm.key, firm.kid, REPORT_TYP, strict_json.dumps(claims))
    return strict_json.dumps({"signature": signature, "sections": written_ones})
