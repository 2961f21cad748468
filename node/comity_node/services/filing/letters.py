"""The letter in which an officer asks a supplier for its explanation: of what may be raised, and of nothing else.

It is written from what is known now, not from what was filed: what was taken back since is not raised any more. It
names indicators, never who reported them; where all may know, also the kind of source and its month. It has no room for
anything that was withheld, and asks for no names of workers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.filing import FilingMayNot, NothingToRaise
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.domain.vocabulary import Language, Page, Worded, in_words
from comity_node.services.answering.answers import describe, question_of
from comity_node.services.answering.screen import screen
from comity_node.services.filing.keeping import find_whole
from comity_node.vocabulary import codes, indicator_by_name, letter_words, machine_mark
from comity_schemas.indicators import Indicator

RULE = "-" * 40
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What letter somebody wants."""

    row: int
    """Which of the suppliers asked about, from 1."""
    language: Language
    spoken_to: frozenset[str]
    """Members that were asked before, because they point to themselves."""
    answer_by: date | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, the English original first."""

    text: str
    statements: tuple[str, ...]
    """What it asks about."""
    left_out: tuple[tuple[str, tuple[str, ...]], ...]
    """What it does not ask about, and why."""


async def write_letter(
    store: Store, person: Person, filing_id: str, wanted: Wanted, member: str, registry: Registry, now: datetime
) -> Letter:
    """Write a letter to one of the suppliers of a screening on file.

    Args:
        store: the open transaction.
        person: who writes.
        filing_id: of the screening.
        wanted: which letter.
        member: this member's name.
        registry: in force.
        now: the time.

    Raises:
        NotFound: no such screening or row, or its time is over.
        NothingToRaise: nothing may be raised, or somebody must be spoken to first.
        FilingMayNot: it was filed in error, or the supplier could not answer in time.
    """
    filing = await find_whole(store, filing_id)
    if filing.taken_back_at is not None:
        raise FilingMayNot(
            "it was filed in error and taken back: no letter is written from it. File the screening anew"
        )
    if wanted.answer_by is not None and wanted.answer_by <= now.date():
        raise FilingMayNot(f"the supplier cannot answer by {wanted.answer_by}: give a later day. No letter was written")
    rows = await store.filings.answers(filing, after=wanted.row - 1, most=1)
    if not rows or rows[0][0] != wanted.row:
        raise NotFound(f"the screening has {filing.asked} suppliers; there is no row {wanted.row}")
    asked = rows[0][1]["asked"]
    (answer,) = describe(await screen(store, [question_of(asked)], registry, now))["answers"]
    _everybody_was_asked(answer, wanted.spoken_to)
    raised = [hit for hit in answer["findings"] if hit["raising"]["may"]]
    left_out = [(hit["statement"], tuple(hit["raising"]["why"])) for hit in answer["findings"] if hit not in raised]
    if not raised:
        why = "; ".join(dict.fromkeys(reason for _, reasons in left_out for reason in reasons))
        raise NothingToRaise(f"nothing may be raised with this supplier: {why or 'no finding is shared'}")
    supplier = asked["name"] or "; ".join(f"{i['scheme']} {i['id']}" for i in asked["identifiers"])
    put_in = {"supplier": supplier, "reference": filing.reference, "member": member}
    put_in["day"] = "" if wanted.answer_by is None else wanted.answer_by.isoformat()
    text = compose(raised, put_in, wanted.language)
    statements = tuple(hit["statement"] for hit in raised)
    await store.trail.add(
        now, person.id, Event.LETTER_WRITTEN, filing.id, statements=list(statements), language=wanted.language.value
    )
    return Letter(text, statements, tuple(left_out))


def _everybody_was_asked(answer: Mapping[str, Any], spoken_to: frozenset[str]) -> None:
    first = dict.fromkeys(pointer["speak_to"] for pointer in answer["pointers"])
    if left := [slug for slug in first if slug not in spoken_to]:
        raise NothingToRaise(
            f"speak to {', '.join(left)} before this supplier is contacted, then ask again and say that you have; it "
            "says nothing about the supplier"
        )


def compose(raised: Sequence[Mapping[str, Any]], put_in: Mapping[str, str], language: Language) -> str:
    """Return the text: the English original, and below it the translation with its mark."""
    original = _Writer(put_in, Language.ENGLISH).write(raised)
    if language is Language.ENGLISH:
        return original
    mark = machine_mark(language)
    return "\n".join([original, RULE, *([] if mark is None else [mark]), "", _Writer(put_in, language).write(raised)])


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes in one language, the original or a translation of it."""

    put_in: Mapping[str, str]
    language: Language

    def write(self, raised: Sequence[Mapping[str, Any]]) -> str:
        lines = [self._say("subject"), "", self._say("to"), "", self._say("why"), "", self._say("about"), ""]
        for hit in raised:
            lines += self._subject(hit)
        lines += ["", self._say("send"), "", self._say("care"), ""]
        if self.put_in["day"]:
            lines.append(self._say("until"))
        return "\n".join([*lines, self._say("heard"), "", self.put_in["member"], ""])

    def _subject(self, hit: Mapping[str, Any]) -> list[str]:
        said = []
        for each in hit["finding"]["indicators"]:
            name, means = indicator_by_name(Indicator(each["indicator"]), self.language, Page.RELEASE)
            said.append(f"- {self._in(name)}. {self._in(means)}")
        source = hit["finding"]["source"]
        if hit["raising"]["in_detail"]:
            kind = self._in(in_words(codes(), f"source.{source['type']}", self.language, Page.RELEASE))
            said.append("  " + self._say("detail", source=kind, when=source["when"]))
        if hit["disputed"]:
            said.append("  " + self._say("disputed"))
        return said

    def _say(self, key: str, **more: str) -> str:
        said = self._in(in_words(letter_words(), key, self.language, Page.RELEASE))
        given = {**self.put_in, **more}
        # All at once: braces in a name are a part of the name.
        return _PLACE.sub(lambda place: given.get(place[1], place[0]), said)

    def _in(self, worded: Worded) -> str:
        return worded.original if worded.translated is None else worded.translated.text
