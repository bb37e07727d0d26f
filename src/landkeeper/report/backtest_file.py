"""Read the output of `landkeeper broom backtest --format json` for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from landkeeper.org import UsageError, well_formed

_VERSIONS = (1, 2)
_WRONG_FILE = "is not the output of `landkeeper broom backtest --format json`"
_TEXT_OR_NONE = (str, type(None))
_SHAPE: Mapping[str, type | tuple[type, ...]] = {
    "policy": str, "since": _TEXT_OR_NONE, "until": _TEXT_OR_NONE, "partial": bool, "totals": dict, "by": dict,
    "instances": list,
}  # fmt: skip


def parse_backtest(text: str, file: str) -> Mapping[str, Any]:
    """Return the backtest in a file's text. Raises UsageError, with the file's name, if it is anything else."""
    try:
        answer = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} {_WRONG_FILE}: it is not JSON") from error
    if not isinstance(answer, dict) or answer.get("kind") != "landkeeper-backtest":
        raise UsageError(f"{file} {_WRONG_FILE}")
    version = answer.get("Version", answer.get("version"))
    if version not in _VERSIONS:
        raise UsageError(f"{file} has an unsupported backtest version ({version}): update Landkeeper")
    wrong = [name for name, kind in _SHAPE.items() if not isinstance(answer.get(name, ...), kind)]
    if (
        wrong
        or not _are_counts(answer["totals"])
        or not _are_tallies(answer["by"])
        or not all(map(_are_rows, (answer["instances"], answer.get("broom_actions", []))))
    ):
        raise UsageError(f"{file} {_WRONG_FILE}: {wrong[0] if wrong else 'its counts'} cannot be read")
    totals = {_title(name): count for name, count in answer["totals"].items()}
    return {name: _well_formed(value) for name, value in {**answer, "totals": totals}.items()}


def _title(name: str) -> str:
    """The name of a total as version 1 and the page have it: `FilesKept` for `files_kept`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _well_formed(value: object) -> object:
    """The value with lone surrogates, as in names of files that are no UTF-8, written so that a browser shows them."""
    match value:
        case str():
            return well_formed(value)
        case list():
            return [_well_formed(item) for item in value]
        case dict():
            return {well_formed(name): _well_formed(item) for name, item in value.items()}
        case _:
            return value


def _refuse(constant: str) -> None:
    # NaN and Infinity are not JSON, and browsers reject them.
    raise ValueError(constant)


def _are_counts(totals: Mapping[str, object]) -> bool:
    return all(isinstance(count, int) for count in totals.values())


def _are_tallies(by: Mapping[str, object]) -> bool:
    return all(_are_rows(rows) for rows in by.values())


def _are_rows(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
