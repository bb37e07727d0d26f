"""Logs that are too large to be held whole: searched and parsed piece by piece, a record at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from landkeeper.broom.cloudtrail.text import ESCAPE, RECORD_START

MOST_RECORD_CHARACTERS = 16 * 1024 * 1024
"""How long a record may be; CloudTrail's own are 256 KB at most."""

_SEEN_BYTES = 64
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class NotStreamableError(Exception):
    """The log is not one well-formed list of records: only the whole parse says what it is."""


@dataclass(slots=True)
class Survey:
    """What is seen of a log that goes by piece by piece."""

    head: bytes = b""
    size: int = 0
    starts: int = 0
    """How often a record seems to begin."""
    is_hit: bool = False
    """Whether one of the needles, or an escape, is there."""
    tail: bytes = b""

    def take(self, piece: bytes, needles: Collection[bytes]) -> None:
        """See the next piece. What lies across two pieces is seen as well."""
        text = self.tail + piece
        self.head = self.head if len(self.head) >= _SEEN_BYTES else text[:_SEEN_BYTES]
        self.size += len(piece)
        self.starts += text.count(RECORD_START) - self.tail.count(RECORD_START)
        self.is_hit = self.is_hit or any(needle in text for needle in (*needles, ESCAPE))
        self.tail = text[-_SEEN_BYTES:]


def survey(pieces: Iterable[bytes], needles: Collection[bytes]) -> Survey:
    """What is seen of a whole log. No needle is longer than 64 bytes."""
    seen = Survey()
    for piece in pieces:
        seen.take(piece, needles)
    return seen


def stream_records(pieces: Iterable[bytes]) -> Iterator[object]:
    """The records of `{"Records": [...]}`, one after the other, not all at once.

    Raises NotStreamableError for anything else, however late that shows: what was given until then does not count.
    """
    text = _Window(codecs.iterdecode(pieces, "utf-8", errors="replace"))
    text.skip("{")
    if text.read() != "Records":
        raise NotStreamableError
    text.skip(":")
    text.skip("[")
    more = text.peek() != "]"
    while more:
        yield text.read()
        more = text.peek() == ","
        if more:
            text.skip(",")
    text.skip("]")
    text.skip("}")
    if text.peek():
        raise NotStreamableError


class _Window:
    """A part of a JSON text, moved along it."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr] # it matches anything
            if self._at < len(self._text) or not self._grow():
                return self._text[self._at : self._at + 1]

    def skip(self, expected: str) -> None:
        """Pass over that character, which has to be the next one."""
        if self.peek() != expected:
            raise NotStreamableError
        self._at += 1

    def read(self) -> object:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                # Wrong, or not whole yet.
                if len(self._text) - self._at > MOST_RECORD_CHARACTERS or not self._grow():
                    raise NotStreamableError from None
                continue
            # A number that ends with the window may go on behind it.
            if end < len(self._text) or not self._grow():
                self._at = end
                return value

    def _grow(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True
