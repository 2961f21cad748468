"""What docs/screening.md shows of these measurements: by threshold, by kind of change, and where it fails."""

import re
from collections.abc import Sequence

from bench.frame.finding import GROUPS, Asked, Tally, tallies
from bench.frame.in_memory import InMemory
from bench.frame.pair_marks import Marked, f1, found_with, recall_at
from comity_node.domain.matching.thresholds import REVIEW
from servers import CHECKOUT

PAGE = CHECKOUT / "docs" / "screening.md"
_MEASURED = re.compile(r"(<!-- measured -->\n).*?(<!-- end of measured -->)", re.DOTALL)
STEPS = range(REVIEW - 8, REVIEW + 17, 4)
EXAMPLES = 2

NAMES = {
    "nk_names": "organisations and people (nomenklatura's cases)",
    "figi": "short names of exchanges",
    "osh_company": "garment companies",
    "osh_facility": "garment facilities, as sites",
    "osh_train": "facilities as scanned, as sites",
    "xscript_zh_han": "Chinese and Latin",
    "xscript_ar": "Arabic and Latin",
    "xscript_bn": "Bengali and Latin",
    "xscript_ru": "Russian and Latin",
}


def tables(index: InMemory, asked: Sequence[Asked], marked: dict[str, list[Marked]], half: str) -> str:
    """Return the tables as Markdown."""
    written = [f"Measured on the {half} half, among {len(index.known):,} suppliers.", ""]
    written += _by_threshold(index, asked, marked)
    written += ["", *_by_kind(index, asked)]
    written += ["", *_by_script(marked)]
    return "\n".join(written)


def page(text: str, measured: str) -> str:
    """Return the page with its tables.

    Raises:
        SystemExit: it has no place for them.
    """
    filled, count = _MEASURED.subn(lambda marks: f"{marks[1]}{measured}\n{marks[2]}", text)
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for what was measured")
    return filled


def _by_threshold(index: InMemory, asked: Sequence[Asked], marked: dict[str, list[Marked]]) -> list[str]:
    everything = [pair for pairs in marked.values() for pair in pairs]
    same = [pair.pair.same for pair in everything]
    rows = [
        "| points | Latin found | false hits each | for an unlisted name | pairs: precision | recall |",
        "|" + "---|" * 6,
    ]
    for least in STEPS:
        found = tallies(index, asked, least=least)
        latin, unlisted = found.get("Latin", Tally()), found.get("unlisted", Tally())
        pairs = found_with([pair.score >= least for pair in everything], same)
        mark = " (**the threshold**)" if least == REVIEW else ""
        rows.append(
            f"| {least}{mark} | {latin.rate():.1f} % | {latin.false_each():.2f} | {unlisted.false_each():.2f} "
            f"| {100 * pairs.precision:.1f} % | {100 * pairs.recall:.1f} % |"
        )
    return rows


def _by_kind(index: InMemory, asked: Sequence[Asked]) -> list[str]:
    found = tallies(index, asked, by_kind=True)
    rows = ["| what was changed | queries | found | false hits each | not found, for example |", "|" + "---|" * 5]
    for kind in (kind for kinds in GROUPS.values() for kind in kinds if kind in found):
        tally = found[kind]
        missed = "; ".join(each.partition(": ")[2].replace(" | ", " for ") for each in tally.missed[:EXAMPLES])
        rate = "–" if kind == "negative" else f"{tally.rate():.1f} %"
        rows.append(f"| {kind} | {tally.asked} | {rate} | {tally.false_each():.2f} | {missed} |")
    return rows


def _by_script(marked: dict[str, list[Marked]]) -> list[str]:
    rows = ["| pairs | | precision | recall | F1 | recall at 95 % precision | wrong, for example |", "|" + "---|" * 7]
    for dataset, title in NAMES.items():
        pairs = marked.get(dataset, [])
        if not pairs:
            continue
        found = f1(pairs)
        examples = [" for ".join(pair.pair.names) for pair in pairs if pair.is_wrong]
        cells = [title, str(len(pairs)), _cent(found.precision), _cent(found.recall), f"{100 * found.f1:.1f}"]
        cells += [_cent(recall_at(pairs, precision=0.95)), min(examples, key=len, default="")]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _cent(share: float) -> str:
    return f"{100 * share:.1f} %"
