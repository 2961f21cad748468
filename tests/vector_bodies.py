"""Vectors of steps 10 to 13: kinds, roles, bodies, handling and references."""

from typing import Any

import vector_disclosures
from builders import (
    CORROBORATION_IN_CLEAR,
    DECISION_IN_CLEAR,
    FINDING_IN_CLEAR,
    IDENTIFIERS,
    NAMES,
    NOTHING_GRAVE,
    POINTER_HANDLING,
    Made,
    Publisher,
    seen_of,
)
from comity_schemas.member import Role
from vector_records import AGENCY, plain, refused
from vectors import Collection, fixed_salts

SUPPLIER: dict[str, Any] = {"names": NAMES, "identifiers": IDENTIFIERS}


def add_to(collection: Collection) -> None:
    with fixed_salts("chain"):
        one, two = AGENCY.chain(2)
    _kinds_and_roles(collection)
    _bodies(collection)
    vector_disclosures.add_to(collection)
    _decisions(collection)
    _replies(collection)
    _pointers(collection)
    _corroborations(collection)
    _notices(collection)
    _handling(collection)
    _references(collection, one, two)
    _references_to_other_kinds(collection, one)


def _kinds_and_roles(c: Collection) -> None:
    """10 and 11."""
    later = {"clear": {"anything": [1, {"of": "tomorrow"}]}}
    c.add(
        "version-2",
        "A later version: kept, decided again one day.",
        lambda: AGENCY.make(v=2, **later),
        **refused(10, "version"),
    )
    unknown = refused(10, "unknown-kind")
    c.add("kind-of-tomorrow", "A kind nobody knows: kept.", lambda: AGENCY.make(kind="lullaby", **later), **unknown)
    c.add(
        "kind-not-read-yet",
        "A kind that this version does not read yet: kept.",
        lambda: AGENCY.make(kind="group-key", **later),
        **unknown,
    )
    for role in (Role.AUDIT_FIRM, Role.OBSERVER):
        member = (f"agency-as-{role}", AGENCY.member(role=role))
        c.add(
            f"role-{role}",
            f"A finding of a member of role {role}.",
            AGENCY.finding,
            **{**refused(11, "role"), "member": member},
        )
    for role in (Role.PROCUREMENT_BODY, Role.AUTHORITY, Role.WORKER_ORGANISATION):
        member = (f"agency-as-{role}", AGENCY.member(role=role))
        c.add(
            f"role-{role}", f"A finding of a member of role {role}.", AGENCY.finding, member=member, outcome="accepted"
        )


def _bodies(c: Collection) -> None:
    """12: the schema of what is in clear."""
    fields: dict[str, dict[str, Any]] = {
        "unknown-field": {"comment": "Workers are kept"},
        "nested-sd": {"source": {**FINDING_IN_CLEAR["source"], "_sd": []}},
        "no-indicator": {"indicators": []},
        "indicator-of-the-crosswalk": {"indicators": [{"indicator": "EN01", "basis": "stated"}]},
        "indicator-twice": {"indicators": FINDING_IN_CLEAR["indicators"] * 2},
        "severity-unknown": {"severity": "S5"},
        "country-unlisted": {"country": "XX"},
        "date-impossible": {"valid_until": "2026-02-30"},
        "date-with-time": {"valid_until": "2026-02-28T00:00:00"},
        "month-13": {"source": {**FINDING_IN_CLEAR["source"], "when": "2026-13"}},
        "true-as-text": {"named_after_person": "true"},
        "verified-but-open": {"verified": "desk"},
        "closed-but-unverified": {"status": "closed-verified"},
        "supplier-supplies": {"subject": "supplier", "sector": {"scheme": "CNAE", "code": "x"}},
        "control-character": {"region": "Par\u0007á"},
    }
    for name, change in fields.items():
        clear = {**FINDING_IN_CLEAR, **change}
        c.add(
            f"body-{name}",
            "The body does not fit its schema.",
            lambda b=clear: AGENCY.make(clear=b),
            **refused(12, "body"),
        )
    no_severity = {k: v for k, v in FINDING_IN_CLEAR.items() if k != "severity"}
    c.add(
        "body-field-missing",
        "A field that must stand in clear.",
        lambda: AGENCY.make(clear=no_severity),
        **refused(12, "body"),
    )
    c.add(
        "withdrawal-reason-unknown",
        "A closed list of reasons.",
        lambda: AGENCY.withdrawal("A" * 43, more={"reason": "because"}),
        **refused(12, "body"),
    )


