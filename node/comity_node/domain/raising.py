"""Whether what was found may be raised with the supplier itself. Pure.

Rules, the stricter wins:
- Whom to speak to first comes before everything: while a pointer stands, nobody writes before that member was asked.
- `contact` says whether the supplier may notice that somebody asks; `none` and `desk` say that it may not.
- Only what was shared for engagement, and to be passed on to somebody, may be raised at all.
- Only what counts today, and only with whom it is about: a like name is somebody else until a person has looked.
- What may be passed on to members only is raised as a question: its subject, never who reported what and when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity_schemas.handling import Contact, Handling, Onward, PermittedUse, Tlp

_NOTICED = frozenset({Contact.ENGAGE, Contact.OPEN})


@dataclass(frozen=True, slots=True)
class Raising:
    """What an officer may do with one finding."""

    statement: str
    may: bool
    """Whether it may be raised, once whoever is in `first` was spoken to."""
    first: tuple[str, ...]
    """Members to speak to before the supplier is contacted."""
    why: tuple[str, ...]
    """Why not, or on what terms."""
    in_detail: bool = False
    """Whether the supplier may be told of the source and its month, not only asked about the subject."""


def may_raise(hit: Mapping[str, Any], pointers: Sequence[Mapping[str, Any]]) -> Raising:
    """Return whether one finding of an answer may be raised with the supplier.

    Args:
        hit: As answers describe it.
        pointers: Of the same answer.
    """
    first = tuple(dict.fromkeys(pointer["speak_to"] for pointer in pointers))
    terms = Handling.from_parsed(hit["handling"])
    against = list(_against(hit, terms))
    if against:
        return Raising(hit["statement"], False, first, tuple(against))
    open_to_all = terms.onward is Onward.ANYONE and terms.tlp is Tlp.CLEAR
    return Raising(hit["statement"], True, first, tuple(_terms_of(hit, terms, open_to_all=open_to_all)), open_to_all)


def _against(hit: Mapping[str, Any], terms: Handling) -> list[str]:
    checks = (
        (hit["finding"] is None, "this node may not read it"),
        (terms.contact not in _NOTICED, _CONTACT.get(terms.contact, "")),
        (PermittedUse.ENGAGEMENT not in terms.permitted_use, "it was not shared for talking to the supplier"),
        (terms.onward is Onward.NOBODY, "it may be passed on to nobody"),
        (hit["standing"] != "current", f"it is {hit['standing']}"),
        (hit["verdict"] != "match", "it is not confirmed that it speaks of this supplier: look first"),
    )
    return [why for holds, why in checks if holds]


_CONTACT = {
    Contact.NONE: "the supplier may not notice that anybody asks (contact: none)",
    Contact.DESK: "the supplier may not notice that anybody asks: look from the desk only (contact: desk)",
}


def _terms_of(hit: Mapping[str, Any], terms: Handling, *, open_to_all: bool) -> list[str]:
    said = [] if open_to_all else ["ask about its subject only: do not say who reported it, or when"]
    if PermittedUse.NOT_SOLE_GROUND_FOR_EXCLUSION in terms.permitted_use:
        said.append("it is not to be the only ground for an exclusion")
    if hit.get("disputed"):
        said.append(f"the supplier has disputed it: {hit['disputed']}")
    return said
