"""Which code is mutated, and which tests must notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Some modules and the tests that hold them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


_VERIFYING = (
    "tests/federation/test_decide.py", "tests/federation/test_vectors.py", "tests/federation/test_jws.py",
    "tests/federation/test_disclosures.py", "tests/federation/test_strict_json.py",
    "tests/federation/test_encoding.py", "tests/federation/test_log_state.py", "tests/attacks/test_decisions_stay.py",
    "tests/attacks/test_sd_jwt_malformed.py", "tests/attacks/test_signature_edges.py",
    "tests/attacks/test_parsers_disagree.py",
)  # fmt: skip

AREAS = (
    Area(
        "verify",
        tuple(f"comity_federation.{name}" for name in ("decide", "jws", "disclosures", "strict_json", "encoding")),
        _VERIFYING,
    ),
    Area(
        "chain",
        ("comity_federation.log_state", "comity_node.services.receiving.settle"),
        (
            "tests/federation/test_log_state.py",
            "tests/node/test_settle.py",
            "tests/node/test_settle_copies.py",
            "tests/node/test_settled_logs.py",
            "tests/node/test_limits.py",
        ),
    ),
    Area(
        "minimize",
        ("comity_node.domain.minimize",),
        ("tests/node/test_minimize.py", "tests/node/test_what_stays.py", "tests/node/test_review.py"),
    ),
    Area(
        "authorise",
        (
            "comity_node.auth.people",
            "comity_node.auth.peers",
            "comity_node.services.accounts",
            "comity_node.services.review.release",
        ),
        (
            "tests/node/test_accounts.py",
            "tests/node/test_who_asks.py",
            "tests/node/test_authorisation.py",
            "tests/node/test_api.py",
            "tests/node/test_api_frame.py",
            "tests/node/test_review.py",
            "tests/node/test_release_rules.py",
            "tests/node/test_due_process.py",
            "tests/node/test_objections.py",
            "tests/node/test_follow_up.py",
            "tests/node/test_lifecycle.py",
            "tests/node/test_corroborations.py",
            "tests/node/test_decisions.py",
            "tests/node/test_pointers.py",
            "tests/node/test_peers.py",
            "tests/node/test_metrics.py",
            "tests/node/test_conventions.py",
        ),
    ),
    Area(
        "due-process",
        (
            *(f"comity_node.domain.{name}" for name in ("lifecycle", "due_process", "validity", "ruling")),
            "comity_node.domain.reply_text.checking",
            "comity_node.services.review.due_process",
        ),
        (
            "tests/node/test_lifecycle.py",
            "tests/node/test_due_process.py",
            "tests/node/test_follow_up.py",
            "tests/node/test_reply_text.py",
            "tests/node/test_decisions.py",
            "tests/node/test_corroborations.py",
        ),
    ),
    Area(
        "fast-lane",
        (
            "comity_federation.ordinary",
            "comity_node.services.receiving.opening",
            "comity_node.services.receiving.acceptance",
        ),
        (
            "tests/federation/test_ordinary.py",
            "tests/node/test_intake.py",
            "tests/node/test_limits.py",
            "tests/node/test_settle.py",
            "tests/node/test_settle_copies.py",
        ),
    ),
)
