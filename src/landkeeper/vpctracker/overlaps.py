"""Which VPCs claim the same addresses.

Blocks that lie inside one another are reported as one group, not as pairs: a hundred thousand blocks can make five
million pairs. Two blocks of the same VPC do not collide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.vpctracker.cidr import Block, group_by_containment, parse_block

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc

DEFAULT_VPC_BLOCK = parse_block("172.31.0.0/16")
"""What every default VPC has (Amazon VPC User Guide, "Default VPC components")."""
SHARED_ADDRESS_SPACE = parse_block("100.64.0.0/10")
"""Repeated on purpose in many networks, as for pods behind NAT (RFC 6598)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A block that a VPC has."""

    block: Block
    vpc: Vpc

    @property
    def is_default(self) -> bool:
        """Whether it is what every default VPC has, and not something that somebody chose."""
        return self.vpc.is_default and self.block == DEFAULT_VPC_BLOCK


@dataclass(frozen=True, slots=True)
class OverlapGroup:
    """Blocks of at least two VPCs: the outermost, and those inside it, in the order of their addresses."""

    outermost: Block
    claims: tuple[Claim, ...]
    """All but those of default VPCs."""
    defaults: tuple[Claim, ...] = ()
    """The default VPCs' 172.31.0.0/16: one finding, however many there are."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Everything that overlaps among some VPCs."""

    collisions: tuple[OverlapGroup, ...]
    """Groups that nobody wanted; default VPCs are in one of them at most."""
    repeated: tuple[OverlapGroup, ...]
    """Groups inside address spaces that are repeated on purpose."""


def claims_of(vpcs: Iterable[StoredVpc]) -> list[Claim]:
    """The blocks that the live ones of these VPCs have taken, coming and going ones included."""
    return [Claim(parse_block(text), one.vpc) for one in vpcs if one.is_live for text in one.vpc.taken_blocks]


def find_overlaps(claims: Iterable[Claim], repeated: Sequence[Block] = (SHARED_ADDRESS_SPACE,)) -> Overlaps:
    """All overlaps among the claims, in groups. Blocks inside a `repeated` one are kept apart from the rest."""
    aside: list[Claim] = []
    ordinary: list[Claim] = []
    for claim in claims:
        (aside if any(one.contains(claim.block) for one in repeated) else ordinary).append(claim)
    return Overlaps(_groups(ordinary), _groups(aside))


def _groups(claims: Sequence[Claim]) -> tuple[OverlapGroup, ...]:
    found = []
    for positions in group_by_containment([claim.block for claim in claims]):
        colliding = _colliding([claims[position] for position in positions])
        if colliding:
            chosen = tuple(claim for claim in colliding if not claim.is_default)
            defaults = tuple(claim for claim in colliding if claim.is_default)
            found.append(OverlapGroup(colliding[0].block, chosen, defaults))
    return tuple(found)


def _colliding(claims: Sequence[Claim]) -> list[Claim]:
    """Those that overlap a block of another VPC, of claims that come outermost first."""
    marked = [False] * len(claims)
    around: list[tuple[Claim, bool]] = []
    """The claims around the present one, each with whether it and those around it are of several VPCs."""
    for position, claim in enumerate(claims):
        while around and around[-1][0].block.last < claim.block.first:
            around.pop()
        if around:
            nearest, is_mixed = around[-1]
            marked[position] = is_mixed or nearest.vpc.id != claim.vpc.id
        around.append((claim, marked[position]))
    _mark_outer(claims, marked)
    return [claim for claim, mark in zip(claims, marked, strict=True) if mark]


def _mark_outer(claims: Sequence[Claim], marked: list[bool]) -> None:
    """Mark the claims that have one of another VPC inside: the next claim of another VPC is the first that can be."""
    next_other = len(claims)
    for position in range(len(claims) - 1, -1, -1):
        claim = claims[position]
        if position + 1 < len(claims) and claims[position + 1].vpc.id != claim.vpc.id:
            next_other = position + 1
        if next_other < len(claims) and claims[next_other].block.first <= claim.block.last:
            marked[position] = True
