"""CloudTrail log files for benchmarks: made up, of the sizes, shapes and variety of real ones, no two alike.

Keys, their order and the shapes of values follow the "CloudTrail record contents" of the AWS CloudTrail User Guide; a
file is one line of JSON without spaces, gzip-compressed, as CloudTrail writes it. The same seed makes the same files.
"""

from __future__ import annotations

import gzip
import json
import string
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

_HEX, _CAPITALS = "0123456789abcdef", string.ascii_uppercase + string.digits
_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "ap-northeast-1")
_SERVICES = ("cloudformation.amazonaws.com", "lambda.amazonaws.com", "config.amazonaws.com",
             "autoscaling.amazonaws.com", "eks.amazonaws.com", "AWS Internal")  # fmt: skip
_AGENTS = (
    "Boto3/1.40.{} md/Botocore#1.40.{} ua/2.1 os/linux#5.10.2 md/arch#x86_64 lang/python#3.11.{} cfg/retry-mode#legacy",
    "aws-sdk-go-v2/1.36.{} os/linux lang/go#1.24.{} md/GOOS#linux md/GOARCH#amd64 exec-env/EKS karpenter/1.5.{}",
    "aws-cli/2.27.{} md/awscrt#0.26.{} ua/2.1 os/linux#6.1.{} md/arch#x86_64 lang/python#3.13 md/prompt#off",
    "APN/1.0 HashiCorp/1.0 Terraform/1.12.{} (+https://www.terraform.io) terraform-provider-aws/6.{}.{}",
)
_ACTIONS = ("ec2:Describe*", "ec2:CreateTags", "ec2:RunInstances", "s3:GetObject", "s3:PutObject", "kms:Decrypt",
            "sqs:SendMessage", "dynamodb:PutItem", "logs:*")  # fmt: skip
_READS = ("DescribeInstances", "DescribeVolumes", "DescribeTags", "DescribeNetworkInterfaces", "DescribeSubnets",
          "DescribeSecurityGroups", "DescribeInstanceStatus")  # fmt: skip
_TEAMS = ("prod", "stage", "dev", "shared", "platform", "data")
_JOBS = ("lambda", "eks-node", "ci-deploy", "config-recorder", "etl", "api", "backup")

Call = tuple[str, str, Any, Any, bool]
"""Service, event, request, response, and whether it only reads."""


class _Writer:
    """Makes the records of one file: one account and region, its principals coming again and again."""

    def __init__(self, seed: str) -> None:
        self.chance = Random(seed)  # noqa: S311 - a sample, not a secret
        self.account = str(self.chance.randrange(10**11, 10**12))
        self.region = self.chance.choice(_REGIONS)
        self.roles = [f"{self.pick(_TEAMS)}-{self.pick(_JOBS)}-role" for _ in range(12)]
        self.day = (
            f"2026-{self.chance.randint(1, 12):02}-{self.chance.randint(1, 28):02}T{self.chance.randint(0, 23):02}"
        )
        self.callers = [self._caller() for _ in range(self.chance.randint(15, 40))]
        self.agents = [self.pick(_AGENTS).format(*self.chance.choices(range(60), k=3)) for _ in range(20)]
        self.addresses = [".".join(map(str, self.chance.choices(range(1, 224), k=4))) for _ in range(25)]
        self.ids = [self.hex(17) for _ in range(300)]

    def pick(self, values: Any) -> Any:
        return self.chance.choice(values)

    def hex(self, length: int) -> str:
        return "".join(self.chance.choices(_HEX, k=length))

    def capitals(self, length: int) -> str:
        return "".join(self.chance.choices(_CAPITALS, k=length))

    def uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def time(self) -> str:
        return f"{self.day}:{self.chance.randint(0, 59):02}:{self.chance.randint(0, 59):02}Z"

    def _caller(self) -> dict[str, Any]:
        if self.chance.random() < 0.2:
            return {"type": "AWSService", "invokedBy": self.pick(_SERVICES)}
        role, issuer = self.pick(self.roles), f"AROA{self.capitals(17)}"
        session = self.pick([f"i-0{self.hex(16)}", f"botocore-session-17{self.hex(8)}", "jane@example.com"])
        return {
            "type": "AssumedRole",
            "principalId": f"{issuer}:{session}",
            "arn": f"arn:aws:sts::{self.account}:assumed-role/{role}/{session}",
            "accountId": self.account,
            "accessKeyId": f"ASIA{self.capitals(16)}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": issuer, "userName": role, "accountId": self.account,
                                  "arn": f"arn:aws:iam::{self.account}:role/{role}"},
                "attributes": {"creationDate": self.time(), "mfaAuthenticated": "false"},
            },
        }  # fmt: skip

    def policy(self) -> str:
        """A policy document, as text inside JSON."""
        statements = [
            {"Sid": f"S{number}", "Effect": "Allow", "Action": self.chance.sample(_ACTIONS, 3),
             "Resource": [f"arn:aws:s3:::data-{self.hex(8)}/*", f"arn:aws:kms:*:{self.account}:key/{self.uuid()}"]}
            for number in range(self.chance.randint(1, 4))
        ]  # fmt: skip
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def record(self, call: Call) -> dict[str, Any]:
        """The whole record of a call."""
        service, event, request, response, reads = call
        source = f"{service}.amazonaws.com"
        more: dict[str, Any] = {}
        if self.chance.random() < 0.05 and event != "RunInstances":
            more = {"errorCode": "AccessDenied", "errorMessage": f"User: arn:aws:iam::{self.account}:user/x is not "
                    f"authorized to perform: {service}:{event} on resource: * because no policy allows it"}  # fmt: skip
        return {
            "eventVersion": self.pick(["1.08", "1.09", "1.10", "1.11"]),
            "userIdentity": self.pick(self.callers),
            "eventTime": self.time(),
            "eventSource": source,
            "eventName": event,
            "awsRegion": self.region,
            "sourceIPAddress": self.pick(self.addresses),
            "userAgent": self.pick(self.agents),
            **more,
            "requestParameters": request,
            "responseElements": response,
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": reads,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                           "clientProvidedHostHeader": f"{service}.{self.region}.amazonaws.com"},
        }  # fmt: skip


