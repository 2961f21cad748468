"""The rows of a file as somebody gives it, read."""

import io

from comity_node.domain.screening_files.asking import Asked, Problem, Reading
from comity_node.services.screening_files.opening import Told, open_given
from comity_node.vocabulary import countries


def asked(raw: str | bytes, **told: str) -> tuple[list[Asked], list[Problem]]:
    """Whom the rows of a file ask about, and what is to be looked at."""
    given = open_given(io.BytesIO(raw.encode() if isinstance(raw, str) else raw), Told(told))
    problems: list[Problem] = []
    reading = Reading(given.columns, countries().read, problems.append)
    return [reading.ask(row) for row in given.table.rows], problems
