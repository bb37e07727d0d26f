"""`landkeeper cost` as a person types it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from landkeeper.cli import run


def test_the_table_ends_with_the_sum_and_says_what_was_assumed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["cost", "--accounts", "100", "--regions", "17", "--launches-per-day", "500"]) == 0
    printed = capsys.readouterr().out
    assert max(len(line) for line in printed.partition("US dollars per month.")[0].splitlines()) <= 80
    assert "100 accounts, 17 regions, 500 launches a day" in printed
    assert "Per day: 67,200 log files and 40,800 digest files (an existing trail's) and 25 launches that" in printed
    assert "AWS's VPC IPAM (advanced tier) would cost 985.50 US dollars a month for 5,000 addresses" in printed
    assert "us-east-1, without tax; the Free Tier is unused" in printed


def test_the_lines_add_up_in_json_and_their_parts_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--log-files-per-day", "1000", "--no-digests", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["Dollars"] == pytest.approx(sum(line["Dollars"] for line in answer["Lines"]), abs=0.01)
    assert answer["Landscape"]["LogFilesADay"] == 1000
    assert answer["Landscape"]["DigestsADay"] == 0
    assert answer["Lines"]
    for line in answer["Lines"]:
        assert line["Quantity"] == pytest.approx(sum(line["Parts"].values()), rel=0.001, abs=0.01)


def test_csv_has_a_row_for_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--format", "csv", "--details"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {"Lambda", "SQS", "SNS", "DynamoDB", "S3", "CloudWatch"} <= {row["Service"] for row in rows}
    assert float(next(row for row in rows if row["What"] == "alarm metrics")["FreeTier"]) == 10


def test_details_tell_what_a_line_consists_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--details", "--trail", "second", "--free-tier", "used", "--mails"]) == 0
    printed = capsys.readouterr().out
    assert "- news of digest files" in printed
    assert "- digest files written" in printed
    assert "of the stack's own trail beside another, with" in printed
    assert "the Free Tier is used up" in printed


def test_the_trackers_calls_in_other_services_are_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--paid-trail-copies", "1", "--guardduty", "--control-tower", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    dollars = {line["What"]: line["Dollars"] for line in answer["Lines"]}
    assert dollars["tracker's calls in paid copies"] == pytest.approx(102.26, abs=0.01)
    assert dollars["tracker's calls analyzed"] == pytest.approx(20.45, abs=0.01)
    landscape = answer["Landscape"]
    assert (landscape["PaidTrailCopies"], landscape["ControlTower"], landscape["GuardDuty"]) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--accounts", "0"], "landkeeper: there has to be one of the accounts at least\n"),
        (["--launches-per-day", "3", "--violations-per-day", "4"], "of 3 launches a day, 4 cannot break the policy"),
        (["--launches-per-day", "-1"], "Invalid value for '--launches-per-day': -1 is not in the range x>=0"),
        (["--regions", "many"], "'many' is not a valid integer"),
        (["--trail", "third"], "'third' is not one of"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert printed.err.count("\n") == 1
