"""A log of six honest findings of an agency, and the name of another member."""

from typing import Any

from builders import Publisher, key_of

AGENCY = Publisher()
BODY = Publisher("body", keys=(key_of("body 1"),))
HONEST = AGENCY.chain(6)


def named(name: str) -> dict[str, Any]:
    return {"disclosed": {"names": [{"text": name}]}}
