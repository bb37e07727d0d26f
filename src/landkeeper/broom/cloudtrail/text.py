"""From the bytes of a log file to JSON values: gzip or plain, in any of the layouts of `layouts`.

This is the whole parse. What reads logs faster (`landkeeper.broom.cloudtrail.scan`) is held against it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from itertools import chain

from landkeeper.broom.cloudtrail.kinds import HEAD_BYTES, name_bytes
from landkeeper.broom.cloudtrail.layouts import Document, Unreadable, read_text

DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024
"""How large a log file may be once it is unpacked; CloudTrail's own are a few megabytes."""

Text = bytes | bytearray

RECORD_START = b'{"eventVersion":'
"""What each record begins with in the files that CloudTrail writes."""

ESCAPE = b"\\u00"
"""What an escaped letter begins with; a name may be written with such."""

_GZIP = b"\x1f\x8b"
_GZIP_FRAMING = 31
_SLICE_BYTES = 1024 * 1024
_LEAST_GZIP_BYTES = 18
"""A header and a trailer (RFC 1952)."""
_MOST_LAYERS = 4
_PIECE_BYTES = 8 * 1024 * 1024
"""More than zlib needs for most files. Where this cuts the last of its growing buffers short, glibc gives the memory of
every file back to the system and asks for it anew, which costs half as much as unpacking."""


class DamagedError(Exception):
    """Packed bytes that cannot be unpacked, or are more than allowed; its sentence says why."""


def is_packed(data: Text) -> bool:
    """Whether the bytes say of themselves that they are gzip."""
    return data.startswith(_GZIP)


def unpack(data: bytes, limit_bytes: int) -> Iterator[bytes]:
    """The content of a file, in pieces of 8 MiB at most; a plain file is one piece.

    All members of a gzip file come one after the other, each checked against its length and checksum; zero padding
    behind the last one is allowed. What is gzip again when it is unpacked is unpacked again. Raises DamagedError, and
    for more than `limit_bytes` too, before they are held.
    """
    for _ in range(_MOST_LAYERS):
        if not is_packed(data):
            if len(data) > limit_bytes:
                raise DamagedError(_too_large(limit_bytes))
            yield data
            return
        pieces = _unpack_once(data, limit_bytes)
        first = b""
        while len(first) < _LEAST_GZIP_BYTES and (piece := next(pieces, None)) is not None:
            first += piece
        if len(first) < _LEAST_GZIP_BYTES or not is_packed(first):
            yield first
            yield from pieces
            return
        data = b"".join(chain([first], pieces))
    raise DamagedError(f"gzip of gzip, more than {_MOST_LAYERS} times")


def _unpack_once(data: bytes, limit_bytes: int) -> Iterator[bytes]:
    left = limit_bytes
    for piece in _inflate(data, limit_bytes):
        left -= len(piece)
        if left < 0:
            raise DamagedError(_too_large(limit_bytes))
        yield piece


def _inflate(data: bytes, limit_bytes: int) -> Iterator[bytes]:
    most = min(_PIECE_BYTES, limit_bytes + 1)
    member, fed, rest = zlib.decompressobj(_GZIP_FRAMING), 0, b""
    while fed < len(data) or rest:
        # Fed in slices: what zlib has not taken yet it hands back as a copy.
        taken = rest or data[fed : fed + _SLICE_BYTES]
        fed += 0 if rest else len(taken)
        try:
            piece = member.decompress(taken, most)
        except zlib.error as error:
            raise DamagedError(f"the gzip data is damaged ({error})") from None
        if piece:
            yield piece
        rest = member.unconsumed_tail
        if member.eof:
            end = fed - len(member.unused_data)
            if not data.startswith(_GZIP, end):
                _check_padding(data, end)
                return
            member, fed, rest = zlib.decompressobj(_GZIP_FRAMING), end, b""
    raise DamagedError("the gzip data ends early: the file is truncated")


def _check_padding(data: bytes, end: int) -> None:
    if data.count(b"\0", end) != len(data) - end:
        raise DamagedError("the gzip data is followed by something else")


def read_documents(data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Iterator[Document | Unreadable]:
    """The JSON values in a file. Never raises: what cannot be read is an Unreadable."""
    try:
        plain = b"".join(unpack(data, limit_bytes))
    except DamagedError as error:
        yield Unreadable("", str(error))
        return
    yield from parse_documents(plain, was_packed=is_packed(data))


def parse_documents(plain: Text, *, was_packed: bool = False) -> Iterator[Document | Unreadable]:
    """The same for bytes that are unpacked already."""
    if (foreign := find_foreign(plain, was_packed=was_packed)) is not None:
        yield foreign
        return
    encoding = json.detect_encoding(plain)
    try:
        # A byte that is no UTF-8 costs the character it stands for, not every launch in the file.
        text = plain.decode(encoding, errors="replace" if encoding.startswith("utf-8") else "strict")
    except UnicodeDecodeError as error:
        yield Unreadable("", f"not JSON: it is not text ({error.reason} at byte {error.start})")
        return
    if not text or text.isspace():
        yield Unreadable("", "the file is empty")
        return
    yield from read_text(text)


def find_foreign(plain: Text, *, was_packed: bool) -> Unreadable | None:
    """Return why a file is no log, if its first bytes say that it is something else; None where they do not."""
    name = name_bytes(bytes(plain[:HEAD_BYTES]))
    return Unreadable("", f"{'gzip of ' if was_packed else ''}{name}, not a CloudTrail log") if name else None


def _too_large(limit_bytes: int) -> str:
    return f"larger than {limit_bytes} bytes when unpacked, which is the limit"
