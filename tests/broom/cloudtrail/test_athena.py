"""The query that Athena is given picks the records that the local engine finds; DuckDB runs it here."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from tests import past_logs as past
from tests.broom_world import event

from landkeeper.broom.cloudtrail.athena import Folders, TrailRoot, read_row, write_queries, write_table
from landkeeper.broom.cloudtrail.records import PAST_EVENTS, Ignored, read_record
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.launches import Launch
from landkeeper.org import AccountId, Region

ROOT = TrailRoot("trail", "AWSLogs/o-exampleorgid/")
ACCOUNTS = (AccountId(past.ACCOUNT), AccountId(past.OTHER))
REGIONS = (Region("eu-west-1"), Region("us-east-1"))
JANUARY = Folders(ACCOUNTS, REGIONS, date(2026, 1, 1), date(2026, 1, 31))

# What Athena's input format and SerDe make of the files: a row for each record, its columns as the table names them.
_AS_ATHENA_READS_IT = """
CREATE VIEW {table} AS SELECT
  r->>'eventTime' AS eventtime, r->>'eventSource' AS eventsource, r->>'eventName' AS eventname,
  r->>'awsRegion' AS awsregion, r->>'errorCode' AS errorcode, r->>'eventID' AS eventid,
  r->>'sharedEventID' AS sharedeventid, r->>'recipientAccountId' AS recipientaccountid,
  nullif(CAST(r->'requestParameters' AS VARCHAR), 'null') AS requestparameters,
  nullif(CAST(r->'responseElements' AS VARCHAR), 'null') AS responseelements,
  nullif(CAST(r->'serviceEventDetails' AS VARCHAR), 'null') AS serviceeventdetails,
  from_json(r->'addendum', '{{"originalEventID": "VARCHAR"}}') AS addendum,
  from_json(r->'userIdentity', '{identity}') AS useridentity,
  regexp_extract(filename, '/([0-9]+)/CloudTrail/', 1) AS account,
  regexp_extract(filename, '/CloudTrail/([^/]+)/', 1) AS region,
  regexp_extract(filename, '/CloudTrail/[^/]+/([0-9]+/[0-9]+/[0-9]+)/', 1) AS day,
  filename AS "$path"
