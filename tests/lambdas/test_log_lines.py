"""What the functions print: JSON, whose request it belongs to, and metrics that CloudWatch takes out of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from landkeeper.lambdas.log_lines import begin_request, log, put_metrics


@dataclass(frozen=True)
class Context:
    aws_request_id: str


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_and_names_the_request_of_its_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    for id_ in ("first", "second"):
        begin_request(Context(id_))
        log("INFO", "judged\nor not", {"InstanceId": id_})
    assert printed(capsys) == [
        {"level": "INFO", "message": "judged\nor not", "InstanceId": id_, "requestId": id_}
        for id_ in ("first", "second")
    ]


def test_without_a_context_a_line_names_no_request(capsys: pytest.CaptureFixture[str]) -> None:
    begin_request(Context("first"))
    begin_request(None)
    log("ERROR", "oh")
    assert printed(capsys) == [{"level": "ERROR", "message": "oh"}]


def test_metrics_are_in_cloudwatchs_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    """Every metric that the directive names is a number at the top (CloudWatch guide, "Embedded metric format")."""
    begin_request(Context("first"))
    before = time.time()
    put_metrics({"InstancesJudged": 3, "InstancesDestroyed": 1, "Failures": 0})
    after = time.time()
    (line,) = printed(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Landkeeper", [[]])
    assert {each["Name"]: line[each["Name"]] for each in directive["Metrics"]} == {
        "InstancesJudged": 3,
        "InstancesDestroyed": 1,
        "Failures": 0,
    }
    assert {each["Unit"] for each in directive["Metrics"]} == {"Count"}
    assert int(before * 1000) <= line["_aws"]["Timestamp"] <= after * 1000
    assert line["requestId"] == "first"


def test_nothing_counted_is_nothing_printed(capsys: pytest.CaptureFixture[str]) -> None:
    put_metrics({})
    put_metrics({"Failures": 0})
    assert printed(capsys) == []
