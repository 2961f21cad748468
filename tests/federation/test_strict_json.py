import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import STRICT_VALUES
from comity_federation.strict_json import MAX_DEPTH, MAX_INTEGER, NotStrict, dumps, loads


@given(STRICT_VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(STRICT_VALUES, st.integers(0, 3), st.booleans())
def test_it_agrees_with_other_parsers_on_strict_values(value: Any, indent: int, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert loads(text.encode()) == json.loads(text) == value


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0123456789.-+eE truefalsn').map(str.encode))
@settings(max_examples=300)
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with contextlib.suppress(NotStrict):
        value = loads(raw)
        assert value == json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "syntax"),
        (b"[1,]", "syntax"),
        (b"01", "syntax"),
        (b"[1] []", "syntax"),
        (b"'a'", "syntax"),
        (b'"\x00"', "syntax"),
        (b"\xff", "encoding"),
        (b"\xef\xbb\xbf{}", "encoding"),
        (b"\xed\xa0\x80", "encoding"),
        ("{}".encode("utf-16"), "encoding"),
        (b'{"a":1,"a":1}', "duplicate-key"),
        (rb'{"a":1,"\u0061":2}', "duplicate-key"),
        (b'[{"b":{"":1,"":1}}]', "duplicate-key"),
        (b"1.0", "float"),
        (b"1e2", "float"),
        (b"NaN", "float"),
        (b"-Infinity", "float"),
        (b"9007199254740992", "integer"),
        (b"-9007199254740992", "integer"),
        (b"9007199254740993", "integer"),
        (b"1" * 5000, "integer"),
        (b"-0", "integer"),
        (b"[" * 33 + b"]" * 33, "depth"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "depth"),
        (b"[" * 1_000_000, "depth"),
        (rb'"\u0000"', "nul"),
        (rb'{"\u0000":1}', "nul"),
        (rb'[[{"a":["\u0000"]}]]', "nul"),
        (rb'"\ud800"', "surrogate"),
        (rb'"\udc00\ud800"', "surrogate"),
        (rb'{"\udfff":1}', "surrogate"),
    ],
)
def test_what_readers_could_take_in_two_ways_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(NotStrict) as refused:
        loads(raw)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"9007199254740991", MAX_INTEGER),
        (b"-9007199254740991", -MAX_INTEGER),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\\u0000"', r"\u0000"),
        (b'"' + b"[" * 100 + b'"', "[" * 100),
        (b'["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', ['"' + "[" * 38]),
    ],
)
def test_what_has_one_meaning_is_read(raw: bytes, value: Any) -> None:
    assert loads(raw) == value


def test_32_levels_are_read() -> None:
    value = loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(loads(b"[" + b",".join([b"[]"] * 100) + b"]")) == 100


@given(STRICT_VALUES)
def test_a_value_is_written_as_the_standard_library_writes_it(value: Any) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_an_integer_too_large_for_any_reader_is_still_written_as_it_is() -> None:
    assert dumps([2**70]) == b"[1180591620717411303424]"


def test_a_string_that_ends_in_an_escape_hides_no_depth_behind_it() -> None:
    with pytest.raises(NotStrict, match="depth"):
        loads(rb'["\n",' + b"[" * 32 + b"]" * 32 + b"]")


def test_what_is_written_has_one_form() -> None:
    assert dumps({"é": [1, "x"], "a": {}}) == '{"é":[1,"x"],"a":{}}'.encode()
    assert dumps({"é": [2**64, "x"], "a": {}}) == '{"é":[18446744073709551616,"x"],"a":{}}'.encode()
