"""What vending needs from outside: EC2 in one region of one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from landkeeper.org import AccountId, Failure

if TYPE_CHECKING:
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.inventory import VpcId
    from landkeeper.vpctracker.vending.plan import Zone


class DnsSetting(StrEnum):
    """An attribute of a VPC that is turned on. EC2 takes one in a call (EC2 API Reference, "ModifyVpcAttribute")."""

    SUPPORT = "EnableDnsSupport"
    HOSTNAMES = "EnableDnsHostnames"


@dataclass(frozen=True, slots=True)
class MadeVpc:
    """A VPC that has a request's tag."""

    id: VpcId
    block: str
    is_available: bool
    is_finished: bool
    """Whether all of it was there once: then it is somebody's, and is not touched any more."""


@dataclass(frozen=True, slots=True)
class MadeSubnet:
    """A subnet that has a request's tag."""

    id: str
    block: str
    zone_id: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """No answer came, so it may have been made or not."""

    failure: Failure


class Network(Protocol):
    """EC2 in the account and region of one plan. What was just made may not be seen yet, nor what is gone be missed."""

    def find_vpcs(self, request_id: str) -> Sequence[MadeVpc] | Failure:
        """The VPCs with the request's tag."""

    def find_subnets(self, vpc: VpcId, request_id: str) -> Sequence[MadeSubnet] | Failure:
        """The subnets of that VPC with the request's tag."""

    def make_vpc(self, block: Block, tags: Mapping[str, str]) -> VpcId | Failure | Unsure:
        """Make a VPC, tagged as it is made. Asked once, whatever comes back."""

    def turn_on(self, vpc: VpcId, setting: DnsSetting) -> Failure | None:
        """Turn a setting on, whether it is on or not."""

    def make_subnet(self, vpc: VpcId, block: Block, zone_id: str, tags: Mapping[str, str]) -> str | Failure | Unsure:
        """Make a subnet, tagged as it is made; its id. Asked once, whatever comes back."""

    def finish(self, vpc: VpcId, subnets: Sequence[str]) -> Failure | None:
        """Take the tag off all of them, in one call, that says that there is more to come."""

    def delete_subnet(self, subnet: str) -> Failure | None:
        """Delete it; what is not there is deleted."""

    def delete_vpc(self, vpc: VpcId) -> Failure | None:
        """Delete it; what is not there is deleted."""


class SiteNetwork(Network, Protocol):
    """The same, with what has to be known before a plan is made."""

    @property
    def account(self) -> AccountId:
        """The account that it is meant to be."""

    def read_caller(self) -> AccountId | Failure:
        """The account that the credentials belong to, as STS says it."""

    def read_zones(self) -> Sequence[Zone] | Failure:
        """The availability zones that the account may use now."""

    def count_vpcs(self) -> int | Failure:
        """How many VPCs the account owns in the region."""

    def read_quota(self, code: str) -> int | Failure:
        """The quota of that code that applies to the account in the region."""
