"""Vending: what a new VPC is made of, as a plan. Nothing is made here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, summarize_address_range

from landkeeper.org import AccountId, Failure, Region, UsageError
from landkeeper.vpctracker.cidr import Block, block_at, parse_block
from landkeeper.vpctracker.pools.allocation import LONGEST_PREFIX
from landkeeper.vpctracker.pools.conflicts import RESERVATION_TAG
from landkeeper.vpctracker.pools.pool import Reservation

REQUEST_TAG, TIER_TAG = "landkeeper:request-id", "landkeeper:tier"
UNFINISHED_TAG = "landkeeper:unfinished"
"""On a VPC and its subnets from their first moment until all of it is there.

What has it may be undone, what has not may be in use. The network role in `member-roles.yaml` may change nothing
without it, but for default VPCs.
"""

VPCS_PER_REGION, SUBNETS_PER_VPC = "L-F678F1CE", "L-407747CB"
"""Codes of quotas (Amazon VPC User Guide, "Amazon VPC quotas")."""

RESERVED_ADDRESSES = 5
"""What AWS keeps of each subnet (Amazon VPC User Guide, "Subnet CIDR blocks")."""

MOST_TAGS = 50
"""Tags that a resource can have, whoever sets them (Amazon EC2 User Guide, "Tag restrictions")."""
_OWN_TAGS = 5
_LONGEST_KEY, _LONGEST_VALUE, _LONGEST_NAME = 128, 256, 200

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=+@-]{0,127}")
"""As a filter's value `*` and `?` would find other requests, too."""


class Tier(StrEnum):
    """What a subnet is meant for."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone. Its id is the same zone in every account, its name is not."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PlannedSubnet:
    """A subnet that is to be."""

    tier: Tier
    zone: Zone
    block: Block

    @property
    def usable_addresses(self) -> int:
        """How many addresses are left when AWS has taken its own."""
        return self.block.size - RESERVED_ADDRESSES


@dataclass(frozen=True, slots=True)
class Layout:
    """How a VPC's block is shared out."""

    subnets: tuple[PlannedSubnet, ...]
    """By address: those of a tier lie together, in the order of their zones."""
    spare: tuple[Block, ...]
    """What is left for subnets to come."""


@dataclass(frozen=True, slots=True)
class VendPlan:
    """A VPC that is to be."""

    account: AccountId
    region: Region
    request_id: str
    """The same one again carries on with the same VPC."""
    reservation: Reservation
    layout: Layout
    name: str = ""
    tags: Mapping[str, str] | None = None
    """What people want on the VPC and on every subnet."""

    @property
    def vpc_tags(self) -> Mapping[str, str]:
        """The tags that the VPC is made with."""
        return {**self._tags_of(self.name), UNFINISHED_TAG: "true"}

    def subnet_tags(self, subnet: PlannedSubnet) -> Mapping[str, str]:
        """The tags that a subnet is made with."""
        name = "-".join(part for part in (self.name, subnet.tier, subnet.zone.id) if part)
        return {**self._tags_of(name), TIER_TAG: subnet.tier, UNFINISHED_TAG: "true"}

    def _tags_of(self, name: str) -> Mapping[str, str]:
        own = {REQUEST_TAG: self.request_id, RESERVATION_TAG: self.reservation.id}
        return {**(self.tags or {}), **({"Name": name} if name else {}), **own}


def choose_zones(zones: Iterable[Zone], count: int, region: Region, ids: Sequence[str] = ()) -> tuple[Zone, ...]:
    """The zones of those ids, in their order, else the first `count` zones by their ids.

    So the VPCs of all accounts lie in the same zones. Raises UsageError where the region has not that many, or no such
    zone.
    """
    # In the order of their numbers: a region may have ten or more.
    known = sorted(zones, key=lambda zone: (len(zone.id), zone.id))
    if ids:
        return tuple(_zone_of(zone_id, known, region) for zone_id in ids)
    if count < 1:
        raise UsageError(f"--zones is {count}: expected at least 1")
    if count > len(known):
        there_are = ", ".join(zone.id for zone in known) or "none"
        raise UsageError(f"--zones is {count}: {region} has {len(known)} for this account ({there_are})")
    return tuple(known[:count])


def _zone_of(zone_id: str, known: Sequence[Zone], region: Region) -> Zone:
    for zone in known:
        if zone.id == zone_id:
            return zone
        if zone.name == zone_id:
            raise UsageError(f"--zone takes the id of a zone: in this account {zone_id} is {zone.id}")
    there_are = ", ".join(zone.id for zone in known) or "none"
    raise UsageError(f"--zone is '{zone_id}': {region} has these for this account: {there_are}")


def lay_out(block: Block, zones: Sequence[Zone], public_bits: int | None = None) -> Layout:
    """A private subnet in each zone, as large as possible such that something is left over; and with `public_bits` a
    public one in each, whose prefix is that many bits longer than the block's.

    Where nothing can be left over, because subnets would be smaller than AWS allows, the block is used up. Raises
    UsageError where the subnets do not fit.
    """
    public = None if public_bits is None else _public_length(block, public_bits)
    private = _private_length(block, len(zones), public)
    wanted = [(private, Tier.PRIVATE)] if public is None else [(private, Tier.PRIVATE), (public, Tier.PUBLIC)]
    subnets: list[PlannedSubnet] = []
    at = block.first
    # The larger ones first: then each begins where the last one ended.
    for length, tier in sorted(wanted):
        for zone in zones:
            subnet = block_at(4, at, length)
            subnets.append(PlannedSubnet(tier, zone, subnet))
            at = subnet.last + 1
    return Layout(tuple(subnets), _blocks_between(at, block.last))


