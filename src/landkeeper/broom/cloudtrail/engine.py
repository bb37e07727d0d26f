"""How the bytes of log files are unpacked and searched: with the standard library, or faster with the extra `fast`.

Both give the same results; what differs is the time, and how large a file they hold whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from landkeeper.broom.cloudtrail.layouts import parse_json
from landkeeper.broom.cloudtrail.search import find_search
from landkeeper.broom.cloudtrail.text import RECORD_START, Text, unpack


@dataclass(frozen=True, slots=True)
class Named:
    """The records of a log that go by a wanted name."""

    total: int
    """How many records the log has, whatever their names."""
    records: Sequence[tuple[int, Mapping[str, Any]]]
    """Those wanted, each with its number in the log, from 1."""


@dataclass(frozen=True, slots=True)
class Skimmed:
    """What was seen of a log by searching it."""

    starts: int
    """How often a record seems to begin."""
    places: Sequence[int]
    """Where the names stand that were looked for, in order."""


class Engine(Protocol):
    """Unpacks and searches logs."""

    name: str
    whole_bytes: int
    """How large an unpacked file may be to be held whole; a larger one is read piece by piece."""

    def unpack(self, data: bytes, limit_bytes: int) -> Text | None:
        """The content of a file, checked; None where it is more than is held whole. Raises DamagedError."""

    def skim(self, text: Text, stops: Sequence[bytes], notes: Sequence[bytes]) -> Skimmed | None:
        """What is seen of a text: where each of `notes` stands. None where any of `stops` is in it."""

    def decode(self, record: bytes) -> Any:
        """The value of a JSON text. Raises ValueError, or RecursionError."""

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """The wanted records of a text that begins and ends as CloudTrail's files do.

        None where it is not sure to be one list of well-formed records: then only the whole parse tells.
        """


class StandardEngine:
    """With nothing beside the standard library."""

    name = "standard"
    whole_bytes = 4 * 1024 * 1024

    def unpack(self, data: bytes, limit_bytes: int) -> bytes | None:
        """The content of a file, checked; None where it is more than is held whole. Raises DamagedError."""
        pieces, held = [], 0
        for piece in unpack(data, limit_bytes):
            held += len(piece)
            if held > self.whole_bytes:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    def skim(self, text: Text, stops: Sequence[bytes], notes: Sequence[bytes]) -> Skimmed | None:
        """What is seen of a text: where each of `notes` stands. None where any of `stops` is in it."""
        held = bytes(text)
        search = find_search(held)
        if any(True for needle in stops for _ in search(held, needle)):
            return None
        places = sorted(place for needle in notes for place in search(held, needle))
        return Skimmed(len(list(search(held, RECORD_START))), places)

    def decode(self, record: bytes) -> Any:
        """The value of a JSON text. Raises ValueError, or RecursionError."""
        return parse_json(record.decode())

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """Never: `json` reads all of a text or nothing."""
        return None


STANDARD = StandardEngine()
