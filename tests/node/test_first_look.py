"""The first look at many candidates: it may only leave out whom comparing would leave out."""

from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random
from zlib import crc32

import pytest

from bench.frame.suppliers import pairs
from comity_node.domain.matching.bones import bones_of_lines, skeleton_of
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.first_look import who_may_be
from comity_node.domain.matching.folding import fold
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party
from comity_node.lexicon import read
from comity_schemas.identifiers import Identifier
from compared_names import compared_names


def named(name: str, *identifiers: Identifier, **more: tuple[str, ...]) -> Party:
    return Party((name,), identifiers=identifiers, **more)


def uneven(word: str) -> float:
    """Return a weight of a word that has nothing to do with how it is written."""
    return 1 + crc32(word.encode()) % 12


def left_out(asked: Party, known: list[Party]) -> tuple[list[str], int]:
    """Return who was left out and is a hit, and how many were left out."""
    may_be = who_may_be(asked, known, uneven)
    out = [party for party, may in zip(known, may_be, strict=True) if not may]
    hits = [party.names[0] for party in out if compare(asked, party, uneven).verdict is not Verdict.NONE]
    return hits, len(out)


def test_nobody_is_left_out_whom_comparing_shows() -> None:
    made, random, shown = compared_names(), Random(7), Counter[str]()
    for one, other in made[::3]:
        asked, known = named(one), [named(other), *(named(name) for _, name in random.sample(made, 6))]
        hits, out = left_out(asked, known)
        assert not hits, (one, hits)
        shown.update(left_out=out, looked_at=len(known))
    assert shown["left_out"] > 0.6 * shown["looked_at"]


@pytest.mark.parametrize(("one", "other"), [("Labour", "Labs"), ("Banglon", "BD"), ("Imports", "Impex")])
def test_what_a_word_is_short_for_may_begin_as_the_other_word(one: str, other: str) -> None:
    # Neither means the other, and their letters say nothing: "labs" is short for laboratories, "bd" for Bangladesh.
    for asked, known in ((one, other), (other, one)):
        assert compare(named(asked), named(known), uneven).verdict is not Verdict.NONE
        assert left_out(named(asked), [named(known)]) == ([], 0)


def test_nobody_is_left_out_of_labelled_pairs(shared_data: Path) -> None:
    del shared_data
    names = [pair.names for pair in islice(pairs(), 0, None, 24)]
    hits = 0
    for place, (one, other) in enumerate(names):
        known = [named(other), *(named(each[1]) for each in names[place + 1 : place + 8])]
        assert left_out(named(one), known)[0] == [], one
        hits += compare(named(one), known[0], uneven).verdict is not Verdict.NONE
    assert hits > 0.3 * len(names)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("Zuotian", "Zuotian Kaixinda Textile Trading"),
        ("Kaixinda Zuotian Bolunte", "Kaixinda"),
        ("Kaixindazuotian Bolunte", "Kaixinda Zuotian Bolunte"),
        ("Kai Xin Da Zuotian", "Kaixinda Zuotian"),
        ("Kaixidna Zuotian", "Kaixinda Zuotian"),
        ("Kaixindabolu Dorf", "Kaixindabolunte Dorf"),
        ("Lapaz Bolunte", "La Paz Bolunte"),
        ("Kaixinda Mdynh", "Kaixinda Medina"),
        ("Kaixinda Intl", "Kaixinda Interx"),
        ("KZB Dorfmann", "Kaixinda Zuotian Bolunte Dorfmann"),
        ("Kaixinda Zuotian Bolunte Dorfmann", "KZB Dorfmann"),
        ("Kaix indaz Bolunte", "Kaixi ndaz Bolunte"),
        ("Mchn Kaixinda", "Machinery Kaixinda"),
        ("Zuotian Spinning Mill", "Zuotian Filature"),
        ("Guangdong Foshan Kaixinda", "广东佛山开心达有限公司"),
        ("深圳儒机械制造股份有限公司", "深圳儒汉机械制造股份有限公司"),
        ("开心达纺织", "Kaixinda Textile"),
        ("شركة الجميل", "Gamil"),
        ("Khaleed Bolunte", "خالد بولونتي"),
        ("Zuotian Knit Tan Phu Branch", "Zuotian Knit Ha Nam Branch"),
        ("河北建设集团第一分公司", "河北建设集团第二分公司"),
        ("Kaixinda Ltd, formerly Zuotian", "Zuotian"),
        ("Zuotian Forty-four", "Zuotian 44"),
        ("Three Percenters", "3%ers"),
        ("Zuotian Vietnam", "Zuotian"),
        ("شركة الوفاء", "Al Wafaa"),
    ],
)
def test_each_way_to_be_one_is_looked_at(asked: str, known: str) -> None:
    hits = 0
    for more, others in (("", ""), (" Quellenhof", " Farbwerke"), ("", " Farbwerke"), (" Quellenhof", "")):
        mine, theirs = named(asked + more), named(known + others)
        for one, other in ((mine, theirs), (theirs, mine)):
            for rare in fold(one.names[0]).words:

                def rarity(word: str, rare: str = rare) -> float:
                    return 12.0 if word == rare else 1.0

                is_hit = compare(one, other, rarity).verdict is not Verdict.NONE
                assert who_may_be(one, [other], rarity)[0] or not is_hit, (one, other, rare)
                hits += is_hit
    assert hits


def test_what_stands_beside_the_name_is_looked_at() -> None:
    one, other = Identifier(scheme="UNGM", id="1111"), Identifier(scheme="UNGM", id="2222")
    known = [named("Something else", one), named("Something else", other), named("Kaixinda")]
    assert who_may_be(named("Zuotian", one), known, uneven) == [True, False, False]
    assert who_may_be(Party((), identifiers=(one,)), known, uneven) == [True, False, False]
    assert who_may_be(named("Zuotian"), [], uneven) == []
    place = ("Plot 104, Jurf Industrial 1, near Ajman Car Souq, Ajman",)
    some = "Zuotian Kaixinda Bolunte Dorfmann Ostrau", "Zuotian Kaixinda"
    with_place = [named(name, addresses=place) for name in some]
    assert compare(*with_place, lambda _: 5.0).verdict is not Verdict.NONE
    assert who_may_be(with_place[0], with_place[1:], lambda _: 5.0) == [True]


def test_the_bones_of_many_words_are_those_of_each() -> None:
    written = [row.written for kind in ("trades", "places") for row in read(kind)][::7]
    lines = [" ".join(fold(f"{one} {two}").words) for one, two in zip(written, reversed(written), strict=True)]
    lines += ["", "a", "aeiou bb", "xx q ph", "ßß éé 11 1", "𐎀𐎀 𐎁"]
    assert bones_of_lines(lines) == [[skeleton_of(word) for word in line.split(" ")] for line in lines]
    assert bones_of_lines([]) == []
