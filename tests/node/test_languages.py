"""Texts in the six UN languages: marked until reviewed, held to the glossary, never in the original's place."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import CHECKOUT
from comity_node.cli.report import say_drafts
from comity_node.domain.vocabulary import (
    ANSWERS,
    CODES,
    CodeWords,
    Language,
    Page,
    Texts,
    Translated,
    parse_code_words,
    parse_texts,
    worded,
)
from comity_node.vocabulary import describe_answers, describe_said, glossary, letter_words, page_words, texts
from comity_schemas.indicators import ILO_ELEVEN, Indicator
from comity_schemas.meanings import MEANINGS, reported
from node_world import comity

OTHERS = [language for language in Language if language is not Language.ENGLISH]
FOLDER = CHECKOUT / "node" / "comity_node" / "vocabulary" / "texts"


def of(language: Language) -> Texts:
    found = texts(language)
    assert found is not None
    return found


def pairs(language: Language) -> list[tuple[str, str]]:
    """Every English text with its translation."""
    found: list[tuple[str, str]] = []
    for code, meaning in MEANINGS.items():
        entry = of(language).of(code)
        assert entry is not None
        found += [(meaning.name, entry.name), (meaning.sentence, entry.sentence)]
        found += [*zip(meaning.look_for, entry.look_for, strict=True), *zip(meaning.ask, entry.ask, strict=True)]
    return found


# --- complete, current, marked


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_there_and_belongs_to_the_english_original_of_today(language: Language) -> None:
    outdated = [code for code in Indicator if of(language).of(code) is None]
    assert outdated == [], f"the English of {outdated} has changed: renew {language}.toml, and its review"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_marked_until_a_person_has_reviewed_it(language: Language) -> None:
    for code in Indicator:
        for text in (of(language).translated(code, "name"), of(language).reported(code)):
            assert text is not None and text.reviewed is None, "a person has reviewed it: mend this test"
    assert of(language).phrases.machine_written


@pytest.mark.parametrize("language", OTHERS)
def test_names_are_told_apart_and_are_not_left_in_english(language: Language) -> None:
    entries = of(language).entries
    assert len({entry.name for entry in entries.values()}) == len(Indicator)
    same = [original for original, translation in pairs(language) if original == translation]
    assert same in ([], ["Discrimination"])
    latin = language in (Language.FRENCH, Language.SPANISH)
    for _, translation in pairs(language):
        assert any(ord(sign) > 0x370 for sign in translation) != latin or "œ" in translation or "’" in translation


def test_a_text_whose_original_has_changed_is_not_used() -> None:
    raw = (FOLDER / "fr.toml").read_text("utf-8")
    mark = of(Language.FRENCH).entries[Indicator("FL07")].original
    assert raw.count(mark) == 1
    changed = parse_texts(raw.replace(mark, "AAAAAAAA"))
    assert changed.of(Indicator("FL07")) is None
    assert changed.translated(Indicator("FL07"), "name") is None and changed.reported(Indicator("FL07")) is None
    assert changed.of(Indicator("FL08")) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [("[text.FL07]", "[text.FL77]"), ("[text.FL07]", "[text.EN01]"), ('reviewed = "no"\n', ""), ("EN01 = ", "EN02 = ")],
)
def test_a_file_that_lacks_a_text_or_has_one_too_many_is_refused(old: str, new: str) -> None:
    raw = (FOLDER / "es.toml").read_text("utf-8")
    assert old in raw
    with pytest.raises(ValueError, match=r"validation error|lacks"):
        parse_texts(raw.replace(old, new, 1))


# --- never in place of the original


@pytest.mark.parametrize("page", [Page.RELEASE, Page.REPLY, Page.DECISION])
@pytest.mark.parametrize("reviewed", [None, "A. Person, 2026-12-01"])
def test_on_a_release_a_reply_and_a_decision_the_english_original_leads(page: Page, reviewed: str | None) -> None:
    for language in OTHERS:
        for code in Indicator:
            said = of(language).reported(code)
            assert said is not None
            shown = worded(reported(code), Translated(said.text, language, reviewed), page)
            assert (shown.leads, shown.beside) == (reported(code), said.text)


def test_elsewhere_a_translation_may_lead_and_the_original_stands_beside_it() -> None:
    said = of(Language.CHINESE).reported(Indicator("FL07"))
    shown = worded(reported(Indicator("FL07")), said, Page.GUIDANCE)
    assert (shown.leads, shown.beside) == ("已报告的强迫劳动指标: 扣押身份证件", reported(Indicator("FL07")))
    alone = worded("English", None, Page.GUIDANCE)
    assert (alone.leads, alone.beside) == ("English", None)


def test_what_would_leave_is_shown_in_english_first_with_the_marked_translation_under_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clear = {"indicators": [{"indicator": "FL07", "basis": "stated"}]}
    draft = {"observation": "O1", "handling": {"tlp": "GREEN"}, "clear": clear, "disclosed": {}, "withheld": {}}
    say_drafts({"drafts": [draft], "proposals": [], "fates": []}, Language.RUSSIAN)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  indicator of forced labour reported: Retention of identity documents"
    assert lines[2].startswith("    сообщено о признаке принудительного труда: Удержание удостоверений личности [")
    assert "ещё не проверен человеком" in lines[2]


def test_only_the_rule_decides_which_text_leads() -> None:
    """Whoever shows a text asks `worded`; a translation is no string, so the type checker holds the rest."""
    may = {"domain/vocabulary", "vocabulary/", "cli/vocabulary.py", "api/vocabulary.py", "services/review/mail.py"}
    package = CHECKOUT / "node" / "comity_node"
    using = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(word in path.read_text("utf-8") for word in ("parse_texts", "Translated(", "vocabulary import texts"))
    ]
    assert [path for path in using if not any(path.startswith(prefix) for prefix in may)] == []
    assert len(using) >= 3


# --- the glossary


@pytest.mark.parametrize("language", OTHERS)
def test_the_locked_terms_are_kept_in_every_text(language: Language) -> None:
    faults = [fault for pair in pairs(language) for fault in glossary().faults(*pair, language)]
    assert faults == []
    said = of(language).phrases.forced_labour_reported
    assert glossary().faults("indicator of forced labour reported", said, language) == []


def test_every_locked_term_is_used_by_some_text_and_names_its_source() -> None:
    originals = " ".join(original for original, _ in pairs(Language.FRENCH)).casefold()
    for term in glossary().term:
        assert term.source and any(form in originals for form in term.en), term.en


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("fr", "Travaux obligatoires imposés par l'État", "none of travail forcé"),
        ("es", "Trabajos forzados impuestos por el Estado", "never said"),
        ("ru", "Рабский труд", "never said"),
        ("zh", "国家强加的强制劳动", "none of 强迫劳动"),
        ("ar", "السخرة التي تفرضها الدولة", "never said"),
    ],
)
def test_another_word_for_a_locked_term_is_found(language: str, text: str, said: str) -> None:
    faults = glossary().faults("State-imposed forced labour", text, Language(language))
    assert any(said in fault for fault in faults), faults


# --- as people ask for it


def test_the_command_marks_what_a_machine_wrote_and_shows_the_original_too() -> None:
    told = comity("indicators", "FL07", "--language", "fr").stdout.splitlines()
    assert told[0].startswith("[Texte écrit par une machine")
    assert told[1].startswith("FL07  Rétention de documents d'identité: ")
    assert told[2].strip().startswith("Retention of identity documents: ")
    described = json.loads(comity("indicators", "--language", "ar", "--json").stdout)
    assert all(each["translation"]["mark"] for each in described if each["published"])
    assert [each["name"] for each in described[:11]] == [MEANINGS[code].name for code in ILO_ELEVEN]


def test_the_files_are_the_five_languages_the_glossary_the_codes_the_answers_the_page_the_mail_and_the_letter() -> None:
    assert {path.name for path in Path(FOLDER).iterdir()} == {
        *(f"{other.value}.toml" for other in OTHERS),
        *("answers.toml", "codes.toml", "glossary.toml", "letter.toml", "mail.toml", "page.toml"),
    }


# --- codes in words, and what the supplier's page says around them


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("describe", "keys"), [(describe_answers, ANSWERS), (describe_said, CODES)])
def test_every_code_has_words_the_english_leads_and_a_machines_are_marked(
    language: Language, describe: Callable[[Language], list[dict[str, str | None]]], keys: tuple[str, ...]
) -> None:
    said = describe(language)
    assert [f"{each['kind']}.{each['code']}" for each in said] == list(keys)
    english = [each["says"] for each in describe(Language.ENGLISH)]
    assert [each["says"] for each in said] == english, "the original leads"
    beside = [each["beside"] for each in said]
    if language is Language.ENGLISH:
        assert set(beside) == {None}
        return
    assert all(each["mark"] for each in said), "a person has reviewed them: mend this test"
    assert all(beside) and len(set(beside)) >= len(set(english)) - 1, "codes are told apart"
    faults = [
        fault for pair in zip(english, beside, strict=True) for fault in glossary().faults(*map(str, pair), language)
    ]
    assert faults == []


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("words", [page_words, letter_words])
def test_page_and_letter_say_all_they_say_in_every_language_by_the_glossary_and_put_the_same_in(
    words: Callable[[], dict[Language, CodeWords]], language: Language
) -> None:
    original, other = words()[Language.ENGLISH], words()[language]
    assert (original.reviewed, other.reviewed) == ("original", "no"), "a person has reviewed it: mend this test"
    for key, said in original.words.items():
        beside = other.words[key]
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", beside)), key
        assert glossary().faults(said, beside, language) == [], key
    untranslated = {key for key, said in original.words.items() if other.words[key] == said}
    assert untranslated == set()


def test_words_that_lack_a_code_are_refused() -> None:
    toml = (FOLDER / "answers.toml").read_text("utf-8")
    with pytest.raises(ValueError, match=r"code\.remedied"):
        parse_code_words(toml.replace('"code.remedied" = "已予纠正"\n', ""), ANSWERS)
    with pytest.raises(ValueError, match=r"code\.remedied"):
        parse_code_words(toml.replace('"code.remedied" = "已予纠正"\n', ""))
