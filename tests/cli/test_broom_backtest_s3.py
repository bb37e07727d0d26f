"""`landkeeper broom backtest` on a trail's bucket: what is listed and read, and that nothing else is called."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests import past_logs as past
from tests.broom_world import STRICT
from tests.recorded_calls import Call, recorded_calls
from tests.servers import home_sessions

from landkeeper.cli import run

pytestmark = pytest.mark.embedded
ORGANIZATION = "o-exampleorgid"
DAYS = ("2026-01-01", "2026-01-02", "2026-01-05")


def organization_key(day: str, **where: Any) -> str:
    return "landing/" + past.trail_key(day, organization=ORGANIZATION, **where)


def instance(account: str, region: str, day: str) -> str:
    """The id of what was launched then and there."""
    return f"i-{account[0]}{'e' if region == 'eu-west-1' else 'a'}{day.replace('-', '')}"


@pytest.fixture
def bucket(aws_environment: object) -> str:
    """The bucket of an organization's trail: two accounts, two regions, three days, and what else lies about there."""
    name = f"trail-{uuid.uuid4().hex[:10]}"
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket=name)
    for account in (past.ACCOUNT, past.OTHER):
        for region in ("eu-west-1", "us-east-1"):
            for day in DAYS:
                launch = past.launch(
                    instance(account, region, day), f"{day}T10:00:00Z", awsRegion=region, recipientAccountId=account
                )
                s3.put_object(
                    Bucket=name, Key=organization_key(day, account=account, region=region), Body=past.log(launch)
                )
    for key in (
        f"landing/AWSLogs/{ORGANIZATION}/{past.ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/01/01/x.json.gz",
        f"landing/AWSLogs/{ORGANIZATION}/{past.ACCOUNT}/Config/eu-west-1/2026/01/01/x.json.gz",
        f"landing/AWSLogs/{ORGANIZATION}/{past.ACCOUNT}/CloudTrail/eu-west-1/2026/01/01/notes.txt",
    ):
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "broom.yaml"
    path.write_text(STRICT)
    return str(path)


def backtest(capsys: pytest.CaptureFixture[str], policy: str, *arguments: str) -> tuple[int, Any, str, list[Call]]:
    with recorded_calls() as calls:
        code = run(["broom", "backtest", "--policy", policy, "--format", "json", *arguments])
    out, err = capsys.readouterr()
    return code, json.loads(out), err, calls


def ids_of(answer: Any) -> set[str]:
    return {each["InstanceId"] for each in answer["instances"]}


ALL = {instance(account, region, day) for account in "14" for region in ("eu-west-1", "us-east-1") for day in DAYS}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ALL),
        ("land", ALL),
        ("landing/AWSLogs/", ALL),
        (f"landing/AWSLogs/{ORGANIZATION}/{past.OTHER}", {id_ for id_ in ALL if id_.startswith("i-4")}),
        (
            f"landing/AWSLogs/{ORGANIZATION}/{past.OTHER}/CloudTrail/us-east-1",
            {instance("4", "us-east-1", day) for day in DAYS},
        ),
        (
            f"landing/AWSLogs/{ORGANIZATION}/{past.ACCOUNT}/CloudTrail/eu-west-1/2026/01/02/",
            {instance("1", "eu-west-1", "2026-01-02")},
        ),
    ],
)
def test_a_prefix_may_begin_anywhere_and_nothing_but_s3_is_called(
    bucket: str, policy: str, capsys: pytest.CaptureFixture[str], prefix: str, expected: set[str]
) -> None:
    code, answer, err, calls = backtest(capsys, policy, f"s3://{bucket}/{prefix}")
    assert (code, err) == (0, "")
    assert ids_of(answer) == expected
    assert {(call.service, call.operation) for call in calls} == {("s3", "ListObjectsV2"), ("s3", "GetObject")}
    read = [call.parameters["Key"] for call in calls if call.operation == "GetObject"]
    assert len(read) == len(set(read)) == len(expected)


def test_days_prune_before_anything_is_fetched_and_folders_of_others_are_not_listed(
    bucket: str, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer, _, calls = backtest(
        capsys, policy, f"s3://{bucket}", "--since", "2026-01-02", "--until", "2026-01-02T12:00:00Z"
    )
    assert code == 0
    assert ids_of(answer) == {id_ for id_ in ALL if id_.endswith("20260102")}
    read = {call.parameters["Key"] for call in calls if call.operation == "GetObject"}
    assert {key.split("/")[-2] for key in read} == {"02"}
    started = [call.parameters["StartAfter"] for call in calls if "StartAfter" in call.parameters]
    assert len(started) == 4
    assert all(start.endswith("/2026/01/02") for start in started)
    listed = {call.parameters["Prefix"] for call in calls if call.operation == "ListObjectsV2"}
    assert listed
    assert not any("Config" in prefix or "Digest" in prefix for prefix in listed)
    assert [each["Reason"] for each in answer["skipped"]] == [
        "below CloudTrail-Digest/, which holds no CloudTrail log files",
        "below Config/, which holds no CloudTrail log files",
    ]


def test_the_second_policy_fetches_nothing(bucket: str, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = backtest(capsys, policy, f"s3://{bucket}/landing/")
    second = backtest(capsys, policy, f"s3://{bucket}/landing/")
    assert [call for call in second[3] if call.operation == "GetObject"] == []
    assert second[1]["instances"] == first[1]["instances"]
    assert second[1]["totals"]["files_kept"] == len(ALL)
    key = organization_key(DAYS[0])
    home_sessions().home("s3").put_object(Bucket=bucket, Key=key, Body=past.log(past.launch("i-0e")))
    third = backtest(capsys, policy, f"s3://{bucket}/landing/")
    assert [call.parameters["Key"] for call in third[3] if call.operation == "GetObject"] == [key]
    assert "i-0e" in ids_of(third[1])


def test_a_requester_who_pays_says_so_in_every_call(
    bucket: str, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, calls = backtest(capsys, policy, f"s3://{bucket}/landing/", "--requester-pays")
    assert {call.parameters.get("RequestPayer") for call in calls} == {"requester"}


def test_a_bucket_that_is_not_there_and_a_prefix_without_files_are_a_line_each(
    bucket: str, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer, err, _ = backtest(capsys, policy, "s3://nobody-made-this/x", f"s3://{bucket}/nowhere/")
    assert code == 3
    assert answer["instances"] == []
    first, second = err.splitlines()
    assert first.startswith("s3://nobody-made-this/x: not found (NoSuchBucket")
    assert second == f"s3://{bucket}/nowhere/: nothing is there"


@contextmanager
def refusing() -> Iterator[str]:
    """An S3 that refuses everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bucket_without_permission_is_one_clear_line(
    no_aws: None, policy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with refusing() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        code, answer, err, _ = backtest(capsys, policy, "s3://locked/AWSLogs/")
    assert code == 3
    assert err.splitlines() == ["s3://locked/AWSLogs/: permission missing (AccessDenied: Access Denied)"]
    assert [each["File"] for each in answer["unreadable"]] == ["s3://locked/AWSLogs/"]


def test_without_credentials_it_is_one_line(no_aws: None, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broom", "backtest", "--policy", policy, "s3://somewhere/"]) == 3
    err = capsys.readouterr().err
    assert err == "s3://somewhere/: credentials missing or expired (NoCredentialsError: Unable to locate credentials)\n"