FROM (
  SELECT unnest(Records) AS r, filename
  FROM read_json('{folder}/**/*.json.gz', columns = {{Records: 'JSON[]'}}, filename = true)
)
"""
_IDENTITY = {
    **dict.fromkeys(
        ("type", "principalId", "arn", "accountId", "userName", "invokedBy", "identityProvider"), "VARCHAR"
    ),
    "onBehalfOf": {"userId": "VARCHAR"},
    "invokedByDelegate": {"accountId": "VARCHAR"},
    "sessionContext": {
        "sourceIdentity": "VARCHAR",
        "sessionIssuer": {"userName": "VARCHAR", "arn": "VARCHAR"},
        "webIdFederationData": {"federatedProvider": "VARCHAR"},
    },
}
_ROLE = {
    "type": "AssumedRole", "principalId": "AROAEXAMPLE:jane@example.com", "accountId": past.ACCOUNT,
    "arn": "arn:aws:sts::111122223333:assumed-role/Developer/jane@example.com",
    "sessionContext": {
        "sourceIdentity": "jane", "attributes": {"mfaAuthenticated": "false"},
        "sessionIssuer": {"type": "Role", "userName": "Developer", "arn": "arn:aws:iam::111122223333:role/Developer"},
        "webIdFederationData": {"federatedProvider": "https://idp.example.com", "attributes": {}},
    },
}  # fmt: skip
IDENTITIES: tuple[Any, ...] = (
    past.JANE,
    _ROLE,
    {**_ROLE, "invokedBy": "autoscaling.amazonaws.com"},
    {"type": "Root", "accountId": past.ACCOUNT, "arn": "arn:aws:iam::111122223333:root"},
    {"type": "WebIdentityUser", "principalId": "x", "userName": "ben", "identityProvider": "accounts.example.com"},
    {**_ROLE, "onBehalfOf": {"userId": "9067-user"}, "invokedByDelegate": {"accountId": past.OTHER}},
    {"type": "IdentityCenterUser", "accountId": past.ACCOUNT, "onBehalfOf": {"userId": "9067-user"}},
    {"accountId": past.ACCOUNT, "invokedBy": "spot.amazonaws.com"},
)


def _placed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: fields[name] for name in ("awsRegion", "recipientAccountId")}, "eventID": fields["event_id"]}


def made_up(chance: Random, number: int) -> Iterator[Mapping[str, Any]]:
    """Records of every kind that matters, and of those that only look like it."""
    for at in range(number):
        id_, account, region = f"i-{at:08x}", chance.choice(ACCOUNTS), chance.choice(REGIONS)
        day, second = chance.randint(1, 28), chance.randint(0, 59)
        moment = f"2026-01-{day:02}T10:00:{second:02}Z"
        where: dict[str, Any] = {
            "awsRegion": region, "recipientAccountId": account, "userIdentity": chance.choice(IDENTITIES),
            "event_id": f"event-{at}",
        }  # fmt: skip
        shared: dict[str, Any] = {"sharedEventID": f"shared-{at}"} if at % 7 == 0 else {}
        again: dict[str, Any] = {"addendum": {"reason": "DELIVERY_DELAY", "originalEventID": f"first-{at}"}}
        failed: dict[str, Any] = {"errorCode": "Client.DryRunOperation"}
        launch = past.launch([id_, f"{id_}0"], moment, tags={"Name": 'a "quoted" name, ü'}, **where, **shared)
        silent = {**launch, "responseElements": None, "eventID": f"silent-{at}"}
        yield from chance.sample(
            [
                launch, silent, past.launch(id_, moment, **where, **again), past.launch(id_, moment, **where, **failed),
                past.tagged(id_, moment, {"Code": "LOL"}, **where),
                past.tagged("vol-1", moment, {"Code": "x"}, **where),
                past.tagged(["vol-1", id_], moment, {"k": "i-x"}, **where), past.untagged(id_, moment, **where),
                past.untagged(id_, moment, {"Code": "LOL", "k": ""}, **where), past.stopped(id_, moment, **where),
                {**past.interrupted(id_, moment), **_placed(where)},
                past.tagged("vol-1", moment, {"k": '"i-'}, **where), past.ended([id_], moment, **where),
                past.ended([id_], moment, **where, **failed),
                past.record("DescribeInstances", moment, {"x": id_}, **where),
                past.record("RunInstances", moment, {}, **where, eventSource="other.amazonaws.com"),
                {**past.spot([id_], "10:00:00"), "eventID": f"spot-{at}", "awsRegion": region},
            ],
            3,
        )  # fmt: skip


def write_trail(folder: Path, records: list[Mapping[str, Any]]) -> dict[str, bytes]:
    """The records in files as a trail of an organization lays them out."""
    files: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        where = {
            "account": record["recipientAccountId"],
            "region": record["awsRegion"],
            "organization": "o-exampleorgid",
        }
        files.setdefault(past.trail_key(record["eventTime"][:10], **where), []).append(record)
    logs = {key: past.log(*those) for key, those in files.items()}
    past.write_logs(folder, logs)
    return logs


def picked(folder: Path, folders: Folders) -> list[Any]:
    """What the queries pick of the files in the folder."""
    with duckdb.connect() as db:
        identity = json.dumps(_IDENTITY)
        db.execute(_AS_ATHENA_READS_IT.format(table=ROOT.table, folder=folder, identity=identity))
        entries: list[Any] = []
        for query in write_queries(ROOT, folders):
            answer = db.execute(query)
            names = [column[0] for column in answer.description or ()]
            for row in answer.fetchall():
                file, record = read_row(dict(zip(names, row, strict=True)))
                assert Path(file).is_relative_to(folder)
                entries.append(read_record(record))
    return entries


def comparable(entries: list[Any]) -> list[str]:
    return sorted(repr(replace(each, where="") if isinstance(each, Launch) else each) for each in entries)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_query_picks_what_the_local_engine_finds(tmp_path: Path, seed: int) -> None:
    logs = write_trail(tmp_path, list(made_up(Random(seed), 200)))  # noqa: S311 - made-up logs
    found = [each for data in logs.values() for each in scan_log(data, wanted=PAST_EVENTS).found]
    entries = picked(tmp_path, JANUARY)
    # Tags on something else whose values look like an instance's id come along, and are nothing here.
    assert comparable([each for each in entries if not isinstance(each, Ignored)]) == comparable(found)
    assert len({type(each) for each in found}) == 4


def test_only_the_folders_asked_for_are_looked_into(tmp_path: Path) -> None:
    logs = write_trail(tmp_path, list(made_up(Random(4), 200)))  # noqa: S311 - made-up logs
    asked = Folders(ACCOUNTS[:1], REGIONS[1:], date(2026, 1, 5), date(2026, 1, 9))
    there = [key for key in logs if f"/{past.ACCOUNT}/CloudTrail/us-east-1/2026/01/0" in key]
    days = {key: int(re.findall(r"/2026/01/(\d\d)/", key)[0]) for key in there}
    expected = [each for key in there if 5 <= days[key] <= 9 for each in scan_log(logs[key], wanted=PAST_EVENTS).found]
    assert expected
    assert comparable([each for each in picked(tmp_path, asked) if not isinstance(each, Ignored)]) == comparable(
        expected
    )


def test_the_table_has_each_column_that_is_picked_and_a_folder_for_each_partition() -> None:
    table, (query,) = write_table(ROOT), write_queries(ROOT, JANUARY)
    columns = set(re.findall(r"^  ([a-z]+) (?:STRING|STRUCT)", table, re.MULTILINE))
    used = {re.split(r"[. ]", line.strip(" ,"))[0] for line in query.split("FROM")[0].splitlines()[1:]}
    assert used - {'"$path"', ""} == columns - {"errorcode"}
    assert "PARTITIONED BY (account STRING, region STRING, day STRING)" in table
    assert "'s3://trail/AWSLogs/o-exampleorgid/${account}/CloudTrail/${region}/${day}/'" in table
    for name in ("account", "region", "day"):
        assert f"'projection.{name}.type'" in table


def test_many_accounts_are_several_queries_within_the_limits() -> None:
    accounts = tuple(AccountId(f"{number:012}") for number in range(1200))
    queries = list(write_queries(ROOT, replace(JANUARY, accounts=accounts)))
    assert [query.count("'0000") for query in queries] == [500, 500, 200]
    year = replace(
        JANUARY, accounts=accounts, last=date(2028, 1, 1), regions=tuple(Region(f"r-{at}") for at in range(30))
    )
    assert all(query.count("'0000") * 30 * 731 <= 500_000 for query in write_queries(ROOT, year))
    assert sum(query.count("'0000") for query in write_queries(ROOT, year)) == 1200


def test_a_quote_in_a_name_stays_in_its_text() -> None:
    assert "LOCATION 's3://trail/it''s/AWSLogs/'" in write_table(TrailRoot("trail", "it's/AWSLogs/"))


def test_a_row_that_says_little_is_a_record_that_says_little() -> None:
    assert read_row({"eventname": "RunInstances", "requestparameters": "not json", "responseelements": ""}) == (
        "",
        {
            "eventName": "RunInstances",
            "requestParameters": "not json",
            "responseElements": None,
            "serviceEventDetails": None,
        },
    )


def test_the_public_event_of_a_spot_request_is_picked(tmp_path: Path) -> None:
    record = event("bid_fulfilled.json")
    key = past.trail_key(record["eventTime"][:10], account=record["recipientAccountId"], region=record["awsRegion"],
                         organization="o-exampleorgid")  # fmt: skip
    past.write_logs(tmp_path, {key: gzip.compress(json.dumps({"Records": [record]}).encode())})
    day = date.fromisoformat(record["eventTime"][:10])
    folders = Folders((AccountId(record["recipientAccountId"]),), (Region(record["awsRegion"]),), day, day)
    (found,) = picked(tmp_path, folders)
    assert isinstance(found, Launch)
    assert found == read_record(record)
