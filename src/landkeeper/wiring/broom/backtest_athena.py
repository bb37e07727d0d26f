"""The backtest's other engine: Athena picks the records, and they are judged here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from landkeeper.broom.cloudtrail.athena import Folders, TrailRoot, read_row, write_queries, write_table
from landkeeper.broom.cloudtrail.fields import ACCOUNT, REGION
from landkeeper.broom.cloudtrail.found import FoundFault, check_origin, find_losses
from landkeeper.broom.cloudtrail.keys import find_root
from landkeeper.broom.cloudtrail.records import Malformed, read_record
from landkeeper.broom.launches import Launch, Tagging, Termination, Untagging
from landkeeper.org import AccountId, Failure, Region, UsageError
from landkeeper.settings import Settings
from landkeeper.wiring.broom.backtest import Past, Progress, open_buckets

if TYPE_CHECKING:
    from landkeeper.aws.broom.athena import AthenaStatements
    from landkeeper.aws.broom.trail_bucket import TrailBuckets


@dataclass(frozen=True, slots=True)
class AthenaOptions:
    """How Athena is used."""

    database: str = "default"
    workgroup: str = "primary"
    output: str | None = None
    """Where answers go; None for the workgroup's place."""
    accounts: tuple[AccountId, ...] = ()
    """The accounts to look into; empty for those that the bucket has folders of."""
    regions: tuple[Region, ...] = ()
    """The regions to look into; empty for those that the accounts have folders of."""


@dataclass(frozen=True, slots=True)
class Statements:
    """What is run: the table's statement first."""

    table: str
    queries: tuple[str, ...]


def plan_statements(
    url: str, settings: Settings, options: AthenaOptions, first: date, last: date, *, requester_pays: bool
) -> Statements | Failure:
    """The statements for the trail at a URL. The bucket is listed for what the options do not say.

    Raises UsageError for a URL that is not of a trail.
    """
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    found = find_root(prefix)
    if not url.startswith("s3://") or found is None:
        raise UsageError(f"{url} is not the root of a trail: Athena requires s3://bucket/[prefix/]AWSLogs/[o-id/]")
    root = TrailRoot(bucket, found.root)
    accounts = options.accounts or tuple(map(AccountId, filter(None, [found.account])))
    regions = options.regions or tuple(map(Region, filter(None, [found.region])))
    if not accounts or not regions:
        listed = _list_missing(open_buckets(settings, requester_pays=requester_pays), root, accounts, regions)
        if isinstance(listed, Failure):
            return listed
        root, accounts, regions = listed
    if not accounts or not regions:
        raise UsageError(f"{url} contains no CloudTrail log files of any account")
    queries = write_queries(root, Folders(accounts, regions, first, last))
    return Statements(write_table(root), tuple(queries))


def _list_missing(
    buckets: TrailBuckets, root: TrailRoot, accounts: Sequence[AccountId], regions: Sequence[Region]
) -> tuple[TrailRoot, tuple[AccountId, ...], tuple[Region, ...]] | Failure:
    """The root, accounts and regions; the root is that of the organization where the bucket is one's."""
    if not accounts:
        folders = buckets.list_folders(root.bucket, root.prefix)
        if isinstance(folders, Failure):
            return folders
        organizations = [name for name in folders if name.startswith("o-")]
        accounts = [AccountId(name) for name in folders if ACCOUNT.fits(name)]
        if not accounts and len(organizations) == 1:
            return _list_missing(buckets, replace(root, prefix=f"{root.prefix}{organizations[0]}/"), (), regions)
    found = set(regions)
    for account in accounts if not regions else ():
        names = buckets.list_folders(root.bucket, f"{root.prefix}{account}/CloudTrail/")
        if isinstance(names, Failure):
            return names
        found |= {Region(name) for name in names if REGION.fits(name)}
    return root, tuple(accounts), tuple(sorted(found))


def read_past_by_athena(
    statements: Statements,
    settings: Settings,
    options: AthenaOptions,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    show: Callable[[Progress], None] = lambda _: None,
) -> Past:
    """What the statements pick; what cannot be run or read is a fault."""
    past = Past(progress=Progress(files=len(statements.queries)))
    athena = _open_athena(settings, options)
    made = athena.run(statements.table, is_stopped)
    if isinstance(made, Failure):
        past.faults.append(FoundFault("Athena", "", f"the table could not be created: {made}"))
        return past
    for query in statements.queries:
        if is_stopped():
            break
        _take_query(athena, query, past, is_stopped)
        show(past.progress)
    past.unread = past.progress.files - past.progress.files_done
    past.is_partial = is_stopped()
    return past


def _take_query(athena: AthenaStatements, query: str, past: Past, is_stopped: Callable[[], bool]) -> None:
    from landkeeper.aws.broom.athena import Answered

    answered = athena.run(query, is_stopped)
    if isinstance(answered, Failure):
        past.faults.append(FoundFault("Athena", "", f"the query failed: {answered}"))
    if not isinstance(answered, Answered):
        return
    past.progress.files_done += 1
    past.progress.bytes_done += answered.scanned_bytes
    for row in athena.read_rows(answered):
        if isinstance(row, Failure):
            past.faults.append(FoundFault(answered.location, "", str(row)))
            return
        past.progress.events += 1
        file, record = read_row(row)
        entry = read_record(record)
        if isinstance(entry, Launch | Tagging | Untagging | Termination):
            believed, refused = check_origin(file, [entry])
            past.chronicle.add(file, believed)
            past.faults += (*refused, *find_losses(file, believed))
        elif isinstance(entry, Malformed):
            past.faults.append(FoundFault(file, f"event {record.get('eventID', '')}", entry.reason))


def _open_athena(settings: Settings, options: AthenaOptions) -> AthenaStatements:
    from landkeeper.aws.broom.athena import AthenaStatements
    from landkeeper.wiring.sessions import home_sessions

    sessions = home_sessions(settings)
    return AthenaStatements(
        sessions.home("athena"),
        sessions.home("s3"),
        database=options.database,
        workgroup=options.workgroup,
        output=options.output,
    )
