"""Logs unpacked by libdeflate, searched by StringZilla, and decoded by msgspec: the extra `fast`.

Each of the three is quicker than the standard library because it promises less. What they cannot vouch for goes back
to the standard library: a gzip file that is not one member from end to end, JSON that msgspec refuses (it knows no NaN
and no lone surrogates), records that are not where the bytes seem to show them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import deflate
import msgspec
import stringzilla

from landkeeper.broom.log_engine import ESCAPE, RECORD_START, STANDARD, Named
from landkeeper.broom.log_text import Text, is_packed, parse_json

_MOST_EXPANSION = 1032
"""How much deflate can make of a byte; what claims more is a forgery, and no memory is set aside for it."""
_FLAGS_AT, _HEADER_CHECKSUM = 3, 2
"""libdeflate passes over the checksum that a header may have of itself."""
_KEY = b'"eventVersion"'


class _Head(msgspec.Struct, gc=False):
    eventName: str  # noqa: N815 - CloudTrail's names
    eventVersion: str  # noqa: N815


class _Heads(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    Records: list[_Head]


class _Slices(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    Records: list[msgspec.Raw]


class FastEngine:
    """With libdeflate, StringZilla and msgspec."""

    name = "fast"
    whole_bytes = 64 * 1024 * 1024

    def __init__(self) -> None:
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
        if len(text) != length or stringzilla.find(data, data[-4:]) != len(data) - 4:
            return STANDARD.unpack(data, limit_bytes)
        return text

    def find(self, text: Text, needle: bytes) -> int:
        """Where it first stands, or -1."""
        return int(stringzilla.find(text, needle))

    def count(self, text: Text, needle: bytes) -> int:
        """How often it stands there."""
        return int(stringzilla.count(text, needle))

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """The wanted records of a text that begins and ends as CloudTrail's files do; None where unsure."""
        try:
            heads = self._heads.decode(text).Records
            numbers = [number for number, head in enumerate(heads, 1) if head.eventName in wanted]
            if not numbers:
                return Named(len(heads), ())
            found = self._read_cut(text, len(heads), {heads[number - 1].eventName for number in numbers})
            if len(found) != len(numbers):
                slices = self._slices.decode(text).Records
                found = [_read(bytes(slices[number - 1])) for number in numbers]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return Named(len(heads), list(zip(numbers, found, strict=True)))

    def _read_cut(self, text: Text, total: int, names: Collection[str]) -> Sequence[Mapping[str, Any]]:
        """The records of these names, cut out of the text; none where that is not sure to be right.

        Every record has an `eventVersion`. If that key stands there as often as there are records, and no escape can
        hide one, no other is nested in any of them: where it is the first of an object, a record begins.
        """
        if self.find(text, ESCAPE) >= 0 or self.count(text, _KEY) != total:
            return ()
        starts = sorted({start for name in names for start in _starts(text, f'"{name}"'.encode())})
        records = [_read(_cut(text, start)) for start in starts]
        return [record for record in records if record["eventName"] in names]


def _starts(text: Text, needle: bytes) -> Iterator[int]:
    """Where the records begin that hold it."""
    at = stringzilla.find(text, needle)
    while at >= 0:
        yield stringzilla.rfind(text, RECORD_START, 0, at)
        at = stringzilla.find(text, needle, at + 1)


def _cut(text: Text, start: int) -> bytes:
    end = stringzilla.find(text, RECORD_START, start + 1)
    if end >= 0:
        return bytes(text[start:end]).rstrip(b", \t\r\n")
    return bytes(text[start:]).rstrip().removesuffix(b"]}")


def _read(record: bytes) -> Any:
    try:
        return msgspec.json.decode(record)
    except msgspec.MsgspecError:
        # A number or a character that msgspec does not take.
        return parse_json(record.decode())
