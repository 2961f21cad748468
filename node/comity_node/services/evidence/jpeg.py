"""A JPEG without what its camera wrote into it, its picture untouched: ITU-T T.81, annex B."""

from typing import Final

_START, _END, _SCAN, _COMMENT, _ADOBE = 0xD8, 0xD9, 0xDA, 0xFE, 0xEE
_APPLICATIONS: Final = range(0xE0, 0xF0)
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length behind them."""


def bare_jpeg(raw: bytes) -> bytes:
    """Return a JPEG without comments, application data and whatever stands behind its end.

    Of application data only Adobe's says how the colours are to be read.

    Raises:
        ValueError: it is no JPEG, or cut off within its headers.
    """
    if raw[:2] != bytes((0xFF, _START)):
        raise ValueError("no JPEG")
    kept, at = bytearray(raw[:2]), 2
    while True:
        marker, at = _marker(raw, at)
        if marker == _END:
            return bytes(kept) + bytes((0xFF, _END))
        if marker in _ALONE:
            kept += bytes((0xFF, marker))
            continue
        length = int.from_bytes(raw[at : at + 2])
        if length < 2 or at + length > len(raw):
            raise ValueError("a JPEG that is cut off")
        said = raw[at + 2 : at + length]
        if marker == _ADOBE and said.startswith(b"Adobe"):
            kept += bytes((0xFF, marker)) + (2 + len(said[:12])).to_bytes(2) + said[:12]
        elif marker != _COMMENT and marker not in _APPLICATIONS:
            kept += bytes((0xFF, marker)) + raw[at : at + length]
        at += length
        if marker == _SCAN:
            end = _end_of_scan(raw, at)
            kept += raw[at:end]
            at = end


def _marker(raw: bytes, at: int) -> tuple[int, int]:
    """Return the marker at a place and where it ends; the end of a file counts as the end of its picture."""
    if at >= len(raw):
        return _END, at
    if raw[at] != 0xFF:
        raise ValueError("no marker where one must be")
    while at < len(raw) and raw[at] == 0xFF:
        at += 1
    return (raw[at], at + 1) if at < len(raw) else (_END, at)


def _end_of_scan(raw: bytes, at: int) -> int:
    """Return where the next marker is: a byte FF within a scan has 00 behind it, or a restart."""
    while (at := raw.find(b"\xff", at)) != -1:
        if at + 1 >= len(raw):
            break
        following = raw[at + 1]
        if following not in (0x00, 0xFF) and not 0xD0 <= following <= 0xD7:
            return at
        at += 1 if following == 0xFF else 2
    return len(raw)
