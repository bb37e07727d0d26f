"""Trying out what may be done in an account, without doing any of it: EC2's dry runs, in the role that is there.

A dry run that would have worked is answered with the error `DryRunOperation`. Ending and stopping are tried on an
instance that does not exist: EC2 asks who may before it looks whether there is one.
Source: Amazon EC2 API Reference, "Common query parameters", "TerminateInstances"; EC2 guide, "Error codes".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.aws.sessions import AccountSessions
from landkeeper.org import AccountId, Failure, Region

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NO_INSTANCE = "i-00000000000000000"
_WOULD_WORK = frozenset({"DryRunOperation", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})

Call = Callable[["EC2Client"], object]

READING: Mapping[str, Call] = {
    "ec2:DescribeRegions": lambda ec2: ec2.describe_regions(DryRun=True),
    "ec2:DescribeSubnets": lambda ec2: ec2.describe_subnets(DryRun=True),
    "ec2:DescribeTransitGatewayAttachments": lambda ec2: ec2.describe_transit_gateway_attachments(DryRun=True),
    "ec2:DescribeVpcPeeringConnections": lambda ec2: ec2.describe_vpc_peering_connections(DryRun=True),
    "ec2:DescribeVpcs": lambda ec2: ec2.describe_vpcs(DryRun=True),
}
"""What VPC Tracker's role is for."""

ENDING: Mapping[str, Call] = {
    "ec2:DescribeInstances": lambda ec2: ec2.describe_instances(DryRun=True),
    "ec2:DescribeRegions": lambda ec2: ec2.describe_regions(DryRun=True),
    "ec2:DescribeSpotInstanceRequests": lambda ec2: ec2.describe_spot_instance_requests(DryRun=True),
    "ec2:StopInstances": lambda ec2: ec2.stop_instances(InstanceIds=[NO_INSTANCE], DryRun=True),
    "ec2:TerminateInstances": lambda ec2: ec2.terminate_instances(InstanceIds=[NO_INSTANCE], DryRun=True),
}
"""What Broom's role is for. Auto Scaling has no dry runs and is read for good."""


def try_account(
    sessions: AccountSessions, account: AccountId, region: Region, calls: Mapping[str, Call]
) -> Mapping[str, Failure] | Failure:
    """What of the calls is refused in the account, and why; a Failure where there is no way in at all."""
    return sessions.do_in(account, lambda: _find_refused(sessions, region, calls))


def _find_refused(sessions: AccountSessions, region: Region, calls: Mapping[str, Call]) -> Mapping[str, Failure]:
    refused: dict[str, Failure] = {}
    for action, call in calls.items():
        failure = _try(call, sessions.ec2(region))
        if failure is not None:
            refused[action] = failure
    if "ec2:TerminateInstances" in calls:
        failure = _try(lambda client: client.describe_auto_scaling_groups(MaxRecords=1), sessions.scaling(region))
        if failure is not None:
            refused["autoscaling:DescribeAutoScalingGroups"] = failure
    return refused


def _try(call: Callable[[Any], object], client: object) -> Failure | None:
    try:
        call(client)
    except ClientError as error:
        failure = failure_of(error)
        return None if failure.code in _WOULD_WORK else failure
    except CALL_ERRORS as error:
        return failure_of(error)
    return None
