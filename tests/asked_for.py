"""What an operation is asked about, for the table of who may do what: made new for each cell; asking may change it."""

from collections.abc import Awaitable, Callable
from typing import Any

from api_world import Office

Asked = dict[str, Any]
"""Parts of a request: `json`, `content`, `headers`, `params`; every other name stands in the path."""

Make = Callable[[Office, str, bool], Awaitable[Asked]]
"""Office, who asks, and whether it is their own."""


def other(who: str) -> str:
    """Return the second person of a role."""
    return f"{who} 2"
