"""Valid things to start from: build one, change one field, state one consequence.

`Publisher` is a member with its keys. `Publisher.finding()` and the others give a valid record; every part of it can
be replaced on the way, also by something that no honest signer would make.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from nacl.signing import SigningKey as Ed25519Key

from comity_federation import strict_json
from comity_federation.decision import Earlier, Place, Seen, Trust
from comity_federation.disclosures import Disclosure, disclose, padded
from comity_federation.encoding import b64encode, digest
from comity_federation.statements import genesis, record_bytes
from comity_schemas.member import Last, Member, MemberStatus, PublicKey, ReportKey, Role, SigningKey
from comity_schemas.report import Report
from comity_schemas.statement import STATEMENT_TYP

CHECKOUT = Path(__file__).parent.parent
STANDARDS = CHECKOUT.parent / "shared" / "standards"
IAT = 1_790_000_000


STRICT_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
STRICT_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | STRICT_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRICT_TEXT, inner, max_size=4),
    max_leaves=20,
)
"""Any value that strict JSON can say."""


def shared_standard(path: str) -> Path:
    """Return a file of `../shared/standards`; skips where the folder is absent, fails where CI lacks it."""
    return shared(f"standards/{path}")


def shared(path: str) -> Path:
    """Return a file or folder of `../shared`; skips where it is absent, fails where CI lacks it."""
    found = CHECKOUT.parent / "shared" / path
    if not found.exists():
        reason = f"{found} is absent: it lies beside the checkout, not in it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def key_of(seed: str) -> Ed25519Key:
    return Ed25519Key(hashlib.sha256(f"comity test key {seed}".encode()).digest())


def public_key(key: Ed25519Key) -> PublicKey:
    return PublicKey(kty="OKP", crv="Ed25519", x=b64encode(key.verify_key.encode()))


HANDLING: dict[str, Any] = {
    "tlp": "GREEN",
    "contact": "none",
    "purpose": "supply-chain-due-diligence",
    "permitted_use": ["due-diligence"],
    "onward": "members",
}

FINDING_IN_CLEAR: dict[str, Any] = {
    "subject": "supplier",
    "country": "BR",
    "indicators": [{"indicator": "FL08", "basis": "stated"}],
    "source": {"type": "audit", "scheme": "SMETA", "notice": "announced", "access": "full", "when": "2026-03"},
    "severity": "S2",
    "extent": "isolated",
    "status": "alleged",
    "valid_until": "2027-03-31",
}

DECISION_IN_CLEAR: dict[str, Any] = {
    "reference": "D" * 43,
    "subject": "supplier",
    "country": "BR",
    "authority": {"code": "WBG", "country": "international"},
    "measure": "exclusion",
    "act": {"type": "original"},
    "stand": "relays",
    "grounds": ["fraud"],
    "terms": [{"start": "2026-01-15", "end": "date", "until": "2028-01-14"}],
}

REPLY_IN_CLEAR: dict[str, Any] = {
    "about": "A" * 43,
    "act": "dispute",
    "codes": ["facts-disputed"],
    "made": "2026-09-15",
    "late": False,
}

POINTER_IN_CLEAR: dict[str, Any] = {"country": "BR", "valid_until": "2027-03-31"}

POINTER_HANDLING: dict[str, Any] = {
    **HANDLING,
    "permitted_use": ["due-diligence", "not-sole-ground-for-exclusion"],
    "onward": "nobody",
}

CORROBORATION_IN_CLEAR: dict[str, Any] = {
    "about": "A" * 43,
    "says": "supports",
    "indicators": ["FL07"],
    "source": {
        "type": "audit",
        "scheme": "SMETA",
        "notice": "unannounced",
        "access": "full",
        "when": "2026-02",
    },
    "valid_until": "2027-02-28",
}

NOTICE_IN_CLEAR: dict[str, Any] = {
    "subject": "site",
    "country": "BR",
    "scheme": "SMETA",
    "month": "2026-08",
    "stage": "done",
    "assessed": ["FL07", "FL08"],
    "not_assessed": ["FL05"],
    "valid_until": "2027-08-31",
}
NOTHING_GRAVE: dict[str, str] = {
    "improvement": "1-10",
    "minor": "0",
    "major": "0",
    "critical": "0",
    "zero_tolerance": "0",
}

NAMES: list[dict[str, Any]] = [{"text": "Fazenda Exemplo Ltda"}]
IDENTIFIERS: list[dict[str, Any]] = [{"scheme": "BR-CNPJ", "id": "00000000000191"}]

REPORT: dict[str, Any] = {
    "v": 1,
    "ref": "2026-0042",
    "source": "audit",
    "scheme": "SMETA",
    "auditor": "did:web:audit.example",
    "team": ["A. Auditor"],
    "finished": "2026-03-14",
    "notice": "announced",
    "access": "full",
    "sharing_basis": "auditee-consent",
    "party": {"type": "supplier", "names": NAMES, "country": "BR"},
    "observations": [
        {
            "ref": "O1",
            "clause": {"clause": "1.2"},
            "description": "Wages of the season were held back until the harvest ended.",
            "severity": "S2",
            "extent": "isolated",
            "status": "alleged",
            "affected": 14,
            "evidence": ["E1"],
        }
    ],
    "evidence": [{"ref": "E1", "media_type": "image/jpeg", "bytes": 1000, "sha256": "A" * 43}],
}


def report(**changes: Any) -> Report:
    return Report.from_parsed({**REPORT, **changes})


@dataclass(frozen=True)
class Made:
    """A record and what went into it."""

    raw: bytes
    jwt: str
    hash: str
    seq: int
    kind: str
    disclosed: tuple[Disclosure, ...]
    boxes: tuple[str, ...]
    body: dict[str, Any]
    """What can be read of it: fields in clear and disclosed ones."""
    missing: tuple[str, ...] = ()
    """Digests of open disclosures that this copy lacks."""

    def stripped(self, *names: str) -> "Made":
        """A copy of which somebody took the disclosures of these names away."""
        kept = tuple(d for d in self.disclosed if d.name not in names)
        return replace(
            self,
            raw=record_bytes(self.jwt, (d.encoded for d in kept), self.boxes),
            disclosed=kept,
            body={name: value for name, value in self.body.items() if name not in names},
            missing=tuple(sorted(d.digest for d in self.disclosed if d.name in names)),
        )

    @property
    def earlier(self) -> dict[str, Earlier]:
        return {self.hash: Earlier(self.seq, self.kind)}

    def last(self) -> Last:
        return Last(seq=self.seq, hash=self.hash)

    def raw_with(self, disclosures: Iterable[str], boxes: Iterable[str] = ()) -> bytes:
        """The record with other disclosures or boxes in the order given."""
        statement = "~".join([self.jwt, *disclosures, ""])
        return strict_json.dumps({"statement": statement, "sealed": list(boxes)})


@dataclass(frozen=True)
class Publisher:
    """A member with its private keys, in the order of the registry's list."""

    name: str = "agency"
    role: Role = Role.AGENCY
    keys: tuple[Ed25519Key, ...] = field(default_factory=lambda: (key_of("agency 1"), key_of("agency 2")))
    decoys: bool = True
    """Whether `_sd` is padded, as publishers must; receivers do not check it."""

    @property
    def did(self) -> str:
        return f"did:web:{self.name}.example"

    @property
    def genesis(self) -> str:
        return genesis(self.did)

    def kid(self, number: int = 0) -> str:
        return f"{self.did}#key-{number + 1}"

    def member(self, *, closed_keys: Mapping[int, Last] | None = None, **changes: Any) -> Member:
        """This member as the registry lists it."""
        closings = closed_keys or {}
        given: dict[str, Any] = {
            "did": self.did,
            "slug": self.name,
            "names": (self.name,),
            "country": "international",
            "role": self.role,
            "status": MemberStatus.ACTIVE,
            "signing_keys": tuple(
                SigningKey(kid=self.kid(n), key=public_key(key), closed=closings.get(n))
                for n, key in enumerate(self.keys)
            ),
        }
        return Member(**{**given, **changes})

    def trust(self, **changes: Any) -> Trust:
        return Trust(self.member(**changes))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Valid common claims of a first finding, in the signer's order."""
        given: dict[str, Any] = {
            "v": 1,
            "iss": self.did,
            "seq": 1,
            "prev": self.genesis,
            "iat": IAT,
            "kind": "finding",
            "handling": HANDLING,
            "open": [],
            "boxes": [],
            "body": dict(FINDING_IN_CLEAR),
            "_sd_alg": "sha-256",
        }
        return {**given, **changes}

    def jwt(self, payload: Mapping[str, Any] | bytes, *, key: int = 0, header: Mapping[str, Any] | None = None) -> str:
        """Sign any payload under any header with one of this member's keys."""
        head = {"alg": "Ed25519", "typ": STATEMENT_TYP, "kid": self.kid(key)} if header is None else header
        body = payload if isinstance(payload, bytes) else strict_json.dumps(payload)
        signed = f"{b64encode(strict_json.dumps(head))}.{b64encode(body)}"
        return f"{signed}.{b64encode(self.keys[key].sign(signed.encode()).signature)}"

    def make(
        self,
        *,
        key: int = 0,
        header: Mapping[str, Any] | None = None,
        clear: Mapping[str, Any] | None = None,
        disclosed: Mapping[str, Any] | Iterable[Disclosure] = (),
        withheld: Mapping[str, Any] | None = None,
        boxes: tuple[str, ...] = (),
        tlp: str = "GREEN",
        mend: Callable[[dict[str, Any]], None] = lambda claims: None,
        **changes: Any,
    ) -> Made:
        """A record with one field or another of its own; `mend` changes the claims last, before they are signed."""
        shown = (
            [disclose(name, value) for name, value in disclosed.items()]
            if isinstance(disclosed, Mapping)
            else list(disclosed)
        )
        hidden = [disclose(name, value) for name, value in (withheld or {}).items()]
        body = dict(FINDING_IN_CLEAR if clear is None else clear)
        digests = sorted(d.digest for d in (*shown, *hidden))
        if self.decoys:
            digests = padded(digests)
        claims = self.claims(
            handling={**HANDLING, "tlp": tlp},
            open=sorted(d.digest for d in shown),
            boxes=[digest(box) for box in boxes],
            body={**body, "_sd": digests},
        )
        claims.update(changes)
        mend(claims)
        jwt = self.jwt(claims, key=key, header=header)
        raw = record_bytes(jwt, (d.encoded for d in shown), boxes)
        readable = {**body, **{d.name: d.value for d in shown}}
        return Made(raw, jwt, digest(jwt), claims["seq"], claims["kind"], tuple(shown), boxes, readable)

    def finding(self, **changes: Any) -> Made:
        """A valid finding with two disclosures in clear and, beside decoys, one withheld."""
        given: dict[str, Any] = {
            "disclosed": {"names": NAMES, "identifiers": IDENTIFIERS},
            "withheld": {"site_address": "Estrada Velha 7"} if self.decoys else {},
        }
        return self.make(**{**given, **changes})

    def decision(self, **changes: Any) -> Made:
        """A valid decision with its two disclosures in clear."""
        given: dict[str, Any] = {
            "kind": "decision",
            "clear": DECISION_IN_CLEAR,
            "disclosed": {"names": NAMES, "identifiers": IDENTIFIERS},
        }
        return self.make(**{**given, **changes})

    def reply(self, about: str, *, text: str | None = None, **changes: Any) -> Made:
        """A valid reply to a statement, or another one given by what differs."""
        clear = {**REPLY_IN_CLEAR, "about": about, **changes.pop("more", {})}
        said = {} if text is None else {"text": text}
        return self.make(**{"kind": "reply", "clear": clear, "disclosed": said, **changes})

    def pointer(self, **changes: Any) -> Made:
        """A valid pointer, or another one given by what differs."""
        clear = {**POINTER_IN_CLEAR, **changes.pop("more", {})}
        given = {"kind": "pointer", "handling": POINTER_HANDLING, "clear": clear, "disclosed": {"names": NAMES}}
        return self.make(**{**given, **changes})

    def corroboration(self, about: str, **changes: Any) -> Made:
        """A valid corroboration of a finding, or another one given by what differs."""
        clear = {**CORROBORATION_IN_CLEAR, "about": about, **changes.pop("more", {})}
        return self.make(**{"kind": "corroboration", "clear": clear, **changes})

    def notice(self, **changes: Any) -> Made:
        """A valid notice of an audit, or another one given by what differs."""
        clear = {**NOTICE_IN_CLEAR, **changes.pop("more", {})}
        shown = {"names": NAMES, "identifiers": IDENTIFIERS}
        return self.make(**{"kind": "audit-notice", "clear": clear, "disclosed": shown, **changes})

    def withdrawal(self, statement: str, **changes: Any) -> Made:
        """A valid withdrawal of one statement."""
        clear = {"statement": statement, "reason": "factual-error", **changes.pop("more", {})}
        return self.make(**{"kind": "withdrawal", "clear": clear, **changes})

    def after(self, *made: Made) -> dict[str, Any]:
        """The place after an unbroken chain, as changes for the next record."""
        return {"seq": made[-1].seq + 1, "prev": made[-1].hash}

    def chain(self, length: int, *, key: int = 0, after: Made | None = None, salt: str = "") -> list[Made]:
        """Findings in a row, told apart by their sector's code."""
        made: list[Made] = []
        for number in range(length):
            before = made[-1] if made else after
            place = {} if before is None else self.after(before)
            clear = {**FINDING_IN_CLEAR, "municipality": f"place {salt}{number}"}
            made.append(self.finding(key=key, clear=clear, **place))
        return made


def seen_of(*chain: Made, keys: Iterable[int] = (), **more: Any) -> Seen:
    """What is known after an unbroken chain was applied, signed by the first key unless told otherwise."""
    numbers = list(keys) or [0] * len(chain)
    return Seen(
        head=chain[-1].seq if chain else 0,
        places={made.seq: Place(made.hash, key) for made, key in zip(chain, numbers, strict=True)},
        earlier={made.hash: Earlier(made.seq, made.kind) for made in chain},
        **more,
    )


@dataclass(frozen=True)
class AuditFirm:
    """An audit firm with one auditor's key."""

    name: str = "audit"
    key: Ed25519Key = field(default_factory=lambda: key_of("auditor"))

    @property
    def did(self) -> str:
        return f"did:web:{self.name}.example"

    @property
    def kid(self) -> str:
        return f"{self.did}#auditor-1"

    def member(self, **changes: Any) -> Member:
        given: dict[str, Any] = {
            "did": self.did,
            "slug": self.name,
            "names": ("Audit firm",),
            "country": "DE",
            "role": Role.AUDIT_FIRM,
            "status": MemberStatus.ACTIVE,
            "report_keys": (ReportKey(kid=self.kid, key=public_key(self.key)),),
        }
        return Member(**{**given, **changes})
