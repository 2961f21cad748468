"""From the bytes of a fetch to records, deciding by the header of each batch what is decoded at all.

Rules:
- Only plain batches of format 2 are decoded. Compressed and older ones are skipped by their header: 6.5 kB of zstd
  become 200 MB, and a decoder that raises costs ten times what skipping costs.
- Nothing a publisher wrote raises here. Every complete batch yields at least one item that moves the reader on.
- Offsets never go back: what lies before the wanted position is dropped. Nor do they go where no log reaches.
- What is skipped in a row for one reason is one item: ten thousand hostile batches are no work for whoever reads.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatch  # type: ignore[import-untyped]

from comity_federation.bus import MOST_OFFSET, Delivered, Skipped

_FRAME: Final = struct.Struct(">qi")
"""Base offset and length of what follows: the same in all formats."""

_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""Format 2: base offset, length, leader epoch, magic, crc, attributes, last offset delta, …, record count."""

_MAGIC_AT: Final = 16
_CODEC, _CONTROL = 0x07, 0x20
_CODECS: Final = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_SMALLEST_RECORD_BYTES: Final = 7


@dataclass(frozen=True, slots=True)
class Damaged:
    """A batch whose checksum does not match: perhaps only on the way here, so worth asking again."""

    topic: str
    first: int
    last: int


def open_batches(topic: str, raw: bytes, position: int) -> Iterator[Delivered | Skipped | Damaged]:
    """Yield what a fetch from `position` brought, in order, lazily.

    A batch cut off at the end is left out: the next fetch begins with it.
    """
    skipped: Skipped | None = None
    for item in _open_each(topic, raw, position):
        if isinstance(item, Skipped):
            if skipped is None:
                skipped = item
                continue
            if (skipped.last + 1, skipped.reason) == (item.first, item.reason):
                skipped = Skipped(topic, skipped.first, item.last, item.reason)
                continue
        if skipped is not None:
            yield skipped
            skipped = item if isinstance(item, Skipped) else None
        if not isinstance(item, Skipped):
            yield item
    if skipped is not None:
        yield skipped


def _open_each(topic: str, raw: bytes, position: int) -> Iterator[Delivered | Skipped | Damaged]:
    view = memoryview(raw)
    at = 0
    while at + _FRAME.size <= len(view):
        base, length = _FRAME.unpack_from(view, at)
        end = at + _FRAME.size + length
        if length < 0 or end > len(view):
            return
        for item in _open_batch(topic, view[at:end], base, position):
            position = (item.offset if isinstance(item, Delivered) else item.last) + 1
            yield item
        at = end


def _open_batch(topic: str, batch: memoryview, base: int, position: int) -> Iterator[Delivered | Skipped | Damaged]:
    magic = batch[_MAGIC_AT] if len(batch) > _MAGIC_AT else -1
    if magic != 2 or len(batch) < _HEADER.size:
        # Before format 2 a batch is one message, and a wrapper carries the offset of its last one.
        yield Skipped(topic, position, max(position, min(base, MOST_OFFSET)), f"batch of format {magic}")
        return
    attributes, last_delta = _HEADER.unpack_from(batch)[5:7]
    last = max(position, min(base + last_delta, MOST_OFFSET))
    if attributes & _CODEC:
        codec = _CODECS.get(attributes & _CODEC, "unknown codec")
        yield Skipped(topic, position, last, f"compressed batch ({codec})")
        return
    opened = DefaultRecordBatch(bytes(batch))
    if not opened.validate_crc():
        # The header is in doubt too: believe it only as far as so many records fit into so many bytes.
        fits = 0 <= last_delta <= len(batch) // _SMALLEST_RECORD_BYTES
        yield Damaged(topic, position, last if fits else position)
        return
    if attributes & _CONTROL:
        yield Skipped(topic, position, last, "control batch")
        return
    yield from _records(topic, opened, position, last)


def _records(topic: str, opened: DefaultRecordBatch, position: int, last: int) -> Iterator[Delivered | Skipped]:
    reason = "no records"
    try:
        for record in opened:
            if record.offset < position:
                continue
            if record.offset > last:
                reason = "unreadable batch (offset beyond its end)"
                break
            position = record.offset + 1
            if record.value is None:
                yield Skipped(topic, record.offset, record.offset, "null value")
            else:
                yield Delivered(topic, record.offset, record.value)
    except Exception as why:  # Whatever a decoder raises on a hostile batch, the other logs must go on.
        reason = f"unreadable batch ({type(why).__name__})"
    if position <= last:
        yield Skipped(topic, position, last, reason)
