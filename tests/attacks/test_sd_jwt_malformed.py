"""Every way RFC 9901 tells a verifier to refuse an SD-JWT, and the ways other implementations are known to let pass.

All are signed by a listed key, as only the author or whoever took the key could do it.
Source: RFC 9901 §4 (form), §7.1 (verification of the SD-JWT), §7.3 (key binding).
"""

from collections.abc import Callable
from typing import Any

import pytest

from builders import FINDING_IN_CLEAR, NAMES, Made, Publisher
from comity_federation import strict_json
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Refused, Seen
from comity_federation.disclosures import Disclosure, disclose
from comity_federation.encoding import b64encode, digest

AGENCY = Publisher()
Build = Callable[[], bytes]
CASES: dict[str, tuple[int, str, Build]] = {}


def case(name: str, step: int, code: str) -> Callable[[Build], Build]:
    def keep(build: Build) -> Build:
        CASES[name] = (step, code, build)
        return build

    return keep


def authored(*contents: Any, clear: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """A record whose author disclosed these contents, whatever they are."""
    shown = [_as_written(content) for content in contents]
    return AGENCY.make(disclosed=shown, clear=clear, **changes).raw


def _as_written(content: Any) -> Disclosure:
    written = content if isinstance(content, bytes) else strict_json.dumps(content)
    return Disclosure(b64encode(written), "", None)


def body(mend: Callable[[dict[str, Any]], None]) -> bytes:
    return AGENCY.finding(mend=lambda claims: mend(claims["body"])).raw


def statement(change: Callable[[Made], str], made: Made | None = None) -> bytes:
    return strict_json.dumps({"statement": change(made or AGENCY.finding()), "sealed": []})


# §7.1 step 1 and §4: separation into parts


@case("no tilde at all", 3, "parts")
def _no_tilde() -> bytes:
    return statement(lambda m: m.jwt)


@case("no tilde at the end", 3, "parts")
def _no_last_tilde() -> bytes:
    return statement(lambda m: "~".join([m.jwt, *(d.encoded for d in m.disclosed)]))


@case("a key binding token at the end", 3, "parts")
def _key_binding() -> bytes:
    return statement(lambda m: f"{m.jwt}~{m.jwt}")


@case("an empty disclosure between", 8, "disclosure")
def _empty_between() -> bytes:
    return statement(lambda m: f"{m.jwt}~~")


@case("nothing before the first tilde", 3, "parts")
def _nothing_first() -> bytes:
    return statement(lambda m: f"~{m.disclosed[0].encoded}~")


@case("a tilde before the token", 3, "parts")
def _tilde_first() -> bytes:
    return statement(lambda m: f"~{m.jwt}~")


@case("JSON serialisation instead of compact", 2, "not-a-record")
def _json_form() -> bytes:
    return strict_json.dumps({"payload": "e30", "signatures": [], "sealed": []})


# §7.1 step 2: the issuer-signed JWT


@case("algorithm none", 3, "algorithm")
def _none() -> bytes:
    return AGENCY.finding(header={"alg": "none", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid()}).raw


@case("a symmetric algorithm", 3, "algorithm")
def _hs256() -> bytes:
    return AGENCY.finding(header={"alg": "HS256", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid()}).raw


@case("an unknown critical extension", 3, "header")
def _crit() -> bytes:
    header = {"alg": "Ed25519", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid(), "crit": ["b64"], "b64": False}
    return AGENCY.finding(header=header).raw


@case("a key carried in the header", 3, "header")
def _jwk() -> bytes:
    header = {"alg": "Ed25519", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid(), "jwk": {"kty": "OKP"}}
    return AGENCY.finding(header=header).raw


@case("the signature taken away", 5, "bad-signature")
def _unsigned() -> bytes:
    return statement(lambda m: f"{m.jwt.rpartition('.')[0]}.~")


# §7.1 step 3: digests


@case("another hash is named", 6, "claims")
def _other_hash() -> bytes:
    return AGENCY.finding(_sd_alg="sha3-256").raw


@case("the hash's name stands inside the body", 12, "body")
def _alg_inside() -> bytes:
    return body(lambda b: b.update({"_sd_alg": "sha-256"}))


@case("_sd is no list", 12, "digests")
def _sd_text() -> bytes:
    return body(lambda b: b.update({"_sd": b["_sd"][0]}))


@case("_sd holds something that is no text", 12, "digests")
def _sd_number() -> bytes:
    return body(lambda b: b.update({"_sd": [*b["_sd"], 1]}))


@case("_sd holds a text that is no digest", 12, "digests")
def _sd_short() -> bytes:
    return body(lambda b: b.update({"_sd": sorted([*b["_sd"], "A"])}))


@case("_sd is not sorted", 12, "digests")
def _sd_order() -> bytes:
    return body(lambda b: b.update({"_sd": b["_sd"][::-1]}))


@case("_sd is nested", 12, "body")
def _nested() -> bytes:
    return body(lambda b: b.update(source={**b["source"], "_sd": []}))


@case("_sd stands beside the body", 6, "claims")
def _sd_outside() -> bytes:
    return AGENCY.finding(_sd=["A" * 43]).raw


@case("an array element is withheld", 12, "body")
def _array_element() -> bytes:
    return body(lambda b: b.update(indicators=[*b["indicators"], {"...": "A" * 43}]))


@case("a claim is called ...", 12, "body")
def _dots() -> bytes:
    return body(lambda b: b.update({"...": "A" * 43}))


@case("a disclosure of two elements", 12, "disclosure")
def _two() -> bytes:
    return authored(["salt", "x"])


@case("a disclosure of four elements", 12, "disclosure")
def _four() -> bytes:
    return authored(["salt", "names", NAMES, 1])


@case("a disclosure that is an object", 12, "disclosure")
def _object() -> bytes:
    return authored({"salt": "s", "name": "names", "value": NAMES})


@case("a salt that is no text", 12, "disclosure")
def _salt() -> bytes:
    return authored([1, "names", NAMES])


@case("a name that is no text", 12, "disclosure")
def _name() -> bytes:
    return authored(["salt", None, NAMES])


@case("a disclosed claim is called _sd", 12, "disclosure")
def _called_sd() -> bytes:
    return authored(["salt", "_sd", ["A" * 43]])


@case("a disclosed claim is called ...", 12, "disclosure")
def _called_dots() -> bytes:
    return authored(["salt", "...", "A" * 43])


@case("a disclosed claim overwrites one in clear", 12, "disclosed-fields")
def _overwrites() -> bytes:
    return authored(["salt", "severity", "S1"])


@case("a disclosed claim overwrites a disclosable one in clear", 12, "disclosed-fields")
def _overwrites_disclosable() -> bytes:
    return authored(["salt", "names", NAMES], clear={**FINDING_IN_CLEAR, "names": NAMES})


@case("two disclosures of one name", 12, "disclosure")
def _same_name() -> bytes:
    return AGENCY.make(disclosed=[disclose("names", NAMES), disclose("names", [{"text": "Another"}])]).raw


@case("a disclosure with digests of its own inside", 12, "body")
def _recursive() -> bytes:
    return authored(["salt", "names", [{"text": "x", "_sd": ["A" * 43]}]])


@case("a disclosure with a key twice", 12, "disclosure")
def _twice_inside() -> bytes:
    return authored(b'["salt","names",[{"text":"a","text":"b"}]]')


@case("a disclosure with text after its end", 12, "disclosure")
def _after_end() -> bytes:
    return authored(b'["salt","affected","11-24"] []')


# §7.1 step 4: a digest more than once


@case("a digest stands twice in _sd", 12, "digests")
def _digest_twice() -> bytes:
    return body(lambda b: b.update({"_sd": sorted([*b["_sd"], b["_sd"][0]])}))


@case("a digest stands twice in open", 6, "claims")
def _open_twice() -> bytes:
    return AGENCY.finding(mend=lambda c: c.update(open=sorted([*c["open"], c["open"][0]]))).raw


@case("one disclosure is sent twice", 8, "disclosure-order")
def _sent_twice() -> bytes:
    made = AGENCY.finding()
    return made.raw_with([made.disclosed[0].encoded] * 2)


# §7.1 step 5: a disclosure nobody refers to


@case("a disclosure that no digest names", 8, "disclosure")
def _unreferenced() -> bytes:
    made = AGENCY.finding()
    more = disclose("affected", "11-24").encoded
    return made.raw_with(sorted([*(d.encoded for d in made.disclosed), more], key=digest))


@case("a withheld field shown by somebody who learnt it", 8, "disclosure")
def _leaked() -> bytes:
    leaked = disclose("site_address", "Estrada Velha 7")
    shown = disclose("names", NAMES)
    names = sorted([leaked.digest, shown.digest])
    made = AGENCY.make(disclosed=[shown], mend=lambda c: c["body"].update({"_sd": names}))
    return made.raw_with(sorted([shown.encoded, leaked.encoded], key=digest))


@case("open names a digest that _sd lacks", 12, "digests")
def _open_alone() -> bytes:
    shown = disclose("names", NAMES)
    return AGENCY.make(disclosed=[shown], mend=lambda c: c["body"].update({"_sd": []})).raw


@case("a disclosure in other base64", 8, "disclosure")
def _padded() -> bytes:
    """The same content in another spelling has another digest."""
    made = AGENCY.finding()
    first, *others = sorted(d.encoded for d in made.disclosed)
    last = first[-1]
    return made.raw_with(sorted([first[:-1] + chr(ord(last) + 1 if last not in "Zz9_-" else ord("A")), *others]))


@case("more digests than may stand there", 12, "digests")
def _many() -> bytes:
    return body(lambda b: b.update({"_sd": sorted(digest(str(n)) for n in range(65))}))


# §7.1 step 6: claims a careless verifier overlooks


@case("an expired token", 6, "claims")
def _expired() -> bytes:
    return AGENCY.finding(exp=1).raw


@case("a token not valid yet", 6, "claims")
def _not_before() -> bytes:
    return AGENCY.finding(nbf=2**40).raw


@case("a token for somebody else", 6, "claims")
def _audience() -> bytes:
    return AGENCY.finding(aud="did:web:else.example").raw


@case("a confirmation key that asks for key binding", 6, "claims")
def _confirmation() -> bytes:
    return AGENCY.finding(cnf={"jwk": {"kty": "OKP"}}).raw


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_sd_jwt_is_refused_at_its_step(name: str) -> None:
    step, code, build = CASES[name]
    decision = decide(build(), AGENCY.trust(), Seen())
    assert isinstance(decision, Refused), decision
    assert (decision.step, decision.code) == (step, code), decision.detail


def test_the_record_they_all_start_from_counts() -> None:
    assert isinstance(decide(AGENCY.finding().raw, AGENCY.trust(), Seen()), Accepted)
    assert isinstance(decide(authored(["salt", "names", NAMES]), AGENCY.trust(), Seen()), Accepted)


def test_a_salt_that_is_short_or_used_twice_is_its_authors_own_business() -> None:
    """A receiver cannot tell a weak salt from a good one, so it does not pretend to."""
    raw = authored(["", "names", NAMES], ["", "affected", "11-24"])
    assert isinstance(decide(raw, AGENCY.trust(), Seen()), Accepted)
