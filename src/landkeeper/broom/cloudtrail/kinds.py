"""What a file is that is no CloudTrail log, in the words under which people know it.

Sources: Amazon S3 User Guide, "Amazon S3 server access log format" and "Inventory manifest"; Amazon VPC User Guide,
"Flow log records"; Elastic Load Balancing User Guides, "Access logs"; AWS Config Developer Guide, "Example
configuration snapshot from AWS Config"; AWS CloudTrail User Guide, "CloudTrail digest file structure"; AWS Lambda
Developer Guide, "Invoking Lambda with events from other AWS services" (`eventSource`: `aws:s3`, `aws:sqs`, ...).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HEAD_BYTES = 512
"""How much of a file `name_bytes` looks at."""

_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_BEGINNINGS: Mapping[bytes, str] = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"PAR1": "a Parquet file",
    b"ORC\x11": "an ORC file",
    b"Obj\x01": "an Avro file",
    **{f"BZh{level}1AY&SY".encode(): "a bzip2 file" for level in range(1, 10)},
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\x04\x22\x4d\x18": "an LZ4 file",
    b"\xff\x06\x00\x00sNaPpY": "a Snappy file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF-": "a PDF document",
}
_EVENT_SOURCE = "aws:"
"""What the `eventSource` of the records in Lambda events begins with; that of a call is the name of a host."""
_SOURCES: Mapping[str, str] = {
    "s3": "an S3 event notification",
    "sns": "an SNS event of Lambda",
    "sqs": "an SQS event of Lambda",
    "kinesis": "a Kinesis event of Lambda",
    "dynamodb": "a DynamoDB event of Lambda",
}
_LONGEST_LINE = 1000
_LINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[0-9a-f]{64} \S+ \[\d{2}/[A-Z][a-z]{2}/\d{4}:"), "an S3 access log"),
    (re.compile(r"\d{1,2} (?:\d{12}|unknown) eni-[0-9a-f]+ "), "VPC flow logs"),
    (re.compile(r"(?:[a-z0-9-]+ )*(?:interface-id|srcaddr|flow-direction)\b"), "VPC flow logs"),
    (re.compile(r"(?:https?|h2|wss?|grpcs) \d{4}-\d\d-\d\dT\S+ app/"), "a load balancer's access log"),
    (re.compile(r"\d{4}-\d\d-\d\dT\S+Z \S+ [0-9.]+:\d+ "), "a load balancer's access log"),
    (re.compile(r"tls \d\.\d \d{4}-\d\d-\d\dT"), "a load balancer's access log"),
    (re.compile(r"#(?:Version|Fields): "), "a CloudFront access log"),
    (re.compile(r"<(?:!doctype html|html)", re.IGNORECASE), "a web page"),
    (re.compile(r"<\?xml|<Error>"), "XML, as S3 answers errors"),
    (re.compile(r'(?:"[^"]*"|[^",{}\[\]]*)(?:,(?:"[^"]*"|[^",{}\[\]]*)){2,}$'), "a CSV file, such as an S3 inventory"),
)
_OBJECTS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"sourceBucket", "fileSchema"}), "an S3 inventory"),
    (frozenset({"configurationItems", "configSnapshotId"}), "an AWS Config snapshot"),
    (frozenset({"configurationItems"}), "an AWS Config history file"),
    (frozenset({"digestStartTime"}), "a CloudTrail digest"),
    (frozenset({"publicKeyFingerprint", "files"}), "the sign file of a CloudTrail Lake query"),
    (frozenset({"QueryResultRows"}), "the result of a CloudTrail Lake query"),
    (frozenset({"results", "statistics"}), "the result of a CloudWatch Logs Insights query"),
    (frozenset({"schemaVersion", "service", "severity"}), "a GuardDuty finding"),
    (frozenset({"SchemaVersion", "ProductArn"}), "a Security Hub finding"),
    (frozenset({"webaclId"}), "an AWS WAF log"),
    (frozenset({"query_name", "query_type"}), "a Route 53 Resolver query log"),
    (frozenset({"auditID", "verb"}), "a Kubernetes audit log"),
    (frozenset({"firewall_name"}), "a Network Firewall log"),
    (frozenset({"rawData", "attemptsMade"}), "what Firehose failed to process"),
    (frozenset({"awslogs"}), "a Lambda event of CloudWatch Logs"),
    (frozenset({"s3Bucket", "s3ObjectKey"}), "a notification of CloudTrail, which names log files"),
    (frozenset({"TopicArn", "Message"}), "an SNS message"),
    (frozenset({"Reservations"}), "an answer of DescribeInstances"),
    (frozenset({"resource_changes"}), "a Terraform plan"),
    (frozenset({"AWSTemplateFormatVersion"}), "a CloudFormation template"),
)


def name_bytes(head: bytes) -> str:
    """Return what a file is by its first bytes, `HEAD_BYTES` of them; empty for text, and for what nobody knows."""
    if head[_TAR_MARK_AT:].startswith(_TAR_MARK) and head[:1] not in b"{[":
        return "a tar archive"
    return next((name for beginning, name in _BEGINNINGS.items() if head.startswith(beginning)), "")


def name_text(text: str) -> str:
    """Return what a text is by its first line that is not blank; empty where that tells nothing."""
    line = text.lstrip()[:_LONGEST_LINE].partition("\n")[0].rstrip()
    return next((name for form, name in _LINES if form.match(line)), "")


def name_object(value: Mapping[str, Any]) -> str:
    """Return what a JSON object is by its keys; empty where these tell nothing."""
    return next((name for keys, name in _OBJECTS if keys <= value.keys()), "")


def name_event(record: object) -> str:
    """Return what a list is that begins with this record, if an event for a function; empty for any other."""
    if not isinstance(record, dict):
        return ""
    source = record.get("eventSource", record.get("EventSource"))
    if not isinstance(source, str) or not source.startswith(_EVENT_SOURCE):
        return ""
    return _SOURCES.get(source.removeprefix(_EVENT_SOURCE), "a Lambda event")
