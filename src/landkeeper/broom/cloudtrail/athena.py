"""A trail's log files as a table of Athena's, and the query that picks from it what a backtest asks of the past.

Source: Amazon Athena User Guide, "Create the table for CloudTrail logs in Athena using partition projection" (columns,
SerDe, formats), "Use dynamic ID partitioning" (`injected`), "Service Quotas" (a million partitions in one scan).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from landkeeper.broom.cloudtrail.records import PAST_EVENTS
from landkeeper.org import AccountId, Region

MOST_PARTITIONS = 500_000
"""How many folders one query looks into, of the million that Athena allows."""
MOST_ACCOUNTS = 500

_IDENTITY = (
    "type: STRING, principalid: STRING, arn: STRING, accountid: STRING, username: STRING, invokedby: STRING, "
    "identityprovider: STRING, onbehalfof: STRUCT<userid: STRING>, "
    "invokedbydelegate: STRUCT<accountid: STRING>, sessioncontext: STRUCT<sourceidentity: STRING, "
    "sessionissuer: STRUCT<username: STRING, arn: STRING>, webidfederationdata: STRUCT<federatedprovider: STRING>>"
)
_COLUMNS = (
    "eventtime STRING",
    "eventsource STRING",
    "eventname STRING",
    "awsregion STRING",
    "errorcode STRING",
    "requestparameters STRING",
    "responseelements STRING",
    "serviceeventdetails STRING",
    "eventid STRING",
    "sharedeventid STRING",
    "recipientaccountid STRING",
    "addendum STRUCT<originaleventid: STRING>",
    f"useridentity STRUCT<{_IDENTITY}>",
)
# Of each column of the answer: where it stands in the table, and in a record.
_PICKED = {
    "eventtime": ("eventtime", "eventTime"),
    "eventsource": ("eventsource", "eventSource"),
    "eventname": ("eventname", "eventName"),
    "awsregion": ("awsregion", "awsRegion"),
    "eventid": ("eventid", "eventID"),
    "sharedeventid": ("sharedeventid", "sharedEventID"),
    "recipientaccountid": ("recipientaccountid", "recipientAccountId"),
    "original_eventid": ("addendum.originaleventid", "addendum.originalEventID"),
    "identity_type": ("useridentity.type", "userIdentity.type"),
    "identity_principalid": ("useridentity.principalid", "userIdentity.principalId"),
    "identity_arn": ("useridentity.arn", "userIdentity.arn"),
    "identity_accountid": ("useridentity.accountid", "userIdentity.accountId"),
    "identity_username": ("useridentity.username", "userIdentity.userName"),
    "identity_invokedby": ("useridentity.invokedby", "userIdentity.invokedBy"),
    "identity_provider": ("useridentity.identityprovider", "userIdentity.identityProvider"),
    "identity_behalf": ("useridentity.onbehalfof.userid", "userIdentity.onBehalfOf.userId"),
    "identity_delegate": ("useridentity.invokedbydelegate.accountid", "userIdentity.invokedByDelegate.accountId"),
    "identity_source": ("useridentity.sessioncontext.sourceidentity", "userIdentity.sessionContext.sourceIdentity"),
    "issuer_username": (
        "useridentity.sessioncontext.sessionissuer.username", "userIdentity.sessionContext.sessionIssuer.userName",
    ),
    "issuer_arn": ("useridentity.sessioncontext.sessionissuer.arn", "userIdentity.sessionContext.sessionIssuer.arn"),
    "identity_web": (
        "useridentity.sessioncontext.webidfederationdata.federatedprovider",
        "userIdentity.sessionContext.webIdFederationData.federatedProvider",
    ),
}  # fmt: skip
_JSON = {
    "requestparameters": "requestParameters",
    "responseelements": "responseElements",
    "serviceeventdetails": "serviceEventDetails",
}
_FILE = "file"


@dataclass(frozen=True, slots=True)
class TrailRoot:
    """Where a trail's folders of accounts are: `AWSLogs/`, or `AWSLogs/o-id/` for an organization's."""

    bucket: str
    prefix: str
    """Ends in a slash."""

    @property
    def table(self) -> str:
        """The name of its table: the same for the same root and columns, so that it is made once."""
        definition = f"{self.bucket}/{self.prefix}{_COLUMNS}"
        return f"landkeeper_trail_{hashlib.sha256(definition.encode(), usedforsecurity=False).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders to look into: those of each account, region and day."""

    accounts: tuple[AccountId, ...]
    regions: tuple[Region, ...]
    first: date
    last: date


def write_table(root: TrailRoot) -> str:
    """The statement that makes the table of a trail, unless it is there. It names no account, region or day."""
    columns = ",\n  ".join(_COLUMNS)
    location = f"s3://{root.bucket}/{root.prefix}"
    return f"""\
CREATE EXTERNAL TABLE IF NOT EXISTS {root.table} (
  {columns}
)
PARTITIONED BY (account STRING, region STRING, day STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION {_text(location)}
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'injected',
  'projection.region.type' = 'injected',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2013/11/01,NOW+1DAYS',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'storage.location.template' = {_text(location + "${account}/CloudTrail/${region}/${day}/")}
)"""


def write_queries(root: TrailRoot, folders: Folders) -> Iterator[str]:
    """The queries that pick the records, as few as Athena's limits allow; each is for some of the accounts."""
    days = (folders.last - folders.first).days + 1
    at_once = min(MOST_ACCOUNTS, max(1, MOST_PARTITIONS // (days * max(1, len(folders.regions)))))
    for start in range(0, len(folders.accounts), at_once):
        yield _write_query(root, folders, folders.accounts[start : start + at_once])


def _write_query(root: TrailRoot, folders: Folders, accounts: tuple[AccountId, ...]) -> str:
    picked = [f"{where} AS {name}" if where != name else name for name, (where, _) in _PICKED.items()]
    columns = ",\n  ".join((*picked, *_JSON, f'"$path" AS {_FILE}'))
    return f"""\
SELECT
  {columns}
FROM {root.table}
WHERE account IN ({_texts(accounts)})
  AND region IN ({_texts(folders.regions)})
  AND day BETWEEN '{folders.first:%Y/%m/%d}' AND '{folders.last:%Y/%m/%d}'
  AND eventname IN ({_texts(sorted(PAST_EVENTS))})
  AND coalesce(eventsource, 'ec2.amazonaws.com') = 'ec2.amazonaws.com'
  AND coalesce(errorcode, '') = ''
  AND (eventname NOT IN ('CreateTags', 'DeleteTags') OR requestparameters LIKE '%"i-%')"""  # noqa: S608 - values are quoted, the rest is not from outside


def read_row(row: Mapping[str, str | None]) -> tuple[str, dict[str, Any]]:
    """The file that a row of the answer comes from, and its record with all that is looked at of it."""
    record: dict[str, Any] = {}
    for name, (_, path) in _PICKED.items():
        if value := row.get(name):
            *outer, last = path.split(".")
            inner = record
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = value
    for name, key in _JSON.items():
        record[key] = _parse(row.get(name) or "null")
    return row.get(_FILE) or "", record


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _texts(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(_text, values))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
