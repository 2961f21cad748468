"""Vectors of steps 1 to 6 and 8: what can be told from a record alone."""

import base64
import string
from dataclasses import replace
from typing import Any

from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES, Made, Publisher, key_of, public_key
from comity_federation import strict_json
from comity_federation.disclosures import Disclosure, disclose
from comity_federation.encoding import b64encode, digest
from comity_schemas.member import Member
from vectors import Collection

AGENCY = Publisher(decoys=False)
"""Without decoys in most vectors: they are long, and receivers do not count them."""
OTHER = Publisher("other", keys=(key_of("other 1"),))
KIB64 = 64 * 1024


def plain() -> tuple[str, Member]:
    return "agency", AGENCY.member()


def add_to(collection: Collection) -> None:
    _accepted(collection)
    _sizes(collection)
    _strict_json(collection)
    _record_form(collection)
    _jws(collection)
    _keys_and_signatures(collection)
    _claims(collection)
    _disclosures(collection)


def _accepted(c: Collection) -> None:
    full = {
        **FINDING_IN_CLEAR,
        "region": "Pará",
        "municipality": "São Félix do Xingu",
        "sector": {"scheme": "CNAE", "code": "0151-2/01"},
        "source": {**FINDING_IN_CLEAR["source"], "scheme_version": "7", "event": "E" * 43},
        "status": "closed-verified",
        "verified": "by-workers",
        "remedies": ["wages-paid", "fees-repaid"],
        "collaborative_action": True,
    }
    shown = {
        "names": [{"text": "示例农场有限公司", "kind": "registered"}, {"text": "مزرعة المثال", "kind": "trading"}],
        "identifiers": IDENTIFIERS,
        "affected": "11-24",
        "women_share": "25-50%",
    }
    hidden = {"site_address": "Estrada Velha 7", "commitment": {"root": "R" * 43, "signature": "x.y.z"}}
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    c.add("finding", "A first finding: two open disclosures, one withheld, decoys.", Publisher().finding, **ok)
    c.add(
        "finding-many-fields",
        "Names in Chinese and Arabic script, bands disclosed, the commitment withheld.",
        lambda: AGENCY.finding(clear=full, disclosed=shown, withheld=hidden),
        **ok,
    )
    c.add("nothing-disclosed", "Only fields in clear.", lambda: AGENCY.make(), **ok)
    c.add(
        "finding-other-rights",
        "Child labour, fees and state-imposed forced labour: codes beside the eleven.",
        lambda: AGENCY.make(
            clear={
                **FINDING_IN_CLEAR,
                "indicators": [{"indicator": code, "basis": "stated"} for code in ("CL01", "RC01", "FL12")],
            }
        ),
        **ok,
    )
    c.add("iat-zero", "The claimed time is never used, so any is fine.", lambda: AGENCY.finding(iat=0), **ok)


def _sizes(c: Collection) -> None:
    c.add("64-kib", "Exactly 64 KiB are taken.", lambda: _sized(KIB64), member=plain(), outcome="accepted")
    c.add(
        "64-kib-and-1",
        "One byte more is refused before anything is read.",
        lambda: _sized(KIB64 + 1),
        **refused(1, "too-large"),
    )
    c.add("empty", "No bytes.", lambda: b"", **refused(2, "syntax"))


