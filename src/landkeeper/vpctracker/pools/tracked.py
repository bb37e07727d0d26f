"""What the tracker knows of one address space, and what that means for the reservations in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, Membership, Region, Standing
from landkeeper.vpctracker.answers.freshness import by_account
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.cidr import Block, block_at, parse_block, parse_key
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import Vpc

if TYPE_CHECKING:
    from landkeeper.vpctracker.config import DeclaredAccount, TrackerConfig
    from landkeeper.vpctracker.pools.pool import Pool, Reservation
    from landkeeper.vpctracker.pools.ports import TrackedStore


@dataclass(frozen=True, slots=True)
class Tracked:
    """The live VPCs of a space, and how well all accounts are known."""

    vpcs: Mapping[int, tuple[Vpc, ...]] = field(default_factory=dict)
    """By the keys of the blocks that they have, IPv6 too; also those of stale, suspended and departed accounts."""
    coverage: Mapping[AccountId, Coverage] = field(default_factory=dict)
    never_read: tuple[Coverage, ...] = ()
    """Accounts that may have VPCs in the space which nobody has seen: a region of theirs was never read."""
    ordered: tuple[int, ...] = ()
    """The keys of `vpcs` in order."""
    declared: Mapping[AccountId, DeclaredAccount] = field(default_factory=dict)
    """Accounts whose ranges in the space the configuration declares, expired declarations included."""
    skipped: frozenset[AccountId] = frozenset()
    """Accounts that the configuration leaves out: nobody waits for a read of theirs."""

    @property
    def taken(self) -> tuple[int, ...]:
        """Return the keys of the blocks of VPCs, and of those that the configuration declares."""
        return (*self.ordered, *(block.sort_key for known in self.declared.values() for block in known.blocks))

    def find_overlapping(self, block: Block) -> tuple[Vpc, ...]:
        """The VPCs with an address of that IPv4 block, by address."""
        inside = self.ordered[
            bisect_left(self.ordered, block.first << 8) : bisect_right(self.ordered, block.last << 8 | 0xFF)
        ]
        around = (block_at(4, block.first, length).sort_key for length in range(block.prefix_length))
        keys = dict.fromkeys([*(key for key in around if key in self.vpcs), *inside])
        return tuple({vpc.key: vpc for key in keys for vpc in self.vpcs[key]}.values())


def read_tracked(store: TrackedStore, space: str, config: TrackerConfig, within: Block | None = None) -> Tracked:
    """What the store knows of that space; of its VPCs, if so told, just those with an address of the block `within`."""
    # Coverage first: the VPCs of every read that it tells of are stored by then.
    coverage = by_account(store.read_all_coverage())
    return tracked_in(space, store.read_live_vpcs(within), coverage, config)


def tracked_in(
    space: str, vpcs: Iterable[Vpc], coverage: Mapping[AccountId, Coverage], config: TrackerConfig
) -> Tracked:
    """Of these VPCs, those in the space."""
    space_of = spaces_of(config).space_of
    found: defaultdict[int, list[Vpc]] = defaultdict(list)
    for vpc in vpcs:
        if space_of(vpc).name == space:
            for text in vpc.taken_blocks:
                found[parse_key(text)].append(vpc)
    never_read = tuple(known for known in coverage.values() if is_never_read(known) and may_be_in(known, space, config))
    return Tracked(
        {key: tuple(holders) for key, holders in found.items()},
        coverage,
        never_read,
        tuple(sorted(found)),
        _declared_in(space, coverage, config),
        frozenset(config.discovery.skip_accounts),
    )


def _declared_in(
    space: str, coverage: Mapping[AccountId, Coverage], config: TrackerConfig
) -> Mapping[AccountId, DeclaredAccount]:
    return {
        known.account: known
        for known in config.declared_accounts
        if may_be_in(coverage.get(known.account, Coverage(known.account)), space, config)
    }


def is_never_read(coverage: Coverage) -> bool:
    """Whether a region of the account that can have VPCs was never read to the end.

    Governed and disabled regions do not count, nor does an account that is closed, which has none, or that the
    configuration skips.
    """
    if coverage.membership in {Membership.CLOSED, Membership.SKIPPED}:
        return False
    regions = [covered for covered in coverage.regions.values() if covered.standing is Standing.READ]
    return any(covered.complete_at is None for covered in regions) or not coverage.regions


def may_be_in(coverage: Coverage, space: str, config: TrackerConfig) -> bool:
    """Whether a VPC of that account may be in the space: by its account, or by tags that nobody knows yet."""
    nobody_knows = any(declared.name == space and declared.tags for declared in config.spaces)
    homes = {
        declared.name
        for declared in config.spaces
        if {coverage.account, coverage.account_name} & set(declared.accounts)
    }
    return nobody_knows or space in (homes or {spaces_of(config).default.name})


def is_over(reservation: Reservation, pool: Pool, tracked: Tracked, now: datetime) -> bool:
    """Whether the reservation's time is up and no VPC came of it.

    Only a complete read of the regions that it was for, begun after its time was up, says that there is none: what
    could not be read keeps its block.
    """
    if reservation.expires_at is None or now < reservation.expires_at or tracked.find_overlapping(reservation.held):
        return False
    coverage = tracked.coverage.get(reservation.account) if reservation.account else None
    if coverage is None or coverage.membership is not Membership.ACTIVE or coverage.failure is not None:
        return False
    region = reservation.region or pool.region
    if region is not None:
        return _read_after(coverage.regions.get(region), reservation.expires_at)
    regions = [covered for covered in coverage.regions.values() if covered.standing is Standing.READ]
    return bool(regions) and all(_read_after(covered, reservation.expires_at) for covered in regions)


def places_to_read(reservation: Reservation, pool: Pool, tracked: Tracked) -> Mapping[AccountId, frozenset[Region]]:
    """Where to look before the block is given back: where its VPC was to be, and where one is known to have been.

    Of each account the regions; none of them named means all that it has. A closed account has no VPCs.
    """
    places: defaultdict[AccountId, set[Region]] = defaultdict(set)
    for vpc in tracked.find_overlapping(reservation.held):
        places[vpc.owner].add(vpc.region)
    coverage = tracked.coverage.get(reservation.account) if reservation.account else None
    if reservation.account and (coverage is None or coverage.membership is not Membership.CLOSED):
        region = reservation.region or pool.region
        known = {} if coverage is None else coverage.regions
        read = {name for name, covered in known.items() if covered.standing is Standing.READ}
        places[reservation.account] |= read if region is None else {region}
    return {account: frozenset(regions) for account, regions in places.items()}


def _read_after(covered: RegionCoverage | None, moment: datetime) -> bool:
    if covered is None or covered.standing is not Standing.READ or covered.complete_at is None:
        return False
    return covered.complete_at > moment


def keys_of(blocks: Iterable[str]) -> list[int]:
    """The keys of the IPv4 blocks among these."""
    return [block.sort_key for block in map(parse_block, blocks) if block.version == 4]
