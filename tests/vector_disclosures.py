"""Vectors of step 12: digests, disclosures that are none, fields that may not be withheld."""

from typing import Any

from builders import (
    FINDING_IN_CLEAR,
    IDENTIFIERS,
    NAMES,
)
from comity_federation.disclosures import Disclosure
from comity_federation.encoding import b64encode
from vector_records import AGENCY, disclose_fixed, numbered, plain, refused
from vectors import Collection


def add_to(collection: Collection) -> None:
    _digests(collection)
    _malformed_disclosures(collection)
    _disclosed_fields(collection)


def _digests(c: Collection) -> None:
    """12: `_sd`, the digests of what is disclosed or withheld."""

    def with_sd(change: Any) -> Any:
        return lambda: AGENCY.finding(mend=lambda claims: claims["body"].update(_sd=change(claims["body"]["_sd"])))

    bad = refused(12, "digests")
    c.add("sd-order", "`_sd` must be sorted.", with_sd(lambda ds: ds[::-1]), **bad)
    c.add("sd-repeat", "A digest twice.", with_sd(lambda ds: [ds[0], *ds]), **bad)
    c.add("sd-65", "At most 64 digests.", with_sd(lambda ds: sorted([*ds, *map(numbered, range(65 - len(ds)))])), **bad)
    c.add(
        "sd-64",
        "64 are fine.",
        with_sd(lambda ds: sorted([*ds, *map(numbered, range(64 - len(ds)))])),
        member=plain(),
        outcome="accepted",
    )
    c.add("sd-text", "`_sd` is a list.", with_sd(lambda ds: ds[0]), **bad)
    c.add("sd-number", "Of digests.", with_sd(lambda ds: [1, *ds]), **bad)
    c.add("sd-not-base64url", "In base64url.", with_sd(lambda ds: ["!" * 43, *ds]), **bad)
    c.add("sd-lacks-open", "`_sd` holds all of `open`.", with_sd(lambda ds: []), **bad)


def _malformed_disclosures(c: Collection) -> None:
    """12: disclosures whose digest was signed, and that are none."""
    malformed = {
        "reserved-name": ["_sd", []],
        "ellipsis": ["...", "x"],
        "array-element": ["just a value"],
        "name-number": [1, "x"],
        "four-parts": ["region", "x", "y"],
    }
    for name, rest in malformed.items():
        bent = _encoded(["c2FsdA", *rest])
        c.add(
            f"disclosure-{name}",
            "The author signed a malformed disclosure.",
            lambda d=bent: AGENCY.make(disclosed=[d]),
            **refused(12, "disclosure"),
        )
    not_json = {
        "not-json": b"x",
        "float": b'["s","names",1.5]',
        "duplicate-key": b'["s","names",[{"text":"a","text":"b"}]]',
    }
    for name, raw in not_json.items():
        strict = Disclosure(b64encode(raw), "names", None)
        c.add(
            f"disclosure-{name}",
            "No strict JSON in it.",
            lambda d=strict: AGENCY.make(disclosed=[d]),
            **refused(12, "disclosure"),
        )
    padded = Disclosure(disclose_fixed("names", NAMES).encoded.rstrip("=") + "A", "names", None)
    c.add(
        "disclosure-not-canonical",
        "Not in canonical base64url.",
        lambda: AGENCY.make(disclosed=[padded]),
        **refused(12, "disclosure"),
    )
    twice = [disclose_fixed("names", NAMES), disclose_fixed("names", NAMES, salt="b3RoZXJzYWx0b3RoZXJzYQ")]
    c.add(
        "disclosure-same-name",
        "One field disclosed twice.",
        lambda: AGENCY.make(disclosed=twice),
        **refused(12, "disclosure"),
    )


def _disclosed_fields(c: Collection) -> None:
    """12: fields in clear that must be disclosed, the other way round, and disclosed values that do not fit."""
    fields = refused(12, "disclosed-fields")
    c.add(
        "names-in-clear",
        "Names must be disclosures.",
        lambda: AGENCY.make(clear={**FINDING_IN_CLEAR, "names": NAMES}),
        **fields,
    )
    c.add(
        "address-in-clear",
        "So must an address.",
        lambda: AGENCY.make(clear={**FINDING_IN_CLEAR, "site_address": "Rua 1"}),
        **fields,
    )
    c.add(
        "severity-disclosed",
        "A severity must stand in clear.",
        lambda: AGENCY.make(disclosed={"severity": "S2"}),
        **fields,
    )
    c.add(
        "unknown-disclosed", "A field that does not exist.", lambda: AGENCY.make(disclosed={"comment": "x"}), **fields
    )
    values: dict[str, dict[str, Any]] = {
        "check-digit": {"identifiers": [{**IDENTIFIERS[0], "id": "00000000000192"}]},
        "share-of-few": {"affected": "1-10", "women_share": "0-25%"},
        "exact-count": {"affected": "7"},
        "clients-of-a-supplier": {"supplies_to": [{"names": NAMES}]},
    }
    for name, shown in values.items():
        c.add(
            f"disclosed-{name}",
            "A disclosed value does not fit the schema.",
            lambda s=shown: AGENCY.make(disclosed=s),
            **refused(12, "body"),
        )


def _encoded(parts: list[Any]) -> Disclosure:
    text = str(parts).replace("'", '"')
    return Disclosure(b64encode(text.encode()), "names", None)
