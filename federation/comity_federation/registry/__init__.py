"""The list of members, roles and keys: signed k of n by the holders, kept fresh by the hub, verified by every node.

`client` is what a node does, `staging` what a key holder does, `publishing` what the hub does; `verification` is the
one path by which all of them believe anything.
"""

from comity_federation.registry.client import Registry, RegistryClient, read_registry
from comity_federation.registry.errors import (
    ChangeRefused,
    NotAHolder,
    NothingStaged,
    NotTheHub,
    RegistryAbsent,
    RegistryError,
    RegistryExists,
    RegistryExpired,
    RegistryRefused,
    RegistryUnreachable,
    SignaturesMissing,
    StagedOutdated,
)
from comity_federation.registry.publishing import Publication, plan_publication, publish, renew_signatures
from comity_federation.registry.roles import Lifetimes
from comity_federation.registry.staged import Signatures, Staged
from comity_federation.registry.staging import RegistryDirectory

__all__ = [
    "ChangeRefused",
    "Lifetimes",
    "NotAHolder",
    "NotTheHub",
    "NothingStaged",
    "Publication",
    "Registry",
    "RegistryAbsent",
    "RegistryClient",
    "RegistryDirectory",
    "RegistryError",
    "RegistryExists",
    "RegistryExpired",
    "RegistryRefused",
    "RegistryUnreachable",
    "Signatures",
    "SignaturesMissing",
    "Staged",
    "StagedOutdated",
    "plan_publication",
    "publish",
    "read_registry",
    "renew_signatures",
]
