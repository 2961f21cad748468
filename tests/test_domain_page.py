"""docs/domain.md and docs/trail.md say what the code and the data files say."""

import re

from comity_schemas.indicators import CrosswalkOnly, Indicator
from domain_tables import PAGE, PAGES, TABLES, written


def test_the_tables_are_those_of_today() -> None:
    for path, tables in PAGES.items():
        page = path.read_text("utf-8")
        assert written(page, tables) == page, "run: python tests/domain_tables.py"
        assert sorted(re.findall(r"<!-- generated: ([a-z-]+) -->", page)) == sorted(tables)


def test_every_table_stands_on_the_page_once_and_a_changed_one_is_noticed() -> None:
    page = PAGE.read_text("utf-8")
    assert sorted(re.findall(r"<!-- generated: ([a-z-]+) -->", page)) == sorted(TABLES)
    for code in (*Indicator, *CrosswalkOnly):
        assert page.count(f"| `{code}` |") == 1
    assert written(page.replace("| Retention of identity documents |", "| Kept papers |")) == page
