"""`landkeeper broom backtest --engine athena`, run by the simulator's Athena, which is DuckDB.

The simulator knows neither CloudTrail's input format nor partition projection: in the place of log files lies what
Athena makes of them, a line for each record.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from tests import past_logs as past
from tests.broom_world import STRICT
from tests.recorded_calls import recorded_calls
from tests.servers import answering, home_sessions

from landkeeper.aws.broom.athena import AthenaStatements, CalledOff
from landkeeper.cli import run

ORGANIZATION = "o-exampleorgid"
ROOT = f"AWSLogs/{ORGANIZATION}/"
_TEXTS = ("requestParameters", "responseElements", "serviceEventDetails")
_WHOLE: dict[str, Any] = {
    **dict.fromkeys(("errorCode", "sharedEventID", *_TEXTS)),
    "addendum": {"originalEventID": None},
    "userIdentity": {
        **dict.fromkeys(("type", "principalId", "arn", "accountId", "userName", "invokedBy", "identityProvider")),
        "onBehalfOf": {"userId": None},
        "invokedByDelegate": {"accountId": None},
        "sessionContext": {
            "sourceIdentity": None,
            "sessionIssuer": {"userName": None, "arn": None},
            "webIdFederationData": {"federatedProvider": None},
        },
    },
}


def as_athena_reads_it(record: dict[str, Any], key: str) -> str:
    """A record as a row of the table: its columns, those of the partition, and the file it is in."""
    _, _, account, _, region, year, month, day, _ = key.split("/")
    texts = {name: json.dumps(record[name]) for name in _TEXTS if record.get(name) is not None}
    identity = {**_WHOLE["userIdentity"], **record["userIdentity"]}
    where = {"account": account, "region": region, "day": f"{year}/{month}/{day}", "$path": f"s3://trail/{key}"}
    row = {**_WHOLE, **record, **texts, "userIdentity": identity, **where}
    return json.dumps({name.lower(): value for name, value in row.items()})


RECORDS = (
    past.launch(["i-1", "i-2"]),
    past.tagged("i-2", "10:05:00", {"Code": "LOL"}),
    past.launch("i-3", recipientAccountId=past.OTHER, errorCode="Client.DryRunOperation"),
    past.launch("i-4", recipientAccountId=past.OTHER, awsRegion="us-east-1"),
    past.ended("i-4", "10:20:00", recipientAccountId=past.OTHER, awsRegion="us-east-1"),
    past.record("DescribeInstances", "10:00:00", {}),
)


@pytest.fixture
def bucket(aws_environment: object) -> str:
    name = f"trail-{uuid.uuid4().hex[:10]}"
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket=name)
    glue = home_sessions().home("glue")
    with suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": "default"})
    files: dict[str, list[dict[str, Any]]] = {}
    for record in RECORDS:
        where = {"account": record["recipientAccountId"], "region": record["awsRegion"], "organization": ORGANIZATION}
        files.setdefault(past.trail_key("2026-01-01", **where), []).append(record)
    for key, records in files.items():
        # The simulator guesses types, and takes a column of nothing but times for one of times: one is none.
        other = past.record("DescribeVpcs", "10:00:00", {}) | {"eventTime": "some time"}
        body = "\n".join(as_athena_reads_it(record, key) for record in (*records, other)).encode()
        s3.put_object(Bucket=name, Key=key.removesuffix(".gz"), Body=body)
    return name


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are looked for where the simulator puts them, which is a folder below the place that it names."""
    clients: Any = BaseClient
    make_api_call = clients._make_api_call

    def looking_deeper(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        key = str(parameters.get("Key", ""))
        if operation == "GetObject" and key.startswith("answers/"):
            parameters = {**parameters, "Key": f"{key}/{key.removeprefix('answers/')}"}
        return make_api_call(self, operation, parameters)

    monkeypatch.setattr(clients, "_make_api_call", looking_deeper)


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "broom.yaml"
    path.write_text(STRICT.replace("action: terminate", "action: terminate\n    grace: 15m"))
    return str(path)


Athena = Callable[..., tuple[int, str, str]]


@pytest.fixture
def athena(policy: str, capsys: pytest.CaptureFixture[str]) -> Athena:
    def start(*arguments: str) -> tuple[int, str, str]:
        code = run(["broom", "backtest", "--engine", "athena", "--policy", policy, *arguments])
        return code, *capsys.readouterr()

    return start


@pytest.mark.embedded
@pytest.mark.usefixtures("answers")
def test_what_athena_picks_is_judged_here(bucket: str, athena: Athena) -> None:
    window = ("--since", "2026-01-01", "--until", "2026-01-01", "--format", "json")
    with recorded_calls() as calls:
        code, out, err = athena(f"s3://{bucket}/AWSLogs/", *window, "--athena-output", f"s3://{bucket}/answers/")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert {(each["InstanceId"], each["AccountId"], each["Fate"]) for each in answer["instances"]} == {
        ("i-1", past.ACCOUNT, "terminated"), ("i-4", past.OTHER, "terminated"),
    }  # fmt: skip
    assert answer["totals"].items() >= {"launches": 2, "instances": 3, "compliant": 1, "events": 4}.items()
    assert {each["Source"].split("/CloudTrail/")[1][:10] for each in answer["instances"]} == {
        "eu-west-1/",
        "us-east-1/",
    }
    assert {(call.service, call.operation) for call in calls} == {
        ("s3", "ListObjectsV2"), ("s3", "GetObject"),
        ("athena", "StartQueryExecution"), ("athena", "GetQueryExecution"),
    }  # fmt: skip
    again = athena(f"s3://{bucket}/{ROOT}", *window, "--athena-output", f"s3://{bucket}/answers/")
    assert {**json.loads(again[1]), "read_at": answer["read_at"]} == answer


@pytest.mark.embedded
@pytest.mark.usefixtures("answers")
def test_the_table_is_in_the_catalogue_with_its_projection(bucket: str, athena: Athena) -> None:
    assert (
        athena(f"s3://{bucket}/{ROOT}", "--since", "2026-01-01", "--athena-output", f"s3://{bucket}/answers/")[0] == 0
    )
    tables = home_sessions().home("glue").get_tables(DatabaseName="default")["TableList"]
    (table,) = [one for one in tables if one["StorageDescriptor"]["Location"] == f"s3://{bucket}/{ROOT}".rstrip("/")]
    assert table["Parameters"]["projection.account.type"] == "injected"
    assert table["Parameters"]["storage.location.template"].endswith("/${account}/CloudTrail/${region}/${day}/")
    assert [key["Name"] for key in table["PartitionKeys"]] == ["account", "region", "day"]
    assert table["StorageDescriptor"]["InputFormat"] == "com.amazon.emr.cloudtrail.CloudTrailInputFormat"


@pytest.mark.embedded
def test_accounts_and_regions_are_those_of_the_bucket(bucket: str, athena: Athena) -> None:
    code, out, _ = athena(f"s3://{bucket}/{ROOT}", "--since", "2026-01-01", "--until", "2026-01-02", "--print-sql")
    assert code == 0
    assert f"account IN ('{past.ACCOUNT}', '{past.OTHER}')" in out
    assert "region IN ('eu-west-1', 'us-east-1')" in out
    assert "day BETWEEN '2026/01/01' AND '2026/01/04'" in out
    assert out.count(";") == 2
    deeper = athena(f"s3://{bucket}/{ROOT}{past.OTHER}/CloudTrail/us-east-1/", "--since", "2026-01-01", "--print-sql")[
        1
    ]
    assert f"account IN ('{past.OTHER}')" in deeper
    assert "region IN ('us-east-1')" in deeper


@pytest.mark.embedded
def test_a_query_that_does_not_run_is_one_line(bucket: str, athena: Athena) -> None:
    code, _, err = athena(f"s3://{bucket}/{ROOT}", "--since", "2026-01-01")
    assert code == 3
    assert err.startswith("Athena: the table could not be created: error (InvalidRequestException: No output location")
    window = ("--since", "2026-01-01", "--account", "999988887777", "--region", "eu-west-1")
    home_sessions().home("s3").put_object(Bucket=bucket, Key="broken/AWSLogs/x.json", Body=b"{not json")
    code, _, err = athena(f"s3://{bucket}/broken/AWSLogs/", *window, "--athena-output", f"s3://{bucket}/answers/")
    assert code == 3
    assert err.startswith("Athena: the query failed: error (FAILED: ")
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("no_aws")
def test_the_sql_is_shown_without_calling_anything(athena: Athena) -> None:
    with recorded_calls() as calls:
        code, out, err = athena(
            "s3://trail/AWSLogs/o-a/", "--since", "2026-01-01", "--print-sql",
            "--account", past.ACCOUNT, "--region", "eu-west-1",
        )  # fmt: skip
    assert (code, err, calls) == (0, "", [])
    assert out.startswith("CREATE EXTERNAL TABLE IF NOT EXISTS landkeeper_trail_")


@pytest.mark.usefixtures("no_aws")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["s3://trail/AWSLogs/"], "--engine athena requires --since: it queries one folder per day"),
        (
            ["logs/", "--since", "2026-01-01"],
            "--engine athena requires exactly one trail, for example s3://bucket/AWSLogs/o-id/",
        ),
        (
            ["s3://trail/x/", "--since", "2026-01-01"],
            "s3://trail/x/ is not the root of a trail: Athena requires s3://bucket/[prefix/]AWSLogs/[o-id/]",
        ),
        (
            ["s3://trail/AWSLogs/", "--since", "2026-01-01", "--account", "1"],
            "'1' is not an AWS account id: expected twelve digits",
        ),
        (
            ["s3://trail/AWSLogs/", "--engine", "local", "--print-sql"],
            "--print-sql, --account, --region and --athena-... require --engine athena",
        ),
    ],
)
def test_wrong_usage_is_one_line(athena: Athena, arguments: list[str], line: str) -> None:
    assert athena(*arguments) == (2, "", f"landkeeper: {line}\n")


