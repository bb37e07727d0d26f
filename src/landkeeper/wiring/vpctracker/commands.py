"""VPC Tracker's wiring: which accounts, and through which credentials they are entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from landkeeper.aws.enabled_regions import find_unknown_regions
from landkeeper.aws.organizations import list_members, place_members, read_units
from landkeeper.aws.regions import list_regions_beside
from landkeeper.aws.sessions import AccountSessions, HomeAccountError
from landkeeper.aws.vpctracker.vpc_table import VpcTable
from landkeeper.aws.vpctracker.vpcs import CALLS_AT_ONCE, Ec2VpcReader
from landkeeper.org import (
    Account,
    AccountId,
    Failure,
    FailureReason,
    LandkeeperError,
    Member,
    Region,
    UnavailableError,
    UsageError,
)
from landkeeper.vpctracker.answers.names import suggest
from landkeeper.vpctracker.discovery import Listing, choose_accounts, choose_named_accounts, note_membership
from landkeeper.vpctracker.track import Progress, TrackOutcome, track
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions, member_sessions

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

    from landkeeper.settings import Settings
    from landkeeper.vpctracker.config import Discovery, TrackerConfig
    from landkeeper.vpctracker.ports import VpcReader, VpcStore

Read = TypeVar("Read")

MAX_WORKERS = 16
"""Accounts that are read at the same time."""

CALLS_AT_ONCE_AMONG_MANY = 2
"""Regions of each that are, where there are more accounts than that. Thirty calls under way keep one core busy; more
only means more connections, each of which costs memory and a TLS handshake."""


@dataclass(frozen=True, slots=True)
class Source:
    """The accounts to read, and what reads them."""

    accounts: tuple[Account, ...]
    reader: VpcReader
    sessions_of: Callable[[AccountId], AccountSessions]
    """Through which sessions each of the accounts is entered."""
    is_governed: Callable[[AccountId, Region], bool]
    """Whether a region of an account is closed for good, by the configuration."""
    listing: Listing
    """What the organization lists, or which accounts were named otherwise, and which of them are left out."""
    config: TrackerConfig
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Profiles that were named and cannot be used, and why."""


def function_store(settings: Settings) -> VpcStore:
    """The tracker function's table. It is not looked at first: the function's role need not allow that.

    Raises UsageError where no table is set.
    """
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function requires a table")
    return VpcTable(home_sessions(settings).home("dynamodb"), settings.vpc_table)


def find_source(settings: Settings, *, organization: bool = False, profiles: Sequence[str] = ()) -> Source:
    """The accounts that the flags and settings name: profiles, the organization, a list, or the account at hand.

    Raises UsageError or UnavailableError when the credentials, the organization or the settings do not allow it.
    """
    config = read_config(settings)
    if profiles:
        return _profiles(settings, config, profiles)
    sessions = member_sessions(settings)
    home = sessions.home_account()
    if organization:
        listing = _list_organization(sessions, config.discovery)
    else:
        named = tuple(map(Account, settings.accounts)) or (Account(home),)
        listing = choose_named_accounts(named, config.discovery)
    if settings.role_name is None and any(account.id != home for account in listing.accounts):
        raise UsageError("other accounts require a role: pass --role or set LANDKEEPER_ROLE_NAME")
    _check_regions(settings, sessions)
    return _source(settings, config, listing, lambda _: sessions)


def home_source(settings: Settings) -> Source:
    """The account of the credentials at hand, and what enters any other; whatever the configuration skips.

    Raises as `find_source` does.
    """
    sessions = member_sessions(settings)
    home = Account(sessions.home_account())
    _check_regions(settings, sessions)
    return _source(settings, read_config(settings), Listing((home,)), lambda _: sessions)


def function_source(settings: Settings) -> Source:
    """What the tracker function reads: the accounts it was told, else the organization; without a role its own only."""
    return find_source(settings, organization=bool(settings.role_name and not settings.accounts))