def _replies(c: Collection) -> None:
    """12: a reply's own schema. What it is about may lie in any log, so no reference is checked."""
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    decided = {"outcome": "dismissed", "decided": "2026-09-20"}
    fields: dict[str, tuple[bool, str, str | None, dict[str, Any]]] = {
        "coded": (True, "Codes alone.", None, {"act": "reply", "codes": ["wrong-site", "no-longer-operator"]}),
        "text": (True, "With a checked text, in four scripts.", "Ошибка 错误 خطأ, é.", {}),
        "decided": (True, "A dispute that a third person decided.", None, decided),
        "other-script": (False, "Nobody could check Bengali, so only codes leave.", "আমরা একমত নই", {}),
        "hidden-mark": (False, "No mark that reorders text.", "a\u202eb", {}),
        "no-code": (False, "A code at least.", None, {"codes": []}),
        "code-twice": (False, "Each code once.", None, {"codes": ["remedied", "remedied"]}),
        "decided-reply": (False, "Only a dispute is decided.", None, {**decided, "act": "reply"}),
        "outcome-without-day": (False, "Decided on a day.", None, {"outcome": "upheld"}),
        "decided-before-made": (False, "Not before it was made.", None, {**decided, "decided": "2026-09-01"}),
    }
    for name, (fits, why, text, more) in fields.items():
        c.add(
            f"reply-{name}",
            why,
            lambda t=text, m=more: AGENCY.reply("A" * 43, text=t, more=m),
            **(ok if fits else refused(12, "body")),
        )
    c.add(
        "reply-text-in-clear",
        "The text is a disclosure, so that it can be forgotten.",
        lambda: AGENCY.reply("A" * 43, more={"text": "We do not agree."}),
        **refused(12, "disclosed-fields"),
    )


def _pointers(c: Collection) -> None:
    """12 and 13: a pointer says whom to speak to first, and nothing by which two could be told apart."""
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    c.add("pointer", "Speak to the member that signed it.", AGENCY.pointer, **ok)
    c.add("pointer-with-number", "The supplier's own number.", lambda: AGENCY.pointer(disclosed=SUPPLIER), **ok)
    fields: dict[str, tuple[str, dict[str, Any]]] = {
        "indicator": ("No indicator.", {"indicators": FINDING_IN_CLEAR["indicators"]}),
        "severity": ("No severity.", {"severity": "S4"}),
        "site": ("No site.", {"site_address": "Rua 1"}),
        "municipality": ("No place of a site.", {"municipality": "Ipojuca"}),
        "text": ("No remark.", {"note": "urgent"}),
        "day": ("It ends with a month.", {"valid_until": "2027-03-30"}),
    }
    for name, (why, more) in fields.items():
        c.add(f"pointer-{name}", why, lambda m=more: AGENCY.pointer(more=m), **refused(12, "body"))
    c.add(
        "pointer-names-in-clear",
        "Names are disclosures, so that they can be forgotten.",
        lambda: AGENCY.pointer(more={"names": NAMES}, disclosed={}),
        **refused(12, "disclosed-fields"),
    )
    terms: dict[str, dict[str, Any]] = {
        "contact": {"contact": "desk"},
        "purpose": {"purpose": "protection-of-persons"},
        "use": {"permitted_use": ["due-diligence"]},
        "order": {"permitted_use": POINTER_HANDLING["permitted_use"][::-1]},
        "onward": {"onward": "members"},
        "clear": {"tlp": "CLEAR"},
    }
    for name, change in terms.items():
        c.add(
            f"pointer-terms-{name}",
            "Every pointer has the same terms.",
            lambda h={**POINTER_HANDLING, **change}: AGENCY.pointer(handling=h),
            **refused(13, "handling"),
        )
    c.add(
        "pointer-terms-amber",
        "Also where nobody may read it.",
        lambda: AGENCY.pointer(handling={**POINTER_HANDLING, "tlp": "AMBER"}, clear={}, disclosed={}),
        **refused(13, "handling"),
    )


