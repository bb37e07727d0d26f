"""Whether VPCs can be connected, what stands in the way, and whether they are connected already.

Sources: Amazon VPC Peering Guide, "VPC peering limitations"; AWS Transit Gateway guide, "How transit gateways work".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landkeeper.vpctracker.cidr import Block, parse_block

if TYPE_CHECKING:
    from landkeeper.org import PartitionOf
    from landkeeper.vpctracker.answers.endpoints import Endpoint
    from landkeeper.vpctracker.answers.spaces import Spaces
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc


class Possible(StrEnum):
    """An answer that is not always yes or no."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something can be done, and why (not)."""

    possible: Possible
    because: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A block of either VPC that share addresses."""

    source: Block
    target: Block

    @property
    def is_identical(self) -> bool:
        """Whether the two are the same block; else one lies inside the other."""
        return self.source == self.target

    def __str__(self) -> str:
        if self.is_identical:
            return f"{self.source} in both"
        return f"{self.source} {'contains' if self.source.contains(self.target) else 'is inside'} {self.target}"


@dataclass(frozen=True, slots=True)
class Link:
    """Something that joins the two already, or is about to."""

    id: str
    """Of the peering connection, or of the transit gateway."""
    state: str
    """For a peering EC2's word; for a transit gateway, of which no route was read, `attached, routes unverified`."""

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


ATTACHED = "attached, routes unverified"


@dataclass(frozen=True, slots=True)
class Pairing:
    """A VPC of one side and a VPC of the other."""

    source: StoredVpc
    target: StoredVpc
    obstacles: tuple[Obstacle, ...]
    peering: Verdict
    routing: Verdict
    """Over a transit gateway."""
    links: tuple[Link, ...]

    @property
    def is_peered(self) -> bool:
        """Whether an active peering joins them."""
        return any(link.state == "active" for link in self.links)

    @property
    def has_default(self) -> bool:
        """Whether one of them is a default VPC."""
        return self.source.vpc.is_default or self.target.vpc.is_default


def pair_up(source: Endpoint, target: Endpoint, spaces: Spaces, partition_of: PartitionOf) -> tuple[Pairing, ...]:
    """Every VPC of the one side with every VPC of the other, each two once; pairs without a default VPC first."""
    pairs: dict[frozenset[tuple[str, str]], Pairing] = {}
    is_same_side = source.account == target.account and not (source.is_vpc or target.is_vpc)
    for vpc in source.vpcs:
        for other in target.vpcs:
            key = frozenset((vpc.vpc.key, other.vpc.key))
            if key not in pairs and not (is_same_side and len(key) == 1):
                pairs[key] = pair_vpcs(vpc, other, spaces, partition_of)
    return tuple(sorted(pairs.values(), key=lambda pair: pair.has_default))


def pair_vpcs(source: StoredVpc, target: StoredVpc, spaces: Spaces, partition_of: PartitionOf) -> Pairing:
    """What there is to say of two VPCs."""
    if source.vpc.key == target.vpc.key:
        same = Verdict(Possible.NO, "it is the same VPC")
        return Pairing(source, target, (), same, same, ())
    mine, theirs = _blocks(source.vpc), _blocks(target.vpc)
    obstacles = tuple(Obstacle(a, b) for a in mine for b in theirs if a.overlaps(b))
    apart = _apart(source.vpc, target.vpc, spaces, partition_of)
    return Pairing(
        source,
        target,
        obstacles,
        peering=apart or _peering(source.vpc, target.vpc, obstacles),
        routing=apart or _routing(mine, theirs, obstacles),
        links=(*_peerings(source.vpc, target.vpc), *_gateways(source.vpc, target.vpc)),
    )


def _blocks(vpc: Vpc) -> list[Block]:
    return [parse_block(text) for text in dict.fromkeys(vpc.taken_blocks)]


def _apart(source: Vpc, target: Vpc, spaces: Spaces, partition_of: PartitionOf) -> Verdict | None:
    if partition_of(source.region) != partition_of(target.region):
        return Verdict(Possible.NO, f"{source.region} and {target.region} are in different AWS partitions")
    space, other = spaces.space_of(source).name, spaces.space_of(target).name
    if space != other:
        return Verdict(Possible.NO, f"they are in different spaces: {space} and {other}")
    return None


def _peering(source: Vpc, target: Vpc, obstacles: Sequence[Obstacle]) -> Verdict:
    if not obstacles:
        return Verdict(Possible.YES)
    # One overlap is enough, IPv4 or IPv6, and whichever blocks were meant to be routed.
    why = "both are default VPCs: " if source.is_default and target.is_default else ""
    return Verdict(Possible.NO, why + "; ".join(map(str, obstacles)))


def _routing(mine: Sequence[Block], theirs: Sequence[Block], obstacles: Sequence[Obstacle]) -> Verdict:
    """A gateway takes a block once, from the VPC that came first, and sends each packet along the longest prefix."""
    if not obstacles:
        return Verdict(Possible.YES)
    identical = [obstacle.source for obstacle in obstacles if obstacle.is_identical]
    nested = [obstacle for obstacle in obstacles if not obstacle.is_identical]
    words = [f"both have {block}, which propagates only from the VPC attached first" for block in identical]
    words += [_nested(obstacle) for obstacle in nested]
    free = any(
        a.version == b.version and a != b for a in mine if a not in identical for b in theirs if b not in identical
    )
    return Verdict(Possible.PARTLY if free else Possible.NO, "; ".join(words))


def _nested(obstacle: Obstacle) -> str:
    inner, outer = sorted((obstacle.source, obstacle.target), key=lambda block: block.size)
    return (
        f"{inner} and {outer} both propagate and the longer prefix wins: traffic to {inner} goes to the VPC that has "
        f"{inner}, except from inside the VPC that has {outer}"
    )


def _peerings(source: Vpc, target: Vpc) -> list[Link]:
    """As either side tells it; where they tell different states, the newer read is not known, so both are shown."""
    found = {
        Link(peering.id, peering.state)
        for vpc, other in ((source, target), (target, source))
        for peering in vpc.peerings
        if peering.peer_vpc == other.id
    }
    return sorted(found, key=lambda link: (link.state != "active", link.id, link.state))


def _gateways(source: Vpc, target: Vpc) -> list[Link]:
    mine, theirs = (
        {attachment.transit_gateway for attachment in vpc.transit_gateways if attachment.state == "available"}
        for vpc in (source, target)
    )
    return [Link(gateway, ATTACHED) for gateway in sorted(mine & theirs)]
