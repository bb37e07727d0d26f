"""Logs that are too large to be held whole: searched and parsed piece by piece, a record or a document at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from landkeeper.broom.cloudtrail.kinds import HEAD_BYTES, name_event
from landkeeper.broom.cloudtrail.layouts import (
    Document,
    Places,
    Unreadable,
    begins_block,
    decode_value,
    describe_foreign,
    find_start,
    name_only,
    read_blocks,
)
from landkeeper.broom.cloudtrail.text import ESCAPE, RECORD_START

MOST_RECORD_CHARACTERS = 16 * 1024 * 1024
"""How long a record, a document or a block of lines may be; CloudTrail's own records are 256 KB at most."""

_SEEN_BYTES = 64
_DECODED_AT_ONCE = 4096
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALARS = '"-0123456789tfnNI'
_LOOKED_AHEAD = 1024
"""Characters; more than a time and the name of a log stream take."""
_LONGEST_TOKEN = 16
"""Characters; an error as close as that to the end of a window may come of its ending there."""
_DECODER = json.JSONDecoder()


class NotStreamableError(Exception):
    """The log is not of this form, or has a part that is too long: only the whole parse says what it is."""


class BrokenError(NotStreamableError):
    """The log is not of this form, whatever its length."""


class NoLogError(NotStreamableError):
    """The text is no log. `reason` says what it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
        self.head += piece[: HEAD_BYTES - len(self.head)]
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
        raise BrokenError
    text.skip(":")
    text.skip("[")
    more, is_first = text.peek() != "]", True
    while more:
        record = text.read()
        if is_first and name_event(record):
            raise BrokenError
        yield record
        is_first = False
        more = text.peek() == ","
        if more:
            text.skip(",")
    text.skip("]")
    text.skip("}")
    if text.peek():
        raise BrokenError


def stream_sequence(pieces: Iterable[bytes]) -> Iterator[Document]:
    """The documents of a text that is nothing but JSON values, as `layouts.read_sequence` gives them.

    Raises BrokenError for anything else, however late that shows, and NotStreamableError where only the whole parse
    says what it is: what was given until then does not count.
    """
    text, is_empty = _Window(_decode(pieces)), True
    for document in name_only(iter(text.read_next, None)):
        is_empty = False
        yield document
    if is_empty:
        raise NotStreamableError


def stream_blocks(pieces: Iterable[bytes]) -> Iterator[Document | Unreadable]:
    """The documents in lines of which some are no JSON, as `layouts.read_blocks` gives them.

    Raises NotStreamableError where a block is too long, or no line is JSON, and NoLogError for a text of which the
    first line says what it is: what was given until then does not count.
    """
    text, is_log = _decode(pieces), False
    head = next(text, "")
    for entry in read_blocks(_lines(chain([head], text))):
        is_log = is_log or isinstance(entry, Document)
        yield entry
    if not is_log:
        foreign = describe_foreign(head)
        raise NoLogError(foreign) if foreign else NotStreamableError


def _decode(pieces: Iterable[bytes]) -> Iterator[str]:
    pieces = iter(pieces)
    head = b""
    while len(head) < _DECODED_AT_ONCE and (piece := next(pieces, None)) is not None:
        head += piece
    encoding = json.detect_encoding(head)
    if not encoding.startswith("utf-8"):
        raise NotStreamableError
    yield from codecs.iterdecode(chain([head], pieces), encoding, errors="replace")


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest, block = "", 0
    for piece in chain(pieces, ["\n"]):
        *lines, rest = (rest + piece).split("\n")
        for line in lines:
            block = len(line) if begins_block(line) else block + len(line)
            if block > MOST_RECORD_CHARACTERS:
                raise NotStreamableError
            yield line
        if len(rest) > MOST_RECORD_CHARACTERS:
            raise NotStreamableError


class _Window:
    """A part of a JSON text, moved along it."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._text = ""
        self._at = 0
        self._places = Places()

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr] # it matches anything
            if self._at < len(self._text) or not self._grow():
                return self._text[self._at : self._at + 1]

    def skip(self, expected: str) -> None:
        """Pass over that character, which has to be the next one."""
        if self.peek() != expected:
            raise BrokenError
        self._at += 1

    def read(self) -> object:
        """The next value."""
        self.peek()
        value, self._at = self._decode(_DECODER.raw_decode)
        return value

    def read_next(self) -> Document | None:
        """The next object or list, and where it begins; None at the end."""
        while True:
            start = find_start(self._text, self._at)
            self._places.pass_over(self._text, self._at, start)
            self._at = start
            if len(self._text) - start >= _LOOKED_AHEAD or not self._grow():
                break
        first = self._text[self._at : self._at + 1]
        if not first:
            return None
        if first in _SCALARS and not self._places.is_used:
            # A value that is neither an object nor a list may be the whole of a text, but not one of several.
            raise NotStreamableError
        value, end = self._decode(decode_value)
        document = Document(self._places.name(), value)
        self._places.pass_over(self._text, self._at, end)
        self._at = end
        return document

    def _decode(self, decode: Callable[[str, int], tuple[object, int]]) -> tuple[object, int]:
        while True:
            try:
                value, end = decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # Wrong, or not whole yet.
                if self._is_wrong(error) or (len(self._text) - self._at <= MOST_RECORD_CHARACTERS and not self._grow()):
                    raise BrokenError from None
                if len(self._text) - self._at > MOST_RECORD_CHARACTERS:
                    raise NotStreamableError from None
                continue
            # A number that ends with the window may go on behind it.
            if end < len(self._text) or not self._grow():
                return value, end

    def _is_wrong(self, error: ValueError | RecursionError) -> bool:
        """Whether what follows cannot make it right."""
        return (
            isinstance(error, json.JSONDecodeError)
            and not error.msg.startswith("Unterminated string")
            and error.pos < len(self._text) - _LONGEST_TOKEN
        )

    def _grow(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True
