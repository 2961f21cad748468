"""What to do next, in words: from the verdict and from what is known. Nothing here clears anybody."""

from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.screening import DecisionState, State

NOTHING_FOUND = frozenset({State.NOTHING_OPEN, State.NOTHING_SHARED, State.NEVER_AUDITED, State.NO_SUPPLIER})
NOTHING = "No clearance: it says only what members that were heard have shared. Go on with your own checks."


def next_step(verdict: Verdict, state: State, decisions: DecisionState, *, complete: bool, speak_to: str | None) -> str:
    """Return what an officer does with a row.

    Args:
        verdict: whether it is the same supplier.
        state: what is known of findings.
        decisions: what is known of authorities' decisions.
        complete: whether everybody was heard.
        speak_to: the member to speak to before the supplier is contacted, if one points at it.
    """
    steps = []
    if speak_to is not None:
        steps.append(f"Speak to {speak_to} before anybody contacts this supplier.")
    if verdict is Verdict.REVIEW:
        steps.append("A person must look whether this is the same supplier: compare country, address and numbers.")
    if verdict is Verdict.OTHER_SITE:
        steps.append("The company is the same and the site another: ask which site serves this contract.")
    if state is State.SHARED:
        steps.append("Read the findings and what the supplier answers to them before you decide.")
    elif state not in NOTHING_FOUND:
        steps.append("Read the findings once you know whether they are about this supplier; until then they are not.")
    if decisions is DecisionState.SHARED:
        steps.append("Read the decisions: each says which authority gave it and whether it is in force.")
    if not steps and verdict is not Verdict.NONE:
        steps.append("Nothing more is shared; that is no clearance. Go on with your own checks of this supplier.")
    steps = steps or [NOTHING]
    if not complete:
        steps.append("Screen again when the missing members are heard.")
    return " ".join(steps)


def next_step_of_list(verdict: Verdict) -> str:
    """Return what somebody does with a row that was laid beside a list."""
    if verdict is Verdict.NONE:
        return "Nobody like it is on the list. That says nothing about the supplier."
    if verdict is Verdict.MATCH:
        return "It is the same: read what the list says of it."
    if verdict is Verdict.OTHER_SITE:
        return "The company is the same and the site another: read of which of them the list speaks."
    return "A person must look whether this is the same: compare country, address and numbers."
