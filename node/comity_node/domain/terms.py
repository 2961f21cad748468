"""The handling terms that are proposed for whatever this node publishes; a reviewer may change them."""

from comity_schemas.handling import Contact, Handling, Onward, PermittedUse, Purpose, Tlp


def proposed_terms(*, clear: bool, contact: Contact) -> Handling:
    """Return terms under which members may rely on a statement, and never on it alone.

    Args:
        clear: whether anybody may read it, and not members only.
        contact: whether the subject may notice that somebody asks.
    """
    return Handling(
        tlp=Tlp.CLEAR if clear else Tlp.GREEN,
        contact=contact,
        purpose=Purpose.SUPPLY_CHAIN_DUE_DILIGENCE,
        permitted_use=(
            PermittedUse.ENGAGEMENT,
            PermittedUse.DUE_DILIGENCE,
            PermittedUse.NOT_SOLE_GROUND_FOR_EXCLUSION,
        ),
        onward=Onward.ANYONE if clear else Onward.MEMBERS,
    )
