"""The tracker function: reads every account it was told about and writes what changed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from landkeeper.settings import read_settings
from landkeeper.vpctracker.track import TrackOutcome, UnreadablePlace
from landkeeper.wiring.vpctracker import function_source, function_store, track_vpcs

Summary = dict[str, Any]


def handler(_event: Mapping[str, Any], _context: object) -> Summary:
    """Scan in this invocation; answers how many accounts, VPCs and changes there were, and what could not be read.

    What is in the event does not matter. An account that cannot be read is in the answer and no error; a store that
    cannot be written is one.
    """
    settings = read_settings(os.environ)
    store = function_store(settings)
    summary = summarize(track_vpcs(function_source(settings), store))
    for place in summary["unreadable"]:
        _log("WARNING", "could not be read", place)
    _log("INFO", "tracked", {name: value for name, value in summary.items() if name != "unreadable"})
    return summary


def summarize(outcome: TrackOutcome) -> Summary:
    """The outcome of a run as JSON."""
    return {
        "accounts": outcome.accounts,
        "accounts_read": outcome.accounts_read,
        "vpcs": outcome.vpcs,
        "changes": dict(outcome.changes),
        "unreadable": [_place(place) for place in outcome.unreadable],
    }


def _place(place: UnreadablePlace) -> Summary:
    return {
        "AccountId": place.account.id,
        "AccountName": place.account.name,
        "Region": place.region,
        "Reason": str(place.failure.reason),
        "Code": place.failure.code,
        "Message": place.failure.message,
    }


def _log(level: str, message: str, fields: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps({"level": level, "message": message, **fields}) + "\n")
