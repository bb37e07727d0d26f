"""The wiring of the function that keeps the newest report in a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from landkeeper import __version__
from landkeeper.aws.ledger_table import LedgerTable
from landkeeper.aws.pool_table import PoolTable
from landkeeper.aws.report_bucket import ReportBucket
from landkeeper.aws.sessions import AccountSessions, open_sessions
from landkeeper.aws.vpc_table import VpcTable
from landkeeper.org import Failure, LandkeeperError, UsageError
from landkeeper.report.mark import is_due, mark_of, parse_mark, write_mark
from landkeeper.report.page import render
from landkeeper.report.trends import count_unreadable
from landkeeper.report.view import view_report
from landkeeper.settings import Settings
from landkeeper.wiring.config import read_config
from landkeeper.wiring.report import Stores, read_page


class ReportNotKeptError(LandkeeperError):
    """The bucket of reports does not answer, or does not take one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that was put into the bucket."""

    size: int
    """In bytes."""
    vpcs: int


def keep_report(settings: Settings) -> Kept | None:
    """Replace the report in the bucket once a run of the tracker is over; None where there is nothing new to tell.

    Raises UsageError naming the setting that is missing, StoreError, LedgerError or ReportNotKeptError.
    """
    if settings.report_bucket is None or settings.vpc_table is None:
        missing = "LANDKEEPER_REPORT_BUCKET" if settings.report_bucket is None else "LANDKEEPER_VPC_TABLE"
        raise UsageError(f"{missing} is not set: there is no bucket to keep the report in, or no table to make it from")
    sessions = open_sessions(settings.region)
    bucket = ReportBucket(sessions.home("s3"), settings.report_bucket)
    metadata = bucket.read_metadata()
    if isinstance(metadata, Failure):
        raise ReportNotKeptError(f"the report in {settings.report_bucket} cannot be looked at: {metadata}")
    mark, now = parse_mark(metadata or {}), datetime.now(UTC)
    stores = _stores(settings, settings.vpc_table, sessions)
    tried_at = max((one.tried_at for one in stores.vpcs.read_all_coverage() if one.tried_at is not None), default=None)
    if not is_due(mark, __version__, tried_at, now):
        return None
    material = stores.read(unreadable={} if mark is None else mark.unreadable)
    document = view_report(material)
    page = render(document, read_page()).encode()
    written = mark_of(document.trends, __version__, tried_at, count_unreadable(material), now)
    failure = bucket.write_report(page, write_mark(written))
    if failure is not None:
        raise ReportNotKeptError(f"the bucket {settings.report_bucket} does not take the report: {failure}")
    return Kept(len(page), len(document.vpcs))


def _stores(settings: Settings, table: str, sessions: AccountSessions) -> Stores:
    """The tables, which are not looked at first: the function's role need not allow that."""
    client = sessions.home("dynamodb")
    ledger = None if settings.ledger_table is None else LedgerTable(client, settings.ledger_table)
    return Stores(VpcTable(client, table), PoolTable(client, table), ledger, read_config(settings), f"table {table}")
