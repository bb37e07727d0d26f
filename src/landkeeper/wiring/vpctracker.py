"""VPC Tracker's wiring: which store, which accounts, and through which credentials they are entered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.aws.organizations import list_accounts
from landkeeper.aws.sessions import AccountSessions, open_sessions
from landkeeper.aws.vpc_table import VpcTable, check_table, create_tables
from landkeeper.aws.vpcs import Ec2VpcReader
from landkeeper.org import Account, AccountId, Failure, FailureReason, UsageError
from landkeeper.vpctracker.track import Progress, TrackOutcome, track

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.ports import VpcReader, VpcStore

MAX_WORKERS = 16
"""Accounts that are read at the same time."""


@dataclass(frozen=True, slots=True)
class Source:
    """The accounts to read, and what reads them."""

    accounts: tuple[Account, ...]
    reader: VpcReader


@contextmanager
def open_store(settings: Settings, *, to_write: bool, with_new_tables: bool = False) -> Iterator[VpcStore]:
    """The store that the settings name. A file is made only `to_write`; tables are made only `with_new_tables`.

    Raises UsageError or StoreError when there is no such store, or it is not one of ours.
    """
    if settings.vpc_table is not None:
        client = open_sessions(settings.region).home("dynamodb")
        if with_new_tables:
            create_tables(client, settings.vpc_table)
        check_table(client, settings.vpc_table)
        yield VpcTable(client, settings.vpc_table)
        return
    if with_new_tables:
        raise UsageError("--create-tables makes DynamoDB tables: name them with --table NAME")
    if not to_write and not settings.file.exists():
        raise UsageError(
            f"there is no file '{settings.file}': `landkeeper vpc track` makes it; --file or --table name another"
        )
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.vpc_file import VpcFile  # noqa: PLC0415

    with closing(VpcFile(settings.file)) as store:
        yield store


def function_store(settings: Settings) -> VpcStore:
    """The tracker function's table. It is not looked at first: the function's role need not allow that.

    Raises UsageError where no table is set.
    """
    if settings.vpc_table is None:
        raise UsageError("LANDKEEPER_VPC_TABLE is not set: the function has no table to write to")
    return VpcTable(open_sessions(settings.region).home("dynamodb"), settings.vpc_table)


def find_source(settings: Settings, *, organization: bool = False, profiles: Sequence[str] = ()) -> Source:
    """The accounts that the flags and settings name: profiles, the organisation, a list, or the account at hand.

    Raises UsageError or HomeAccountError when the credentials, the organisation or the settings do not allow it.
    """
    if profiles:
        return _profiles(settings, profiles)
    sessions = open_sessions(settings.region, role_name=settings.role_name, external_id=settings.external_id)
    home = sessions.home_account()
    accounts = _organization(sessions) if organization else tuple(map(Account, settings.accounts)) or (Account(home),)
    if settings.role_name is None and any(account.id != home for account in accounts):
        raise UsageError("other accounts are entered through a role there: name it with --role or LANDKEEPER_ROLE_NAME")
    return Source(accounts, _reader(settings, lambda _: sessions))


def function_source(settings: Settings) -> Source:
    """What the tracker function reads: the accounts it was told, else the organisation; without a role its own only."""
    return find_source(settings, organization=bool(settings.role_name and not settings.accounts))


def track_vpcs(
    source: Source, store: VpcStore, *, on_progress: Callable[[Progress], None] = lambda _: None
) -> TrackOutcome:
    """Track the accounts of the source into the store, at the present time."""
    return track(
        source.accounts,
        source.reader,
        store,
        clock=lambda: datetime.now(UTC),
        max_workers=MAX_WORKERS,
        on_progress=on_progress,
    )


def _profiles(settings: Settings, profiles: Sequence[str]) -> Source:
    opened: dict[AccountId, AccountSessions] = {}
    for profile in profiles:
        sessions = open_sessions(settings.region, profile=profile)
        # Two profiles of one account see the same: the first is used.
        opened.setdefault(sessions.home_account(), sessions)
    return Source(tuple(map(Account, opened)), _reader(settings, opened.__getitem__))


def _organization(sessions: AccountSessions) -> tuple[Account, ...]:
    accounts = list_accounts(sessions.home("organizations"))
    match accounts:
        case Failure(reason=FailureReason.NOT_FOUND):
            raise UsageError("the account of these credentials is in no organisation: use --account or leave --org out")
        case Failure():
            raise UsageError(
                "the accounts of the organisation cannot be listed; that takes credentials of the management account "
                f"or of a delegated administrator: {accounts}"
            )
        case ():
            raise UsageError("the organisation lists no active account")
        case _:
            return accounts


def _reader(settings: Settings, sessions_of: Callable[[AccountId], AccountSessions]) -> Ec2VpcReader:
    return Ec2VpcReader(sessions_of, home_region=settings.region, regions=settings.regions)
