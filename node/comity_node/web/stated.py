"""What a finding or decision says, row by row, for the one it is about: every field that the network sees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from comity_node.web.wording import Wording, foreign, moment
from comity_schemas.finding import WITHHELD_BY_DEFAULT


@dataclass(frozen=True, slots=True)
class Row:
    """A field and what it says."""

    label: Markup
    values: list[Markup]


_Says = Callable[[Wording, Any], list[Markup]]


def stated(says: Mapping[str, Any], handling: Mapping[str, Any], words: Wording) -> list[Row]:
    """Return everything that is said, in a reader's order; a field that says nothing has no row."""
    rows = [
        Row(words.say(f"field.{field}"), how(words, says[field]))
        for field, how in SAYS.items()
        if says.get(field) not in (None, False, [], ())
    ]
    return [*rows, Row(words.say("field.handling"), _handling(words, handling))]


def withheld(says: Mapping[str, Any], words: Wording) -> list[Markup]:
    """Return the names of what the publisher may know of a finding and the network does not see."""
    if "indicators" not in says:
        return []
    return [words.say(f"field.{field}") for field in SAYS if field in WITHHELD_BY_DEFAULT and field not in says]


def _part(label: Markup, value: Markup) -> Markup:
    return Markup("<small>{}</small> {}").format(label, value)


def _coded(kind: str) -> _Says:
    def say(words: Wording, said: Any) -> list[Markup]:
        codes: Sequence[str] = [said] if isinstance(said, str) else said
        return [words.code(kind, code) for code in codes]

    return say


def _text(_words: Wording, said: Any) -> list[Markup]:
    return [foreign(str(said))]


def _yes(words: Wording, _said: Any) -> list[Markup]:
    return [words.say("yes")]


def _date(_words: Wording, said: Any) -> list[Markup]:
    return [moment(date.fromisoformat(said))]


def _names(words: Wording, said: Any) -> list[Markup]:
    return [
        Markup("{} <small>{}</small>").format(
            Markup('<bdi class="name">{}</bdi>').format(each["text"]),
            words.code("name", each.get("kind", "registered")),
        )
        for each in said
    ]


def _numbers(_words: Wording, said: Any) -> list[Markup]:
    return [foreign(f"{each['scheme']} {each['id']}") for each in said]


def _parties(words: Wording, said: Any) -> list[Markup]:
    found: list[Markup] = []
    for party in said:
        found += _names(words, party["names"]) + _numbers(words, party.get("identifiers") or [])
    return found


def _country(words: Wording, said: Any) -> list[Markup]:
    return [words.country(said)]


def _sector(_words: Wording, said: Any) -> list[Markup]:
    return [foreign(f"{said['scheme']} {said['code']}")]


def _indicators(words: Wording, said: Any) -> list[Markup]:
    found: list[Markup] = []
    for each in said:
        name, means = words.indicator(each["indicator"])
        basis = words.code("basis", each["basis"])
        found.append(
            Markup('<strong>{}</strong> <span class="means">{}</span> <small>{}</small> {}').format(
                name, means, basis, foreign(each["indicator"])
            )
        )
    return found


def _source(words: Wording, said: Any) -> list[Markup]:
    found = [words.code("source", said["type"])]
    scheme = " ".join(filter(None, (said["scheme"], said.get("scheme_version"))))
    found.append(_part(words.say("field.source.scheme"), foreign(scheme)))
    found.append(_part(words.say("field.source.when"), foreign(said["when"])))
    found += [words.code("notice", said["notice"]), words.code("access", said["access"])]
    if said.get("event") is not None:
        found.append(_part(words.say("field.source.event"), foreign(said["event"])))
    return found


def _clause(_words: Wording, said: Any) -> list[Markup]:
    return [foreign(" ".join(filter(None, (said["clause"], said.get("label")))))]


def _authority(words: Wording, said: Any) -> list[Markup]:
    where = said["country"]
    return [
        Markup("{} ({})").format(
            foreign(said["code"]), foreign(where) if where == "international" else words.country(where)
        )
    ]


def _act(words: Wording, said: Any) -> list[Markup]:
    found = [words.code("decided", said["type"])]
    if said.get("of") is not None:
        (whose,) = _authority(words, said["of"])
        found.append(_part(words.say("field.act.of"), whose))
    if said.get("reference") is not None:
        found.append(_part(words.say("field.reference"), foreign(said["reference"])))
    return found


def _terms(words: Wording, said: Any) -> list[Markup]:
    found: list[Markup] = []
    for term in said:
        parts = [] if term.get("source") is None else [foreign(term["source"])]
        if term.get("start") is not None:
            parts.append(words.say("field.terms.from", when=moment(date.fromisoformat(term["start"]))))
        if term.get("until") is not None:
            parts.append(words.say("field.terms.until", when=moment(date.fromisoformat(term["until"]))))
        else:
            parts.append(words.code("end", term["end"]))
        found.append(Markup(" · ").join(parts))
    return found


def _handling(words: Wording, said: Mapping[str, Any]) -> list[Markup]:
    found = [foreign(f"TLP:{said['tlp']}"), words.code("onward", said["onward"])]
    found += [words.code("use", use) for use in said["permitted_use"]]
    return [*found, words.code("contact", said["contact"]), words.code("purpose", said["purpose"])]


SAYS: dict[str, _Says] = {
    "subject": _coded("subject"),
    "names": _names,
    "identifiers": _numbers,
    "supplies_to": _parties,
    "country": _country,
    "region": _text,
    "municipality": _text,
    "site_address": _text,
    "sector": _sector,
    "named_after_person": _yes,
    "indicators": _indicators,
    "severity": _coded("severity"),
    "extent": _coded("extent"),
    "source": _source,
    "clause": _clause,
    "auditor": _text,
    "sample": _text,
    "affected": _text,
    "women_share": _text,
    "collaborative_action": _yes,
    "authority": _authority,
    "measure": _coded("measure"),
    "act": _act,
    "stand": _coded("stand"),
    "grounds": _coded("ground"),
    "terms": _terms,
    "lifted": _coded("lifted"),
    "status": _coded("status"),
    "verified": _coded("verified"),
    "remedies": _coded("remedy"),
    "remedy_due": _text,
    "valid_until": _date,
    "reference": _text,
    "commitment": _yes,
    "replaces": _yes,
}
"""Every field of a finding and of a decision, in the order of a page; a test holds that none is missing."""
