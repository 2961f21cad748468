"""Why a record does not count, in words: what happened, what it means, what to do. One text a step, finer by code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an administrator is told about a record in quarantine."""

    what: str
    means: str
    do: str


_ON_THE_WAY = (
    "Somebody on the way may have done this, not the member: its place in the log stays open, and the true record "
    "counts as soon as it arrives."
)
_ASK_IF_BEHIND = (
    "Nothing, unless `comity status` shows that this log stays behind: then call the registrar, somebody alters or "
    "withholds records."
)
_BY_AUTHOR = "The member signed it. Its place is used up, the log goes on, and this statement does not count."
_TELL_MEMBER = "Tell the member: it can publish a corrected statement. It is decided anew when the rules change."

BY_STEP: dict[int, Refusal] = {
    1: Refusal("It is larger than any record may be.", _ON_THE_WAY, _ASK_IF_BEHIND),
    2: Refusal("Its bytes are no record in the one form that is taken.", _ON_THE_WAY, _ASK_IF_BEHIND),
    3: Refusal("It holds no statement in the one form of a signature.", _ON_THE_WAY, _ASK_IF_BEHIND),
    4: Refusal("It is signed in another member's name than this log's.", _ON_THE_WAY, _ASK_IF_BEHIND),
    5: Refusal("The key it names did not sign these bytes.", _ON_THE_WAY, _ASK_IF_BEHIND),
    6: Refusal(
        "The member signed something that has no place in a log.",
        "The log stops here: nothing after it can be placed until the registry closes the key.",
        "Call the member and the registrar: its software is broken, or its key is stolen.",
    ),
    7: Refusal(
        "The key that signed it does not count at this place of the log.",
        "The registry says so. Nothing before it is touched.",
        "Nothing here. If you think it should count, ask the registrar.",
    ),
    8: Refusal("A disclosure or a box was altered, added or moved.", _ON_THE_WAY, _ASK_IF_BEHIND),
    9: Refusal(
        "The member signed two statements for one place.",
        "This is a proof against the member. From the first differing place on, nothing of its log counts.",
        "Call the registrar. The log goes on when the registry names the branch that counts.",
    ),
    10: Refusal(
        "This node does not know this version or kind of statement.",
        "It is kept, with its place, and decided anew by newer software.",
        "Update this node.",
    ),
    11: Refusal("A member of this role may not publish this kind.", _BY_AUTHOR, _TELL_MEMBER),
    12: Refusal("Its content does not fit the schema.", _BY_AUTHOR, f"Update this node. If it stays: {_TELL_MEMBER}"),
    13: Refusal("What it refers to, or its handling terms, cannot be.", _BY_AUTHOR, _TELL_MEMBER),
}
"""The thirteen steps of `comity_federation.decide`; step 9 is written by the node itself, for a fork."""

BY_CODE: dict[str, Refusal] = {
    "other-branch": Refusal(
        "It lies on a history that the registry does not name.",
        "The registry has named the one history of this log that counts; this record is on another.",
        "Nothing. If you think it should count, ask the registrar.",
    ),
    "key-closed": Refusal(
        "It is signed with a key that the registry has closed before this place.",
        "A retired or stolen key was used. Nothing before the closing is touched.",
        "If the member still uses this key, tell it. If not, tell the registrar that the key is being misused.",
    ),
    "key-superseded": Refusal(
        "It is signed with an older key although a newer one has signed before it.",
        "An older key counts no more once the next one has signed.",
        "Tell the member and the registrar: the older key may be stolen.",
    ),
    "member-removed": Refusal(
        "The member was removed from the network before this statement.",
        "What it said before its removal still counts; this does not.",
        "Nothing.",
    ),
}
"""Codes that say more than their step."""

UNKNOWN = Refusal(
    "It was refused for a reason that this release does not know.",
    "It does not count.",
    "See the reason in docs/wire-format.md of the release that wrote it.",
)


def explain(step: int | None, code: str | None) -> Refusal:
    """Return what to say about a record that was refused at this step with this code."""
    return BY_CODE.get(code or "") or BY_STEP.get(step or 0) or UNKNOWN