def _corroborations(c: Collection) -> None:
    """12: a corroboration's own schema. The finding may lie in any log, so no reference to it is checked."""
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    source = CORROBORATION_IN_CLEAR["source"]
    fields: dict[str, tuple[bool, str, dict[str, Any]]] = {
        "supports": (True, "Own evidence supports another's finding.", {}),
        "contradicts": (True, "Or contradicts it.", {"says": "contradicts"}),
        "year": (True, "A protected source tells the year.", {"source": {**source, "type": "union", "when": "2026"}}),
        "register": (
            False,
            "A register that is relayed corroborates nothing.",
            {"source": {**source, "type": "public-register"}},
        ),
        "event": (False, "Only registers tell of events.", {"source": {**source, "event": "E" * 43}}),
        "averaged": (False, "It supports or contradicts, nothing between.", {"says": "partly"}),
        "indicator-twice": (False, "An indicator is named once.", {"indicators": ["FL07", "FL07"]}),
        "no-indicator": (False, "One at least.", {"indicators": []}),
        "severity": (False, "It says nothing graver than the finding.", {"severity": "S4"}),
        "free-text": (False, "No remark, however short.", {"note": "a worker told us"}),
    }
    for name, (fits, why, change) in fields.items():
        c.add(
            f"corroboration-{name}",
            why,
            lambda m=change: AGENCY.corroboration("A" * 43, more=m),
            **(ok if fits else refused(12, "body")),
        )
    c.add(
        "corroboration-disclosed",
        "Nothing of it is a disclosure.",
        lambda: AGENCY.corroboration("A" * 43, disclosed={"names": NAMES}),
        **refused(12, "disclosed-fields"),
    )


def _notices(c: Collection) -> None:
    """11 to 13: an audit notice's own schema, who may say one, and its terms."""
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    fields: dict[str, tuple[bool, str, dict[str, Any]]] = {
        "done": (True, "An audit that is done; its result is not told.", {}),
        "result": (True, "With how much is open, in bands.", {"result": NOTHING_GRAVE}),
        "planned": (True, "An audit that is still to come.", {"stage": "planned"}),
        "planned-result": (False, "What is planned has no result.", {"stage": "planned", "result": NOTHING_GRAVE}),
        "exact": (False, "No exact count.", {"result": {**NOTHING_GRAVE, "minor": "3"}}),
        "both": (False, "Assessed or not, never both.", {"not_assessed": ["FL07"]}),
        "auditor": (False, "It does not name the auditor.", {"auditor": "did:web:firm.example"}),
        "text": (False, "No remark.", {"note": "all well"}),
        "day": (False, "A month, no day.", {"month": "2026-08-14"}),
    }
    for name, (fits, why, change) in fields.items():
        c.add(f"notice-{name}", why, lambda m=change: AGENCY.notice(more=m), **(ok if fits else refused(12, "body")))
    c.add(
        "notice-names-in-clear",
        "Names are disclosures, so that they can be forgotten.",
        lambda: AGENCY.notice(more={"names": NAMES}, disclosed={}),
        **refused(12, "disclosed-fields"),
    )
    c.add(
        "notice-person-clear",
        "Never CLEAR.",
        lambda: AGENCY.notice(tlp="CLEAR", more={"named_after_person": True}),
        **refused(13, "handling"),
    )
    for role, outcome in ((Role.AUDIT_FIRM, {"outcome": "accepted"}), (Role.WORKER_ORGANISATION, refused(11, "role"))):
        member = (f"agency-as-{role}", AGENCY.member(role=role))
        c.add(f"notice-{role}", f"Told by a member of role {role}.", AGENCY.notice, **{**outcome, "member": member})


