"""What kinds of statement a member's role may publish. Pure: every node refuses the others, so nobody proposes them."""

from comity_node.domain.errors import CannotPropose
from comity_schemas.member import Role
from comity_schemas.statement import ALLOWED_KINDS, Kind


def require_may_say(role: Role, kind: Kind) -> None:
    """Let a kind of statement pass only if a member of this role may publish it.

    Raises:
        CannotPropose: every node would refuse it; the text names what may be published.
    """
    allowed = ALLOWED_KINDS[role]
    if kind not in allowed:
        may = ", ".join(sorted(allowed)) or "nothing"
        raise CannotPropose(
            f"this member is of the role {role}, and every node would refuse {kind} from it; it may publish: {may}. "
            "Nothing was proposed"
        )
