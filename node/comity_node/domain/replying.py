"""What a supplier may say, and how it would leave. Pure."""

from comity_federation.statements import Outgoing
from comity_node.domain.errors import TextRefused
from comity_node.domain.reply_text import check_text
from comity_schemas.finding import Finding
from comity_schemas.handling import Contact, Handling, Onward, PermittedUse, Purpose, Tlp
from comity_schemas.reply import REPLY_DISCLOSABLE, Reply
from comity_schemas.statement import Kind

REPLY_TERMS = Handling(
    tlp=Tlp.GREEN,
    contact=Contact.ENGAGE,
    purpose=Purpose.SUPPLY_CHAIN_DUE_DILIGENCE,
    permitted_use=(PermittedUse.ENGAGEMENT, PermittedUse.DUE_DILIGENCE),
    onward=Onward.MEMBERS,
)
"""Where the terms of what it is about are not at hand."""


def require_sayable(text: str | None, finding: Finding | None) -> None:
    """Let a text pass only if it tells nothing that must not leave, beside the names that the finding itself tells.

    Raises:
        TextRefused: with kind and place of each problem.
    """
    if text is None:
        return
    known = [] if finding is None else [name.text for name in finding.names or ()]
    problems = check_text(text, known)
    if problems:
        raise TextRefused([(problem.kind.value, problem.start, problem.end) for problem in problems])


def outgoing_reply(reply: Reply, handling: Handling) -> Outgoing:
    """Return what the statement will say: codes in clear, the text as a disclosure, so that it can be forgotten."""
    fields = reply.to_parsed()
    return Outgoing(
        kind=Kind.REPLY,
        handling=handling,
        body={name: value for name, value in fields.items() if name not in REPLY_DISCLOSABLE},
        disclosed={name: value for name, value in fields.items() if name in REPLY_DISCLOSABLE},
        withheld={},
    )
