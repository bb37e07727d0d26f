"""Records cut out of the bytes of a log, without decoding what lies around them.

A record that begins as CloudTrail writes it is cut from there to where the next one seems to begin. Whether it is one
of the list of records, or nested in one of them, a cut does not show; `cut_records` says what it does prove.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from landkeeper.broom.cloudtrail.text import RECORD_START, Text

Decode = Callable[[bytes], Any]
"""Gives the value of a JSON text. Raises ValueError, or RecursionError."""


def cut_records(
    text: Text, places: Iterable[int], names: Collection[str], decode: Decode
) -> list[dict[str, Any]] | None:
    """The objects around these places that go by one of the names, in the order of the text; None where unsure.

    `places` are all those at which one of the names stands, as text that begins there. If the whole text is JSON, and
    no letter of a name is escaped, then the record that any name belongs to is among the objects: the cut around a
    place is one whole object, that place is the only one in it, and it is the object's own name. So there is no record
    with such a name beside them; objects that are nested in other records may be among them.
    """
    found = {}
    try:
        for place in places:
            start = text.rfind(RECORD_START, 0, place)
            record = decode(_cut(text, start)) if start >= 0 and start not in found else None
            if not isinstance(record, dict) or record.get("eventName") not in names:
                return None
            found[start] = record
    except (ValueError, RecursionError):
        return None
    return [found[start] for start in sorted(found)]


def _cut(text: Text, start: int) -> bytes:
    end = text.find(RECORD_START, start + 1)
    if end >= 0:
        return bytes(text[start:end]).rstrip(b", \t\r\n")
    return bytes(text[start:]).rstrip().removesuffix(b"]}")
