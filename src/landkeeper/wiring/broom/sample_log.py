"""A CloudTrail log file with one launch, as CloudTrail would deliver it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from landkeeper.aws.regions import partition_of
from landkeeper.broom.cloudtrail.principals.arns import identity_of_arn
from landkeeper.broom.policy.trial import DescribedLaunch
from landkeeper.embedded.sample_launch import SampleLaunch, launch_record
from landkeeper.embedded.trail_files import log_file, log_file_key

_ACCOUNT, _REGION, _TYPE, _IMAGE = "111122223333", "eu-west-1", "t3.micro", "ami-0123456789abcdef0"


class SampleLog(NamedTuple):
    """A log file."""

    name: str
    """As CloudTrail names it."""
    content: bytes
    instance_id: str


def make_sample_log(described: DescribedLaunch, now: datetime) -> SampleLog:
    """Return a log file with the launch; what is not said of it is made up. Raises UsageError for a wrong ARN."""
    account = described.known_account or _ACCOUNT
    region = described.region or _REGION
    at = described.at or now
    launch = SampleLaunch(
        identity=identity_of_arn(described.principal_arn or f"arn:{partition_of(region)}:iam::{account}:user/jane"),
        account=account,
        region=region,
        instance_type=described.instance_type or _TYPE,
        image_id=described.image_id or _IMAGE,
        tags=described.tags,
        at=at,
    )
    record = launch_record(launch)
    name = log_file_key("AWSLogs", account, region, at).rpartition("/")[2]
    return SampleLog(name, log_file([record]), record["responseElements"]["instancesSet"]["items"][0]["instanceId"])