def _decisions(c: Collection) -> None:
    """12 and 13: a decision's own schema and references."""
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    recognition = {"type": "recognition", "of": {"code": "ADB", "country": "international"}, "reference": "R" * 43}
    disagree = [
        {"source": "list-of-march", "start": "2026-01-15", "end": "date", "until": "2028-01-14"},
        {"source": "list-of-june", "start": "2026-01-15", "end": "ongoing"},
    ]
    c.add("decision", "An authority's exclusion, relayed.", AGENCY.decision, **ok)
    fields: dict[str, tuple[bool, str, dict[str, Any]]] = {
        "recognition": (True, "Recognised from another authority, whose decision it names.", {"act": recognition}),
        "lifted": (True, "Overturned on appeal.", {"lifted": "overturned"}),
        "sources-disagree": (True, "Two documents, two ends: both stand there.", {"terms": disagree}),
        "no-grounds": (True, "The source names no ground.", {"grounds": []}),
        "free-text": (False, "No remark, however short.", {"note": "see the file"}),
        "indicator": (False, "A decision carries no indicator.", {"indicators": FINDING_IN_CLEAR["indicators"]}),
        "recognises-nobody": (False, "Whose decision is recognised?", {"act": {"type": "recognition"}}),
        "original-of-another": (
            False,
            "An original act recognises nobody.",
            {"act": {**recognition, "type": "original"}},
        ),
        "recognises-itself": (False, "Its own reference.", {"act": {**recognition, "reference": "D" * 43}}),
        "date-without-day": (False, "An end that is a date has one.", {"terms": [{"end": "date"}]}),
        "day-without-date": (False, "No other end has a day.", {"terms": [{"end": "ongoing", "until": "2999-12-31"}]}),
        "ends-before-start": (
            False,
            "A term ends after it starts.",
            {"terms": [{**disagree[0], "until": "2025-01-01"}]},
        ),
        "two-terms-one-source": (False, "Each term names another source.", {"terms": [disagree[0]] * 2}),
        "ground-twice": (False, "A ground is named once.", {"grounds": ["fraud", "fraud"]}),
    }
    for name, (fits, why, change) in fields.items():
        clear = {**DECISION_IN_CLEAR, **change}
        c.add(
            f"decision-{name}", why, lambda b=clear: AGENCY.decision(clear=b), **(ok if fits else refused(12, "body"))
        )
    c.add(
        "decision-names-in-clear",
        "Names are disclosures, so that they can be forgotten.",
        lambda: AGENCY.decision(clear={**DECISION_IN_CLEAR, "names": NAMES}, disclosed={}),
        **refused(12, "disclosed-fields"),
    )
    c.add(
        "decision-named-after-person-clear",
        "Never CLEAR.",
        lambda: AGENCY.decision(tlp="CLEAR", clear={**DECISION_IN_CLEAR, "named_after_person": True}),
        **refused(13, "handling"),
    )


def _handling(c: Collection) -> None:
    """13: TLP."""
    bad = refused(13, "handling")
    c.add("red", "TLP:RED never leaves a node.", lambda: AGENCY.finding(tlp="RED"), **bad)
    c.add("clear", "TLP:CLEAR.", lambda: AGENCY.finding(tlp="CLEAR"), member=plain(), outcome="accepted")
    person = {**FINDING_IN_CLEAR, "named_after_person": True}
    c.add(
        "clear-person",
        "A firm named after a person is never CLEAR.",
        lambda: AGENCY.finding(clear=person, tlp="CLEAR"),
        **bad,
    )
    c.add("green-person", "It may be GREEN.", lambda: AGENCY.finding(clear=person), member=plain(), outcome="accepted")
    hidden: dict[str, Any] = {"clear": {}, "disclosed": {}, "withheld": {**FINDING_IN_CLEAR, "names": NAMES}}
    for tlp in ("AMBER", "AMBER+STRICT"):
        name = tlp.lower().replace("+", "-")
        c.add(
            f"{name}-withheld",
            "The whole body is withheld.",
            lambda t=tlp: AGENCY.make(tlp=t, **hidden),
            member=plain(),
            outcome="accepted",
            body=None,
        )
        c.add(f"{name}-in-clear", "A field in clear.", lambda t=tlp: AGENCY.make(tlp=t), **bad)
    shown = {**hidden, "disclosed": {"names": NAMES}}
    c.add("amber-disclosed", "An open disclosure.", lambda: AGENCY.make(tlp="AMBER", **shown), **bad)
    c.add(
        "amber-disclosed-stripped",
        "The same, stripped: still refused.",
        lambda: AGENCY.make(tlp="AMBER", **shown).stripped("names"),
        **bad,
    )


