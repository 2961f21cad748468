"""Where JSON readers disagree, one text would mean two things in two implementations: all of that is refused.

The other readers are Python's own, orjson and jiter.
"""

import json
from typing import Any

import jiter
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import STRICT_VALUES
from comity_federation import strict_json

READERS = {"json": json.loads, "orjson": orjson.loads, "jiter": jiter.from_json}

ODD = {
    "a key twice": b'{"seq":1,"seq":2}',
    "a key twice, once escaped": rb'{"seq":1,"se\u0071":2}',
    "a key twice, deep inside": b'{"body":{"a":[{"b":1,"b":2}]}}',
    "a lone surrogate": rb'{"a":"\ud800"}',
    "a lone surrogate in a key": rb'{"\udfff":1}',
    "surrogates in the wrong order": rb'{"a":"\udc00\ud800"}',
    "surrogates as bytes": b'{"a":"\xed\xa0\x80"}',
    "not a number": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "more than a double holds": b'{"a":1e999}',
    "an integer beyond 2^53": b'{"a":9007199254740993}',
    "an integer beyond 64 bits": b'{"a":18446744073709551617}',
    "an integer of five thousand digits": b'{"a":' + b"9" * 5_000 + b"}",
    "minus zero": b'{"a":-0}',
    "a whole number as a float": b'{"a":1.0}',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "an overlong encoding": b'{"a":"\xc0\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a raw control character": b'{"a":"\n"}',
    "a null character": rb'{"a":"\u0000"}',
    "a thousand levels": b"[" * 1_000 + b"]" * 1_000,
    "sixty levels": b'{"a":' * 60 + b"1" + b"}" * 60,
    "text after the end": b'{"a":1}{"a":2}',
    "a comment": b'{"a":1/*x*/}',
    "a comma at the end": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a leading zero": b'{"a":01}',
    "a plus sign": b'{"a":+1}',
    "hexadecimal": b'{"a":0x1}',
    "an unknown escape": rb'{"a":"\x41"}',
    "a no-break space between": '{"a":\u00a01}'.encode(),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_what_readers_could_take_in_two_ways_is_refused(raw: bytes) -> None:
    with pytest.raises(strict_json.NotStrict):
        strict_json.loads(raw)


def test_the_readers_do_disagree() -> None:
    """Else the test above would guard against nothing."""
    differing = [name for name, raw in ODD.items() if len({_told(reader, raw) for reader in READERS.values()}) > 1]
    assert len(differing) >= 5, differing


def _told(reader: Any, raw: bytes) -> str:
    try:
        return repr(reader(raw))
    except (ValueError, RecursionError):
        return "refused"


PIECES = [
    "{", "}", "[", "]", ",", ":", '"a"', '"a":', '"\\u0061":', '"b":1', "1", "-0", "0", "1.0", "1e5", "null", "true",
    "9007199254740991", "9007199254740992", "18446744073709551616", '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000"',
    '"é"', "NaN", " ", "\n", "\\", '"', "\ufeff", "\u2028", "01", "-",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join).map(str.encode) | st.binary(max_size=40))
@example(b'{"a":1,"\\u0061":1}')
@settings(max_examples=800, deadline=None)
def test_whatever_is_read_here_means_the_same_to_every_reader(raw: bytes) -> None:
    try:
        value = strict_json.loads(raw)
    except strict_json.NotStrict:
        return
    for name, reader in READERS.items():
        told = reader(raw)
        assert told == value and repr(told) == repr(value), name


@given(STRICT_VALUES, st.booleans(), st.integers(0, 2))
@settings(max_examples=200, deadline=None)
def test_every_strict_value_is_read_alike_in_any_spelling(value: Any, ascii_only: bool, indent: int) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent or None).encode()
    assert strict_json.loads(raw) == orjson.loads(raw) == jiter.from_json(raw) == value
