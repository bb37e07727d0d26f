"""Records of a log found by simdjson, which checks and indexes a whole text faster than anything else decodes it.

It has no release for the newest Python yet; without it msgspec does the same. What it cannot vouch for is left to that.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import simdjson
from stringzilla import count, find

from landkeeper.broom.cloudtrail.engine import Named
from landkeeper.broom.cloudtrail.text import ESCAPE, Text

_MOST_BYTES = 16 * 1024 * 1024
"""It takes four times the size of a text beside it."""
_NAME_KEY = b'"eventName"'


class SimdReader:
    """Reads one text after the other."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()

    def read_named(self, text: Text, wanted: Collection[str]) -> Named | None:
        """The wanted records of a text that is one list of records, and nothing else; None where unsure.

        simdjson gives the first of two values under one key, `json` the last. So each record has to have a name, and
        the key of names to stand there as often as there are records, with no escape that could hide one.
        """
        if len(text) > _MOST_BYTES or find(text, ESCAPE) >= 0:
            return None
        try:
            root: Any = self._parser.parse(text)
            records = root["Records"] if len(root) == 1 else []
            names = [record["eventName"] for record in records]
            if set(map(type, names)) != {str} or count(text, _NAME_KEY) != len(names):
                return None
            numbers = [number for number, name in enumerate(names) if name in wanted]
            return Named(len(names), [(number + 1, records[number].as_dict()) for number in numbers])
        except (ValueError, TypeError, KeyError, RuntimeError):
            return None
