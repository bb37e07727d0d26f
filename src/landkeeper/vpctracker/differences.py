"""What a run read of an account, and how that differs from what is stored.

A failed read is not an empty one: only a complete read of the owner's own account takes a VPC away. What was not read
stays as it is. `stored` is always what the store held before the read began, and each change is conditional on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import assert_never

from landkeeper.org import Account, Failure, Region, Standing
from landkeeper.vpctracker.fit import fit_vpc
from landkeeper.vpctracker.inventory import DELETED, NOBODY, StoredVpc, Vpc, VpcId


@dataclass(frozen=True, slots=True)
class Complete:
    """Every VPC that one account sees in one region: its own, and those that are shared with it."""

    vpcs: tuple[Vpc, ...]
    connections_failure: Failure | None = None
    """Why peerings and transit gateway attachments could not be read; the VPCs then hold none, which means nothing."""
    began: datetime | None = None
    """When its first call was made; None where the reader does not say: then it began with its run."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The region could not be read to the end; nothing is known of it."""

    failure: Failure
    began: datetime | None = None
    """As of a complete read."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """The region was left out on purpose: no failure, and no knowledge either."""

    standing: Standing


RegionRead = Complete | Unreadable | NotRead


def began_at(read: RegionRead, run_began: datetime) -> datetime:
    """Return when the read began: with its run, where nothing more exact is known."""
    return run_began if isinstance(read, NotRead) or read.began is None else read.began


@dataclass(frozen=True, slots=True)
class Appeared:
    """A VPC that was not stored."""

    after: StoredVpc

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written; 0 means no item."""
        return 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored VPC of which something is different now."""

    before: StoredVpc
    after: StoredVpc

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written."""
        return self.before.version


@dataclass(frozen=True, slots=True)
class Disappeared:
    """A stored VPC that a complete read of its owner no longer shows."""

    before: StoredVpc
    after: StoredVpc
    by: str = ""
    """The principal for whom Landkeeper itself deleted it; empty where only the read tells that it is gone."""

    @property
    def expected_version(self) -> int:
        """The version that must be stored for this to be written."""
        return self.before.version


Change = Appeared | Changed | Disappeared


def seen_vpcs(reads: Mapping[Region, RegionRead]) -> tuple[Vpc, ...]:
    """All VPCs of the regions that were read completely."""
    return tuple(vpc for read in reads.values() if isinstance(read, Complete) for vpc in read.vpcs)


