"""How well screening finds suppliers and tells pairs apart: recall, precision and false hits against their goals.

    ./comity bench screening [--size 1.5M] [--half held-out|tune|both] [--peer PYTHON] [--table]

Names are looked for among suppliers made from 200,000 published ones; pairs are labelled by people, or generated where
no attested ones may be used. One half of queries and pairs was for choosing thresholds, the other reports.

A hit is a candidate with any verdict but `none`; found means that the right supplier, or one of the same folded name,
is among the hits. A pair with a hit counts as positive, for facilities only where it is not `same company, other site`.

nomenklatura compares the same candidates and pairs, in an environment that is made for it and thrown away or
in PYTHON; where neither can be, the rows say why and quote nothing of it. `--table` writes the tables of
docs/screening.md instead, and asks no peer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.frame.finding import GROUPS, Asked, Tally, ask_all, tallies
from bench.frame.in_memory import InMemory
from bench.frame.pair_marks import FACILITIES, Marked, f1, mark_pairs, peer_f1, recall_at
from bench.frame.peer_matcher import Peer, peer_of
from bench.frame.progress import progress, say
from bench.frame.results import Goal, arguments, report
from bench.frame.screening_tables import PAGE, page, tables
from bench.frame.suppliers import Query, is_held_out, pairs, queries, suppliers

SCRIPTS = {"zh": ("xscript_zh_han", 70), "ar": ("xscript_ar", 70), "bn": ("xscript_bn", 70), "ru": ("xscript_ru", 90)}
"""Script to its labelled pairs and the recall they must reach at 95 % precision."""

MOST_QUERIES = 400
"""Of a group: the machine is shared, and the interval is 2 % by then."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="1.5M")
    parser.add_argument("--half", choices=("held-out", "tune", "both"), default="held-out")
    parser.add_argument("--peer", type=Path, help="a Python that has nomenklatura")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/screening.md instead")
    asked = parser.parse_args()
    with progress(f"folding {asked.size:,} suppliers", asked.size) as bar:
        index = InMemory.of(suppliers(asked.size), bar.at)
    there = [query for query in queries() if query.number < asked.size]
    asked_names = ask_all(index, _of_half(there, asked.half))
    marked = mark_pairs([p for p in pairs() if _is_of_half("|".join(p.names), asked.half)], index.rarity)
    if asked.table:
        PAGE.write_text(page(PAGE.read_text("utf-8"), tables(index, asked_names, marked, asked.half)), "utf-8")
        say(f"{PAGE.name} now says what was measured on the {asked.half} half, among {asked.size:,} suppliers")
        return
    with peer_of(asked.peer) as peer:
        _report_names(index, asked_names, peer)
        _report_pairs(marked, peer)


def _of_half(all_queries: Sequence[Query], half: str) -> list[Query]:
    found: list[Query] = []
    for kinds in GROUPS.values():
        of_group = [q for q in all_queries if q.kind in kinds and _is_of_half(q.name, half)]
        # Every so many: the file has them by kind.
        found += of_group[:: max(1, len(of_group) // MOST_QUERIES)]
    return found


def _is_of_half(text: str, half: str) -> bool:
    return half == "both" or is_held_out(text) == (half == "held-out")


def _report_names(index: InMemory, asked: Sequence[Asked], peer: Peer) -> None:
    ours = tallies(index, asked)
    theirs = tallies(index, asked, peer) if peer.is_there else {}

    def beside(group: str, what: str) -> dict[str, Any]:
        if group not in theirs:
            return {"peer": peer.in_words()}
        found = theirs[group]
        return {
            "reference": peer.in_words(),
            "reference_value": found.rate() if what == "found" else found.false_each(),
        }

    size = len(index.known)
    for group in ("Latin", "cross-script", "native"):
        tally = ours.get(group, Tally())
        detail = {
            "queries": tally.asked,
            "suppliers": size,
            "missed": tally.missed[:5],
            "by_kind": _by_kind(asked, index),
        }
        goals = (Goal(value_at_least=95), Goal(value_at_most=1.5)) if group == "Latin" else (None, None)
        report(f"screening-found: {group}", tally.rate(), "% found", goal=goals[0], **beside(group, "found"), **detail)
        report(f"screening-false-hits: {group}", tally.false_each(), "wrong hits a query", goal=goals[1],
               **beside(group, "false"), queries=tally.asked)  # fmt: skip
    unlisted = ours.get("unlisted", Tally())
    report("screening-false-hits: unlisted", unlisted.false_each(), "wrong hits a name that nobody has",
           goal=Goal(value_at_most=0.8), **beside("unlisted", "false"), queries=unlisted.asked,
           examples=unlisted.wrong[:5])  # fmt: skip


def _by_kind(asked: Sequence[Asked], index: InMemory) -> dict[str, list[float]]:
    found = tallies(index, asked, by_kind=True)
    return {kind: [round(tally.rate(), 1), round(tally.false_each(), 2)] for kind, tally in found.items()}


def _report_pairs(marked: dict[str, list[Marked]], peer: Peer) -> None:
    for script, (dataset, least) in SCRIPTS.items():
        reached = 100 * recall_at(marked.get(dataset, []), precision=0.95)
        report(f"screening-recall: {script}", reached, "% at 95 % precision", goal=Goal(value_at_least=least),
               pairs=len(marked.get(dataset, [])))  # fmt: skip
    of_facilities = [pair for name in sorted(FACILITIES) for pair in marked.get(name, [])]
    for what, of, least in (
        ("organisation cases", marked.get("nk_names", []), 88.0),
        ("facility pairs", of_facilities, 75.0),
        ("companies", marked.get("osh_company", []), None),
        ("short exchange names", marked.get("figi", []), None),
    ):
        found = f1(of)
        goal = None if least is None else Goal(value_at_least=least)
        compared: dict[str, Any] = {"peer": peer.in_words()}
        if peer.is_there and of:
            compared = {"reference": peer.in_words(), "reference_value": 100 * peer_f1(of, peer)}
        report(
            f"screening-f1: {what}",
            100 * found.f1,
            "F1, per cent",
            goal=goal,
            **compared,
            pairs=len(of),
            precision=round(100 * found.precision, 1),
            recall=round(100 * found.recall, 1),
            failures=[pair.in_words() for pair in of if pair.is_wrong][:5],
        )


if __name__ == "__main__":
    main()
