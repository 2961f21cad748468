"""Batches that a hostile publisher or broker could send: small on the way, huge when opened, or with a lying header.

The compressed forms are written by hand, so that nothing has to hold what they would become.
"""

import asyncio
import struct
import zlib
from collections.abc import Iterator, Sequence

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from comity_federation.kafka.cluster import Cluster, only_led
from comity_federation.kafka.connections import Lane
from comity_federation.kafka_bus import KafkaSettings

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
"""Kafka's codecs, as its batches number them."""

_BATCH = struct.Struct(">qiibIhiqqqhii")
_ATTRIBUTES_AT = 21
MB = 1_000_000
_MOST_OF_A_BLOCK = 128 * 1024


def batch(records: bytes, *, codec: int = NONE, count: int = 1, last_delta: int | None = None) -> bytes:
    """Return a batch of format 2 around these bytes, with a checksum that is right whatever the rest says."""
    delta = count - 1 if last_delta is None else last_delta
    head = _BATCH.pack(0, _BATCH.size - 12 + len(records), -1, 2, 0, codec, delta, 1, 1, -1, -1, -1, count)
    raw = bytearray(head + records)
    struct.pack_into(">I", raw, _ATTRIBUTES_AT - 4, calc_crc32c(bytes(raw[_ATTRIBUTES_AT:])))
    return bytes(raw)


def record(value_bytes: int) -> tuple[bytes, bytes]:
    """Return what stands before and after a value of so many bytes in the first record of a batch."""
    before = b"\0\0\0" + _varint(-1) + _varint(value_bytes)  # attributes, times, place, no key
    after = _varint(0)  # no headers
    return _varint(len(before) + value_bytes + len(after)) + before, after


def zstd_of_zeros(count: int) -> bytes:
    """Return a record of zeros as zstd: 900 MB in 29 kB. Source: RFC 8878, 3.1.1 (frame) and 3.1.1.2 (blocks)."""
    before, after = record(count)
    raw, repeated = 0, 1
    blocks = [(raw, len(before), before)]
    left = count
    while left:
        size = min(left, _MOST_OF_A_BLOCK)
        blocks.append((repeated, size, b"\0"))
        left -= size
    blocks.append((raw, len(after), after))
    window_of_128_kib = 7 << 3
    frame = bytearray(struct.pack("<IBB", 0xFD2FB528, 0, window_of_128_kib))
    for place, (kind, size, content) in enumerate(blocks):
        last = place == len(blocks) - 1
        frame += (last | kind << 1 | size << 3).to_bytes(3, "little") + content
    return bytes(frame)


def gzip_of_zeros(count: int) -> bytes:
    """Return a record of zeros as gzip; it becomes a thousandth."""
    before, after = record(count)
    packing = zlib.compressobj(9, wbits=31)
    parts = [packing.compress(before)]
    for start in range(0, count, 1 << 20):
        parts.append(packing.compress(bytes(min(1 << 20, count - start))))
    return b"".join([*parts, packing.compress(after), packing.flush()])


def lz4_of_zeros(count: int) -> bytes:
    """Return a record of zeros as an LZ4 frame; it becomes a 250th. Source: LZ4 frame format 1.6, block format 1.5."""
    before, after = record(count)
    blocks = []
    left, literal = count, before + b"\0"
    while left:
        size = min(left, (4 << 20) - 64)
        left -= size
        blocks.append(_lz4_block(literal, size - 20, bytes(19) + (b"" if left else after)))
        literal = b"\0"
    descriptor = bytes([0x60, 0x70])  # version 1, independent blocks of at most 4 MiB, no checksums
    checksum = (_xxh32(descriptor) >> 8) & 0xFF
    frame = struct.pack("<I", 0x184D2204) + descriptor + bytes([checksum])
    return frame + b"".join(struct.pack("<I", len(block)) + block for block in blocks) + bytes(4)


def _lz4_block(literal: bytes, repeats: int, end: bytes) -> bytes:
    """Return a block of a literal, its last byte again so many times, and an end."""
    token = (
        bytes([0xF0 | 0x0F]) + _lengths(len(literal) - 15) if len(literal) >= 15 else bytes([len(literal) << 4 | 15])
    )
    matched = token + literal + struct.pack("<H", 1) + _lengths(repeats - 4 - 15)
    tail = bytes([0xF0]) + _lengths(len(end) - 15) if len(end) >= 15 else bytes([len(end) << 4])
    return matched + tail + end


def _lengths(rest: int) -> bytes:
    return b"\xff" * (rest // 255) + bytes([rest % 255])


def snappy_of_zeros(count: int) -> bytes:
    """Return a record of zeros as snappy; it becomes a 21st. Source: snappy's format_description.txt."""
    before, after = record(count)
    packed = bytearray(_unsigned(len(before) + count + len(after)))
    packed += _snappy_literal(before + b"\0")
    copy_64_from_1_back = bytes([(64 - 1) << 2 | 2, 1, 0])
    packed += copy_64_from_1_back * ((count - 1) // 64)
    packed += _snappy_literal(bytes((count - 1) % 64) + after)
    xerial = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
    return xerial + struct.pack(">i", len(packed)) + bytes(packed)


def _snappy_literal(content: bytes) -> bytes:
    size = len(content) - 1
    return (bytes([size << 2]) if size < 60 else bytes([60 << 2, size])) + content


def _varint(number: int) -> bytes:
    return _unsigned((number << 1) ^ (number >> 63))


def _unsigned(number: int) -> bytes:
    return bytes(_sevens(number & (1 << 64) - 1))


def _sevens(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def _xxh32(content: bytes) -> int:
    """Return the checksum of fewer than four bytes. Source: xxHash specification, XXH32."""
    mask, prime2, prime3, prime5, prime1 = 0xFFFFFFFF, 2246822519, 3266489917, 374761393, 2654435761
    h = (prime5 + len(content)) & mask
    for byte in content:
        h = (h + byte * prime5) & mask
        h = ((h << 11 | h >> 21) & mask) * prime1 & mask
    h = (h ^ h >> 15) * prime2 & mask
    h = (h ^ h >> 13) * prime3 & mask
    return h ^ h >> 16


async def append(settings: KafkaSettings, topic: str, batches: Sequence[bytes]) -> list[int]:
    """Append batches as they are, many on the way at once; return the error codes."""
    cluster = Cluster(settings, "hostile")
    try:
        led, _ = only_led(await cluster.leaders([topic]))
        codes: list[int] = []
        for start in range(0, len(batches), 100):
            asked = [
                cluster.ask(led[topic], ProduceRequest(None, -1, 8_000, [(topic, [(0, raw)])]), Lane.APPEND)
                for raw in batches[start : start + 100]
            ]
            codes += [answer.topics[0][1][0][1] for answer in await asyncio.gather(*asked)]
        return codes
    finally:
        await cluster.close()


BOMBS = {
    "zstd": batch(zstd_of_zeros(900 * MB), codec=ZSTD),
    "gzip": batch(gzip_of_zeros(50 * MB), codec=GZIP),
    "lz4": batch(lz4_of_zeros(50 * MB), codec=LZ4),
    "snappy": batch(snappy_of_zeros(4 * MB), codec=SNAPPY),
}
"""One of each codec that Kafka knows, as large as fits below a topic's `max.message.bytes`."""