def _assume_role(writer: _Writer) -> Call:
    role, account = writer.pick(writer.roles), writer.account
    request: dict[str, Any] = {"roleArn": f"arn:aws:iam::{account}:role/{role}", "durationSeconds": 3600,
                               "roleSessionName": f"{role}-{writer.hex(8)}"}  # fmt: skip
    if writer.chance.random() < 0.1:
        request["policy"] = writer.policy()
    token = b64encode(writer.chance.randbytes(writer.chance.randint(220, 420))).decode()
    credentials = {"accessKeyId": f"ASIA{writer.capitals(16)}", "sessionToken": token, "expiration": writer.time()}
    user = {"assumedRoleId": f"AROA{writer.capitals(17)}", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/x"}
    return "sts", "AssumeRole", request, {"credentials": credentials, "assumedRoleUser": user}, True


def _describe(writer: _Writer) -> Call:
    ids = [{"instanceId": f"i-{id_}"} for id_ in writer.chance.choices(writer.ids, k=writer.chance.randint(0, 20))]
    filters = [
        {"name": writer.pick(["vpc-id", "tag:Name"]), "valueSet": {"items": [{"value": writer.pick(writer.ids)}]}}
    ]
    request = {"maxResults": 1000, "instancesSet": {"items": ids}, "filterSet": {"items": filters}}
    return "ec2", writer.pick(_READS), request, None, True


def _use_key(writer: _Writer) -> Call:
    bucket = f"arn:aws:s3:::logs-{writer.account}/AWSLogs/{writer.account}/{writer.hex(20)}"
    request = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"aws:s3:arn": bucket},
               "keyId": f"arn:aws:kms:{writer.region}:{writer.account}:key/{writer.uuid()}"}  # fmt: skip
    return "kms", writer.pick(["Decrypt", "GenerateDataKey"]), request, None, True


def _use_bucket(writer: _Writer) -> Call:
    bucket = f"logs-{writer.account}-{writer.region}"
    request = {"bucketName": bucket, "Host": f"{bucket}.s3.{writer.region}.amazonaws.com",
               "key": f"AWSLogs/{writer.account}/vpcflowlogs/{writer.region}/2026/{writer.pick(writer.ids)}.log.gz",
               "x-amz-acl": "bucket-owner-full-control", "x-amz-server-side-encryption": "aws:kms"}  # fmt: skip
    response = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-id-2": b64encode(writer.chance.randbytes(56)).decode(),
    }
    return "s3", writer.pick(["GetObject", "PutObject", "GetBucketAcl"]), request, response, False


def _change_role(writer: _Writer) -> Call:
    request = {"roleName": writer.pick(writer.roles), "policyName": "deploy", "policyDocument": writer.policy()}
    return "iam", "PutRolePolicy", request, None, False


def _report_in(writer: _Writer) -> Call:
    request = {"instanceId": f"i-{writer.pick(writer.ids)}", "agentVersion": "3.3.2299.0", "agentStatus": "Active",
               "platformType": "Linux", "platformName": "Linux", "computerName": f"ip-10-{writer.hex(2)}.internal",
               "agentName": "amazon-ssm-agent", "availabilityZone": f"{writer.region}a"}  # fmt: skip
    return "ssm", "UpdateInstanceInformation", request, None, False


def _tag(writer: _Writer) -> Call:
    tags = [
        {"key": key, "value": writer.pick(writer.roles)} for key in writer.chance.sample(["Name", "owner", "team"], 2)
    ]
    resources = [{"resourceId": f"{writer.pick(['i', 'vol', 'eni'])}-{writer.pick(writer.ids)}"}]
    return (
        "ec2",
        "CreateTags",
        {"resourcesSet": {"items": resources}, "tagSet": {"items": tags}},
        {"_return": True},
        False,
    )


