"""From the bytes of a log file to JSON values: gzip or plain, one document or JSON lines.

This is the whole parse. What reads logs faster (`landkeeper.broom.cloudtrail.scan`) is held against it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
_PIECE_BYTES = 8 * 1024 * 1024
"""More than zlib needs for most files. Where this cuts the last of its growing buffers short, glibc gives the memory of
every file back to the system and asks for it anew, which costs half as much as unpacking."""


class DamagedError(Exception):
    """Packed bytes that cannot be unpacked, or are more than allowed; its sentence says why."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no JSON, and why. `where` names the line, or is empty for the whole file."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value, and the line it stands on where the file is JSON lines."""

    where: str
    value: Any


def is_packed(data: bytes) -> bool:
    """Whether the bytes say of themselves that they are gzip."""
    return data.startswith(_GZIP)


def unpack(data: bytes, limit_bytes: int) -> Iterator[bytes]:
    """The content of a file, in pieces of 8 MiB at most; a plain file is one piece.

    All members of a gzip file come one after the other, each checked against its length and checksum; zero padding
    behind the last one is allowed. Raises DamagedError, and for more than `limit_bytes` too, before they are held.
    """
    if not is_packed(data):
        if len(data) > limit_bytes:
            raise DamagedError(_too_large(limit_bytes))
        yield data
        return
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
    """The JSON values in a file: one, or one a line. Never raises: what cannot be read is an Unreadable."""
    try:
        plain = b"".join(unpack(data, limit_bytes))
    except DamagedError as error:
        yield Unreadable("", str(error))
        return
    yield from parse_documents(plain)


def parse_documents(plain: Text) -> Iterator[Document | Unreadable]:
    """The same for bytes that are unpacked already."""
    encoding = json.detect_encoding(plain)
    try:
        # A byte that is no UTF-8 costs the character it stands for, not every launch in the file.
        text = plain.decode(encoding, errors="replace" if encoding.startswith("utf-8") else "strict")
    except UnicodeDecodeError as error:
        yield Unreadable("", f"not JSON: it is not text ({error.reason} at byte {error.start})")
        return
    yield from _parse_text(text)


def _parse_text(text: str) -> Iterator[Document | Unreadable]:
    if not text or text.isspace():
        yield Unreadable("", "the file is empty")
        return
    whole = _parse(text, "")
    # Not `splitlines`: a string in JSON may hold the other characters that it takes for the end of a line.
    lines = text.split("\n") if isinstance(whole, Unreadable) else []
    if len(lines) > 1 and isinstance(_parse(lines[0], ""), Document):
        yield from (_parse(line, f"line {number}") for number, line in enumerate(lines, 1) if line.strip())
    else:
        yield whole


def _parse(text: str, where: str) -> Document | Unreadable:
    try:
        return Document(where, parse_json(text))
    except RecursionError:
        return Unreadable(where, "not a log: its JSON is nested too deeply")
    except ValueError as error:
        return Unreadable(where, f"not JSON: {error}")


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, or RecursionError where it is nested too deeply."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # A number of more digits than Python turns into an int: nothing that is looked at is one.
        return json.loads(text, parse_int=_parse_int)


def _parse_int(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _too_large(limit_bytes: int) -> str:
    return f"larger than {limit_bytes} bytes when unpacked, which is the limit"
