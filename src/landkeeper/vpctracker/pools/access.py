"""What an operation on pools works with, and which accounts may have a block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from landkeeper.org import AccountId, Failure, FailureReason, Membership, UsageError
from landkeeper.vpctracker.pools.operations import Actor, read_pools
from landkeeper.vpctracker.pools.pool import find_pool
from landkeeper.vpctracker.pools.ports import PoolStore, TrackedStore
from landkeeper.vpctracker.pools.tracked import Tracked, may_be_in, read_tracked

if TYPE_CHECKING:
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.ports import VpcStore

MemberState = Callable[[AccountId], "str | Failure"]
"""Asks AWS Organizations for the state of an account, as in `ACTIVE`; NOT_FOUND where it is not a member."""


class PoolsAndVpcs(PoolStore, TrackedStore, Protocol):
    """What keeps pools and what the tracker knows."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Everything that an operation on pools needs from outside."""

    store: PoolsAndVpcs
    vpcs: VpcStore
    config: TrackerConfig
    actor: Actor
    find_member_state: MemberState

    def tracked_of(self, space: str, within: Block | None = None) -> Tracked:
        """Return what the tracker knows of that space, and of its VPCs in that block."""
        return read_tracked(self.store, space, self.config, within)


def check_account(pools: Pools, account: AccountId, pool: str) -> None:
    """Raise UsageError for an account that is not in the organization, is no longer active in it, or not in the pool's
    space.

    The tracker knows the accounts that it has tried. For any other one AWS Organizations is asked.
    """
    known = pools.vpcs.read_coverage(account)
    space = find_pool(read_pools(pools.store), pool).space
    if not may_be_in(known, space, pools.config):
        raise UsageError(f"the pool '{pool}' is in the space {space}, but the VPCs of account {account} are not")
    if known.tried_at is not None or known.regions:
        if known.membership not in {Membership.ACTIVE, Membership.SKIPPED}:
            raise UsageError(f"no block for account {account}: it is {known.membership}")
        return
    state = pools.find_member_state(account)
    if isinstance(state, Failure):
        why = "is not in the organization" if state.reason is FailureReason.NOT_FOUND else (
            f"has never been tracked, and its membership in the organization cannot be read: {state}"
        )  # fmt: skip
        raise UsageError(f"the account {account} {why}")
    if state != "ACTIVE":
        raise UsageError(f"no block for account {account}: it is {state.lower().replace('_', ' ')}")