def _references(c: Collection, one: Made, two: Made) -> None:
    """13: withdrawals and revisions."""
    bad, here = refused(13, "reference"), {"seen": seen_of(one)}
    place = AGENCY.after(one)
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    c.add("withdrawal", "An earlier finding is taken back.", lambda: AGENCY.withdrawal(one.hash, **place), **ok, **here)
    c.add("withdrawal-of-nothing", "No such statement.", lambda: AGENCY.withdrawal(two.hash, **place), **bad, **here)
    firm = Publisher(role=Role.AUDIT_FIRM)
    member = ("agency-as-audit-firm", firm.member())
    c.add(
        "withdrawal-audit-firm",
        "An audit firm may take back.",
        lambda: AGENCY.withdrawal(one.hash, **place),
        **{**ok, "member": member},
        **here,
    )
    revised = {**FINDING_IN_CLEAR, "status": "confirmed"}
    c.add(
        "revision",
        "An earlier finding is revised.",
        lambda: AGENCY.make(clear={**revised, "replaces": one.hash}, **place),
        **ok,
        **here,
    )
    c.add(
        "revision-of-nothing",
        "No such statement.",
        lambda: AGENCY.make(clear={**revised, "replaces": "A" * 43}, **place),
        **bad,
        **here,
    )


def _references_to_other_kinds(c: Collection, one: Made) -> None:
    """13: what takes back or revises a statement of another kind."""
    bad, place = refused(13, "reference"), AGENCY.after(one)
    ok: dict[str, Any] = {"member": plain(), "outcome": "accepted"}
    with fixed_salts("a withdrawal"):
        back = AGENCY.withdrawal(one.hash, **place)
    with fixed_salts("a group key"):
        group_key = AGENCY.make(kind="group-key", **place)
    for name, target in {"withdrawal": back, "group-key": group_key}.items():
        state, after = {"seen": seen_of(one, target)}, AGENCY.after(target)
        c.add(
            f"withdrawal-of-{name}",
            f"A {name} cannot be taken back.",
            lambda t=target, a=after: AGENCY.withdrawal(t.hash, **a),
            **bad,
            **state,
        )
    after = AGENCY.after(back)
    c.add(
        "revision-of-another-kind",
        "A finding revises findings only.",
        lambda: AGENCY.make(clear={**FINDING_IN_CLEAR, "status": "confirmed", "replaces": back.hash}, **after),
        **bad,
        seen=seen_of(one, back),
    )
    with fixed_salts("a decision"):
        decided = AGENCY.decision(**place)
    state, after = {"seen": seen_of(one, decided)}, AGENCY.after(decided)
    c.add(
        "withdrawal-of-decision",
        "A decision is taken back.",
        lambda: AGENCY.withdrawal(decided.hash, **after),
        **ok,
        **state,
    )
    lifted = {**DECISION_IN_CLEAR, "lifted": "rescinded"}
    for name, target, expected in (("decision", decided, ok), ("finding", one, bad)):
        c.add(
            f"decision-revises-{name}",
            f"A decision revises decisions only; here a {name}.",
            lambda t=target, a=after: AGENCY.decision(clear={**lifted, "replaces": t.hash}, **a),
            **expected,
            **state,
        )
