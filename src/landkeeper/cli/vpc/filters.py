"""Filters of answers: the accounts, regions and VPCs that options name, among those that the store knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from landkeeper.cli.tags import TagFilter, tag_filters
from landkeeper.vpctracker.answers.names import find_account, find_region, find_vpc, known_accounts, known_regions

if TYPE_CHECKING:
    from landkeeper.org import AccountId, Region
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc

Filter = Callable[["Vpc"], bool]
_Covered = Mapping["AccountId", "Coverage"]


def account_ids(texts: Iterable[str], vpcs: Sequence[StoredVpc], coverage: _Covered) -> frozenset[AccountId]:
    """Return the accounts of these ids and names. Raise UsageError for one that the store does not know."""
    names = known_accounts(vpcs, coverage)
    return frozenset(find_account(text, names) for text in texts)


def region_codes(texts: Iterable[str], vpcs: Sequence[StoredVpc], coverage: _Covered) -> frozenset[Region]:
    """Return the regions. Raise UsageError for one that neither the store knows nor AWS has."""
    # Importing what lists the regions is for those who name one that has no VPC.
    stored = known_regions(vpcs, coverage)
    return frozenset(find_region(text, stored, _list_existing) for text in texts)


def place_filters(
    accounts: Sequence[str], regions: Sequence[str], vpcs: Sequence[StoredVpc], coverage: _Covered
) -> list[Filter]:
    """Return the filters of the options `--account` and `--region`. Raise UsageError for what cannot match."""
    filters: list[Filter] = []
    if accounts:
        owners = account_ids(accounts, vpcs, coverage)
        filters.append(lambda vpc: vpc.owner in owners)
    if regions:
        places = region_codes(regions, vpcs, coverage)
        filters.append(lambda vpc: vpc.region in places)
    return filters


def vpc_tag_filters(texts: Sequence[str]) -> list[Filter]:
    """Return the filters of the option `--tag`. Raise UsageError for what is no tag."""
    return [_tagged(fits) for fits in tag_filters(texts)]


def _tagged(fits: TagFilter) -> Filter:
    return lambda vpc: fits(vpc.tags)


def vpc_filter(texts: Sequence[str], vpcs: Sequence[StoredVpc]) -> list[Filter]:
    """Return the filter of the option `--vpc`, which takes ids and names. Raise UsageError for what cannot match."""
    if not texts:
        return []
    keys = {stored.vpc.key for text in texts for stored in find_vpc(text, vpcs)}
    return [lambda vpc: vpc.key in keys]


def _list_existing() -> frozenset[str]:
    from landkeeper.wiring.regions import list_known_regions

    return list_known_regions()
