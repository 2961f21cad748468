"""Files of rows as they are sent: the bytes as the body, and what somebody says of how they are to be read."""

import io
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from pydantic import BaseModel

from comity_node.services.screening_files.opening import Opened, Told, open_given

MEDIA_TYPE = "application/octet-stream"
A_FILE: dict[str, Any] = {"requestBody": {"required": True, "content": {MEDIA_TYPE: {}}}}

Columns = Annotated[
    list[Annotated[str, Query(max_length=300)]],
    Query(max_length=50, alias="column", description="`WHAT=HEADING`, as `comity screen --column` takes it."),
]
Encoding = Annotated[str | None, Query(max_length=20)]
Delimiter = Annotated[str | None, Query(pattern=r"^[,;|\t]$")]


class RowProblemOut(BaseModel):
    """Something about a row to be looked at; never its content."""

    row: int
    what: str


async def file_sent(request: Request) -> bytes:
    """Return the file that stands in a request's body.

    Raises:
        HTTPException: it is sent as something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        raise HTTPException(415, f"send the file as {MEDIA_TYPE}")
    return await request.body()


def told_of(columns: list[str], encoding: str | None, delimiter: str | None) -> Told:
    """Return what somebody says of how a file is to be read."""
    return Told(dict(_pair(each) for each in columns), encoding, delimiter)


def open_sent(raw: bytes, told: Told) -> Opened:
    """Open a file that was sent.

    Raises:
        TableRefused: it is none that can be read.
    """
    return open_given(io.BytesIO(raw), told)


def _pair(column: str) -> tuple[str, str]:
    what, _, heading = column.partition("=")
    return what, heading
