"""A wish carried out: its block reserved, its VPC made and recorded, or the block given back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from landkeeper.org import Failure, FailureReason, LandkeeperError, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey
from landkeeper.vpctracker.pools.access import Pools
from landkeeper.vpctracker.pools.conflicts import describe_holder
from landkeeper.vpctracker.pools.operations import Allocation, Reserved, Taken, allocate, release
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.track import track_account
from landkeeper.vpctracker.vending.plan import REQUEST_TAG, UNFINISHED_TAG, VendPlan, lay_out
from landkeeper.vpctracker.vending.site import Site, Wish
from landkeeper.vpctracker.vending.vend import Outcome, Undone, Vended, vend

if TYPE_CHECKING:
    from landkeeper.vpctracker.attributes import Attributes
    from landkeeper.vpctracker.pools.items import PoolWrite
    from landkeeper.vpctracker.pools.ports import PoolStore

Pauses = Callable[[], Iterator[bool]]
"""Those of one wait for EC2: True after each, ending when there has been waiting enough."""

RESERVED_FOR = timedelta(days=1)
"""How long a block waits for a VPC of which nothing was heard again."""


def reserve_block(pools: Pools, site: Site, wish: Wish, *, for_real: bool) -> Allocation:
    """Return the block of the wish: reserved `for_real`, or the one that would be.

    Raises UsageError where the request has a VPC there, and no block in the pool; and where the block has a VPC that
    was not vended by the request.
    """
    allocation = _reserve(pools, site, wish, for_real=for_real)
    if isinstance(allocation, Reserved):
        _check_vended(allocation, wish.request.request_id)
    return allocation


def _reserve(pools: Pools, site: Site, wish: Wish, *, for_real: bool) -> Allocation:
    request = replace(wish.request, region=wish.region, ttl=RESERVED_FOR)
    if site.has_vpc or not for_real:
        previewed = allocate(_Unwritten(pools.store), request, pools.tracked_of, pools.actor)
        if site.has_vpc and not isinstance(previewed, Taken) and not _is_known(previewed):
            raise UsageError(
                f"the request id '{request.request_id}' has a VPC in {wish.region} but no block in the pool "
                f"'{request.pool}': use another request id"
            )
        if not for_real:
            return previewed
    return allocate(pools.store, request, pools.tracked_of, pools.actor)


def _is_known(allocation: Allocation) -> bool:
    return isinstance(allocation, Reserved) and not allocation.is_new


def _check_vended(reserved: Reserved, request_id: str) -> None:
    """Raise UsageError where a VPC was made on the block in another way: a second one would overlap it.

    It is not adopted: the network role may change only VPCs that Landkeeper has made.
    """
    block = reserved.reservation.block
    strange = [vpc for vpc in reserved.used_by if vpc.tags.get(REQUEST_TAG) != request_id
               and any(parse_block(taken).overlaps(block) for taken in vpc.taken_blocks)]  # fmt: skip
    if strange:
        raise UsageError(
            f"{block} is reserved for the request id '{request_id}' and has a VPC already, which this request did not "
            f"create: {describe_holder(strange[0], block)}. It keeps the reservation {reserved.reservation.id}; use "
            "another request id to create another VPC"
        )


class _Unwritten:
    """A store of pools to which writing does nothing: the executor of a plan that is only printed."""

    def __init__(self, store: PoolStore) -> None:
        self._store = store

    def read_pool_items(self, pool: str) -> Sequence[Attributes]:
        return self._store.read_pool_items(pool)

    def find_pool_items(self, keys: Collection[tuple[str, str]]) -> Sequence[Attributes]:
        return self._store.find_pool_items(keys)

    def write_pools(self, _: PoolWrite) -> bool:
        return True


def plan_vpc(site: Site, wish: Wish, reserved: Reserved) -> VendPlan:
    """Return all that is to be made."""
    layout = lay_out(reserved.reservation.block, site.zones, wish.public_bits)
    return VendPlan(
        site.account.id, site.region, wish.request.request_id, reserved.reservation, layout, wish.name, wish.tags
    )


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a plan."""

    outcome: Outcome
    unrecorded: Failure | None = None
    """Why the tracker's store does not have the VPC yet; None where it does, or there is none."""
    kept: str = ""
    """Why the block is still reserved although there is no VPC; empty where it is free again, or the VPC has it."""


def carry_out(
    pools: Pools, site: Site, plan: VendPlan, *, is_new: bool, pauses: Pauses, tell: Callable[[str], None]
) -> Report:
    """Make the VPC and record it, or give its block back. `is_new` says that the block was reserved just now."""
    outcome = vend(plan, site.network, may_exist=not is_new, pauses=pauses, tell=tell)
    if isinstance(outcome, Undone):
        return Report(outcome, kept=_give_back(pools, site, plan, outcome))
    return Report(outcome, unrecorded=_record(pools, site, outcome, pauses()))


def _record(pools: Pools, site: Site, vended: Vended, waiting: Iterator[bool]) -> Failure | None:
    """Have the region tracked until the store has the VPC with all its subnets, and as finished."""
    key = VpcKey(vended.vpc, site.account.id)
    try:
        while True:
            failure = _track(pools, site, confirm_deletions=False)
            if failure is not None:
                return failure
            stored = pools.vpcs.read_items({key})
            if any(_is_all_of(vended, vpc) for vpc in stored):
                return None
            if not next(waiting, False):
                return Failure(FailureReason.TIMED_OUT, message=f"{vended.vpc} is not visible in EC2 yet")
    except StoreError as error:
        return Failure(FailureReason.OTHER, message=str(error))


def _is_all_of(vended: Vended, stored: StoredVpc) -> bool:
    """Whether that is the VPC as it was finished: EC2 may show for a while what was before."""
    is_marked = UNFINISHED_TAG in stored.vpc.tags and vended.unmarked is None
    return (
        stored.is_live
        and not is_marked
        and {subnet.id for subnet in vended.subnets} <= {subnet.id for subnet in stored.vpc.subnets}
    )


def _track(pools: Pools, site: Site, *, confirm_deletions: bool) -> Failure | None:
    done = track_account(
        site.account, site.reader, pools.vpcs, clock=pools.actor.clock, regions=[site.region],
        confirm_deletions=confirm_deletions,
    )  # fmt: skip
    return done.unreadable[0].failure if done.unreadable else None


def _give_back(pools: Pools, site: Site, plan: VendPlan, undone: Undone) -> str:
    """Release the block, if it is certain that no VPC has it; why it was not."""
    if not undone.is_clean:
        return "a VPC uses it, or may use it"
    try:
        try:
            release(pools.store, plan.reservation.id, pools.tracked_of, pools.actor)
        except UsageError:
            # The tracker saw the VPC while it was there.
            _track(pools, site, confirm_deletions=True)
            release(pools.store, plan.reservation.id, pools.tracked_of, pools.actor)
    except LandkeeperError as error:
        return str(error)
    return ""
