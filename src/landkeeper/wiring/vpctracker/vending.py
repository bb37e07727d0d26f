"""Vending's wiring: into the account, its zones and quotas, the block from the pool, and into the tracker's store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.vpctracker.vending import SUBNETS_PER_VPC, VPCS_PER_REGION, Ec2Network
from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader
from landkeeper.org import Account, AccountId, Failure, FailureReason, LandkeeperError, Region, UsageError
from landkeeper.vpctracker.cidr import block_at
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey
from landkeeper.vpctracker.pools.operations import Allocation, Request, Reserved, allocate, release
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.track import track_account
from landkeeper.vpctracker.vending.plan import UNFINISHED_TAG, Quota, VendPlan, Zone, check_quota, choose_zones, lay_out
from landkeeper.vpctracker.vending.vend import Outcome, Undone, Vended, vend
from landkeeper.wiring.sessions import member_sessions
from landkeeper.wiring.vpctracker.pools import Pools, check_account

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.attributes import Attributes
    from landkeeper.vpctracker.pools.items import PoolWrite
    from landkeeper.vpctracker.pools.ports import PoolStore

Answer = TypeVar("Answer")

RESERVED_FOR = timedelta(days=1)
"""How long a block waits for a VPC of which nothing was heard again."""

_ANY_ZONE = Zone("", "")

_BACKOFF = Backoff(1.0, 10.0, least=0.5, patience_seconds=60.0)
"""How long EC2 may take to show what was made."""


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


@dataclass(frozen=True, slots=True)
class Site:
    """The account and region of a wish, entered and looked at."""

    account: Account
    region: Region
    sessions: AccountSessions
    network: Ec2Network
    zones: tuple[Zone, ...]
    has_vpc: bool
    """Whether the request has a VPC there already."""
    remarks: tuple[str, ...] = ()
    """What is worth saying before anything is made."""


def look_at_site(pools: Pools, settings: Settings, wish: Wish) -> Site:
    """Enter the account and see whether the VPC can be made there. Nothing is changed.

    Raises UsageError where it cannot.
    """
    account, region = wish.request.account, wish.region
    lay_out(block_at(4, 0, wish.request.prefix_length), [_ANY_ZONE] * wish.zones, wish.public_bits)
    check_account(pools, settings, account, wish.request.pool)
    if pools.config.is_governed(account, region):
        raise UsageError(f"{region} is governed for account {account}: the region is closed by policy")
    sessions = member_sessions(replace(settings, role_name=settings.network_role_name))
    unknown = sessions.find_unknown_regions([region])
    if unknown:
        raise UsageError(f"region '{region}' does not exist in the partition {sessions.partition()}")
    network = _enter(sessions, settings, account, region)
    zones = choose_zones(_read(network.read_zones(), region, account), wish.zones, region)
    has_vpc = bool(_read(network.find_vpcs(wish.request.request_id), region, account))
    remarks = _check_quotas(network, wish, has_vpc=has_vpc)
    name = pools.vpcs.read_coverage(account).account_name
    return Site(Account(account, name), region, sessions, network, zones, has_vpc, remarks)


def _enter(sessions: AccountSessions, settings: Settings, account: AccountId, region: Region) -> Ec2Network:
    credentials = sessions.credentials_for(account)
    if isinstance(credentials, Failure):
        raise UsageError(
            f"the role {settings.network_role_name} in account {account} cannot be assumed (set the stack "
            f"parameter NetworkPrincipalArn to create it, or pass --role): {credentials}"
        )
    network = Ec2Network(sessions, credentials, region)
    caller = network.read_caller()
    if caller != account:
        raise UsageError(f"the credentials for account {account} belong to another account: {caller}")
    return network


def _read(answer: Answer | Failure, region: Region, account: AccountId) -> Answer:
    if not isinstance(answer, Failure):
        return answer
    if answer.reason is FailureReason.REGION_DISABLED:
        raise UsageError(f"{region} is not enabled in the account {account}: {answer}")
    raise UsageError(f"{region} in account {account} cannot be read: {answer}")


def _check_quotas(network: Ec2Network, wish: Wish, *, has_vpc: bool) -> tuple[str, ...]:
    present = _read(network.count_vpcs(), wish.region, network.account)
    vpcs = Quota(VPCS_PER_REGION, f"VPCs in {wish.region}", network.read_quota(VPCS_PER_REGION))
    subnets = Quota(SUBNETS_PER_VPC, "subnets in a VPC", network.read_quota(SUBNETS_PER_VPC))
    wanted = wish.zones * (1 if wish.public_bits is None else 2)
    said = (None if has_vpc else check_quota(vpcs, present, 1), check_quota(subnets, 0, wanted))
    return tuple(one for one in said if one is not None)


def reserve_block(pools: Pools, site: Site, wish: Wish, *, for_real: bool) -> Allocation:
    """The block of the wish: reserved `for_real`, or the one that would be.

    Raises UsageError where the request has a VPC there, and no block in the pool.
    """
    request = replace(wish.request, region=wish.region, ttl=RESERVED_FOR)
    if site.has_vpc or not for_real:
        previewed = allocate(_Unwritten(pools.store), request, pools.tracked_of, pools.actor)
        if site.has_vpc and not (isinstance(previewed, Reserved) and not previewed.is_new):
            raise UsageError(
                f"the request id '{request.request_id}' has a VPC in {wish.region} but no block in the pool "
                f"'{request.pool}': use another request id"
            )
        if not for_real:
            return previewed
    return allocate(pools.store, request, pools.tracked_of, pools.actor)


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
    """All that is to be made."""
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


def carry_out(pools: Pools, site: Site, plan: VendPlan, *, is_new: bool, tell: Callable[[str], None]) -> Report:
    """Make the VPC and record it, or give its block back. `is_new` says that the block was reserved just now."""
    outcome = vend(plan, site.network, may_exist=not is_new, pauses=_BACKOFF.pauses, tell=tell)
    if isinstance(outcome, Undone):
        return Report(outcome, kept=_give_back(pools, site, plan, outcome))
    return Report(outcome, unrecorded=_record(pools, site, outcome))


def _record(pools: Pools, site: Site, vended: Vended) -> Failure | None:
    """Have the region tracked until the store has the VPC with all its subnets, and as finished."""
    key = VpcKey(vended.vpc, site.account.id)
    waiting = _BACKOFF.pauses()
    try:
        while True:
            failure = _track(pools, site, confirm_deletions=False)
            if failure is not None:
                return failure
            stored = pools.vpcs.read_items({key})
            if any(_is_all_of(vended, one) for one in stored):
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
        and {one.id for one in vended.subnets} <= {subnet.id for subnet in stored.vpc.subnets}
    )


def _track(pools: Pools, site: Site, *, confirm_deletions: bool) -> Failure | None:
    reader = Ec2VpcReader(lambda _: site.sessions)
    done = track_account(
        site.account, reader, pools.vpcs, clock=pools.actor.clock, regions=[site.region],
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