def _launch(writer: _Writer) -> Call:
    image, kind = f"ami-0{writer.hex(16)}", writer.pick(["t3.micro", "m5.large", "c6i.xlarge"])
    tags = [{"key": key, "value": writer.pick(writer.roles)}
            for key in writer.chance.sample(["Name", "owner", "team", "env"], writer.chance.randint(0, 4))]  # fmt: skip
    items = [_instance(writer, index, image, kind, tags) for index in range(writer.chance.randint(1, 2))]
    request = {
        "instancesSet": {"items": [{"imageId": image, "minCount": 1, "maxCount": len(items)}]},
        "instanceType": kind,
        "blockDeviceMapping": {},
        "monitoring": {"enabled": False},
        "disableApiTermination": False,
        "clientToken": writer.uuid(),
        "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": tags}]},
    }
    response = {"requestId": writer.uuid(), "reservationId": f"r-0{writer.hex(16)}", "ownerId": writer.account,
                "groupSet": {}, "instancesSet": {"items": items}}  # fmt: skip
    return "ec2", "RunInstances", request, response, False


def _instance(writer: _Writer, index: int, image: str, kind: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    address, subnet, vpc = (
        f"10.0.{index}.{writer.chance.randint(4, 250)}",
        f"subnet-0{writer.hex(16)}",
        f"vpc-0{writer.hex(16)}",
    )
    group = {"items": [{"groupId": f"sg-0{writer.hex(16)}", "groupName": "default"}]}
    interface = {"networkInterfaceId": f"eni-0{writer.hex(16)}", "subnetId": subnet, "vpcId": vpc, "status": "in-use",
                 "ownerId": writer.account, "privateIpAddress": address, "sourceDestCheck": True, "groupSet": group,
                 "attachment": {"attachmentId": f"eni-attach-0{writer.hex(16)}", "deviceIndex": 0,
                                "deleteOnTermination": True}, "tagSet": {}}  # fmt: skip
    return {
        "instanceId": f"i-0{writer.hex(16)}", "imageId": image, "instanceState": {"code": 0, "name": "pending"},
        "privateDnsName": f"ip-{address.replace('.', '-')}.{writer.region}.compute.internal", "amiLaunchIndex": index,
        "instanceType": kind, "launchTime": writer.chance.randrange(1_760_000_000_000, 1_790_000_000_000),
        "placement": {"availabilityZone": f"{writer.region}a", "tenancy": "default"}, "subnetId": subnet, "vpcId": vpc,
        "privateIpAddress": address, "architecture": "x86_64", "rootDeviceType": "ebs", "tagSet": {"items": tags},
        "clientToken": writer.uuid(), "groupSet": group, "networkInterfaceSet": {"items": [interface]},
        "metadataOptions": {"state": "pending", "httpTokens": "required", "httpPutResponseHopLimit": 2},
    }  # fmt: skip


_CALLS: tuple[tuple[Callable[[_Writer], Call], float], ...] = (
    (_assume_role, 25), (_describe, 27), (_use_key, 16), (_use_bucket, 18), (_change_role, 5.5), (_report_in, 8),
    (_tag, 0.5),
)  # fmt: skip


def make_log(seed: str, records: int, launches: float) -> bytes:
    """The content of a log file before it is packed. `launches` is the share of records that are launches."""
    writer = _Writer(seed)
    kinds, weights = zip(*_CALLS, strict=True)
    made = [
        writer.record(
            (_launch if writer.chance.random() < launches else writer.chance.choices(kinds, weights)[0])(writer)
        )
        for _ in range(records)
    ]
    return json.dumps({"Records": made}, separators=(",", ":")).encode()


_POOL = 8_000
"""How many records a process makes that files without end are made of."""


@lru_cache(maxsize=1)
def _pool() -> list[tuple[bytes, bytes]]:
    """Records that are no launches, each in two parts between which its event id has to be."""
    records = json.loads(make_log("pool", _POOL, 0))["Records"]
    texts = (_as_written({**record, "eventID": "\x00"}).partition(b"\\u0000") for record in records)
    return [(before, after) for before, _, after in texts]


def write_log_from_pool(folder: Path, number: int, records: int, launches: float) -> int:
    """The same, several times faster to make: what is no launch comes from a pool, and gets an id of its own."""
    writer = _Writer(f"{number} {launches}")
    text = b",".join(
        _as_written(writer.record(_launch(writer)))
        if writer.chance.random() < launches
        else writer.uuid().encode().join(writer.pick(_pool()))
        for _ in range(records)
    )
    return _write(folder, number, b'{"Records":[' + text + b"]}")


def _as_written(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def write_log(folder: Path, number: int, records: int, launches: float) -> int:
    """Write the file with that number; return the size of its content."""
    return _write(folder, number, make_log(f"{number} {launches}", records, launches))


def _write(folder: Path, number: int, text: bytes) -> int:
    (folder / f"111122223333_CloudTrail_{number:06d}.json.gz").write_bytes(gzip.compress(text, 6, mtime=0))
    return len(text)
