"""Logs unpacked by libdeflate, searched by StringZilla, and decoded by simdjson or msgspec: the extra `fast`.

Each of these is quicker than the standard library because it promises less. What they cannot vouch for goes back to
the standard library: a gzip file that is not one member from end to end, JSON that msgspec refuses (it knows no NaN
and no lone surrogates), records that are not where the bytes seem to show them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol

import deflate
import msgspec
from stringzilla import count, find

from landkeeper.broom.cloudtrail.cuts import cut_records
from landkeeper.broom.cloudtrail.engine import STANDARD, Named, Skimmed
from landkeeper.broom.cloudtrail.text import ESCAPE, RECORD_START, Text, is_packed

_MOST_EXPANSION = 1032
"""How much deflate can make of a byte; what claims more is a forgery, and no memory is set aside for it."""
_FLAGS_AT, _HEADER_CHECKSUM = 3, 2
"""libdeflate passes over the checksum that a header may have of itself."""
_BLOCK_BYTES = 32 * 1024
"""What is searched for one needle after the other: it stays in the processor's first cache."""


class _Head(msgspec.Struct, gc=False):
    eventName: str  # noqa: N815 - CloudTrail's name


class _Heads(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    Records: list[_Head]


class _Slices(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    Records: list[msgspec.Raw]


class NamedReader(Protocol):
    """Finds the records of a text that go by a wanted name."""

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """Those of a text that begins and ends as CloudTrail's files do; None where unsure."""


def find_reader() -> NamedReader | None:
    """The one by simdjson; None where that is not installed."""
    try:
        from landkeeper.broom.cloudtrail.simd import SimdReader  # noqa: PLC0415
    except ImportError:
        return None
    return SimdReader()


class FastEngine:
    """With libdeflate, StringZilla, msgspec, and simdjson where that is there."""

    name = "fast"
    whole_bytes = 64 * 1024 * 1024

    def __init__(self, reader: NamedReader | None = None) -> None:
        """`reader` is asked first for the records of a text; it may leave them to msgspec."""
        self._reader = reader
        self._heads = msgspec.json.Decoder(_Heads)
        self._slices = msgspec.json.Decoder(_Slices)

    def unpack(self, data: bytes, limit_bytes: int) -> Text | None:
        """The content of a file, checked; None where it is more than is held whole. Raises DamagedError."""
        length = int.from_bytes(data[-4:], "little")
        most = min(limit_bytes, self.whole_bytes, _MOST_EXPANSION * len(data))
        if not is_packed(data) or not 0 < length <= most or data[_FLAGS_AT] & _HEADER_CHECKSUM:
            return STANDARD.unpack(data, limit_bytes)
        try:
            text = deflate.gzip_decompress(data, length)
        except deflate.DeflateError:
            return STANDARD.unpack(data, limit_bytes)
        # libdeflate has checked the first member against a footer that ends in its length. Where these four bytes
        # stand nowhere but at the end of the file, that footer is the file's own: there is no other member, no padding.
        if len(text) != length or find(data, data[-4:]) != len(data) - 4 or is_packed(text):
            return STANDARD.unpack(data, limit_bytes)
        return text

    def skim(self, text: Text, stops: Sequence[bytes], notes: Sequence[bytes]) -> Skimmed | None:
        """What is seen of a text: where each of `notes` stands. None where any of `stops` is in it."""
        starts, places = 0, list[int]()
        for start in range(0, len(text), _BLOCK_BYTES):
            end = start + _BLOCK_BYTES
            for needle in stops:
                if find(text, needle, start, end + len(needle) - 1) >= 0:
                    return None
            for needle in notes:
                places += _places(text, needle, start, end + len(needle) - 1)
            starts += count(text, RECORD_START, start, end + len(RECORD_START) - 1)
        return Skimmed(starts, sorted(places))

    def decode(self, record: bytes) -> Any:
        """The value of a JSON text. Raises ValueError, or RecursionError."""
        try:
            return msgspec.json.decode(record)
        except msgspec.MsgspecError:
            # A number or a character that msgspec does not take.
            return STANDARD.decode(record)

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """The wanted records of a text that begins and ends as CloudTrail's files do; None where unsure."""
        named = self._reader.read_named(text, wanted) if self._reader is not None else None
        return named or self._read_heads(text, wanted)

    def _read_heads(self, text: Text, wanted: Collection[str]) -> Named | None:
        try:
            heads = self._heads.decode(text).Records
            numbers = [number for number, head in enumerate(heads, 1) if head.eventName in wanted]
            found = self._cut(text, {heads[number - 1].eventName for number in numbers}) if numbers else []
            # Nothing but the wanted records was cut out where that is as many as there are.
            if found is None or len(found) != len(numbers):
                slices = self._slices.decode(text).Records
                found = [self.decode(bytes(slices[number - 1])) for number in numbers]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return Named(len(heads), list(zip(numbers, found, strict=True)))

    def _cut(self, text: Text, names: Collection[str]) -> list[dict[str, Any]] | None:
        if find(text, ESCAPE) >= 0:
            return None
        places = (place for name in names for place in _places(text, f'"{name}"'.encode(), 0, len(text)))
        return cut_records(text, places, names, self.decode)


def _places(text: Text, needle: bytes, start: int, end: int) -> Iterator[int]:
    at = find(text, needle, start, end)
    while at >= 0:
        yield at
        at = find(text, needle, at + 1, end)
