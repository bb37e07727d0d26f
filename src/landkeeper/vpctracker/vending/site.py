"""The account and region in which a VPC is to be made: whether it can be made there. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from landkeeper.org import Account, AccountId, Failure, FailureReason, Region, UsageError
from landkeeper.vpctracker.cidr import block_at
from landkeeper.vpctracker.pools.access import Pools, check_account
from landkeeper.vpctracker.vending.plan import (
    SUBNETS_PER_VPC,
    VPCS_PER_REGION,
    Quota,
    Zone,
    check_quota,
    choose_zones,
    lay_out,
)

if TYPE_CHECKING:
    from landkeeper.vpctracker.pools.operations import Request
    from landkeeper.vpctracker.ports import VpcReader
    from landkeeper.vpctracker.vending.ports import SiteNetwork

Answer = TypeVar("Answer")

_ANY_ZONE = Zone("", "")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants."""

    request: Request
    """Of the block; with account, region and request id."""
    region: Region
    zones: int
    public_bits: int | None
    name: str
    tags: Mapping[str, str]
    zone_ids: tuple[str, ...] = ()
    """The availability zones to use, by their ids; empty: the first ones."""


@dataclass(frozen=True, slots=True)
class Entered:
    """An account's region, with credentials that may change its network."""

    network: SiteNetwork
    reader: VpcReader


Enter = Callable[[AccountId, Region], Entered]
"""Enters an account's region. Raises UsageError where there is no way in."""


@dataclass(frozen=True, slots=True)
class Site:
    """The account and region of a wish, entered and looked at."""

    account: Account
    region: Region
    network: SiteNetwork
    reader: VpcReader
    zones: tuple[Zone, ...]
    has_vpc: bool
    """Whether the request has a VPC there already."""
    remarks: tuple[str, ...] = ()
    """What is worth saying before anything is made."""


def look_at_site(pools: Pools, wish: Wish, enter: Enter) -> Site:
    """Enter the account and see whether the VPC can be made there. Raises UsageError where it cannot."""
    account, region = wish.request.account, wish.region
    lay_out(block_at(4, 0, wish.request.prefix_length), [_ANY_ZONE] * wish.zones, wish.public_bits)
    check_account(pools, account, wish.request.pool)
    if pools.config.is_governed(account, region):
        raise UsageError(f"{region} is governed for account {account}: the region is closed by policy")
    entered = enter(account, region)
    network = entered.network
    caller = network.read_caller()
    if caller != account:
        raise UsageError(f"the credentials for account {account} belong to another account: {caller}")
    zones = choose_zones(_read(network.read_zones(), region, account), wish.zones, region, wish.zone_ids)
    has_vpc = bool(_read(network.find_vpcs(wish.request.request_id), region, account))
    remarks = _check_quotas(network, wish, has_vpc=has_vpc)
    name = pools.vpcs.read_coverage(account).account_name
    return Site(Account(account, name), region, network, entered.reader, zones, has_vpc, remarks)


def _read(answer: Answer | Failure, region: Region, account: AccountId) -> Answer:
    if not isinstance(answer, Failure):
        return answer
    if answer.reason is FailureReason.REGION_DISABLED:
        raise UsageError(f"{region} is not enabled in the account {account}: {answer}")
    raise UsageError(f"{region} in account {account} cannot be read: {answer}")


def _check_quotas(network: SiteNetwork, wish: Wish, *, has_vpc: bool) -> tuple[str, ...]:
    present = _read(network.count_vpcs(), wish.region, network.account)
    vpcs = Quota(VPCS_PER_REGION, f"VPCs in {wish.region}", network.read_quota(VPCS_PER_REGION))
    subnets = Quota(SUBNETS_PER_VPC, "subnets in a VPC", network.read_quota(SUBNETS_PER_VPC))
    wanted = wish.zones * (1 if wish.public_bits is None else 2)
    said = (None if has_vpc else check_quota(vpcs, present, 1), check_quota(subnets, 0, wanted))
    return tuple(remark for remark in said if remark is not None)
