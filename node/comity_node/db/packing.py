"""Many small numbers in few bytes: the supplier numbers of one posting list.

Form: one number is its bytes, as few as it takes. Several are the width of a difference (1, 2 or 4), the smallest
number, then the differences of their order, all little-endian. So a key that one supplier has, as most keys, costs
three bytes up to 16 million suppliers, and with three a row of PostgreSQL takes 40 in place of 48. One that every
hundredth has costs one byte for each of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]

MOST_BYTES = 1_800
"""Of one packed list: a row of PostgreSQL below 2,000 bytes stays whole in its page, and four fit."""

_TYPES: dict[int, np.dtype[np.unsignedinteger]] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
_FIRST = 4
_HEAD = 1 + _FIRST


def pack(numbers: Numbers) -> bytes:
    """Return numbers, ascending and each once, as bytes; `MOST_BYTES` is for the caller to keep."""
    first = int(numbers[0])
    if len(numbers) == 1:
        return first.to_bytes(max(1, (first.bit_length() + 7) // 8), "little")
    steps = np.diff(numbers)
    width = _width(int(steps.max()))
    return bytes([width]) + first.to_bytes(_FIRST, "little") + steps.astype(_TYPES[width]).tobytes()


def unpack(packed: bytes) -> Numbers:
    """Return the numbers, ascending."""
    if len(packed) <= _FIRST:
        return np.array([int.from_bytes(packed, "little")], dtype=np.int32)
    numbers = np.empty(1 + (len(packed) - _HEAD) // packed[0], dtype=np.int32)
    numbers[0] = int.from_bytes(packed[1:_HEAD], "little")
    numbers[1:] = np.frombuffer(packed, dtype=_TYPES[packed[0]], offset=_HEAD)
    return np.cumsum(numbers, dtype=np.int32)


def in_chunks(numbers: Numbers) -> Sequence[Numbers]:
    """Return ascending numbers in parts that each fit into `MOST_BYTES` when packed; the last is the shortest."""
    chunks, start = [], 0
    while start < len(numbers):
        end = start
        for width in (1, 2, 4):
            room = 1 + (MOST_BYTES - _HEAD) // width
            part = numbers[start : start + room]
            if len(part) == 1 or _width(int(np.diff(part).max())) <= width:
                end = start + len(part)
                break
        chunks.append(numbers[start:end])
        start = end
    return chunks


def _width(step: int) -> int:
    return 1 if step < 1 << 8 else 2 if step < 1 << 16 else 4
