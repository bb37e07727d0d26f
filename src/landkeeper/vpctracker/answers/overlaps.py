"""Which VPCs claim the same addresses.

Blocks that lie inside one another are reported as one group, not as pairs: a hundred thousand blocks can make five
million pairs. Two blocks of the same VPC do not collide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from landkeeper.vpctracker.cidr import Block, group_by_containment, parse_block
from landkeeper.vpctracker.config import SHARED_ADDRESS_SPACE

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc, VpcId

DEFAULT_VPC_BLOCK = parse_block("172.31.0.0/16")
"""What every default VPC has (Amazon VPC User Guide, "Default VPC components")."""


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
    return [
        Claim(parse_block(text), stored.vpc) for stored in vpcs if stored.is_live for text in stored.vpc.taken_blocks
    ]


def find_overlaps(claims: Iterable[Claim], repeated: Sequence[Block] = (SHARED_ADDRESS_SPACE,)) -> Overlaps:
    """All overlaps among the claims, in groups. Blocks inside a `repeated` one are kept apart from the rest."""
    aside: list[Claim] = []
    ordinary: list[Claim] = []
    for claim in claims:
        (aside if any(block.contains(claim.block) for block in repeated) else ordinary).append(claim)
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


@dataclass(slots=True)
class _Around:
    """The claims whose blocks hold the present one; default VPCs apart, for among themselves they make no pairs."""

    chosen: list[Claim] = field(default_factory=list)
    defaults: list[Claim] = field(default_factory=list)

    def leave(self, block: Block) -> list[Claim]:
        """Take away, and answer, the claims that end before the block begins."""
        left = []
        while self.chosen and self.chosen[-1].block.last < block.first:
            left.append(self.chosen.pop())
        if self.defaults and self.defaults[0].block.last < block.first:
            left += self.defaults
            self.defaults = []
        return left

    def enter(self, claim: Claim) -> None:
        (self.defaults if claim.is_default else self.chosen).append(claim)


def find_pairs(group: OverlapGroup) -> Iterator[tuple[Claim, Claim]]:
    """The pairs of claims of different VPCs that overlap, the outer one first, as they are asked for.

    Default VPCs do not make pairs among themselves.
    """
    around = _Around()
    for claim in _in_order(group):
        around.leave(claim.block)
        for outer in chain(around.chosen, () if claim.is_default else around.defaults):
            if outer.vpc.id != claim.vpc.id:
                yield outer, claim
        around.enter(claim)


def count_pairs(group: OverlapGroup) -> int:
    """How many pairs `find_pairs` has, without making them: there may be millions."""
    around, count = _Around(), 0
    chosen: Counter[VpcId] = Counter()
    defaults: Counter[VpcId] = Counter()
    for claim in _in_order(group):
        for left in around.leave(claim.block):
            (defaults if left.is_default else chosen)[left.vpc.id] -= 1
        count += len(around.chosen) - chosen[claim.vpc.id]
        if not claim.is_default:
            count += len(around.defaults) - defaults[claim.vpc.id]
        around.enter(claim)
        (defaults if claim.is_default else chosen)[claim.vpc.id] += 1
    return count


def _in_order(group: OverlapGroup) -> list[Claim]:
    return sorted((*group.claims, *group.defaults), key=lambda claim: claim.block.sort_key)
