"""The harmonised vocabulary as people ask for it: `comity indicators`."""

import json

from comity_schemas.indicators import CrosswalkOnly, Indicator
from comity_schemas.meanings import MEANINGS
from node_world import comity


def test_indicators_are_listed_with_their_sentences_and_say_which_are_never_published() -> None:
    listed = comity("indicators").stdout
    for code, meaning in MEANINGS.items():
        assert f"{code.value}  {meaning.name}: {meaning.sentence}" in listed
    for only in CrosswalkOnly:
        assert any(line.startswith(only.value) and "never published" in line for line in listed.splitlines())


def test_indicators_for_scripts_are_all_codes_in_their_order() -> None:
    told = json.loads(comity("indicators", "--json").stdout)
    assert [each["code"] for each in told] == [code.value for code in (*Indicator, *CrosswalkOnly)]
    assert {each["code"] for each in told if each["published"]} == {code.value for code in Indicator}
    assert told[6]["ask"] == list(MEANINGS[Indicator("FL07")].ask)


def test_one_indicator_is_told_in_full_and_an_unknown_code_names_the_known_ones() -> None:
    told = comity("indicators", "fl07").stdout
    assert "indicator of forced labour reported" in told and "look for" in told
    unknown = comity("indicators", "FL99")
    assert unknown.returncode == 2 and "FL07" in unknown.stderr
