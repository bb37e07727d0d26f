"""What of a VPC fits into a stored item.

An item takes 400 KB (DynamoDB guide, "Service, account, and table quotas"), and a history entry holds what was and what
is. Quotas bound everything that a VPC has well below half of that, but for subnets, of which there may be thousands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import Vpc

SUBNETS = "Subnets"

_MOST_BYTES = 180_000
_BYTES_OF_A_SUBNET = 140
_BYTES_OF_A_PEERING = 400


def fit_vpc(vpc: Vpc) -> Vpc:
    """The VPC as it can be stored: without its subnets, and marked so, where it would be too large with them.

    All of them, because a part would look like the whole; and always the same of the same VPC, so that it does not seem
    to change.
    """
    tags = sum(len(name.encode()) + len(value.encode()) + 2 for name, value in vpc.tags.items())
    size = tags + _BYTES_OF_A_SUBNET * len(vpc.subnets) + _BYTES_OF_A_PEERING * len(vpc.peerings)
    return vpc if size <= _MOST_BYTES else replace(vpc, subnets=(), omitted=(SUBNETS,))
