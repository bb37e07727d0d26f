"""Finds the JSON values in the text of a log: one document, values one after the other, or a value a line.

Between values may stand white space, commas, byte order marks of files that were joined, record separators (RFC 7464),
and before a value the time at which CloudWatch Logs received it. A text that is not such a sequence from end to end is
read in blocks: a block is a line that is not indented, with the indented lines and closing brackets below it. What is
wrong in a block costs the rest of that block. So an object that is nested in a damaged document, which is indented, is
not taken for a value of its own.

Sources: Amazon CloudWatch Logs User Guide, "Exporting log data to Amazon S3" and "Real-time processing of log data with
subscriptions"; Amazon Data Firehose Developer Guide, "Understand data delivery in Amazon Data Firehose": records are
joined as they are, without a delimiter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from landkeeper.broom.cloudtrail.kinds import name_text

_BETWEEN = re.compile(r"[ \t\r\n,\x1e\ufeff]*")
_RECEIVED = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?:[ \t]+[^\s{\[]+)?[ \t]+(?=[{\[])"
)
"""The time, which `aws logs tail` follows by the name of the log stream."""
_CONTINUING = (" ", "\t", "}", "]")
_SHOWN_OF = 2000
TOO_DEEP = "not a log: its JSON is nested too deeply"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Text that is no JSON, and why. `where` names the line, or is empty for the whole file."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value, and the line it begins on where it is one of several."""

    where: str
    value: Any


class Places:
    """Names where values begin, by their lines."""

    def __init__(self, line: int = 1) -> None:
        """`line` is the number of the first line."""
        self.line = line
        self._named = 0
        self._on_line = 0

    @property
    def is_used(self) -> bool:
        """Whether any value was named."""
        return self._named > 0

    def pass_over(self, text: str, start: int, end: int) -> None:
        """Count the lines that end in this part of the text."""
        self.line += text.count("\n", start, end)

    def name(self) -> str:
        """Return the name of the next value, which begins on the current line."""
        self._on_line = self._on_line + 1 if self._named == self.line else 1
        self._named = self.line
        return f"line {self.line}" + (f", document {self._on_line}" if self._on_line > 1 else "")


def find_start(text: str, at: int) -> int:
    """Return where the next value begins, or the end of the text."""
    at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr] # it matches anything
    received = _RECEIVED.match(text, at)
    return received.end() if received is not None else at


def decode_value(text: str, at: int) -> tuple[Any, int]:
    """Return the object or list that begins there, and where it ends.

    Raise ValueError, or RecursionError where it is nested too deeply.
    """
    if text[at : at + 1] not in {"{", "["}:
        raise json.JSONDecodeError("Expecting value", text, at)
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # A number of more digits than Python turns into an int: nothing that is looked at is one.
        return _PATIENT_DECODER.raw_decode(text, at)


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, or RecursionError where it is nested too deeply."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=parse_int)


def parse_int(digits: str) -> int | float:
    """Return a number, which is not exact where it has more digits than Python turns into an int."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_DECODER = json.JSONDecoder()
_PATIENT_DECODER = json.JSONDecoder(parse_int=parse_int)


def read_text(text: str) -> Iterator[Document | Unreadable]:
    """The values in a text that is not blank. What is no JSON is Unreadable: the whole of it where nothing is JSON."""
    try:
        yield Document("", parse_json(text))
    except (ValueError, RecursionError) as error:
        yield from _read_several(text, error)


def _read_several(text: str, error: ValueError | RecursionError) -> Iterator[Document | Unreadable]:
    try:
        found = list(name_only(read_sequence(text)))
    except (ValueError, RecursionError):
        found = []
    # Looked at twice rather than held: of a text that is no log, every line may be a fault.
    if found:
        yield from found
    elif any(isinstance(entry, Document) for entry in read_blocks(_lines(text))):
        yield from read_blocks(_lines(text))
    else:
        yield Unreadable("", _describe(text[:_SHOWN_OF], error))


def _lines(text: str) -> Iterator[str]:
    # Not `splitlines`: a string in JSON may hold the other characters that it takes for the end of a line.
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def name_only(documents: Iterable[Document]) -> Iterator[Document]:
    """The same documents; one that is alone is the whole file, and is at no line."""
    documents = iter(documents)
    first, second = next(documents, None), next(documents, None)
    if first is not None and second is not None:
        yield from (first, second)
        yield from documents
    elif first is not None:
        yield Document("", first.value)


def read_sequence(text: str) -> Iterator[Document]:
    """The values of a text that holds nothing else. Raise ValueError or RecursionError where it does."""
    places, at = Places(), 0
    while True:
        start = find_start(text, at)
        places.pass_over(text, at, start)
        if start == len(text):
            return
        value, at = decode_value(text, start)
        yield Document(places.name(), value)
        places.pass_over(text, start, at)


def read_blocks(lines: Iterable[str]) -> Iterator[Document | Unreadable]:
    """The values in the blocks that the lines, which come without their ends, make."""
    first, block = 1, list[str]()
    for number, line in enumerate(lines, 1):
        if block and begins_block(line):
            yield from _read_block(first, "\n".join(block))
            block = []
        first = first if block else number
        block.append(line)
    yield from _read_block(first, "\n".join(block))


def begins_block(line: str) -> bool:
    """Whether a line is not a part of what stands above it."""
    return bool(line.strip()) and not line.startswith(_CONTINUING)


def _read_block(first: int, text: str) -> Iterator[Document | Unreadable]:
    places, at = Places(first), 0
    while True:
        start = find_start(text, at)
        places.pass_over(text, at, start)
        if start == len(text):
            return
        try:
            value, at = decode_value(text, start)
        except (ValueError, RecursionError) as error:
            last = first + text.rstrip().count("\n")
            where = f"line {places.line}" if last == places.line else f"line {places.line} to line {last}"
            yield Unreadable(where, _describe(text[start : start + _SHOWN_OF], _shorten(error, first, places.line)))
            return
        yield Document(places.name(), value)
        places.pass_over(text, start, at)


def describe_foreign(text: str) -> str:
    """Return why a text is no log, if its first line says that it is something else; empty where it does not."""
    name = name_text(text)
    return f"{name}, not a CloudTrail log" if name else ""


def _shorten(error: ValueError | RecursionError, first: int, line: int) -> ValueError | RecursionError:
    """Return the error of a block that begins on line `first`, without its line where that is `line`."""
    if not isinstance(error, json.JSONDecodeError):
        return error
    found = first + error.lineno - 1
    return ValueError(f"{error.msg}: " + (f"line {found} " if found != line else "") + f"column {error.colno}")


def _describe(text: str, error: ValueError | RecursionError) -> str:
    """Return why a text cannot be read: what it is, if that is known, or what is wrong with it as JSON."""
    if foreign := describe_foreign(text):
        return foreign
    if isinstance(error, RecursionError):
        return TOO_DEEP
    return f"not JSON: {error}"