def track_vpcs(
    source: Source, store: VpcStore, *, on_progress: Callable[[Progress], None] = lambda _: None
) -> TrackOutcome:
    """Track the accounts of the source into the store, at the present time."""
    note_membership(source.listing, store)
    return track(
        source.accounts,
        source.reader,
        store,
        clock=lambda: datetime.now(UTC),
        max_workers=MAX_WORKERS,
        on_progress=on_progress,
    )


def _profiles(settings: Settings, config: TrackerConfig, profiles: Sequence[str]) -> Source:
    opened: dict[AccountId, AccountSessions] = {}
    unusable: dict[str, LandkeeperError] = {}
    for profile in profiles:
        found = _open_profile(settings, profile)
        if isinstance(found, LandkeeperError):
            unusable[profile] = found
            continue
        account, sessions = found
        _check_regions(settings, sessions)
        # Two profiles of one account see the same: the first is used.
        opened.setdefault(account, sessions)
    if not opened:
        is_wrong = all(isinstance(error, UsageError) for error in unusable.values())
        raise (UsageError if is_wrong else UnavailableError)("; ".join(dict.fromkeys(map(str, unusable.values()))))
    listing = choose_named_accounts(tuple(map(Account, opened)), config.discovery)
    source = _source(settings, config, listing, opened.__getitem__)
    return replace(source, unusable={profile: str(error) for profile, error in unusable.items()})


def _open_profile(settings: Settings, profile: str) -> tuple[AccountId, AccountSessions] | LandkeeperError:
    """Return the account of a profile and its sessions, or why it cannot be used."""
    try:
        sessions = home_sessions(settings, profile=profile)
        return sessions.home_account(), sessions
    except (UsageError, HomeAccountError) as error:
        return error


def _check_regions(settings: Settings, sessions: AccountSessions) -> None:
    unknown = find_unknown_regions(sessions, settings.regions)
    if unknown:
        near = suggest(unknown[0], list_regions_beside(sessions.region))
        raise UsageError(f"region '{unknown[0]}' does not exist in the partition {sessions.partition()}{near}")


def _list_organization(sessions: AccountSessions, discovery: Discovery) -> Listing:
    client = sessions.home("organizations")
    members = list_members(client)
    match members:
        case Failure(reason=FailureReason.NOT_FOUND):
            raise UsageError(
                "the account of these credentials is not in an organization: pass --account, or omit --org"
            )
        case Failure():
            raise UnavailableError(
                "the accounts of the organization cannot be listed; use credentials of the management account or "
                f"of a delegated administrator: {members}"
            )
        case _:
            listing = _choose(client, members, discovery)
    if not listing.accounts:
        raise UsageError("the configuration excludes every active account of the organization")
    return listing


def _choose(client: OrganizationsClient, members: tuple[Member, ...], discovery: Discovery) -> Listing:
    if not discovery.include_ous and not discovery.skip_ous:
        return choose_accounts(members, (), discovery)
    units = _known_units(read_units(client))
    return choose_accounts(_known_units(place_members(client, members)), units, discovery)


def _known_units(read: tuple[Read, ...] | Failure) -> tuple[Read, ...]:
    if isinstance(read, Failure):
        raise UnavailableError(f"the organizational units in the configuration cannot be resolved: {read}")
    return read


def _source(
    settings: Settings,
    config: TrackerConfig,
    listing: Listing,
    sessions_of: Callable[[AccountId], AccountSessions],
) -> Source:
    reader = Ec2VpcReader(
        sessions_of,
        regions=settings.regions,
        is_governed=config.is_governed,
        calls_at_once=calls_at_once(len(listing.accounts)),
    )
    return Source(listing.accounts, reader, sessions_of, config.is_governed, listing, config)


def calls_at_once(accounts: int) -> int:
    """How many regions of an account are read at the same time, where there are so many accounts."""
    return CALLS_AT_ONCE_AMONG_MANY if accounts > MAX_WORKERS else CALLS_AT_ONCE
