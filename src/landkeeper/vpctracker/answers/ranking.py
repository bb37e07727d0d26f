"""Overlaps in the order of how much they hurt: declared connections first, then live attachments, then accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landkeeper.vpctracker.answers.overlaps import Claim, OverlapGroup, claims_of, find_overlaps
from landkeeper.vpctracker.answers.spaces import split_by_space
from landkeeper.vpctracker.cidr import group_by_containment
from landkeeper.vpctracker.config import Connection, Space, TrackerConfig

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc


class OverlapKind(StrEnum):
    """What an overlap is."""

    COLLISION = "collision"
    DEFAULT = "default"
    """Default VPCs only, which all have the same block."""
    REPEATED = "repeated"
    """In a block that the space repeats on purpose."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A group of overlapping blocks, and what makes it hurt."""

    space: str
    kind: OverlapKind
    group: OverlapGroup
    connections: tuple[Connection, ...] = ()
    """Declared connections of which both sides are in the group with blocks that overlap."""
    attached: int = 0
    """How many of its VPCs have an active peering or an available transit gateway attachment."""

    @property
    def members(self) -> tuple[Claim, ...]:
        """All of its blocks, those of default VPCs last."""
        return (*self.group.claims, *self.group.defaults)

    @property
    def accounts(self) -> int:
        """How many accounts have a block in it."""
        return len({claim.vpc.owner for claim in self.members})


def find_overlaps_by_harm(vpcs: Iterable[StoredVpc], config: TrackerConfig) -> tuple[Finding, ...]:
    """All overlaps of the live ones of these VPCs, space by space, sorted by what hurts most.

    Repeated blocks come last, for they are on purpose; before them the default VPCs, unless one is connected.
    """
    found = [finding for space, some in split_by_space(vpcs, config) for finding in _findings(space, some, config)]
    return tuple(sorted(found, key=_harm))


def _findings(space: Space, vpcs: Sequence[StoredVpc], config: TrackerConfig) -> list[Finding]:
    overlaps = find_overlaps(claims_of(vpcs), space.repeated)
    groups = (*overlaps.collisions, *overlaps.repeated)
    touched = _touched_connections(groups, config.connections)
    kinds = [OverlapKind.COLLISION if group.claims else OverlapKind.DEFAULT for group in overlaps.collisions]
    kinds += [OverlapKind.REPEATED] * len(overlaps.repeated)
    return [
        Finding(space.name, kind, group, tuple(touched[number]), _attached(group))
        for number, (kind, group) in enumerate(zip(kinds, groups, strict=True))
    ]


def _harm(finding: Finding) -> tuple[bool, int, bool, bool, int, str, int]:
    return (
        finding.kind is OverlapKind.REPEATED,
        -len(finding.connections),
        not finding.attached,
        finding.kind is OverlapKind.DEFAULT,
        -finding.accounts,
        finding.space,
        finding.group.outermost.sort_key,
    )


def is_connected(vpc: Vpc) -> bool:
    """Whether it has an active peering, or an attachment to a transit gateway that is available."""
    return any(link.state == "active" for link in vpc.peerings) or any(
        link.state == "available" for link in vpc.transit_gateways
    )


def _attached(group: OverlapGroup) -> int:
    return len({claim.vpc.key for claim in (*group.claims, *group.defaults) if is_connected(claim.vpc)})


def _touched_connections(
    groups: Sequence[OverlapGroup], connections: Sequence[Connection]
) -> dict[int, list[Connection]]:
    """By the position of each group, the connections whose two sides overlap in it."""
    ends = {end for connection in connections for end in (connection.source, connection.target)}
    claims: dict[str, dict[int, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for number, group in enumerate(groups):
        for claim in (*group.claims, *group.defaults):
            for name in ends.intersection((claim.vpc.id, claim.vpc.owner, claim.vpc.account_name)):
                claims[name][number].append(claim)
    touched: dict[int, list[Connection]] = defaultdict(list)
    for connection in connections:
        sources, targets = claims[connection.source], claims[connection.target]
        for number in sources.keys() & targets.keys():
            if _overlap(sources[number], targets[number]):
                touched[number].append(connection)
    return touched


def _overlap(sources: Sequence[Claim], targets: Sequence[Claim]) -> bool:
    """Whether a VPC of one side has a block that overlaps one of another VPC of the other side."""
    sides = [*sources, *targets]
    is_source = [True] * len(sources) + [False] * len(targets)
    for positions in group_by_containment([claim.block for claim in sides]):
        # All of a group lies inside its first block: expected another VPC there that is on the other side of that one.
        outer = sides[positions[0]].vpc.id
        other_sides = {not is_source[position] for position in positions if sides[position].vpc.id == outer}
        if any(is_source[position] in other_sides for position in positions if sides[position].vpc.id != outer):
            return True
    return False
