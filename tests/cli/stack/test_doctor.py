"""`landkeeper doctor` before it gets anywhere: without credentials, and with wrong words."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.servers import answering

from landkeeper.cli import run


def test_without_credentials_it_says_so_and_how_to_sign_in(no_aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--format", "json"]) == 4
    credentials, clock = json.loads(capsys.readouterr().out)
    assert (credentials["Check"], credentials["Verdict"]) == ("credentials", "wrong")
    assert "aws configure sso" in credentials["Mend"]
    assert (clock["Check"], clock["Verdict"]) == ("clock", "could not be checked")
    assert run(["doctor", "--format", "csv"]) == 4
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["Check"], row["Verdict"], row["Mend"]) for row in rows] == [
        (line["Check"], line["Verdict"], line["Mend"]) for line in (credentials, clock)
    ]


def test_credentials_that_aws_refuses_are_told_in_lines_that_fit(
    no_aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = (
        "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the request is "
        "expired</Message></Error></ErrorResponse>"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("COLUMNS", "72")
    with answering(lambda _: (403, refusal)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        assert run(["doctor"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("WRONG credentials")
    assert "ExpiredToken" in " ".join(lines)
    assert max(map(len, lines)) <= 72
    assert lines[-1] == "2 checks: 0 ok, 1 wrong, 1 could not be checked."


@pytest.mark.parametrize("words", [["--format", "xml"], ["--stack"], ["now"]])
def test_wrong_words_are_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", *words]) == 2
    shown = capsys.readouterr()
    assert (shown.out, len(shown.err.splitlines())) == ("", 1)
