"""Names in one script and in two: what sounds alike, what is left out, what is read otherwise."""

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.matching.thresholds import REVIEW


def named(name: str) -> Party:
    return Party((name,))


def trades_tell_little(word: str) -> float:
    return 3.0 if word in ("import", "export", "furniture", "agriculture") else 9.0


def test_a_letter_may_be_missing_where_it_is_a_word_and_no_number() -> None:
    found = compare(named("深圳儒机械制造股份有限公司"), named("深圳儒汉机械制造股份有限公司"), lambda _: 9.0)
    assert (found.verdict, found.score) == (Verdict.REVIEW, REVIEW)
    assert found.parts[-1][3:] == ("the same but for a letter that one has more", found.parts[-1].points)
    for one, other in (
        ("深圳第二机械厂", "深圳第十二机械厂"),
        ("儒机械", "儒汉机械"),
        ("儒阳机械有限公司", "儒汉机械有限公司"),
        ("Ruh Maschinen", "Ru Maschinen"),
    ):
        reasons = [part.reason for part in compare(named(one), named(other)).parts]
        assert "the same but for a letter that one has more" not in reasons, one


def test_across_scripts_a_name_of_common_words_finds_nobody_who_says_more() -> None:
    knitwear = named("ঢাকা নিটওয়্যার লিঃ")
    assert compare(knitwear, named("Dhaka Rajshahi Knitwear Ltd.")).verdict is Verdict.NONE
    assert compare(knitwear, named("Dhaka Knitwear Ltd.")).verdict is Verdict.REVIEW
    assert compare(named("Dhaka Knitwear"), named("Dhaka Rajshahi Knitwear")).verdict is Verdict.REVIEW, "in one script"


def test_within_a_script_words_that_only_sound_alike_are_two() -> None:
    safa = named("شركة الصفا للاستيراد والتصدير")
    assert compare(safa, named("شركة يوسف للاستيراد والتصدير"), trades_tell_little).verdict is Verdict.NONE
    assert compare(safa, named("Al Safa Import Export"), trades_tell_little).verdict is Verdict.REVIEW


def test_where_only_consonants_are_written_each_of_them_tells() -> None:
    for one, other in (("الجميل", "الزامل"), ("الحرمين", "الأهرام")):
        names = [f"شركة {each} للأثاث" for each in (one, other)]
        assert compare(*map(named, names), trades_tell_little).verdict is Verdict.NONE, (one, other)
    slip = [named(f"شركة {each} للأثاث") for each in ("القحطاني", "القحطني")]
    assert compare(*slip, trades_tell_little).verdict is Verdict.REVIEW


def test_a_word_of_latin_letters_in_an_arabic_name_may_be_cut_off() -> None:
    words = [part.reason for part in compare(named("Zuotianshi أم القيوين"), named("Zuot أم القيوين")).parts]
    assert words[0] == "prefix"


def test_how_a_word_of_both_names_is_read_otherwise_says_nothing_of_their_other_words() -> None:
    # "styrd", as import is read in Arabic, can be contracted to "syd".
    jamil, said = (named(f"شركة {each} للاستيراد والتصدير") for each in ("الجميل", "السعيد"))
    assert compare(jamil, said, trades_tell_little).verdict is Verdict.NONE
    assert compare(named("Al Gamil Import Export"), jamil, trades_tell_little).verdict is Verdict.REVIEW


def test_names_of_hardly_a_consonant_sound_alike_across_scripts() -> None:
    wafa = named("شركة الوفاء للزراعة")
    found = compare(named("Al Wafaa Agriculture"), wafa, trades_tell_little)
    assert "sounds alike" in [part.reason for part in found.parts]
    assert found.verdict is Verdict.REVIEW
    assert compare(named("Al Huda Agriculture"), wafa, trades_tell_little).verdict is Verdict.NONE
