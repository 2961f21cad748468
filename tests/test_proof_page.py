"""docs/proof.md names a test for each rule, and every test it names is there."""

import re
from collections.abc import Iterator

from builders import CHECKOUT

PAGE = (CHECKOUT / "docs" / "proof.md").read_text("utf-8")
NAMED = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")


def part(page: str) -> str:
    """The part of the page with the rules: from its heading to the next of the same level."""
    return page.split("## Each rule of the domain, with its test\n")[1].split("\n## ")[0]


def rows(page: str) -> Iterator[str]:
    """The rows of all its tables, without their headings."""
    for table in re.findall(r"^\|---.*\n((?:\|.*\n)+)", part(page), re.MULTILINE):
        yield from table.splitlines()


def faults(page: str) -> Iterator[str]:
    """What is wrong: a rule without a test, a rule twice, a test that is not there."""
    seen: set[str] = set()
    for row in rows(page):
        rule = row.split("|")[1].strip()
        if rule in seen:
            yield f"twice: {rule}"
        seen.add(rule)
        named = NAMED.findall(row.split("|")[-2])
        if not named:
            yield f"no test: {rule}"
        for file, test in named:
            path = CHECKOUT / "tests" / file
            if not path.exists() or not re.search(rf"^(async )?def {test}\(", path.read_text("utf-8"), re.MULTILINE):
                yield f"not there: {file}::{test}"


def test_every_rule_names_its_test_and_every_test_named_is_there() -> None:
    assert list(faults(PAGE)) == []
    assert len(list(rows(PAGE))) > 60


def test_a_rule_without_a_test_and_a_test_that_is_not_there_are_noticed() -> None:
    added = part(PAGE) + "| a rule | none |\n| another | `node/test_api.py::test_of_nothing` |\n"
    changed = PAGE.replace(part(PAGE), added.replace("\n\n| a rule", "\n| a rule"))
    assert list(faults(changed)) == ["no test: a rule", "not there: node/test_api.py::test_of_nothing"]
