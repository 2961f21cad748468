"""Folding names and the keys they are found under: what falls away, what stays, in every script, and bad input."""

import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from comity_node.domain.matching.bones import skeleton_of
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.folding import MOST_LETTERS, MOST_WORDS, bare_word, fold
from comity_node.domain.matching.keys import MOST_KEYS, posting_keys
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.names import fold_name, lasting_name

LEGAL_FORMS = {
    "Exemplar": [
        "Exemplar Co., Ltd.", "EXEMPLAR (PTY) LTD", "Exemplar S.A. de C.V.", "PT. Exemplar Tbk", "Exemplar Sp. z o.o.",
        "Exemplar S/A", "Exemplar A/S", "Exemplar GmbH & Co. KG", "Công ty TNHH Exemplar", "Exemplar W.L.L.",
        "Exemplar Ltda - ME", "Exemplar Pvt. Ltd", "The Exemplar Company Limited", "Exemplar Sdn.Bhd.", "Exemplar MChJ",
    ],
    "Ромашка": ["ООО «Ромашка»", "Ромашка, ТОО", "АО Ромашка", "Общество с ограниченной ответственностью Ромашка"],
    "Άλφα": ["Άλφα Α.Ε.", "ΑΛΦΑ ΕΠΕ"],
    "نور": ["شركة النور ذ.م.م", "شركة النور المحدودة", "النور ش.م.م"],
    "پارس": ["شرکت پارس (سهامی خاص)"],
    "کوہ نور": ["کوہ نور پرائیویٹ لمیٹڈ"],
    "כהן": ['כהן בע"מ', "כהן בע״מ"],
    "华为": ["华为有限公司", "華為股份有限公司", "华为公司"],
    "東豊": ["株式会社東豊", "（株）東豊", "㈱東豊", "東豊合同会社"],
    "삼성": ["삼성(주)", "주식회사 삼성", "㈜삼성"],
    "রহিম": ["রহিম লিমিটেড", "রহিম প্রাইভেট লিমিটেড", "রহিম লিঃ"],
    "टाटा": ["टाटा लिमिटेड", "टाटा प्रा. लि."],
    "ปตท": ["บริษัท ปตท จำกัด (มหาชน)", "บริษัทปตทจำกัด"],
}  # fmt: skip


@pytest.mark.parametrize(("bare", "written"), [(bare, name) for bare, names in LEGAL_FORMS.items() for name in names])
def test_a_legal_form_falls_away_in_every_script(bare: str, written: str) -> None:
    assert fold(written).words == fold(bare).words
    assert fold(written).legal


@pytest.mark.parametrize("name", ["AS Roma", "Sa Sa International", "Salt Cobalt", "Inca Trading", "주성", "Minh Phú"])
def test_a_part_of_a_name_is_no_legal_form(name: str) -> None:
    assert set(fold(name).words) >= {word for word in lasting_name(name).split() if len(word) > 2 and word.isascii()}


@pytest.mark.parametrize(
    ("native", "latin"),
    [
        ("深圳市华为电子有限公司", "Shenzhen Huawei Electronic Co., Ltd."),
        ("شركة الرحمن للمقاولات", "Rahman Contracting Co."),
        ("রহিম টেক্সটাইল মিলস লিমিটেড", "Rahim Textile Mills Ltd."),
        ("삼성전자(주)", "Samseong Electronics Co., Ltd."),
        ("株式会社鈴木製作所", "Suzuki Seisakusho K.K."),
        ("टाटा स्टील लिमिटेड", "Tata Steel Limited"),
        ("ООО «Геотрейд-Строй»", "Geotreyd-Stroy LLC"),
        ("Ελληνικά Τσιμέντα Α.Ε.", "Hellenic Cement S.A."),
        ("תעשיות נייר ישראל בע\"מ", "Israel Paper Industries Ltd."),
    ],
)  # fmt: skip
def test_a_name_is_found_in_its_own_script_by_its_latin_one_and_back(native: str, latin: str) -> None:
    rare = [key for key, weight in posting_keys(fold(native)).items() if weight > 1]
    assert len(set(rare) & set(posting_keys(fold(latin)))) >= 2


def test_a_name_of_trades_places_and_letters_alone_is_generic() -> None:
    assert all(
        fold(name).is_generic for name in ("ABC Trading Ltd.", "A-B-C Company", "深圳市电子有限公司", "Dhaka Textile")
    )
    assert not any(
        fold(name).is_generic for name in ("Huawei Trading", "华为技术有限公司", "Ромашка", "Rahim Textile", "Minh Phú")
    )


def test_like_letters_of_another_script_inside_a_word_are_read_as_what_they_look_like() -> None:
    assert fold_name("Rоmаshka Ltd") == "romashka"  # with Cyrillic о and а
    assert fold_name("Ромашкa") == fold_name("Ромашка")  # with a Latin a
    assert fold_name("Παπαδoπουλος") == fold_name("Παπαδόπουλος")  # with a Latin o


def test_one_like_letter_turns_no_word_into_another_script() -> None:
    """Each Latin capital and small letter beside the Cyrillic, Greek and Armenian ones that look like it."""
    like = "AАΑ BВΒ CСϹ EЕΕ HНΗ IІΙӀ JЈ KКΚ MМΜ NΝ OОΟ PРΡ QԚ SЅ TТΤ VѴ WԜ XХΧ YΥҮ ZΖ GԌ "
    like += "aаα bьβ cс dԁ eеε hһ iіι jј kкκ lӏ mмμ nнոη oоοօ pрρ qԛ sѕ tтτ uսυ vνѵ wωԝ xхχ yуγү zζ rг"
    for latin, *others in like.split():
        name = f"Brand{latin}ol" if latin.islower() else f"BRAND{latin}OL"
        for other in others:
            said = fold_name(name[:5] + other + name[6:])
            assert said == name.lower() or other in "нη", (latin, other)  # as capitals they are an H
    assert fold_name("Branжol") == "branzhol"


