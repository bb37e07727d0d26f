"""What was stored at an earlier time: the history entries that came later, taken back from the newest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from landkeeper.vpctracker.attributes import Attributes, StoredItemError, after_entries_at

_APPEARED = "appeared"


def reconstruct_items(
    items: Iterable[Mapping[str, Any]], history: Iterable[Mapping[str, Any]], at: datetime
) -> list[Attributes | StoredItemError]:
    """The items as they were at that time, those without an item then left out.

    `history` has at least the entries that came after `at`. A StoredItemError stands for an item whose history does
    not reach back to it without a gap. An entry that is newer than the item, written while the two were read, counts
    for nothing.
    """
    later: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    newest = after_entries_at(at)
    for entry in history:
        if entry["At"] > newest:
            later[entry["VpcId"], entry["OwnerId"]].append(entry)
    then = (_take_back(item, later.get((item.get("VpcId", ""), item.get("OwnerId", "")), ())) for item in items)
    return [item for item in then if item is not None]


def _take_back(item: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> Attributes | StoredItemError | None:
    attributes = dict(item)
    for entry in sorted(entries, key=lambda entry: int(entry["Version"]), reverse=True):
        if entry["Version"] > item.get("Version", 0):
            continue
        if entry["Version"] != attributes.get("Version"):
            name = f"{item['VpcId']} of {item['OwnerId']}"
            return StoredItemError(name, f"its history has no entry for version {attributes.get('Version')}")
        if entry["Kind"] == _APPEARED:
            return None
        kept = {name: value for name, value in attributes.items() if name not in entry["After"]}
        attributes = {**kept, **entry["Before"]}
    return attributes


def first_record(items: Iterable[Mapping[str, Any]]) -> str | None:
    """When the first of these VPCs was first seen, as it is stored; None where there is none."""
    return min((str(item["FirstSeen"]) for item in items if "FirstSeen" in item), default=None)
