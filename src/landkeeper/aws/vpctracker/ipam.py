"""Pools and allocations of Amazon VPC IPAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.org import Failure, Region
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_PROVISIONED = frozenset({"provisioned", "pending-deprovision", "failed-deprovision"})
"""States in which a pool still has the block (EC2 API Reference, "IpamPoolCidr")."""


def read_ipams(client: EC2Client) -> tuple[str, ...] | Failure:
    """The ids of the IPAMs whose home is the client's region."""
    try:
        return tuple(ipam["IpamId"] for page in pages(client, "describe_ipams") for ipam in page["Ipams"])
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("IPAM", error)


def read_ipam(
    ec2: Callable[[Region], EC2Client], home: Region, ipam: str
) -> tuple[tuple[IpamPool, ...], tuple[IpamAllocation, ...]] | Failure:
    """Every pool of the IPAM and all that they gave away. `ec2` gives a client for a region, `home` is the IPAM's own.

    Allocations are asked for in the region that a pool is for, its locale (EC2 API Reference,
    "GetIpamPoolAllocations").
    """
    try:
        pools = tuple(_read_pools(ec2(home), ipam))
        allocations = tuple(
            allocation for pool in pools for allocation in _read_allocations(ec2(pool.locale or home), pool)
        )
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("IPAM", error)
    return pools, allocations


def _read_pools(client: EC2Client, ipam: str) -> Iterator[IpamPool]:
    for page in pages(client, "describe_ipam_pools"):
        for raw in page["IpamPools"]:
            if raw["IpamArn"].rpartition("/")[2] == ipam and not raw["State"].startswith(("delete-", "create-failed")):
                yield _pool(raw, tuple(_read_cidrs(client, raw["IpamPoolId"])))


def _pool(raw: Any, cidrs: tuple[str, ...]) -> IpamPool:
    # A pool that is for no region has the locale `None`, in letters.
    locale = raw.get("Locale", "None")
    return IpamPool(
        id=raw["IpamPoolId"],
        name=next((tag["Value"] for tag in raw.get("Tags", ()) if tag["Key"] == "Name"), ""),
        source=raw.get("SourceIpamPoolId", ""),
        scope=raw["IpamScopeArn"].rpartition("/")[2],
        is_public=raw.get("IpamScopeType") == "public",
        family=raw.get("AddressFamily", "ipv4"),
        locale=None if locale == "None" else Region(locale),
        cidrs=cidrs,
        shortest=raw.get("AllocationMinNetmaskLength"),
        longest=raw.get("AllocationMaxNetmaskLength"),
    )


def _read_cidrs(client: EC2Client, pool: str) -> Iterator[str]:
    for page in pages(client, "get_ipam_pool_cidrs", IpamPoolId=pool):
        yield from (raw["Cidr"] for raw in page["IpamPoolCidrs"] if raw["State"] in _PROVISIONED)


def _read_allocations(client: EC2Client, pool: IpamPool) -> Iterator[IpamAllocation]:
    for page in pages(client, "get_ipam_pool_allocations", IpamPoolId=pool.id):
        for raw in page["IpamPoolAllocations"]:
            yield IpamAllocation(
                id=raw["IpamPoolAllocationId"],
                pool=pool.id,
                cidr=raw["Cidr"],
                kind=raw["ResourceType"],
                resource=raw.get("ResourceId", ""),
                owner=raw.get("ResourceOwner", ""),
                region=raw.get("ResourceRegion", ""),
                description=raw.get("Description", ""),
            )
