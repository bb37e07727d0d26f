"""From the bytes of a log file to JSON values: gzip or plain, one document or JSON lines."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024
"""How large a log file may be once it is unpacked; CloudTrail's own are a few megabytes."""

_GZIP = b"\x1f\x8b"
_GZIP_FRAMING = 31


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


def read_documents(data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Iterator[Document | Unreadable]:
    """The JSON values in a file: one, or one a line. Never raises: what cannot be read is an Unreadable."""
    plain = _unpack(data, limit_bytes) if data.startswith(_GZIP) else data
    if isinstance(plain, Unreadable):
        yield plain
        return
    if len(plain) > limit_bytes:
        yield Unreadable("", _too_large(limit_bytes))
        return
    try:
        text = plain.decode(json.detect_encoding(plain))
    except UnicodeDecodeError as error:
        yield Unreadable("", f"not JSON: it is not text ({error.reason} at byte {error.start})")
        return
    yield from _parse_text(text)


def _parse_text(text: str) -> Iterator[Document | Unreadable]:
    if not text.strip():
        yield Unreadable("", "the file is empty")
        return
    whole = _parse(text, "")
    lines = text.splitlines()
    if isinstance(whole, Unreadable) and len(lines) > 1 and isinstance(_parse(lines[0], ""), Document):
        yield from (_parse(line, f"line {number}") for number, line in enumerate(lines, 1) if line.strip())
    else:
        yield whole


def _parse(text: str, where: str) -> Document | Unreadable:
    try:
        return Document(where, json.loads(text))
    except RecursionError:
        return Unreadable(where, "not a log: its JSON is nested too deeply")
    except ValueError as error:
        return Unreadable(where, f"not JSON: {error}")


def _unpack(data: bytes, limit_bytes: int) -> bytes | Unreadable:
    """All members of a gzip file, one after the other; zero padding behind the last one is allowed."""
    unpacked = bytearray()
    rest = data
    while rest.startswith(_GZIP):
        member = zlib.decompressobj(_GZIP_FRAMING)
        try:
            unpacked += member.decompress(rest, limit_bytes + 1 - len(unpacked))
        except zlib.error as error:
            return Unreadable("", f"the gzip data is damaged ({error})")
        if len(unpacked) > limit_bytes:
            return Unreadable("", _too_large(limit_bytes))
        if not member.eof:
            return Unreadable("", "the gzip data ends early: the file is truncated")
        rest = member.unused_data
    if rest.strip(b"\0"):
        return Unreadable("", "the gzip data is followed by something else")
    return bytes(unpacked)


def _too_large(limit_bytes: int) -> str:
    return f"larger than {limit_bytes} bytes when unpacked, which is the limit"