def diff_account(
    stored: Iterable[StoredVpc],
    reads: Mapping[Region, RegionRead],
    account: Account,
    run_began: datetime,
    *,
    confirm_deletions: bool = True,
    deleted_by: Mapping[VpcId, str] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """Return what has to be written so that the store agrees with the reads of one account.

    `stored` holds what the account owns, and of other owners' VPCs those it sees or saw. A change is of the moment at
    which the read of its region began. A change of free addresses
    alone is none. A shared VPC is one item under its owner: a participant's read adds or removes the participant, and
    says what the VPC is like only while no read of the owner does. Connections that could not be read stay as they
    were. Without `confirm_deletions` a VPC that is not seen is only marked, and gone at the next complete read.
    `deleted_by` says of VPCs that Landkeeper itself deleted for whom it did.
    """
    kept = {before.vpc.key: before for before in stored}
    complete = {region: read for region, read in reads.items() if isinstance(read, Complete)}
    began = {region: began_at(read, run_began) for region, read in complete.items()}
    seen = {vpc.key: fit_vpc(_with_known_connections(vpc, read, kept.get(vpc.key)))
            for read in complete.values() for vpc in read.vpcs}  # fmt: skip
    changes = [_diff_seen(kept.get(key), vpc, account, began[vpc.region]) for key, vpc in seen.items()]
    unseen = [before for key, before in kept.items()
              if key not in seen and before.is_live and before.vpc.region in complete]  # fmt: skip
    changes += [
        _diff_unseen(
            before, account, began[before.vpc.region],
            confirm_deletions=confirm_deletions, by=deleted_by.get(before.vpc.id, ""),
        )
        for before in unseen
    ]  # fmt: skip
    return tuple(change for change in changes if change is not None)


def _with_known_connections(vpc: Vpc, read: Complete, before: StoredVpc | None) -> Vpc:
    if read.connections_failure is None or before is None:
        return vpc
    return replace(vpc, peerings=before.vpc.peerings, transit_gateways=before.vpc.transit_gateways)


def _diff_seen(before: StoredVpc | None, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    if vpc.owner == account.id:
        return _diff_own(before, vpc, account, now)
    if before is None:
        shared = replace(vpc, shared_with=(account.id,), read_by=account.id)
        return Appeared(StoredVpc(shared, first_seen=now, last_changed=now, version=1))
    # A participant's read may be older than the owner's: it does not bring back what the owner no longer shows.
    return _diff_shared(before, vpc, account, now) if before.is_live else None


def _diff_own(before: StoredVpc | None, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    if before is None:
        own = replace(vpc, account_name=account.name, shared_with=(), read_by=account.id)
        return Appeared(StoredVpc(own, first_seen=now, last_changed=now, version=1))
    name = account.name or before.vpc.account_name
    own = replace(vpc, account_name=name, shared_with=before.vpc.shared_with, read_by=account.id)
    return _change(before, own, now)


def _diff_shared(before: StoredVpc, vpc: Vpc, account: Account, now: datetime) -> Change | None:
    participants = tuple(sorted({*before.vpc.shared_with, account.id}))
    marked = before.missing_since
    if before.vpc.read_by in {NOBODY, account.id}:
        name = before.vpc.account_name
        vpc = replace(vpc, account_name=name, shared_with=participants, read_by=account.id)
        return _change(before, vpc, now, missing_since=marked)
    return _change(before, replace(before.vpc, shared_with=participants), now, missing_since=marked)


def _diff_unseen(
    before: StoredVpc, account: Account, now: datetime, *, confirm_deletions: bool, by: str
) -> Change | None:
    if before.vpc.owner == account.id:
        if not confirm_deletions and before.missing_since is None:
            return _change(before, before.vpc, now, missing_since=now)
        gone = replace(before.vpc, state=DELETED, shared_with=(), read_by=account.id)
        return Disappeared(before, _next(before, gone, now), by)
    if not confirm_deletions:
        return None
    participants = tuple(participant for participant in before.vpc.shared_with if participant != account.id)
    reader = NOBODY if before.vpc.read_by == account.id else before.vpc.read_by
    vpc = replace(before.vpc, shared_with=participants, read_by=reader)
    return _change(before, vpc, now, missing_since=before.missing_since)


def _change(before: StoredVpc, vpc: Vpc, now: datetime, *, missing_since: datetime | None = None) -> Changed | None:
    is_same = _without_free_addresses(vpc) == _without_free_addresses(before.vpc)
    if is_same and missing_since == before.missing_since:
        return None
    return Changed(before, _next(before, vpc, now, missing_since))


def _next(before: StoredVpc, vpc: Vpc, now: datetime, missing_since: datetime | None = None) -> StoredVpc:
    deleted_at = now if vpc.state == DELETED else None
    return replace(
        before,
        vpc=vpc,
        # A participant's read may have begun before the owner's, and be written after it: history stays in order.
        last_changed=max(now, before.last_changed),
        version=before.version + 1,
        deleted_at=deleted_at,
        missing_since=missing_since,
    )


def _without_free_addresses(vpc: Vpc) -> Vpc:
    return replace(vpc, subnets=tuple(replace(subnet, free_addresses=0) for subnet in vpc.subnets))


def kind_of(change: Change) -> str:
    """The word for a change in history and in summaries: appeared, changed, disappeared."""
    match change:
        case Appeared():
            return "appeared"
        case Changed():
            return "changed"
        case Disappeared():
            return "disappeared"
        case _:
            assert_never(change)


def describe_omissions(changes: Iterable[Change]) -> Iterator[str]:
    """A sentence for each VPC that is written without something."""
    for change in changes:
        vpc = change.after.vpc
        if vpc.omitted:
            yield f"{vpc.id} of {vpc.owner} is too large for an item: it is kept without its {', '.join(vpc.omitted)}"
