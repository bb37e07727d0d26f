"""Pools and allocations of Amazon VPC IPAM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.org import AccountId, Failure, Region
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool, PlannedVpc

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


def read_ipam_pools(client: EC2Client, ipam: str) -> tuple[IpamPool, ...] | Failure:
    """Every pool of the IPAM with its CIDRs. The client is of the IPAM's home region."""
    try:
        return tuple(_read_pools(client, ipam))
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("IPAM", error)


def read_allocations(
    ec2: Callable[[Region], EC2Client], home: Region, pools: Iterable[IpamPool]
) -> tuple[IpamAllocation, ...] | Failure:
    """All that these pools gave away. `ec2` gives a client for a region, `home` is the IPAM's own.

    Allocations are asked for in the region that a pool is for, its locale (EC2 API Reference,
    "GetIpamPoolAllocations").
    """
    try:
        return tuple(allocation for pool in pools for allocation in _read_allocations(ec2(pool.locale or home), pool))
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("IPAM", error)


def _read_pools(client: EC2Client, ipam: str) -> Iterator[IpamPool]:
    for page in pages(client, "describe_ipam_pools"):
        for raw in page["IpamPools"]:
            if raw["IpamArn"].rpartition("/")[2] == ipam and raw["State"] != "delete-complete":
                yield _pool(raw, _read_cidrs(client, raw["IpamPoolId"]))


def _pool(raw: Any, cidrs: Sequence[tuple[str, str]]) -> IpamPool:
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
        cidrs=tuple(cidr for cidr, state in cidrs if state in _PROVISIONED),
        shortest=raw.get("AllocationMinNetmaskLength"),
        longest=raw.get("AllocationMaxNetmaskLength"),
        state=raw["State"],
        unsettled=tuple((cidr, state) for cidr, state in cidrs if state not in _PROVISIONED),
        plans=_planned_vpc(raw.get("SourceResource")),
    )


def _planned_vpc(raw: Any) -> PlannedVpc | None:
    if not raw:
        return None
    owner, region = raw.get("ResourceOwner"), raw.get("ResourceRegion")
    return PlannedVpc(
        raw["ResourceId"], AccountId(owner) if owner else None, Region(region) if region else None
    )  # fmt: skip


def _read_cidrs(client: EC2Client, pool: str) -> list[tuple[str, str]]:
    """CIDRs and their states. One that is asked for by its length only has no address until it is provisioned."""
    return [
        (raw["Cidr"], raw["State"])
        for page in pages(client, "get_ipam_pool_cidrs", IpamPoolId=pool)
        for raw in page["IpamPoolCidrs"]
        if "Cidr" in raw and raw["State"] != "deprovisioned"
    ]


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
