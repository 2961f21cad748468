"""The table of docs/performance.md, from the results in docs/performance.jsonl beside it.

    ./comity bench --write-docs [RESULTS]

RESULTS, the lines that benchmarks printed, takes the place of docs/performance.jsonl first; of several lines of one
metric the last counts. A row that misses its goal says so.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from servers import CHECKOUT

RESULTS = CHECKOUT / "docs" / "performance.jsonl"
PAGE = CHECKOUT / "docs" / "performance.md"

KEYS = ("metric", "value", "unit", "reference", "reference_value", "ratio", "goal", "met", "machine")
_TABLE = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def read(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the results, each metric once at each place it was taken."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        if line.startswith("{"):
            result = json.loads(line)
            missing = [key for key in KEYS if key not in result]
            if missing:
                raise SystemExit(f"this line lacks {', '.join(missing)}: {line[:100]}")
            found[result["metric"], result["unit"]] = result
    return list(found.values())


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as Markdown, each machine's by itself."""
    parts = []
    for machine in dict.fromkeys(result["machine"] for result in results):
        rows = [_row(result) for result in results if result["machine"] == machine]
        head = [
            "| metric | value | reference in the same run | ratio | goal | met | with |",
            "|---|---|---|---|---|---|---|",
        ]
        parts.append("\n".join([f"On {machine}:", "", *head, *rows]))
    return "\n\n".join(parts) + "\n"


def _row(result: Mapping[str, Any]) -> str:
    reference = "–"
    if result["reference"] is not None:
        reference = f"{_number(result['reference_value'])} ({result['reference']})"
    met = {True: "yes", False: "**no**", None: "–"}[result["met"]]
    more = "; ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in result.items() if name not in KEYS)
    cells = [
        f"`{result['metric']}`",
        f"{_number(result['value'])} {result['unit']}",
        reference,
        "–" if result["ratio"] is None else f"{result['ratio']:.2f}",
        result["goal"] or "–",
        met,
        more,
    ]
    return "| " + " | ".join(cells) + " |"


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.4g}"


def page(text: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Return the page with its table made of these results."""
    filled, count = _TABLE.subn(lambda marks: marks[1] + table(results) + marks[2], text)
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for the results")
    return filled


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS)
    results = read(parser.parse_args().results.read_text(encoding="utf-8").splitlines())
    lines = [json.dumps(result, ensure_ascii=False) for result in results]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(f"{PAGE.relative_to(CHECKOUT)} now says what {len(results)} results say")


if __name__ == "__main__":
    main()
