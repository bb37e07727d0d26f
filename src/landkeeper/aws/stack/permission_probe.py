"""Trying out what may be done in an account, without doing any of it: EC2's dry runs, in the role that is there.

A dry run that would have worked is answered with the error `DryRunOperation`, and nothing else proves a permission.
Ending and stopping are tried on an instance that does not exist, so that none can be affected. Where EC2 looks for the
instance first, its answer says nothing about permissions: AWS does not document the order.
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
_WOULD_WORK = "DryRunOperation"

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
    """What of the calls is refused or not proven in the account, and why; a Failure where there is no way in at all."""
    return sessions.do_in(account, lambda: _find_refused(sessions, region, calls))


def _find_refused(sessions: AccountSessions, region: Region, calls: Mapping[str, Call]) -> Mapping[str, Failure]:
    refused: dict[str, Failure] = {}
    for action, call in calls.items():
        failure = find_refusal(call, sessions.ec2(region))
        if failure is not None:
            refused[action] = failure
    if "ec2:TerminateInstances" in calls:
        failure = find_refusal(
            lambda client: client.describe_auto_scaling_groups(MaxRecords=1), sessions.scaling(region)
        )
        if failure is not None:
            refused["autoscaling:DescribeAutoScalingGroups"] = failure
    return refused


def find_refusal(call: Callable[[Any], object], client: object) -> Failure | None:
    """Return why the call was refused, or what else it failed on; None where it worked, or a dry run would have."""
    try:
        call(client)
    except ClientError as error:
        failure = failure_of(error)
        return None if failure.code == _WOULD_WORK else failure
    except CALL_ERRORS as error:
        return failure_of(error)
    return None