@pytest.mark.embedded
def test_a_bucket_that_is_not_there_is_one_line(aws_environment: object, athena: Athena) -> None:
    code, _, err = athena("s3://nobody-made-this/AWSLogs/", "--since", "2026-01-01")
    assert code == 3
    assert err.startswith("s3://nobody-made-this/AWSLogs/: not found (NoSuchBucket")


@pytest.mark.embedded
def test_a_bucket_without_accounts_is_wrong_usage(bucket: str, athena: Athena) -> None:
    url = f"s3://{bucket}/{ROOT}nothing/AWSLogs/"
    assert athena(url, "--since", "2026-01-01")[::2] == (
        2, f"landkeeper: {url} contains no CloudTrail log files of any account\n",
    )  # fmt: skip


@pytest.mark.usefixtures("no_aws")
def test_a_statement_is_called_off_when_somebody_stops_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def never_done(call: Any) -> tuple[int, str]:
        asked.append(call["Action"])
        running = {"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": "RUNNING"}}}
        return 200, json.dumps({"StartQueryExecution": {"QueryExecutionId": "q"}}.get(call["Action"], running))

    with answering(never_done) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        sessions = home_sessions()
        statements = AthenaStatements(
            sessions.home("athena"), sessions.home("s3"), database="default", workgroup="primary", output=None
        )
        looks = iter([False, True])
        assert statements.run("SELECT 1", lambda: next(looks)) == CalledOff()
        assert asked == ["StartQueryExecution", *["GetQueryExecution"] * 2, "StopQueryExecution"]
