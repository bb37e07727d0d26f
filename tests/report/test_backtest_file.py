"""Backtests for the report: the output of the command, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.report.report_inputs import BACKTEST

from landkeeper.org import UsageError
from landkeeper.report.backtest_file import parse_backtest


def test_a_backtest_is_returned_unchanged() -> None:
    assert parse_backtest(json.dumps(BACKTEST), "backtest.json") == BACKTEST


def test_the_totals_of_version_2_have_the_names_that_the_page_shows() -> None:
    given = {**BACKTEST, "version": None, "Version": 2, "totals": {"hit": 1, "files_kept": 2}}
    assert parse_backtest(json.dumps(given), "backtest.json")["totals"] == {"Hit": 1, "FilesKept": 2}


def test_names_that_are_no_utf_8_are_shown_escaped() -> None:
    instance = {"InstanceId": "i-1", "Source": "caf\udce9.json", "Tags": {"\ud800": ["\udfff", 7, None]}}
    answer = parse_backtest(json.dumps({**BACKTEST, "instances": [instance]}), "backtest.json")
    shown = {"InstanceId": "i-1", "Source": "caf\\udce9.json", "Tags": {"\\ud800": ["\\udfff", 7, None]}}
    assert answer["instances"] == [shown]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "something"}, "is not the output of `landkeeper broom backtest"),
        ({"version": 3}, "has an unsupported backtest version (3): update Landkeeper"),
        ({"Version": 4}, "has an unsupported backtest version (4): update Landkeeper"),
        ({"policy": None}, "policy cannot be read"),
        ({"totals": {"Hit": "many"}}, "its counts cannot be read"),
        ({"by": {"day": {}}}, "its counts cannot be read"),
        ({"instances": ["i-1"]}, "its counts cannot be read"),
        ({"broom_actions": {"i-1": 1}}, "its counts cannot be read"),
    ],
)
def test_another_shape_is_refused_with_the_files_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_backtest(json.dumps({**BACKTEST, **changes}), "backtest.json")
    assert str(refused.value).startswith("backtest.json ")
    assert words in str(refused.value)


@pytest.mark.parametrize("text", ["", "Day,Hit", "[]", '{"kind": NaN}', "[" * 100_000])
def test_text_that_is_not_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"backtest\.json is not the output of"):
        parse_backtest(text, "backtest.json")
