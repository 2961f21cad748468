"""Cases of people at risk, their steps and their staff."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.cases import CaseReportRow, CaseRow, CaseStaffRow, CaseStepRow, kept_from, of_cases
from comity_node.domain.pointing import Whom
from comity_node.domain.protection import Case, Detail, Done, Step
from comity_schemas.finding import Severity
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import Indicator
from comity_schemas.subject import Name


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """How many cases nobody has looked at, and since when; nothing of any."""

    count: int
    since: datetime | None
    passed_on: int
    """How often at most one was passed on."""


NOTHING_UNREVIEWED: Final = Unreviewed(0, None, 0)


class Cases:
    """Repository of cases."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, case: Case) -> None:
        """Store a new case with its staff."""
        self._session.add(
            CaseRow(
                id=case.id,
                whom=self._seals.seal_words(_written(case.whom)) or "",
                place=case.place,
                children=case.children,
                report_id=case.report_id,
                reference=self._seals.seal_words(case.reference),
                opened_by=case.opened_by,
                opened_at=case.opened_at,
                passed_on_at=case.passed_on_at,
            )
        )
        await self._session.flush()
        if case.report_id is not None:
            self._session.add(CaseReportRow(case_id=case.id, report_id=case.report_id))
        for person in case.staff:
            await self.assign(case.id, person)

    async def keep_too(self, report_id: str, later: str) -> None:
        """Keep back what stands in a report's place as the report itself, where a case does."""
        query = select(CaseReportRow.case_id).where(CaseReportRow.report_id == report_id)
        for case_id in list(await self._session.exec(query)):
            self._session.add(CaseReportRow(case_id=case_id, report_id=later))
        await self._session.flush()

    async def find(self, case_id: str) -> Case | None:
        """Return a case by its id, whoever asks: who may is for the services to say."""
        row = await self._row(case_id)
        return None if row is None else (await self._cases([row]))[0]

    async def page(self, person: str, *, before: int | None, most: int) -> list[Case]:
        """Return the cases to which somebody is assigned, newest first."""
        mine = select(CaseStaffRow.case_id).where(CaseStaffRow.person_id == person)
        query = select(CaseRow).where(col(CaseRow.id).in_(mine)).order_by(col(CaseRow.number).desc()).limit(most)
        if before is not None:
            query = query.where(col(CaseRow.number) < before)
        return await self._cases(list(await self._session.exec(query)))

    async def unreviewed(self) -> list[Case]:
        """Return the cases that no focal point has looked at, oldest first."""
        query = select(CaseRow).where(~col(CaseRow.reviewed)).order_by(col(CaseRow.number))
        return await self._cases(list(await self._session.exec(query)))

    async def without(self, people: Sequence[str]) -> list[Case]:
        """Return the cases to which none of these people is assigned, oldest first."""
        theirs = select(CaseStaffRow.case_id).where(col(CaseStaffRow.person_id).in_(people))
        query = select(CaseRow).where(col(CaseRow.id).not_in(theirs)).order_by(col(CaseRow.number))
        return await self._cases(list(await self._session.exec(query)))

    async def count_unreviewed(self) -> Unreviewed:
        """Return how many nobody has looked at, for a status that gives none away."""
        query = select(func.count(), func.min(CaseRow.opened_at), func.max(CaseRow.passed_on)).where(
            ~col(CaseRow.reviewed)
        )
        count, since, passed_on = (await self._session.exec(query)).one()
        return Unreviewed(count, since, passed_on or 0)

    async def keeps_report_from(self, report_id: str, person: str) -> bool:
        """Tell whether a report belongs to cases, none of which somebody is assigned to."""
        query = kept_from(person).where(CaseReportRow.report_id == report_id)
        return (await self._session.exec(query)).first() is not None

    async def reports_among(self, report_ids: Collection[str]) -> set[str]:
        """Return which of these reports belong to a case."""
        query = of_cases().where(col(CaseReportRow.report_id).in_(sorted(report_ids)))
        return set(await self._session.exec(query))

    async def of_report(self, report_id: str) -> list[Case]:
        """Return the cases that keep a report back."""
        named = select(CaseReportRow.case_id).where(CaseReportRow.report_id == report_id)
        query = select(CaseRow).where(col(CaseRow.id).in_(named)).order_by(col(CaseRow.number))
        return await self._cases(list(await self._session.exec(query)))

    async def take(self, case_id: str, done: Done) -> None:
        """Record a step."""
        row = CaseStepRow(
            case_id=case_id, step=done.step.value, by=done.by, at=done.at, contact=done.contact, consent=done.consent
        )
        self._session.add(row)
        await self._note_reviewed(case_id)

    async def take_back(self, case_id: str, *, by: str, now: datetime) -> None:
        """Take the last step back; that it was taken stays recorded."""
        query = (
            select(CaseStepRow)
            .where(CaseStepRow.case_id == case_id, col(CaseStepRow.undone_by).is_(None))
            .order_by(col(CaseStepRow.number).desc())
        )
        row = (await self._session.exec(query)).first()
        assert row is not None
        row.undone_by, row.undone_at = by, now
        await self._note_reviewed(case_id)

    async def assign(self, case_id: str, person: str) -> None:
        """Let somebody see a case."""
        self._session.add(CaseStaffRow(case_id=case_id, person_id=person))
        await self._session.flush()

    async def remove(self, case_id: str, person: str) -> None:
        """Let somebody see a case no more."""
        gone = delete(CaseStaffRow).where(col(CaseStaffRow.case_id) == case_id, col(CaseStaffRow.person_id) == person)
        await self._session.exec(gone)
        self._session.expire_all()

    async def pass_on(self, case_id: str, now: datetime) -> None:
        """Note that it was handed on because nobody had looked."""
        row = await self._existing(case_id)
        row.passed_on_at, row.passed_on = now, row.passed_on + 1
        await self._session.flush()

    async def put_pointer(self, case_id: str, review_id: str) -> None:
        """Note which pointer stands for the supplier."""
        (await self._existing(case_id)).pointer = review_id
        await self._session.flush()

    async def put_detail(self, case_id: str, detail: Detail) -> None:
        """Record what focal points would be told."""
        content = {
            "indicators": [indicator.value for indicator in detail.indicators],
            "severity": detail.severity.value,
            "members": list(detail.members),
            "decided_by": detail.decided_by,
            "decided_at": detail.decided_at.isoformat(),
        }
        (await self._existing(case_id)).detail = self._seals.seal_words(json.dumps(content))
        await self._session.flush()

    async def _note_reviewed(self, case_id: str) -> None:
        await self._session.flush()
        query = select(CaseStepRow.number).where(CaseStepRow.case_id == case_id, col(CaseStepRow.undone_by).is_(None))
        (await self._existing(case_id)).reviewed = (await self._session.exec(query)).first() is not None
        await self._session.flush()

    async def _row(self, case_id: str) -> CaseRow | None:
        return (await self._session.exec(select(CaseRow).where(CaseRow.id == case_id))).first()

    async def _existing(self, case_id: str) -> CaseRow:
        row = await self._row(case_id)
        assert row is not None
        return row

    async def _cases(self, rows: Sequence[CaseRow]) -> list[Case]:
        names = [row.id for row in rows]
        taken = select(CaseStepRow).where(col(CaseStepRow.case_id).in_(names), col(CaseStepRow.undone_by).is_(None))
        steps: dict[str, list[Done]] = {name: [] for name in names}
        for step in await self._session.exec(taken.order_by(col(CaseStepRow.number))):
            steps[step.case_id].append(Done(Step(step.step), step.by, step.at, step.contact, step.consent))
        staff: dict[str, list[str]] = {name: [] for name in names}
        for each in await self._session.exec(select(CaseStaffRow).where(col(CaseStaffRow.case_id).in_(names))):
            staff[each.case_id].append(each.person_id)
        return [self._case(row, steps[row.id], staff[row.id]) for row in rows]

    def _case(self, row: CaseRow, steps: Sequence[Done], staff: Sequence[str]) -> Case:
        opened = self._seals.open_words
        return Case(
            row.id,
            _read(opened(row.whom) or ""),
            row.place,
            row.children,
            row.report_id,
            opened(row.reference),
            row.opened_by,
            row.opened_at,
            row.passed_on_at,
            row.passed_on,
            row.pointer,
            None if row.detail is None else _detail(opened(row.detail) or ""),
            tuple(steps),
            tuple(sorted(staff)),
            row.number or 0,
        )


def _written(whom: Whom) -> str:
    names = [name.to_parsed() for name in whom.names]
    identifiers = [identifier.to_parsed() for identifier in whom.identifiers]
    return json.dumps({"country": whom.country, "names": names, "identifiers": identifiers}, ensure_ascii=False)


def _read(text: str) -> Whom:
    said = json.loads(text)
    names = tuple(Name.from_parsed(name) for name in said["names"])
    return Whom(said["country"], names, tuple(Identifier.from_parsed(each) for each in said["identifiers"]))


def _detail(text: str) -> Detail:
    said = json.loads(text)
    return Detail(
        tuple(Indicator(code) for code in said["indicators"]),
        Severity(said["severity"]),
        tuple(said["members"]),
        said["decided_by"],
        datetime.fromisoformat(said["decided_at"]),
    )
