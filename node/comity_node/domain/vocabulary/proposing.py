"""What the clauses of a report propose, beside what a person picked. Nothing here tags anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from comity_node.domain.vocabulary.crosswalk import Clause, Crosswalk, CrosswalkRefused
from comity_schemas.errors import ComityError
from comity_schemas.indicators import Basis, Indicator
from comity_schemas.report import Report


class CrosswalkUnknown(ComityError):
    """The crosswalk does not know this scheme, version or clause; the text names those it knows."""

    code: ClassVar[str] = "crosswalk.unknown"


@dataclass(frozen=True, slots=True)
class Crosswalks:
    """All crosswalks that can be used, and the files that were refused."""

    files: tuple[tuple[str, Crosswalk], ...]
    """File name and content, those that come with Comity first."""
    refused: tuple[CrosswalkRefused, ...] = ()
    _by_key: dict[tuple[str, str], Crosswalk] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[tuple[str, Crosswalk]], refused: Iterable[CrosswalkRefused] = ()) -> "Crosswalks":
        """Put crosswalks together; one that says anew what another says already is refused, as a whole."""
        kept: list[tuple[str, Crosswalk]] = []
        said: dict[tuple[str, str], tuple[str, Crosswalk]] = {}
        broken = list(refused)
        for name, crosswalk in files:
            keys = [(crosswalk.scheme.casefold(), version.casefold()) for version in crosswalk.versions]
            twice = next((key for key in keys if key in said), None)
            if twice is not None:
                reason = f"{crosswalk.scheme} {twice[1]} is said by {said[twice][0]} already"
                broken.append(CrosswalkRefused(name, 1, reason))
                continue
            kept.append((name, crosswalk))
            said |= dict.fromkeys(keys, (name, crosswalk))
        return cls(tuple(kept), tuple(broken), {key: crosswalk for key, (_, crosswalk) in said.items()})

    def scheme(self, scheme: str, version: str | None) -> Crosswalk:
        """Return the crosswalk of a scheme in one version.

        Raises:
            CrosswalkUnknown: no file says anything of it.
        """
        known = {each.scheme: each for _, each in self.files}
        versions = [v for _, c in self.files if c.scheme.casefold() == scheme.casefold() for v in c.versions]
        if not versions:
            named = ", ".join(sorted(known))
            raise CrosswalkUnknown(f"no crosswalk knows the scheme {scheme}; known are {named}{self._broken()}")
        if version is None:
            raise CrosswalkUnknown(
                f"a clause of {scheme} means nothing without its version; known are {', '.join(versions)}"
            )
        found = self._by_key.get((scheme.casefold(), version.casefold()))
        if found is None:
            raise CrosswalkUnknown(
                f"no crosswalk knows version {version} of {scheme}; known are {', '.join(versions)}{self._broken()}"
            )
        return found

    def find(self, scheme: str, version: str | None, clause: str) -> Clause:
        """Return a clause of a scheme in one version.

        Raises:
            CrosswalkUnknown: the scheme, the version or the clause is not known.
        """
        crosswalk = self.scheme(scheme, version)
        found = crosswalk.find(clause)
        if found is None:
            known = ", ".join(row.clause for row in crosswalk.clause[:60])
            raise CrosswalkUnknown(f"{crosswalk.scheme} {version} has no clause {clause} here; it has {known}")
        return found

    def _broken(self) -> str:
        if not self.refused:
            return ""
        return f" (refused: {'; '.join(f'{r.file}, line {r.line}' for r in self.refused)})"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the clause of one observation proposes, and what a person picked."""

    observation: str
    clause: str
    title: str | None
    proposed: dict[Indicator, Basis]
    picked: dict[Indicator, Basis]
    not_assessed: tuple[Indicator, ...]
    """What the clause proposes and nobody picked: nothing is said of it."""
    why_none: str | None
    """Where nothing is proposed."""


def proposals_of(report: Report, crosswalks: Crosswalks) -> list[Proposal]:
    """Return, for each observation, what its clause proposes beside what was picked."""
    return [_proposal(report, number, crosswalks) for number in range(len(report.observations))]


def _proposal(report: Report, number: int, crosswalks: Crosswalks) -> Proposal:
    observation = report.observations[number]
    picked = {found.indicator: found.basis for found in observation.indicators}
    clause, why = None, None
    try:
        clause = crosswalks.find(report.scheme, report.scheme_version, observation.clause.clause)
    except CrosswalkUnknown as error:
        why = str(error)
    proposed = {} if clause is None else clause.proposed
    if clause is not None and not proposed:
        why = clause.note or "this clause is about none of the indicators that a finding may carry"
    return Proposal(
        observation=observation.ref,
        clause=observation.clause.clause,
        title=None if clause is None else clause.title,
        proposed=proposed,
        picked=picked,
        not_assessed=tuple(code for code in proposed if code not in picked),
        why_none=why,
    )
