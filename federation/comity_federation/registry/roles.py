"""The registry as TUF roles: who signs which part, and the only shape in which the parts are accepted.

Rules, each checked whenever a root or a list of targets is read, by those who keep the registry and by every node:

1. `root` and `targets` have the same holders and the same threshold, k of n. No key counts twice.
2. `snapshot` and `timestamp` have one key, the hub's, which is no holder's.
3. `targets` holds `members.json` and nothing else, and delegates exactly one role, `suspensions`: threshold 1,
   exactly the path `suspensions.json`, terminating.
4. `suspensions` holds `suspensions.json` and nothing else, and delegates nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Root, Snapshot, TargetFile, Targets, Timestamp

from comity_federation.encoding import b64decode
from comity_federation.keys import NamedKey, SigningPair, is_key_name
from comity_federation.registry.errors import ChangeRefused, NotAHolder, RegistryRefused

MEMBERS_FILE = "members.json"
SUSPENSIONS_FILE = "suspensions.json"
SUSPENSIONS = "suspensions"
"""The delegated role that one holder alone can sign."""

MAX_METADATA_BYTES = 512 * 1024
"""Largest signed metadata file read. A root with twenty holders is 8 KiB."""

MAX_LIST_BYTES = 32 * 1024 * 1024
"""Largest list read. 5,000 members with keys and authorisations are about 8 MiB."""

MAX_ROOTS = 1_000
"""Longest chain of roots followed."""

_NAME_FIELD = "x-comity-name"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a signature holds. A hostile hub can hold a change back for `lists`, and nobody else for `hub`."""

    root: timedelta = timedelta(days=365)
    lists: timedelta = timedelta(days=30)
    hub: timedelta = timedelta(days=1)


class PairSigner(Signer):
    """Signs TUF metadata with one of our own key files."""

    def __init__(self, pair: SigningPair) -> None:
        self._pair = pair
        self._key = tuf_key(pair.public)

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Refuse: keys are files here, not URIs.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError

    @property
    def public_key(self) -> Key:
        """The key whose signatures these are."""
        return self._key

    def sign(self, payload: bytes) -> Signature:
        """Return the signature over exactly these bytes."""
        return Signature(self._key.keyid, self._pair.secret.sign(payload).signature.hex())


def tuf_key(named: NamedKey) -> SSlibKey:
    """Return a public key as TUF writes it. Its id is the key itself, so that no key can stand under two ids.

    Raises:
        ChangeRefused: not an Ed25519 key.
    """
    if named.crv != "Ed25519":
        raise ChangeRefused(f"{named.kid} is an {named.crv} key; holders and the hub sign with Ed25519")
    public = b64decode(named.x).hex()
    return SSlibKey(public, "ed25519", "ed25519", {"public": public}, {_NAME_FIELD: named.kid})


def key_name(key: Key) -> str:
    """Return the name the key file had when the key was entered, or the beginning of the key.

    Whoever wrote the file chose it: what could be no key's name is not shown to anybody.
    """
    name = key.unrecognized_fields.get(_NAME_FIELD)
    return name if isinstance(name, str) and is_key_name(name) else key.keyid[:16]


def fingerprint(key: Key) -> str:
    """Return what two people compare over the telephone: the first 16 hexadecimal digits of the key."""
    return " ".join(key.keyid[i : i + 4] for i in range(0, 16, 4))


def new_root(version: int, holders: Iterable[NamedKey], threshold: int, hub: NamedKey) -> Root:
    """Return a root for these holders and this hub; its expiry is set when it is staged.

    Raises:
        ChangeRefused: a key is given twice, the hub's is a holder's, or the threshold cannot be met.
    """
    keys = [tuf_key(holder) for holder in holders]
    root = Root(version=version, consistent_snapshot=True)
    for key in keys:
        root.add_key(key, Root.type)
        root.add_key(key, Targets.type)
    if len(root.roles[Root.type].keyids) != len(keys):
        raise ChangeRefused("a holder's key is given twice; every holder counts once")
    if not 1 <= threshold <= len(keys):
        raise ChangeRefused(f"{threshold} of {len(keys)} holders cannot sign")
    root.roles[Root.type].threshold = root.roles[Targets.type].threshold = threshold
    hub_key = tuf_key(hub)
    if hub_key.keyid in root.keys:
        raise ChangeRefused(f"{hub.kid} is a holder's key; the hub needs one of its own")
    root.add_key(hub_key, Snapshot.type)
    root.add_key(hub_key, Timestamp.type)
    return root


