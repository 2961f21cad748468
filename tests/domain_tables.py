"""Writes the tables of docs/domain.md and docs/trail.md from the code and the data files, or says that they no longer
fit.

    python tests/domain_tables.py            writes
    python tests/domain_tables.py --check    exit 1 where a page differs

A table stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything else is written by hand.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from comity_node.domain.trail_catalogue import CATALOGUE, Field
from comity_node.domain.vocabulary import Language
from comity_node.vocabulary import bundled_crosswalks, countries, glossary, texts
from comity_schemas.bands import Band
from comity_schemas.finding import Severity, SourceType
from comity_schemas.indicators import Indicator
from comity_schemas.meanings import CROSSWALK_ONLY, MEANINGS

_DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, TRAIL_PAGE = _DOCS / "domain.md", _DOCS / "trail.md"
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def indicators() -> str:
    return table(
        ("code", "name", "what it says", "stands on"),
        ((f"`{code}`", m.name, m.sentence, m.source) for code, m in MEANINGS.items()),
    )


def crosswalk_only() -> str:
    return table(("code", "what a clause is about"), ((f"`{code}`", name) for code, name in CROSSWALK_ONLY.items()))


def schemes() -> str:
    rows = []
    for _, each in bundled_crosswalks():
        silent = sum(not row.proposed for row in each.clause)
        state = f"superseded by {each.superseded_by}" if each.superseded_by else ""
        checked = "yes" if each.reviewed else "not yet"
        rows.append((each.scheme, ", ".join(each.versions), len(each.clause), silent, checked, state))
    head = ("scheme", "versions", "clauses", "of which propose nothing that may leave", "checked by a person", "")
    return table(head, rows)


def languages() -> str:
    rows = []
    for language in Language:
        found = texts(language)
        if found is None:
            rows.append((f"`{language}`", "the original", len(Indicator), "—", "—"))
            continue
        current = [entry for code in Indicator if (entry := found.of(code)) is not None]
        reviewed = sum(entry.reviewed != "no" for entry in current)
        rows.append((f"`{language}`", "beside the original", len(current), reviewed, len(glossary().term)))
    return table(("language", "", "indicators", "reviewed by a person", "locked terms"), rows)


def names() -> str:
    found = countries().all()
    by_source: dict[str, int] = {}
    for row in found:
        by_source[row.source] = by_source.get(row.source, 0) + 1
    ordered = sorted(by_source.items(), key=lambda item: (-item[1], item[0]))
    return table(("names of countries and areas rest on", "how many"), [*ordered, ("together", len(found))])


def codes() -> str:
    return table(
        ("of a finding", "values"),
        [
            ("severity", ", ".join(f"`{each}`" for each in Severity)),
            ("people affected, people interviewed", ", ".join(f"`{each}`" for each in Band)),
            ("who saw it", ", ".join(f"`{each}`" for each in SourceType)),
        ],
    )


TABLES: dict[str, Callable[[], str]] = {
    "indicators": indicators,
    "crosswalk-only": crosswalk_only,
    "schemes": schemes,
    "languages": languages,
    "names": names,
    "codes": codes,
}


def events() -> str:
    rows = ((f"`{event}`", d.actor, d.subject, "; ".join(map(_field, d.fields))) for event, d in CATALOGUE.items())
    return table(("event", "actor", "subject", "detail"), rows)


def _field(field: Field) -> str:
    sometimes = "" if field.always else ", not always"
    says = f": {field.says}" if field.says else ""
    return f"`{field.name}` ({field.holds}{sometimes}){says}"


TRAIL_TABLES: dict[str, Callable[[], str]] = {"events": events}
PAGES = {PAGE: TABLES, TRAIL_PAGE: TRAIL_TABLES}


def written(page: str, tables: dict[str, Callable[[], str]] = TABLES) -> str:
    """Return the page with all of its tables as they are now."""
    return _PART.sub(lambda found: f"{found[1]}{tables[found['name']]()}{found[3]}", page)


def main() -> int:
    for path, tables in PAGES.items():
        page = path.read_text("utf-8")
        if "--check" not in sys.argv[1:]:
            path.write_text(written(page, tables), "utf-8")
        elif written(page, tables) != page:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