def test_a_name_is_the_same_in_traditional_simplified_and_japanese_letters() -> None:
    for names in (
        ("廣東橫崗園區編織廠", "广东横岗园区编织厂"),
        ("香港郵寶貿易有限公司", "香港邮宝贸易有限公司"),
        ("鄒記醬園", "邹记酱园"),
        ("單對實業", "単対実業", "单对实业"),
    ):
        assert len({fold(name) for name in names}) == 1, names


def test_signs_between_letters_part_persian_words_and_change_no_others() -> None:
    assert fold("پارچه\u200cبافی یزد") == fold("پارچه بافی یزد")
    assert fold("Exem\u200cplar\u200d Gloves™ ®").words == ("exemplar", "gloves")
    for written, bare in (("ශ්\u200dරී ලංකා", "ශ්රී ලංකා"), ("র\u200d্যাংগস", "র্যাংগস"), ("टाटा\u200d", "टाटा")):
        assert fold(written) == fold(bare)


def test_a_ukrainian_name_is_found_by_the_h_that_its_latin_one_has() -> None:
    found = compare(Party(("ТОВ Галичина",)), Party(("Halychyna LLC",)))
    assert found.verdict is Verdict.REVIEW


def test_invisible_and_direction_changing_signs_change_nothing() -> None:
    assert fold_name("Exem\u200bplar\u202e Glo\u00adves") == "exemplar gloves"
    assert fold_name("Exemplar\tGloves\x00") == "exemplar gloves"


@pytest.mark.parametrize(
    "name", ["x" * 10_000, "有限" * 5_000, "ก" * 10_000, "a b " * 5_000, "شركة " * 2_000, "." * 10_000]
)
def test_a_name_of_ten_thousand_letters_stays_bounded(name: str) -> None:
    folded = fold(name)
    assert len(folded.words) <= 3 * MOST_WORDS
    assert len(folded.joined) <= 8 * MOST_LETTERS
    assert len(posting_keys(folded)) <= MOST_KEYS


def test_no_name_folds_to_nothing_and_has_no_key() -> None:
    assert fold("").words == fold(" \n").words == ()
    assert posting_keys(fold("")) == {}


names = st.text(
    st.one_of(
        st.sampled_from("abcdexyz 019.-&'()ΑΒабвгشركةال有限公司株会社주식회사লিমিটেডप्राจำกัด\u200d\u202e\x00"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(names)
@example("S.A.")
@example("有限公司")
def test_folding_any_text_is_safe_and_its_keys_are_signed_32_bit_numbers(name: str) -> None:
    folded = fold(name)
    visible = "".join(c for c in unicodedata.normalize("NFKD", name) if not c.isspace())
    assert bool(folded.words) == bool(visible)
    assert all(word and word == word.strip() and " " not in word for word in folded.words)
    assert all(-(2**31) <= key < 2**31 and weight > 0 for key, weight in posting_keys(folded).items())


@settings(max_examples=200, deadline=None)
@given(names)
def test_what_was_folded_folds_to_itself_but_for_legal_forms(name: str) -> None:
    once = fold(name)
    assume(all(word.isascii() for word in once.words))
    twice = fold(once.joined)
    assume(not twice.legal)
    assert twice.words in ((once.joined,), ())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["gloves", "rahim", "textile", "star", "huawei"]), min_size=1, max_size=5))
def test_the_order_of_words_is_kept_and_changes_no_key_but_of_what_is_joined(words: list[str]) -> None:
    there, back = fold(" ".join(words)), fold(" ".join(reversed(words)))
    assert there.words == tuple(words) == tuple(reversed(back.words))
    assert len(set(posting_keys(there)) ^ set(posting_keys(back))) <= 2 * len(words), "those of what is joined"


def test_keys_are_the_same_in_another_process() -> None:
    asked = ["华为技术有限公司", "شركة النور للتجارة ذ.م.م", "Exemplar Gloves Sdn. Bhd.", "ООО «Ромашка»"]
    code = (
        "import json, sys; from comity_node.domain.matching.folding import fold;"
        "from comity_node.domain.matching.keys import posting_keys;"
        "print(json.dumps([sorted(posting_keys(fold(n)).items()) for n in json.loads(sys.argv[1])]))"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(asked)], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == [[list(k) for k in sorted(posting_keys(fold(n)).items())] for n in asked]


def test_skeletons_bridge_spellings_of_one_sound() -> None:
    pairs = (("mohammed", "muhamad"), ("qassim", "kasim"), ("khaled", "khalid"), ("xinjiang", "ksnyng"))
    assert all(skeleton_of(one) == skeleton_of(other) for one, other in pairs[:3])
    assert skeleton_of("aeiou") == ""


def test_words_of_one_trade_are_compared_by_one_word_in_any_language() -> None:
    assert len({bare_word(word) for word in ("shoes", "footwear", "calcados", "ayakkabi")}) == 1
    assert bare_word("gloves") == "glove"
    assert bare_word("huawei") == "huawei"