def new_targets(version: int, root: Root) -> Targets:
    """Return targets without any list, delegating suspensions to every single holder of `root`."""
    role = DelegatedRole(SUSPENSIONS, list(root.roles[Targets.type].keyids), 1, True, [SUSPENSIONS_FILE])
    keys = {keyid: root.keys[keyid] for keyid in role.keyids}
    return Targets(version=version, delegations=Delegations(keys, {SUSPENSIONS: role}))


def target_file(name: str, content: bytes) -> TargetFile:
    """Return length and SHA-256 of a list."""
    return TargetFile.from_data(name, content, ["sha256"])


def holders_of(root: Root) -> dict[str, Key]:
    """Return the holders' keys by id."""
    return {keyid: root.keys[keyid] for keyid in root.roles[Targets.type].keyids}


def threshold_of(root: Root) -> int:
    """Return how many holders must sign to give a right."""
    return root.roles[Targets.type].threshold


def hub_of(root: Root) -> Key:
    """Return the hub's key."""
    return root.keys[root.roles[Timestamp.type].keyids[0]]


def require_holder(root: Root, pair: SigningPair) -> None:
    """Do nothing if the key is a holder's.

    Raises:
        NotAHolder: it is not.
    """
    if tuf_key(pair.public).keyid not in root.roles[Targets.type].keyids:
        raise NotAHolder(f"{pair.kid} is no holder's key of this registry")


def check_root(root: Root) -> None:
    """Do nothing if the root keeps rules 1 and 2.

    Raises:
        RegistryRefused: it does not.
    """
    holders, hub = root.roles[Root.type], root.roles[Timestamp.type]
    if set(holders.keyids) != set(root.roles[Targets.type].keyids):
        raise RegistryRefused("root and targets have different holders")
    if holders.threshold != root.roles[Targets.type].threshold or holders.threshold > len(holders.keyids):
        raise RegistryRefused("the threshold of root and targets differs or cannot be met")
    if root.roles[Snapshot.type].keyids != hub.keyids or len(hub.keyids) != 1:
        raise RegistryRefused("snapshot and timestamp must have one key, the hub's")
    if set(hub.keyids) & set(holders.keyids):
        raise RegistryRefused("the hub's key is a holder's")
    if set(root.keys) != {*holders.keyids, *hub.keyids}:
        raise RegistryRefused("the root lists keys without a use, or lacks one")
    if not root.consistent_snapshot:
        raise RegistryRefused("the root does not ask for consistent snapshots")
    for key in root.keys.values():
        _check_key(key)


def check_targets(targets: Targets) -> None:
    """Do nothing if the list of targets keeps rule 3.

    Raises:
        RegistryRefused: it does not.
    """
    if set(targets.targets) != {MEMBERS_FILE}:
        raise RegistryRefused(f"targets must hold {MEMBERS_FILE} and nothing else")
    _check_file(targets.targets[MEMBERS_FILE])
    roles = targets.delegations.roles if targets.delegations else None
    if targets.delegations is None or roles is None or set(roles) != {SUSPENSIONS}:
        raise RegistryRefused(f"targets must delegate {SUSPENSIONS} and nothing else")
    role = roles[SUSPENSIONS]
    if role.threshold != 1 or role.paths != [SUSPENSIONS_FILE] or not role.terminating:
        raise RegistryRefused(f"{SUSPENSIONS} must be delegated for {SUSPENSIONS_FILE} only, with threshold 1")
    for key in targets.delegations.keys.values():
        _check_key(key)


def check_suspensions_role(role: Targets) -> None:
    """Do nothing if the delegated role keeps rule 4.

    Raises:
        RegistryRefused: it does not.
    """
    if set(role.targets) != {SUSPENSIONS_FILE} or role.delegations is not None:
        raise RegistryRefused(f"{SUSPENSIONS} may hold {SUSPENSIONS_FILE} and nothing else")
    _check_file(role.targets[SUSPENSIONS_FILE])


def _check_file(target: TargetFile) -> None:
    if set(target.hashes) != {"sha256"}:
        raise RegistryRefused(f"{target.path} must be named by its SHA-256")


def _check_key(key: Key) -> None:
    # A key under two ids would count as two holders; with the key as its id it cannot.
    if (key.keytype, key.scheme) != ("ed25519", "ed25519") or key.keyval != {"public": key.keyid}:
        raise RegistryRefused(f"key {key.keyid[:16]} is not an Ed25519 key under its own id")
