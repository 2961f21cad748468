"""A screening on file as a table: a line for each statement that was found, or one that says that none was."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comity_node.domain.export import Cell
from comity_node.domain.filing import KINDS

HEADINGS = (
    "row", "asked name", "asked country", "asked numbers", "identity", "findings", "decisions", "kind", "statement",
    "published by", "identity of this", "why", "standing", "disputed", "may be raised", "speak to first", "terms",
)  # fmt: skip


def lines(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterable[Sequence[Cell]]:
    """Yield the lines of answers, without the headings."""
    for row, answer in rows:
        asked = answer["asked"]
        numbers = "; ".join(f"{i['scheme']}:{i['id']}" for i in asked["identifiers"])
        whom = (row, asked["name"], asked["country"], numbers)
        # What was filed before further ones were counted says nothing of them.
        further = [
            f"{count} further {what} are not listed" for what, count in answer.get("further", {}).items() if count
        ]
        states = (answer["verdict"], "; ".join((answer["state"], *further)), answer["decision_state"])
        found = [(kind, hit) for place, kind in KINDS.items() for hit in answer[place]]
        for kind, hit in found:
            yield (*whom, *states, *_line(kind, hit))
        if not found:
            yield (*whom, *states, *[""] * (len(HEADINGS) - len(whom) - len(states)))


def _line(kind: str, hit: Mapping[str, Any]) -> Sequence[Cell]:
    raising = hit.get("raising")
    may = ("", "", "") if raising is None else (
        "yes" if raising["may"] else "no", "; ".join(raising["first"]), "; ".join(raising["why"])
    )  # fmt: skip
    member = hit.get("published_by") or hit["speak_to"]
    return (
        kind, hit["statement"], member, hit["verdict"], hit["reason"], hit.get("standing", "current"),
        hit.get("disputed") or "", *may,
    )  # fmt: skip
