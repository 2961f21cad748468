"""The harmonised vocabulary: what each code means, for whoever is signed in."""

from fastapi import APIRouter
from pydantic import BaseModel

from comity_node.auth import SignedIn
from comity_node.vocabulary import describe_codes

router = APIRouter(prefix="/vocabulary", tags=["vocabulary"])


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


class CodesOut(BaseModel):
    """All codes, in their order."""

    codes: list[CodeOut]


@router.get("/indicators")
async def list_indicators(person: SignedIn) -> CodesOut:
    """All codes: what each means, what to look for, what to ask, and the source it stands on."""
    return CodesOut(codes=[CodeOut.model_validate(code, from_attributes=True) for code in describe_codes()])
