"""What was found in a log file, kept as text and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import past_logs as past

from landkeeper.broom.cloudtrail.records import CHANGE_EVENTS, PAST_EVENTS
from landkeeper.broom.cloudtrail.scan import Scanned, scan_log
from landkeeper.broom.cloudtrail.scan_text import read_scanned, write_scanned

_SHARED: dict[str, Any] = {"sharedEventID": "s"}
TEMPLATED = past.launch("i-5")
TEMPLATED["requestParameters"]["launchTemplate"] = {"launchTemplateId": "lt-1"}
FILES = (
    past.log(
        past.launch(["i-1", "i-2"], tags={"Code": "LÖL"}, asked={"Owner": "x"}, **_SHARED),
        past.tagged(["i-1"], "10:01:00", {"a": "b"}), past.untagged("i-1", "10:02:00", ["a"]),
        past.untagged("i-2", "10:02:00"), past.ended(["i-1", "i-2"], "10:03:00"), past.spot(["i-3"], "10:00:00"),
        past.launch("i-4", userIdentity="?"), TEMPLATED, past.record("DescribeInstances", "10:00:00", {}),
    ),
    past.log("no record"),  # type: ignore[arg-type] # which is what it is about
    b"",
    past.log(past.record("DescribeInstances", "10:00:00", {})),
    past.log(
        past.launch(["i-1", ""], addendum={"originalEventID": "first"}), past.interrupted("i-1", "10:01:00"),
        past.untagged("i-1", "10:02:00", {"a": "b", "c": ""}),
        past.stopped("i-1", "10:03:00", **past.by_role("R", "s")),
    ),
)  # fmt: skip


@pytest.mark.parametrize("deferred", [frozenset(), CHANGE_EVENTS], ids=["whole", "deferred"])
@pytest.mark.parametrize("data", [*FILES, past.log(past.tagged(["i-1", "i-2"], "10:01:00", {"a": "b"}))])
def test_what_is_read_back_is_what_was_found(data: bytes, deferred: frozenset[str]) -> None:
    scanned = scan_log(data, wanted=PAST_EVENTS, deferred=deferred)
    assert scanned != Scanned()
    again = read_scanned(write_scanned(scanned))
    assert again == scanned
    # Two launches are equal wherever they stand; a kept one has to know where.
    assert again is not None
    assert [getattr(each, "where", "") for each in again.found] == [
        getattr(each, "where", "") for each in scanned.found
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', "null", '{"found": 1}', "[" * 100_000])
def test_what_was_not_written_so_is_not_read(text: str) -> None:
    assert read_scanned(text) is None


@pytest.mark.parametrize("part", ["found", "faults"])
def test_what_was_cut_is_not_read(part: str) -> None:
    value = json.loads(write_scanned(scan_log(FILES[0], wanted=PAST_EVENTS)))
    value[part] = [{"is": "launch", "at": "yesterday"}, 1]
    assert read_scanned(json.dumps(value)) is None
