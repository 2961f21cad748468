"""What the key holders do with a registry's directory: stage a change, see it, sign it, pass the directory on.

The directory holds `metadata/` and `targets/`, what is published, and `staged/`, what waits for signatures:
`root.json`, `targets.json`, `suspensions.json` (signed parts) and the two lists in `lists/`. It travels as plain
files; each holder signs on their own machine with their own key.

Rules:

1. Staging changes a part's content and drops its signatures; signing adds one and changes nothing else.
2. A part's version is the published one plus one.
3. Nothing is signed that does not follow from what is published by the rules of `lists`.
4. When the holders change, root and members' list need the old threshold and the new one, so that a node that has
   not seen the new root yet can read the new lists too.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from comity_federation.keys import NamedKey, SigningPair
from comity_federation.registry.durable import replace_file
from comity_federation.registry.errors import (
    ChangeRefused,
    NotAHolder,
    NothingStaged,
    RegistryAbsent,
    RegistryError,
    RegistryExists,
    RegistryRefused,
)
from comity_federation.registry.lists import check_member_succession, check_members, check_suspensions, write_list
from comity_federation.registry.roles import (
    MAX_LIST_BYTES,
    MEMBERS_FILE,
    SUSPENSIONS,
    SUSPENSIONS_FILE,
    Lifetimes,
    PairSigner,
    check_root,
    check_suspensions_role,
    check_targets,
    new_root,
    new_targets,
    target_file,
    tuf_key,
)
from comity_federation.registry.sources import DirectoryFiles
from comity_federation.registry.staged import (
    ROOT,
    TARGETS,
    Signatures,
    Staged,
    authorities,
    check_staged,
    count_signatures,
)
from comity_federation.registry.verification import (
    Verified,
    metadata_name,
    parse_metadata,
    read_members,
    read_suspensions,
    verify,
)
from comity_schemas.member import MemberList, Suspension, SuspensionList

LIST_OF = {TARGETS: f"lists/{MEMBERS_FILE}", SUSPENSIONS: f"lists/{SUSPENSIONS_FILE}"}
"""Where the list of a staged part lies under `staged/`."""


class RegistryDirectory:
    """A registry's directory as the holders and the hub see it. Holds no key and believes no file.

    The published part is verified from the directory's own first root, without regard to expiry, because what has
    expired is what has to be renewed.
    """

    def __init__(self, path: Path, lifetimes: Lifetimes | None = None) -> None:
        self.path = path
        self.lifetimes = lifetimes or Lifetimes()
        self._files = DirectoryFiles(path)
        self._alone = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process change the directory meanwhile; waits for the one that does.

        Raises:
            OSError: the directory cannot be read, or lies where nothing can be locked.
        """
        if self._alone or not self.path.is_dir():
            yield
            return
        # The directory itself, which everybody who may change it may open: a file of its own would belong to one.
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._alone = True
            yield
        finally:
            self._alone = False
            os.close(handle)

    def published(self) -> Verified | None:
        """Return what is published; None before the first publication.

        Raises:
            RegistryRefused: it is damaged.
            RegistryUnreachable: a file is missing.
        """
        first = self._files(metadata_name(1, ROOT))
        if first is None:
            return None
        try:
            return verify(self._files, first, None)
        except RegistryRefused:
            # A crash while the hub's key changed: everything is there but the new root, which waits in staged/.
            verified = self._with_staged_root(first)
            if verified is None:
                raise
            return verified

    def _with_staged_root(self, first: bytes) -> Verified | None:
        root = self._read_part(Root, ROOT)
        if root is None:
            return None
        name = metadata_name(root.signed.version, ROOT)
        try:
            return verify(lambda each: root.to_bytes() if each == name else self._files(each), first, None)
        except RegistryError:
            return None

    def staged(self) -> Staged:
        """Return what is staged, checked against what is published (rules 2 and 3).

        Raises:
            RegistryAbsent: neither published nor staged.
            RegistryRefused: a staged file is damaged or not of the only shape.
            ChangeRefused: a rule of the lists is broken.
            StagedOutdated: made for another published version.
        """
        published = self.published()
        staged = self._read_staged()
        if published is None and (staged.root is None or staged.targets is None or staged.suspensions is None):
            raise RegistryAbsent(f"{self.path} holds no registry; `comity registry init` makes one")
        check_staged(published, staged)
        return staged

    def members(self) -> MemberList:
        """Return the members' list as it will be: staged, else published.

        Raises:
            RegistryError: as `staged`.
        """
        staged, published = self.staged(), self.published()
        if staged.members is not None:
            return staged.members
        assert published is not None
        return published.members

    def suspended(self) -> SuspensionList:
        """Return the suspensions as they will be: staged, else published.

        Raises:
            RegistryError: as `staged`.
        """
        staged, published = self.staged(), self.published()
        if staged.suspended is not None:
            return staged.suspended
        assert published is not None
        return published.suspended

    def root_in_force(self) -> Root:
        """Return the root as it will be: staged, else published.

        Raises:
            RegistryError: as `staged`.
        """
        staged, published = self.staged(), self.published()
        if staged.root is not None:
            return staged.root.signed
        assert published is not None
        return published.root

    def init(self, holders: Iterable[NamedKey], threshold: int, hub: NamedKey) -> None:
        """Stage a new registry: root, no members, no suspensions.

        Raises:
            RegistryExists: there is one.
            ChangeRefused: the holders' keys or the threshold cannot be.
        """
        if (self.path / "metadata").exists() or (self.path / "staged").exists():
            raise RegistryExists(f"{self.path} holds a registry already")
        root = new_root(1, holders, threshold, hub)
        self._stage_root(root)
        self._stage_members(MemberList(v=1, members=()), new_targets(1, root))
        self._stage_suspensions(SuspensionList(v=1, suspensions=()), Targets(version=1))

    def rotate(self, holders: Iterable[NamedKey], threshold: int, hub: NamedKey) -> None:
        """Stage a new root with these holders, this threshold and this hub, and both lists for its delegation.

        Raises:
            RegistryError: as `staged`, or the holders' keys or the threshold cannot be.
        """
        members, suspended, published = self.members(), self.suspended(), self.published()
        if published is None:
            raise RegistryAbsent("the registry is not published yet; begin again with `init` in an empty directory")
        root = new_root(published.root.version + 1, holders, threshold, hub)
        self._stage_root(root)
        self._stage_members(members, new_targets(published.targets.version + 1, root))
        self._stage_suspensions(suspended, Targets(version=published.suspensions.version + 1))

    def renew(self, *, root: bool) -> None:
        """Stage both lists again, unchanged, with a new expiry; the root too if asked.

        Raises:
            RegistryError: as `staged`.
        """
        members, suspended, published = self.members(), self.suspended(), self.published()
        if root and published is not None:
            again = deepcopy(self.root_in_force())
            again.version = published.root.version + 1
            self._stage_root(again)
        self.stage_members(members)
        self._stage_suspensions(suspended, Targets(version=published.suspensions.version + 1 if published else 1))

    def stage_members(self, members: MemberList) -> None:
        """Stage a members' list; k of n holders must sign it.

        Raises:
            RegistryError: as `staged`.
            ChangeRefused: the list breaks a rule, or does not follow from the published one.
        """
        staged, published = self.staged(), self.published()
        check_members(members)
        if published is not None:
            check_member_succession(published.members, members)
        if staged.targets is not None:
            targets = staged.targets.signed
        else:
            assert published is not None
            targets = new_targets(published.targets.version + 1, published.root)
        self._stage_members(members, targets)

    def stage_suspension(self, suspension: Suspension) -> None:
        """Stage the suspensions with one more; any one holder must sign it.

        Raises:
            RegistryError: as `staged`.
            ChangeRefused: no such member; or a new root is staged, for whose signatures it would wait.
        """
        published, before = self.published(), self.suspended()
        if published is not None and self.staged().root is not None:
            raise ChangeRefused(
                "a new root is staged, and the suspension would wait until it has all its signatures. Publish that "
                f"first; or move {self.path / 'staged'} away, suspend, publish, and stage the new root again. Nothing "
                "was staged"
            )
        if suspension.member not in {member.slug for member in self.members().members}:
            raise ChangeRefused(f"{suspension.member} is not a member of this registry")
        after = SuspensionList(v=1, suspensions=(*before.suspensions, suspension))
        check_suspensions(after)
        self._stage_suspensions(after, Targets(version=published.suspensions.version + 1 if published else 1))

    def sign(self, pair: SigningPair, seen: Staged, parts: Iterable[str] | None = None) -> tuple[str, ...]:
        """Add the key's signature to every staged part it may sign; return their names.

        Args:
            pair: a holder's key.
            seen: what the holder was shown; exactly this is signed.
            parts: only these, if given.

        Raises:
            NothingStaged: there is nothing.
            NotAHolder: the key may sign none of it.
            RegistryRefused: what is staged now is not what was shown.
        """
        if not seen.parts:
            raise NothingStaged("nothing is staged: there is nothing to sign")
        self.require_signer(pair, seen)
        with self.alone():
            return self._sign(pair, seen, parts)

    def _sign(self, pair: SigningPair, seen: Staged, parts: Iterable[str] | None) -> tuple[str, ...]:
        signer, now = PairSigner(pair), self._read_staged()
        signed = []
        for name, part in seen.parts.items():
            if not self._may_sign(pair, seen, name) or (parts is not None and name not in parts):
                continue
            current = now.parts.get(name)
            if current is None or current.signed_bytes != part.signed_bytes:
                raise RegistryRefused(f"staged {name} was changed while it was shown; look again")
            current.sign(signer, append=True)
            replace_file(self._staged_path(f"{name}.json"), current.to_bytes())
            signed.append(name)
        return tuple(signed)

    def require_signer(self, pair: SigningPair, staged: Staged) -> None:
        """Do nothing if the key may sign some staged part.

        Raises:
            NotAHolder: it may not.
        """
        if not any(self._may_sign(pair, staged, name) for name in staged.parts):
            raise NotAHolder(f"{pair.kid} is no holder's key of this registry: there is nothing for it to sign")

    def signatures(self, staged: Staged) -> tuple[Signatures, ...]:
        """Return who has signed each staged part.

        Raises:
            RegistryError: as `published`.
        """
        published = self.published()
        return tuple(count_signatures(published, staged, name) for name in staged.parts)

    def _may_sign(self, pair: SigningPair, staged: Staged, part: str) -> bool:
        keyid = tuf_key(pair.public).keyid
        roles = (each.get_delegated_role(part) for each in authorities(self.published(), staged, part))
        return any(keyid in role.keyids for role in roles)

    def _stage_root(self, root: Root) -> None:
        root.expires = datetime.now(UTC) + self.lifetimes.root
        check_root(root)
        replace_file(self._staged_path("root.json"), Metadata(root).to_bytes())

    def _stage_members(self, members: MemberList, targets: Targets) -> None:
        content = write_list(members)
        targets.targets = {MEMBERS_FILE: target_file(MEMBERS_FILE, content)}
        targets.expires = datetime.now(UTC) + self.lifetimes.lists
        replace_file(self._staged_path(LIST_OF[TARGETS]), content)
        replace_file(self._staged_path("targets.json"), Metadata(targets).to_bytes())

    def _stage_suspensions(self, suspended: SuspensionList, role: Targets) -> None:
        content = write_list(suspended)
        role.targets = {SUSPENSIONS_FILE: target_file(SUSPENSIONS_FILE, content)}
        role.expires = datetime.now(UTC) + self.lifetimes.lists
        replace_file(self._staged_path(LIST_OF[SUSPENSIONS]), content)
        replace_file(self._staged_path("suspensions.json"), Metadata(role).to_bytes())

    def _staged_path(self, name: str) -> Path:
        return self.path / "staged" / name

    def _read_staged(self) -> Staged:
        root = self._read_part(Root, ROOT)
        staged = Staged(root, self._read_part(Targets, TARGETS), self._read_part(Targets, SUSPENSIONS))
        files = {name: self._read_list(name) for name in staged.parts if name in LIST_OF}
        if staged.targets is not None:
            check_targets(staged.targets.signed)
            staged = replace(staged, members=read_members(files[TARGETS], staged.targets.signed))
        if staged.suspensions is not None:
            check_suspensions_role(staged.suspensions.signed)
            suspended = read_suspensions(files[SUSPENSIONS], staged.suspensions.signed)
            staged = replace(staged, suspended=suspended)
        return replace(staged, files=files)

    def _read_part(self, kind: Any, name: str) -> Metadata[Any] | None:
        raw = self._files(f"staged/{name}.json")
        return None if raw is None else parse_metadata(kind, raw, f"staged/{name}.json")

    def _read_list(self, part: str) -> bytes:
        path = self._staged_path(LIST_OF[part])
        if not path.exists():
            raise RegistryRefused(f"{path} is missing")
        if path.stat().st_size > MAX_LIST_BYTES:
            raise RegistryRefused(f"{path} is larger than {MAX_LIST_BYTES} bytes")
        return path.read_bytes()