def _public_length(block: Block, bits: int) -> int:
    most = LONGEST_PREFIX - block.prefix_length
    if not 1 <= bits <= most:
        why = f"from 1 to {most}" if most else "no value: there is no room for public subnets"
        raise UsageError(f"--public-bits is {bits}: in a /{block.prefix_length} it takes {why}")
    return block.prefix_length + bits


def _private_length(block: Block, zones: int, public: int | None) -> int:
    taken = 0 if public is None else zones << (32 - public)
    fitting = [
        length
        for length in range(block.prefix_length, LONGEST_PREFIX + 1)
        if taken + (zones << (32 - length)) <= block.size
    ]
    if not fitting:
        beside = "" if public is None else f" and as many public subnets of /{public}"
        raise UsageError(
            f"a /{block.prefix_length} has no room for {zones} private subnets{beside}: a subnet is a "
            f"/{LONGEST_PREFIX} or larger"
        )
    leaving = [length for length in fitting if taken + (zones << (32 - length)) < block.size]
    return (leaving or fitting)[0]


def _blocks_between(first: int, last: int) -> tuple[Block, ...]:
    if first > last:
        return ()
    return tuple(
        parse_block(str(network)) for network in summarize_address_range(IPv4Address(first), IPv4Address(last))
    )


def parse_count(text: str, what: str) -> int:
    """A small whole number. Raises UsageError saying `what` is wrong."""
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise UsageError(f"{what} is '{text}': expected a whole number")
    return int(text)


def parse_zones(count: str | None, ids: Sequence[str]) -> int:
    """How many zones a VPC gets, by its count or by their ids. Raises UsageError where these do not say one number."""
    if count is None and not ids:
        raise UsageError("--zones is missing: pass the number of availability zones, or --zone with an id for each")
    twice = next((zone_id for number, zone_id in enumerate(ids) if zone_id in ids[:number]), None)
    if twice is not None:
        raise UsageError(f"--zone names {twice} twice")
    number = len(ids) if count is None else parse_count(count, "--zones")
    if ids and number != len(ids):
        raise UsageError(f"--zones is {number}, and --zone names {len(ids)}: pass only one")
    return number


def check_request_id(text: str) -> str:
    """The request id, where it can be one. Raises UsageError otherwise."""
    if not _REQUEST_ID.fullmatch(text):
        raise UsageError(f"--request-id is '{text}': expected up to 128 letters, digits and ._:/=+@-")
    return text


def check_tags(tags: Mapping[str, str], name: str = "") -> tuple[str, Mapping[str, str]]:
    """Return the VPC's name, and its other tags. Raise UsageError naming the tag that AWS would not take."""
    for key, value in tags.items():
        _check(key, value)
    if name and tags.get("Name", name) != name:
        raise UsageError(f"the name is '{name}' by --name and '{tags['Name']}' by --tag: pass only one")
    name = name or tags.get("Name", "")
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"the name has {len(name)} characters: expected up to {_LONGEST_NAME}")
    others = {key: value for key, value in tags.items() if key != "Name"}
    if len(others) > MOST_TAGS - _OWN_TAGS:
        raise UsageError(
            f"there are {len(others)} tags beside Name: AWS takes {MOST_TAGS} on a resource, of which {_OWN_TAGS} are "
            f"Landkeeper's, so {MOST_TAGS - _OWN_TAGS} are available"
        )
    return name, others


def _check(key: str, value: str) -> None:
    if key.lower().startswith("aws:"):
        raise UsageError(f"--tag has {key}: keys that begin with aws: are AWS's own")
    if key.startswith("landkeeper:"):
        raise UsageError(f"--tag has {key}: keys that begin with landkeeper: are Landkeeper's own")
    if len(key) > _LONGEST_KEY:
        raise UsageError(f"--tag has a key of {len(key)} characters ({key[:20]}…): expected up to {_LONGEST_KEY}")
    if len(value) > _LONGEST_VALUE:
        raise UsageError(f"the tag {key} has a value of {len(value)} characters: expected up to {_LONGEST_VALUE}")


@dataclass(frozen=True, slots=True)
class Quota:
    """How many of something an account may have, by Service Quotas."""

    code: str
    what: str
    limit: int | Failure
    """A Failure where it could not be read; then nothing is guessed."""


def check_quota(quota: Quota, present: int, wanted: int) -> str | None:
    """What is worth saying of it: that it is not known. Raises UsageError where it does not allow that many more."""
    if isinstance(quota.limit, Failure):
        return f"the quota of {quota.what} ({quota.code}) cannot be read: {quota.limit}"
    if present + wanted > quota.limit:
        raise UsageError(
            f"the quota of {quota.what} is {quota.limit} and there are {present}: ask for more in Service Quotas "
            f"({quota.code})"
        )
    return None
