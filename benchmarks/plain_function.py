"""A typical Lambda function: every client created at import, one loop, no ledger.

Broom's cold start is compared with it; here boto3 is the one that Lambda provides, complete and compiled.
"""

from __future__ import annotations

import gzip
import json
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3

EC2 = boto3.client("ec2")
S3 = boto3.client("s3")
SNS = boto3.client("sns")
SQS = boto3.client("sqs")
STS = boto3.client("sts")
TABLE = boto3.resource("dynamodb").Table(os.environ["LANDKEEPER_LEDGER_TABLE"])
ALLOWED = {"LOL", "GGG"}


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Read the log files, and terminate every instance that was launched without the tag."""
    ended = 0
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        body = S3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for entry in json.loads(gzip.decompress(body))["Records"]:
            if entry["eventName"] == "RunInstances" and "errorCode" not in entry:
                ended += deal_with(entry)
    return {"ended": ended}


def deal_with(entry: dict[str, Any]) -> int:
    """Check the instances of a launch; return how many were terminated."""
    items = entry["responseElements"]["instancesSet"]["items"]
    found = EC2.describe_instances(InstanceIds=[item["instanceId"] for item in items])
    ended = 0
    for reservation in found["Reservations"]:
        for instance in reservation["Instances"]:
            tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
            TABLE.put_item(Item={"InstanceId": instance["InstanceId"], "EventTime": entry["eventTime"], "Tags": tags})
            if tags.get("Code") not in ALLOWED:
                EC2.terminate_instances(InstanceIds=[instance["InstanceId"]])
                who = entry["userIdentity"].get("userName", "somebody")
                text = f"{who} created {instance['InstanceId']} without proper tagging. It has been destroyed."
                SNS.publish(TopicArn=os.environ["LANDKEEPER_TOPIC_ARN"], Message=text)
                ended += 1
    return ended
