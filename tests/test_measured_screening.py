"""The measurements of screening themselves: that they count what they say, on a few suppliers."""

import sys
from pathlib import Path

import pytest

from bench.frame.finding import ask_all, tallies
from bench.frame.in_memory import InMemory
from bench.frame.pair_marks import Marked, f1, mark_pairs, recall_at
from bench.frame.peer_matcher import Peer
from bench.frame.screening_tables import PAGE, page, tables
from bench.frame.suppliers import LabelledPair, Query, Supplier, pairs, queries, suppliers
from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict
from comity_node.domain.matching.party import all_alike

KNOWN = [
    Supplier(0, "Zuotianshi Building Materials Co., Ltd.", "China", "zh_lat"),
    Supplier(1, "Kaixinda Textile Ltd", "Bangladesh", "bn_lat"),
    Supplier(2, "Termezmaster LLC", "Uzbekistan", "ru_lat"),
]


def test_who_is_found_and_who_is_hit_by_mistake_is_counted() -> None:
    index = InMemory.of(KNOWN)
    asked = ask_all(
        index,
        [
            Query(0, "typo1", "Zuotianshy Building Materials", "China"),
            Query(1, "typo1", "Nobody of this kind", "Bangladesh"),
            Query(-1, "negative", "Termezmaster", "Uzbekistan"),
        ],
    )
    found = tallies(index, asked)
    assert (found["Latin"].asked, found["Latin"].found, found["Latin"].false) == (2, 1, 0)
    assert (found["unlisted"].asked, found["unlisted"].found, found["unlisted"].false) == (1, 0, 1)
    assert found["Latin"].missed == ["typo1: Nobody of this kind | Kaixinda Textile Ltd"]
    assert tallies(index, asked, least=1_000)["Latin"].found == 0


def marked(score: int, same: bool, verdict: Verdict = Verdict.REVIEW, dataset: str = "figi") -> Marked:
    pair = LabelledPair(dataset, ("A", "B"), ("", ""), ("", ""), same, "")
    return Marked(pair, Likeness(verdict, (Part(PartKind.WORD, "", "", "", score),)))


def test_recall_at_a_precision_never_divides_what_has_equal_points() -> None:
    of = [marked(90, True), marked(80, True), marked(80, False), marked(70, True)]
    assert recall_at(of, precision=0.95) == pytest.approx(1 / 3)
    assert recall_at(of, precision=0.75) == 1.0


def test_another_site_counts_as_found_for_companies_and_not_for_facilities() -> None:
    assert f1([marked(90, True, Verdict.OTHER_SITE)]).recall == 1
    assert f1([marked(90, True, Verdict.OTHER_SITE, "osh_facility")]).recall == 0
    assert f1([marked(90, True), marked(90, False), marked(10, False, Verdict.NONE)]).precision == 0.5


def test_a_peer_that_is_not_there_is_said_not_to_be_measured() -> None:
    assert Peer(None).in_words() == "nomenklatura logic-v2: not measured (not asked for)"
    without = Peer(Path(sys.executable))
    assert not without.is_there and "No module named 'followthemoney'" in without.in_words()


def test_suppliers_are_the_same_each_time_and_the_tables_are_written(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del shared_data
    monkeypatch.setenv("COMITY_CACHE", str(tmp_path / "one"))
    made = list(suppliers(1_500))
    monkeypatch.setenv("COMITY_CACHE", str(tmp_path / "other"))
    assert made == list(suppliers(1_500))
    index = InMemory.of(made)
    asked = ask_all(index, [query for query in queries() if query.number < len(made)][:20])
    written = tables(index, asked, mark_pairs(pairs()[::40], all_alike), "held-out")
    assert "among 1,500 suppliers" in written and "(**the threshold**)" in written
    now = PAGE.read_text("utf-8")
    then = page(now, written)
    assert written in then and page(then, "") == page(now, "")
    assert then.partition("<!-- measured -->")[0] == now.partition("<!-- measured -->")[0]