def _sized(wanted: int) -> Made:
    """A finding of exactly so many bytes: as many long names of clients as fit, then one cut to size."""
    clear = {**FINDING_IN_CLEAR, "subject": "labour-provider"}
    bare = AGENCY.make(clear=clear, disclosed={"names": NAMES, "supplies_to": []})
    room = wanted - len(bare.raw) + sum(len(d.encoded) for d in bare.disclosed)
    for own, full in ((own, full) for own in range(1, 5) for full in range(room // 280, 0, -1)):
        shown = {"names": [{"text": "m" * own}], "supplies_to": _clients(full, 1)}
        lack = room - sum((4 * len(strict_json.dumps(["s" * 22, *item])) + 2) // 3 for item in shown.items())
        for cut in range(1 + lack * 3 // 4 - 2, 1 + lack * 3 // 4 + 3):
            if 1 <= cut <= 200:
                made = AGENCY.make(clear=clear, disclosed={**shown, "supplies_to": _clients(full, cut)})
                if len(made.raw) == wanted:
                    return made
    raise AssertionError(f"no finding of {wanted} bytes")


def _clients(full: int, cut: int) -> list[dict[str, Any]]:
    names = [{"text": "n" * 200}] * full + [{"text": "n" * cut}]
    return [{"names": names[start : start + 20]} for start in range(0, len(names), 20)]


def refused(step: int, code: str) -> dict[str, Any]:
    return {"member": plain(), "outcome": "refused", "step": step, "code": code}


def _strict_json(c: Collection) -> None:
    """Each rule twice: in the record (2), and in a payload that was signed all the same (6)."""
    inside = {
        "float": b"1.0",
        "exponent": b"1e2",
        "nan": b"NaN",
        "minus-zero": b"-0",
        "integer-2-53": b"9007199254740992",
        "integer-long": b"1" * 400,
        "depth-33": b"[" * 32 + b"]" * 32,
        "nul": rb'"\u0000"',
        "nul-in-key": rb'{"\u0000":1}',
        "surrogate": rb'"\ud800"',
        "invalid-utf-8": b'"\xff"',
        "duplicate-key": b'{"a":1,"a":1}',
        "duplicate-key-escaped": rb'{"a":1,"\u0061":1}',
        "comma": b"[1,]",
    }
    reasons = {"exponent": "float", "nan": "float", "minus-zero": "integer", "integer-2-53": "integer"}
    reasons |= {"integer-long": "integer", "depth-33": "depth", "nul-in-key": "nul", "invalid-utf-8": "encoding"}
    reasons |= {"duplicate-key-escaped": "duplicate-key", "comma": "syntax"}
    for name, value in inside.items():
        reason = reasons.get(name, name)
        record = b'{"statement":' + value + b',"sealed":[]}'
        c.add(f"record-json-{name}", "Strict JSON, in the record.", lambda r=record: r, **refused(2, reason))
        payload = strict_json.dumps(AGENCY.claims()).replace(b'"body":{', b'"body":{"extra":' + value + b",")
        c.add(
            f"payload-json-{name}",
            "Strict JSON, in a signed payload.",
            lambda p=payload: _around(AGENCY.jwt(p)),
            **refused(6, reason),
        )
    c.add(
        "record-bom",
        "A byte order mark.",
        lambda: b"\xef\xbb\xbf" + AGENCY.finding().raw,
        **refused(2, "encoding"),
    )
    c.add(
        "payload-depth-32",
        "32 levels are strict JSON; the nested field is then unknown to the body's schema.",
        lambda: AGENCY.make(clear={**FINDING_IN_CLEAR, "extra": _nested(30)}),
        **refused(12, "body"),
    )


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def _around(jwt: str, *disclosures: str) -> bytes:
    return strict_json.dumps({"statement": "~".join([jwt, *disclosures, ""]), "sealed": []})


def _record_form(c: Collection) -> None:
    def changed(old: bytes, new: bytes) -> Any:
        return lambda: AGENCY.finding().raw.replace(old, new, 1)

    form = refused(2, "other-form")
    c.add("whitespace", "A blank after a colon.", changed(b'{"statement":', b'{"statement": '), **form)
    c.add("newline-at-end", "A newline after the record.", lambda: AGENCY.finding().raw + b"\n", **form)
    c.add("escaped-letter", "A letter written as an escape.", changed(b'"statement"', b'"st\\u0061tement"'), **form)
    c.add(
        "key-order",
        "The two keys in the other order.",
        lambda: (
            (
                b'{"sealed":[],"statement":"'
                + AGENCY.finding().raw.removeprefix(b'{"statement":"')[: -len(b',"sealed":[]}')]
            )
            + b"}"
        ),
        **form,
    )
    record = refused(2, "not-a-record")
    c.add("unknown-member", "A third key.", changed(b'"sealed":[]', b'"sealed":[],"x":1'), **record)
    c.add("no-sealed", "`sealed` is missing.", changed(b',"sealed":[]', b""), **record)
    c.add("sealed-number", "A box that is no text.", changed(b'"sealed":[]', b'"sealed":[1]'), **record)
    c.add("an-array", "An array instead of an object.", lambda: b"[]", **record)
    c.add(
        "foreign-character",
        "A character outside base64url, dot and tilde in the statement.",
        changed(b'{"statement":"', b'{"statement":"+'),
        **record,
    )


def _jws(c: Collection) -> None:
    head = {"alg": "Ed25519", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid()}

    def under(**changes: Any) -> Any:
        return lambda: AGENCY.finding(header={**head, **changes})

    def statement(change: Any) -> Any:
        return lambda: strict_json.dumps({"statement": change(AGENCY.finding()), "sealed": []})

    parts, encoding, header = refused(3, "parts"), refused(3, "encoding"), refused(3, "header")
    c.add("no-tilde", "A bare JWT is no SD-JWT.", statement(lambda m: m.jwt), **parts)
    c.add("key-binding", "Text after the last tilde: a key binding.", statement(lambda m: f"{m.jwt}~a.b.c"), **parts)
    c.add("two-parts", "No signature at all.", statement(lambda m: m.jwt.rpartition(".")[0] + "~"), **parts)
    c.add("four-parts", "A part too many.", statement(lambda m: m.jwt + ".AA~"), **parts)
    c.add(
        "spare-bits",
        "The last letter of the signature changed in bits that decoders ignore.",
        statement(lambda m: _with_spare_bits(m.jwt) + "~"),
        **encoding,
    )
    c.add("one-letter", "A part of length 1 modulo 4.", statement(lambda m: m.jwt + "AAA~"), **encoding)
    c.add("header-not-json", "The header is no JSON.", statement(lambda m: f"AA.{m.jwt.partition('.')[2]}~"), **header)
    c.add("header-crit", "A fourth field in the header.", under(crit=["x"]), **header)
    c.add("header-jwk", "A key in the header.", under(jwk={"kty": "OKP"}), **header)
    c.add("header-kid-number", "`kid` is no text.", under(kid=1), **header)
    c.add("header-array", "The header is an array.", lambda: AGENCY.finding(header=["alg"]), **header)  # type: ignore[arg-type]
    c.add("alg-eddsa", "`EdDSA` is deprecated (RFC 9864).", under(alg="EdDSA"), **refused(3, "algorithm"))
    c.add("alg-none", "`none`.", under(alg="none"), **refused(3, "algorithm"))
    c.add("typ-checkpoint", "Signed for another use.", under(typ="comity-checkpoint+jwt"), **refused(3, "type"))
    c.add("typ-jwt", "A type that anything could have.", under(typ="JWT"), **refused(3, "type"))


def _with_spare_bits(jwt: str) -> str:
    letters = string.ascii_letters + string.digits + "-_"
    start, last = jwt[:-1], jwt[-1]
    wanted = base64.urlsafe_b64decode(jwt.rpartition(".")[2] + "==")
    for letter in letters:
        other = (start + letter).rpartition(".")[2]
        if letter != last and base64.urlsafe_b64decode(other + "==") == wanted:
            return start + letter
    raise AssertionError("no other spelling")


def _keys_and_signatures(c: Collection) -> None:
    c.add(
        "another-log",
        "Another member's valid record, sent into this log.",
        lambda: OTHER.finding(),
        **refused(4, "another-log"),
    )
    third = Publisher(keys=(key_of("agency 1"), key_of("agency 2"), key_of("agency 3")))
    c.add(
        "unknown-key",
        "A key of this member that the registry does not list (yet).",
        lambda: third.finding(key=2),
        member=plain(),
        outcome="waiting",
        why="unknown-key",
    )
    bad = refused(5, "bad-signature")
    impostor = Publisher(keys=(key_of("impostor"),))
    c.add("forged", "Signed by somebody else under this member's key id.", lambda: impostor.finding(), **bad)
    c.add("payload-swapped", "The payload of another record.", _swapped, **bad)
    c.add("signature-empty", "An empty signature.", lambda: _around(_cut(AGENCY.finding().jwt)), **bad)
    exchange = (
        AGENCY.member()
        .signing_keys[0]
        .model_copy(update={"key": public_key(AGENCY.keys[0]).model_copy(update={"crv": "X25519"})})
    )
    c.add(
        "key-not-for-signing",
        "The listed key is one for sealing.",
        AGENCY.finding,
        **{**bad, "member": ("agency-sealing-key", AGENCY.member(signing_keys=(exchange,)))},
    )


def _cut(jwt: str) -> str:
    return jwt.rpartition(".")[0] + "."


def _swapped() -> bytes:
    one, two = AGENCY.finding(), AGENCY.finding(iat=1)
    head, _, signature = one.jwt.split(".")
    return _around(f"{head}.{two.jwt.split('.')[1]}.{signature}")


def _claims(c: Collection) -> None:
    def without(name: str) -> Any:
        return lambda: AGENCY.finding(mend=lambda claims: claims.pop(name))

    bad = refused(6, "claims")
    c.add("claim-missing", "No `handling`.", without("handling"), **bad)
    c.add("claim-unknown", "A claim that does not exist.", lambda: AGENCY.finding(exp=1), **bad)
    c.add("claim-no-sd-alg", "`_sd_alg` must be there.", without("_sd_alg"), **bad)
    c.add(
        "claim-sd-alg-misspelt",
        "`sd_alg` instead of `_sd_alg`.",
        lambda: AGENCY.finding(mend=lambda claims: claims.update(sd_alg=claims.pop("_sd_alg"))),
        **bad,
    )
    c.add("claim-sha-512", "Another hash.", lambda: AGENCY.finding(_sd_alg="sha-512"), **bad)
    c.add("claim-seq-0", "Positions start at 1.", lambda: AGENCY.finding(seq=0), **bad)
    c.add("claim-seq-text", "A position is a number.", lambda: AGENCY.finding(seq="1"), **bad)
    c.add("claim-seq-true", "`true` is no number.", lambda: AGENCY.finding(seq=True), **bad)
    c.add("claim-v-0", "Versions start at 1.", lambda: AGENCY.finding(v=0), **bad)
    c.add("claim-prev-short", "`prev` is no digest.", lambda: AGENCY.finding(prev="x"), **bad)
    c.add("claim-kind-upper-case", "A kind is lower case.", lambda: AGENCY.finding(kind="Finding"), **bad)
    c.add("claim-body-array", "The body is an object.", lambda: AGENCY.finding(body=[]), **bad)
    c.add("payload-array", "The payload is an object.", lambda: _around(AGENCY.jwt(b"[]")), **bad)
    c.add("tlp-unknown", "TLP 1 had WHITE.", lambda: AGENCY.finding(tlp="WHITE"), **bad)
    c.add(
        "open-not-sorted",
        "`open` in another order.",
        lambda: AGENCY.finding(mend=lambda claims: claims["open"].reverse()),
        **bad,
    )
    c.add(
        "open-repeats",
        "`open` names a disclosure twice.",
        lambda: AGENCY.finding(mend=lambda claims: claims["open"].insert(0, claims["open"][0])),
        **bad,
    )
    c.add("open-65", "At most 64 digests.", lambda: AGENCY.finding(open=sorted(map(numbered, range(65)))), **bad)
    c.add("boxes-repeat", "A box named twice.", lambda: AGENCY.finding(boxes=("Qk9Y", "Qk9Y")), **bad)
    c.add(
        "issuer",
        "Another member's name over this member's key.",
        lambda: AGENCY.finding(iss=OTHER.did),
        **refused(6, "issuer"),
    )
    c.add(
        "genesis",
        "A first statement that follows something else than its issuer's DID.",
        lambda: AGENCY.finding(prev=OTHER.genesis),
        **refused(6, "genesis"),
    )


def numbered(number: int) -> str:
    return digest(str(number))


def _disclosures(c: Collection) -> None:
    def other(change: Any) -> Any:
        def build() -> bytes:
            made = AGENCY.finding()
            return made.raw_with(change([d.encoded for d in made.disclosed]))

        return build

    bad, order = refused(8, "disclosure"), refused(8, "disclosure-order")
    sort = lambda ds: sorted(ds, key=digest)  # noqa: E731
    forged = disclose_fixed("names", [{"text": "Another firm"}]).encoded
    c.add("disclosure-altered", "One disclosure was exchanged.", other(lambda ds: sort([ds[0], forged])), **bad)
    c.add("disclosure-added", "A disclosure nobody signed.", other(lambda ds: sort([*ds, forged])), **bad)
    c.add("disclosure-empty", "An empty disclosure.", other(lambda ds: [*sort(ds), ""]), **bad)
    c.add("disclosure-repeated", "One disclosure twice.", other(lambda ds: [ds[0], ds[0]]), **order)
    c.add("disclosure-order", "Not in the order of digests.", other(lambda ds: sort(ds)[::-1]), **order)
    c.add("disclosure-withheld-shown", "A withheld field that `open` does not name.", _shown_unasked, **bad)
    boxes = ("Qk9YMQ", "Qk9YMg")
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    why = "Stripped disclosures: it counts, and says what is missing."
    c.add("one-stripped", why, lambda: AGENCY.finding().stripped("names"), **ok)
    c.add("all-stripped", why, lambda: AGENCY.finding().stripped("names", "identifiers"), **ok)
    bands = {"names": NAMES, "affected": "11-24", "women_share": "0-25%"}
    c.add(
        "band-stripped",
        "A share whose band was stripped: nobody can refute a statement by taking something away.",
        lambda: AGENCY.finding(disclosed=bands).stripped("affected"),
        **ok,
    )
    c.add("boxes", "Two sealed boxes.", lambda: AGENCY.finding(boxes=boxes), **ok)
    c.add("box-stripped", "A box is missing: it is asked for.", lambda: _with_boxes(boxes, boxes[1:]), **ok)
    box = refused(8, "box")
    c.add("box-altered", "A box nobody signed.", lambda: _with_boxes(boxes, ("Qk9YMw",)).raw, **box)
    c.add("box-moved", "Boxes in another order.", lambda: _with_boxes(boxes, boxes[::-1]).raw, **box)
    c.add("box-repeated", "One box twice.", lambda: _with_boxes(boxes, (boxes[0], boxes[0])).raw, **box)


def disclose_fixed(name: str, value: Any, salt: str = "c2FsdHNhbHRzYWx0c2FsdA") -> Disclosure:
    encoded = b64encode(strict_json.dumps([salt, name, value]))
    return Disclosure(encoded, name, value)


def _shown_unasked() -> bytes:
    hidden = disclose("site_address", "Estrada Velha 7")
    made = AGENCY.finding(mend=lambda claims: claims["body"]["_sd"].__setitem__(0, hidden.digest))
    return made.raw_with(sorted([*(d.encoded for d in made.disclosed), hidden.encoded], key=digest))


def _with_boxes(signed: tuple[str, ...], sent: tuple[str, ...]) -> Made:
    made = AGENCY.finding(boxes=signed)
    raw = made.raw_with(sorted((d.encoded for d in made.disclosed), key=digest), sent)
    return replace(made, raw=raw, boxes=sent)
