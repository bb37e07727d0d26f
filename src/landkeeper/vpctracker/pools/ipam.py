"""Pools and allocations of Amazon VPC IPAM, and which of them come along.

Sources: Amazon EC2 API Reference, "IpamPool", "IpamPoolCidr" and "IpamPoolAllocation"; Amazon VPC IPAM User Guide,
"Plan subnet IP allocation" (resource planning pools).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.pools.allocation import LONGEST_PREFIX

_STATES_LEFT_OUT = {
    "create-failed": "its creation failed",
    "delete-in-progress": "it is being deleted",
}
"""States of a pool that nothing should be given out from any more. One whose deletion failed is there as before."""


@dataclass(frozen=True, slots=True)
class PlannedVpc:
    """The VPC whose subnets a resource planning pool plans: the pool's addresses are the VPC's own."""

    id: str
    owner: AccountId | None = None
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class IpamPool:
    """A pool of IPAM."""

    id: str
    name: str = ""
    """Its tag `Name`."""
    source: str = ""
    """The id of the pool that it is in; empty for one at the top."""
    scope: str = ""
    is_public: bool = False
    family: str = "ipv4"
    locale: Region | None = None
    cidrs: tuple[str, ...] = ()
    """Those that it has: provisioned, and not deprovisioned yet."""
    shortest: int | None = None
    longest: int | None = None
    state: str = "create-complete"
    unsettled: tuple[tuple[str, str], ...] = ()
    """CIDRs that it does not have (yet), and their states: `pending-provision`, `failed-provision`, …"""
    plans: PlannedVpc | None = None

    @property
    def label(self) -> str:
        """Its name and id, as people look for it."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks that it has, by address."""
        return tuple(sorted(map(parse_block, self.cidrs), key=lambda block: block.sort_key))


@dataclass(frozen=True, slots=True)
class IpamAllocation:
    """A block that IPAM gave away."""

    id: str
    pool: str
    cidr: str
    kind: str
    """EC2's word: vpc, ipam-pool, custom, subnet, …"""
    resource: str = ""
    owner: str = ""
    region: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The pools of one private scope, by their ids: those that come along, and those whose ranges are only taken."""

    pools: Mapping[str, IpamPool] = field(default_factory=dict)
    taken: Mapping[str, IpamPool] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """The pools that do not come along, each with the reason, those of other scopes among them."""


def select_pools(pools: Sequence[IpamPool], *, scope: str = "") -> Selection:
    """Return which pools come along. Raises UsageError where there are several private scopes and none is named.

    Addresses may repeat between scopes.
    """
    private = [pool for pool in pools if not pool.is_public and pool.family == "ipv4"]
    scopes = sorted({pool.scope for pool in private})
    if scope and scope not in scopes:
        raise UsageError(f"no private pool is in the scope '{scope}'; there are {', '.join(scopes) or 'none'}")
    if not scope and len(scopes) > 1:
        raise UsageError(
            f"the pools are in several scopes, which may overlap: pass --scope, one of {', '.join(scopes)}"
        )
    scoped = {pool.id: pool for pool in private if pool.scope == (scope or pool.scope)}
    reasons = _find_reasons(scoped)
    left_out = [f"{pool.label}: {_why_not_in(pool, scope)}" for pool in pools if pool.id not in scoped]
    left_out += [f"{scoped[pool].label}: {reason}" for pool, reason in reasons.items()]
    return Selection(
        {id_: pool for id_, pool in scoped.items() if id_ not in reasons},
        {id_: scoped[id_] for id_ in reasons},
        tuple(left_out),
    )


def by_depth(pools: Mapping[str, IpamPool]) -> list[IpamPool]:
    """Return the pools, each after the one that it is in."""
    return sorted(pools.values(), key=lambda pool: _depth(pool, pools))


def _find_reasons(scoped: Mapping[str, IpamPool]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for pool in by_depth(scoped):
        reason = "the pool around it is left out" if pool.source in reasons else _why_not(pool)
        if reason:
            reasons[pool.id] = reason
    return {id_: reasons[id_] for id_ in scoped if id_ in reasons}


def _why_not(pool: IpamPool) -> str:
    if pool.plans is not None:
        return f"its range is that of {pool.plans.id}, whose subnets it plans"
    if pool.state in _STATES_LEFT_OUT:
        return _STATES_LEFT_OUT[pool.state]
    if not pool.cidrs:
        return "it has no block"
    if all(is_too_small(block) for block in pool.blocks):
        return f"{pool.blocks[0]} is too small for a VPC, which takes a /{LONGEST_PREFIX} or more"
    return ""


def is_too_small(block: Block) -> bool:
    """Whether no VPC fits into the block."""
    return block.prefix_length > LONGEST_PREFIX


def _why_not_in(pool: IpamPool, scope: str) -> str:
    if pool.family != "ipv4":
        return "it is of IPv6"
    return "it is of public addresses" if pool.is_public else f"it is not in the scope {scope}"


def _depth(pool: IpamPool, pools: Mapping[str, IpamPool]) -> int:
    depth = 0
    while pool.source in pools and depth < len(pools):
        pool = pools[pool.source]
        depth += 1
    return depth


def find_innermost(blocks: Iterable[tuple[Block, str]], block: Block) -> str | None:
    """Return the name beside the smallest of the blocks that `block` lies in."""
    around = [(outer.prefix_length, name) for outer, name in blocks if outer.contains(block)]
    return max(around)[1] if around else None
