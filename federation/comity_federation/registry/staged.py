"""What waits for signatures in a registry's directory, and what it may be. Pure."""

from dataclasses import dataclass, field
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from comity_federation.registry.errors import RegistryRefused, StagedOutdated
from comity_federation.registry.lists import check_member_succession, check_suspension_succession
from comity_federation.registry.roles import SUSPENSIONS, check_root, key_name
from comity_federation.registry.verification import Verified
from comity_schemas.member import MemberList, SuspensionList

ROOT, TARGETS = Root.type, Targets.type


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who has signed one staged part, and who still could.

    Attributes:
        part: `root`, `targets` (the members) or `suspensions`.
        signed: names of those whose signature is there and good.
        unsigned: names of those whose signature would count.
        missing: how many are needed still.
    """

    part: str
    signed: tuple[str, ...]
    unsigned: tuple[str, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class Staged:
    """What waits for signatures; None where a part does not change."""

    root: Metadata[Root] | None = None
    targets: Metadata[Targets] | None = None
    suspensions: Metadata[Targets] | None = None
    members: MemberList | None = None
    suspended: SuspensionList | None = None
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    """The lists' bytes, by part."""

    @property
    def parts(self) -> dict[str, Metadata[Any]]:
        """The parts that are staged, by name."""
        named = {ROOT: self.root, TARGETS: self.targets, SUSPENSIONS: self.suspensions}
        return {name: part for name, part in named.items() if part is not None}


def count_signatures(published: Verified | None, staged: Staged, part: str) -> Signatures:
    """Return who has signed a staged part, by every root (or delegation) that has a say in it.

    Raises:
        KeyError: the part is not staged.
    """
    metadata = staged.parts[part]
    signed: dict[str, str] = {}
    unsigned: dict[str, str] = {}
    missing = 0
    for authority in authorities(published, staged, part):
        result = authority.get_verification_result(part, metadata.signed_bytes, metadata.signatures)
        signed |= {keyid: key_name(key) for keyid, key in result.signed.items()}
        unsigned |= {keyid: key_name(key) for keyid, key in result.unsigned.items()}
        missing = max(missing, result.missing)
    return Signatures(part, tuple(sorted(signed.values())), tuple(sorted(unsigned.values())), missing)


def is_published(published: Verified | None, part: str, metadata: Metadata[Any]) -> bool:
    """Claim that a staged part has been published already: a crash came before `staged/` was emptied."""
    if published is None:
        return False
    current = {ROOT: published.root, TARGETS: published.targets, SUSPENSIONS: published.suspensions}[part]
    return bool(current == metadata.signed)


def authorities(published: Verified | None, staged: Staged, part: str) -> list[Root | Targets]:
    """Return everyone who has a say in who signs a staged part: the published root and the staged one, if any."""
    if part == SUSPENSIONS:
        # A new delegation decides alone: with it come new holders, and old ones may be gone.
        targets = staged.targets.signed if staged.targets is not None and staged.root is not None else None
        targets = targets or (published.targets if published is not None else None)
        return [targets] if targets is not None else []
    roots: list[Root | Targets] = []
    if published is not None:
        roots.append(published.root)
    if staged.root is not None:
        roots.append(staged.root.signed)
    return roots


def check_staged(published: Verified | None, staged: Staged) -> None:
    """Do nothing if what is staged may follow what is published.

    Raises:
        StagedOutdated: made for another published version.
        ChangeRefused: a rule of the lists is broken.
        RegistryRefused: a root or a delegation is not of the only shape.
    """
    if staged.root is not None:
        check_root(staged.root.signed)
    for name, part in staged.parts.items():
        if published is None:
            expected = 1
        else:
            current = {ROOT: published.root, TARGETS: published.targets, SUSPENSIONS: published.suspensions}[name]
            expected = current.version + 1
        if part.signed.version != expected and not is_published(published, name, part):
            raise StagedOutdated(
                f"staged {name} is version {part.signed.version}, {expected} is next: it was made for another "
                f"published version. Remove staged/ and stage the change again"
            )
    _check_delegation(published, staged)
    if published is None:
        return
    if staged.members is not None:
        check_member_succession(published.members, staged.members)
    if staged.suspended is not None:
        check_suspension_succession(published.suspended, staged.suspended, published.members.lifted)


def _check_delegation(published: Verified | None, staged: Staged) -> None:
    """Refuse a staged list of targets that delegates suspensions to anyone but all holders of the root it is for."""
    root = staged.root.signed if staged.root is not None else published.root if published is not None else None
    if staged.targets is None or root is None:
        return
    delegations = staged.targets.signed.delegations
    assert delegations is not None
    assert delegations.roles is not None
    wanted = set(root.roles[TARGETS].keyids)
    if set(delegations.roles[SUSPENSIONS].keyids) != wanted or set(delegations.keys) != wanted:
        raise RegistryRefused("staged targets delegate suspensions to others than the holders")
    for keyid in wanted:
        if delegations.keys[keyid] != root.keys[keyid]:
            raise RegistryRefused("staged targets give a holder's key another name than the root does")
