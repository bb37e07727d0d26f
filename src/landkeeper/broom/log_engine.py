"""How the bytes of log files are unpacked and searched: with the standard library, or faster with the extra `fast`.

Both give the same results; what differs is the time, and how large a file they hold whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from landkeeper.broom.log_text import Text, unpack

RECORD_START = b'{"eventVersion":'
"""What each record begins with in the files that CloudTrail writes."""

ESCAPE = b"\\u00"
"""What an escaped letter begins with; a name may be written with such."""


@dataclass(frozen=True, slots=True)
class Named:
    """The records of a log that go by a wanted name."""

    total: int
    """How many records the log has, whatever their names."""
    records: Sequence[tuple[int, Mapping[str, Any]]]
    """Those wanted, each with its number in the log, from 1."""


class Engine(Protocol):
    """Unpacks and searches logs."""

    name: str
    whole_bytes: int
    """How large an unpacked file may be to be held whole; a larger one is read piece by piece."""

    def unpack(self, data: bytes, limit_bytes: int) -> Text | None:
        """The content of a file, checked; None where it is more than is held whole. Raises DamagedError."""

    def find(self, text: Text, needle: bytes) -> int:
        """Where it first stands, or -1."""

    def count(self, text: Text, needle: bytes) -> int:
        """How often it stands there; never for a part of itself."""

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """The wanted records of a text that begins and ends as CloudTrail's files do.

        None where it is not sure to be one list of well-formed records: then only the whole parse tells.
        """


class StandardEngine:
    """With nothing beside the standard library."""

    name = "standard"
    whole_bytes = 4 * 1024 * 1024

    def unpack(self, data: bytes, limit_bytes: int) -> Text | None:
        """The content of a file, checked; None where it is more than is held whole. Raises DamagedError."""
        pieces, held = [], 0
        for piece in unpack(data, limit_bytes):
            held += len(piece)
            if held > self.whole_bytes:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    def find(self, text: Text, needle: bytes) -> int:
        """Where it first stands, or -1."""
        return text.find(needle)

    def count(self, text: Text, needle: bytes) -> int:
        """How often it stands there."""
        return text.count(needle)

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """Never: `json` reads all of a text or nothing."""
        return None


STANDARD = StandardEngine()


@lru_cache(maxsize=1)
def find_fast_engine() -> Engine | None:
    """The engine of the extra `fast`, or None where that is not installed."""
    try:
        from landkeeper.broom.fast_engine import FastEngine  # noqa: PLC0415
    except ImportError:
        return None
    return FastEngine()


def best_engine() -> Engine:
    """The fastest that is installed."""
    return find_fast_engine() or STANDARD
