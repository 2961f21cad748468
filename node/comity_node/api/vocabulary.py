"""The harmonised vocabulary: what each code means and what clauses propose, for whoever is signed in."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from comity_node.api.contract import refuses
from comity_node.auth import SignedIn, ThisNode
from comity_node.domain.vocabulary import Language
from comity_node.vocabulary import (
    countries,
    crosswalks_with,
    describe_answers,
    describe_clause,
    describe_codes,
    describe_crosswalk,
    describe_said,
)

router = APIRouter(prefix="/vocabulary", tags=["vocabulary"])


class TranslationOut(BaseModel):
    """A code in another language, beside the English original: on a release, a reply or a decision that one counts."""

    language: str
    reviewed: str | None
    """Who has reviewed it, and when; null while only a machine has written it."""
    mark: str | None
    """What must be shown with it, in its own language, while nobody has."""
    name: str
    reported: str
    sentence: str
    look_for: list[str]
    ask: list[str]


class CodeOut(BaseModel):
    """A code and what it means. One that is not `published` only says what a scheme's clause is about."""

    code: str
    published: bool
    name: str
    area: str | None
    reported: str | None
    """How it is said of a supplier: "reported", never "found"."""
    sentence: str | None
    look_for: list[str]
    ask: list[str]
    source: str | None
    translation: TranslationOut | None


class CodesOut(BaseModel):
    """All codes, in their order."""

    codes: list[CodeOut]


@router.get("/indicators", responses=refuses(422))
async def list_indicators(person: SignedIn, language: Language = Language.ENGLISH) -> CodesOut:
    """All codes: what each means, what to look for, what to ask, and the source it stands on."""
    found = await asyncio.to_thread(describe_codes, language)
    return CodesOut(codes=[CodeOut.model_validate(code, from_attributes=True) for code in found])


class AnswerOut(BaseModel):
    """A code in words. `says` is the English original, which counts."""

    kind: str
    """Such as `act` and `code` of a supplier, `outcome` of a dispute; or `status`, `remedy` of a finding."""
    code: str
    says: str
    beside: str | None
    """A translation."""
    mark: str | None
    """What must be shown with it, in its own language, while no person has reviewed it."""


class AnswersOut(BaseModel):
    """All of them."""

    answers: list[AnswerOut]


@router.get("/answers", responses=refuses(422))
async def list_answers(person: SignedIn, language: Language = Language.ENGLISH) -> AnswersOut:
    """The codes with which suppliers answer and people decide, in words."""
    return AnswersOut(answers=[AnswerOut.model_validate(each) for each in describe_answers(language)])


@router.get("/codes", responses=refuses(422))
async def list_codes(person: SignedIn, language: Language = Language.ENGLISH) -> AnswersOut:
    """What findings and decisions say as codes, and their terms of handling, in words."""
    return AnswersOut(answers=[AnswerOut.model_validate(each) for each in describe_said(language)])


class ClauseOut(BaseModel):
    """A clause. What it proposes counts for nothing before a person picks it for an observation."""

    clause: str
    title: str
    indicators: dict[str, str]
    """Code to `stated`, `inferred` or `not assessed`; codes of the crosswalk only are among them."""
    note: str | None
    source: str


class CrosswalkOut(BaseModel):
    """One scheme in the versions that number their clauses alike."""

    scheme: str
    versions: list[str]
    title: str
    publisher: str
    superseded_by: str | None
    incomplete: str | None
    reviewed: bool
    """Whether a person who knows the scheme has checked it."""
    origin: str
    """`comity`, or the file in the node's home."""
    clauses: int


class RefusedFileOut(BaseModel):
    """A file in the node's home of which nothing is used."""

    file: str
    line: int
    reason: str


class CrosswalksOut(BaseModel):
    """Every scheme that can be looked up, and the files that were refused."""

    crosswalks: list[CrosswalkOut]
    refused: list[RefusedFileOut]


class SchemeOut(CrosswalkOut):
    """One scheme with its clauses."""

    rows: list[ClauseOut]


class CountryOut(BaseModel):
    """A country or area by the UN's names; no opinion on anybody's status."""

    code: str
    names: dict[str, str]
    """By language: ar, zh, en, fr, ru, es."""
    source: str
    reviewed: str | None
    """Who has checked it, and when; null until then."""


class CountriesOut(BaseModel):
    """Every code that a finding may carry."""

    countries: list[CountryOut]


SchemeName = Annotated[str, Query(min_length=1, max_length=64)]


@router.get("/countries")
async def list_countries(person: SignedIn) -> CountriesOut:
    """How countries and areas are named in the six languages of the United Nations."""
    rows = await asyncio.to_thread(lambda: countries().all())
    return CountriesOut(countries=[CountryOut.model_validate(row, from_attributes=True) for row in rows])


@router.get("/crosswalks")
async def list_crosswalks(person: SignedIn, node: ThisNode) -> CrosswalksOut:
    """Every scheme and version whose clauses propose indicators here."""
    found = await asyncio.to_thread(crosswalks_with, node.home.crosswalks)
    listed: list[dict[str, Any]] = [describe_crosswalk(name, each) for name, each in found.files]
    return CrosswalksOut(
        crosswalks=[CrosswalkOut.model_validate(each) for each in listed],
        refused=[RefusedFileOut(file=Path(r.file).name, line=r.line, reason=r.reason) for r in found.refused],
    )


@router.get("/clauses", responses=refuses(404))
async def list_clauses(scheme: SchemeName, version: SchemeName, person: SignedIn, node: ThisNode) -> SchemeOut:
    """The clauses of a scheme in one version, and what each proposes."""
    found = await asyncio.to_thread(crosswalks_with, node.home.crosswalks)
    crosswalk = found.scheme(scheme, version)
    origin = next(name for name, each in found.files if each is crosswalk)
    rows = [ClauseOut.model_validate(describe_clause(crosswalk, row)) for row in crosswalk.clause]
    return SchemeOut.model_validate({**describe_crosswalk(origin, crosswalk), "rows": rows})
