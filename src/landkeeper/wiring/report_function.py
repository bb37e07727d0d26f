"""The wiring of the function that tells notices: with a bucket it keeps a report there, made of the same one look."""

from __future__ import annotations

from dataclasses import dataclass

from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.aws.report_bucket import ReportBucket
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.org import Failure, LandkeeperError, UsageError
from landkeeper.report.page import render
from landkeeper.report.remembered import parse_unreadable, write_unreadable
from landkeeper.report.trends import count_unreadable
from landkeeper.report.view import view_report
from landkeeper.settings import Settings
from landkeeper.vpctracker.ports import VpcStore
from landkeeper.wiring.config import read_config
from landkeeper.wiring.report import Stores, read_page
from landkeeper.wiring.sessions import home_sessions


class ReportNotKeptError(LandkeeperError):
    """The bucket of reports does not answer, or does not take one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that was put into the bucket."""

    size: int
    """In bytes."""
    vpcs: int


def keep_report(settings: Settings, vpcs: VpcStore) -> Kept:
    """Replace the report in the bucket by one of what the tables hold. `vpcs` is the tracker's store.

    Raises UsageError naming the setting that is missing, StoreError, LedgerError or ReportNotKeptError.
    """
    if settings.report_bucket is None or settings.vpc_table is None:
        missing = "LANDKEEPER_REPORT_BUCKET" if settings.report_bucket is None else "LANDKEEPER_VPC_TABLE"
        raise UsageError(f"{missing} is not set: the report needs a bucket and a table")
    sessions = home_sessions(settings)
    bucket = ReportBucket(sessions.home("s3"), settings.report_bucket, settings.bucket_owner)
    metadata = bucket.read_metadata()
    if isinstance(metadata, Failure):
        raise ReportNotKeptError(f"the report in {settings.report_bucket} cannot be read: {metadata}")
    remembered = parse_unreadable(metadata or {})
    # The tables are not looked at first: the function's role need not allow that.
    client = sessions.home("dynamodb")
    ledger = None if settings.ledger_table is None else LedgerTable(client, settings.ledger_table)
    pools, name = PoolTable(client, settings.vpc_table), f"table {settings.vpc_table}"
    report_input = Stores(vpcs, pools, ledger, read_config(settings), name).read(unreadable=remembered)
    document = view_report(report_input)
    page = render(document, read_page()).encode()
    written = write_unreadable(remembered, report_input.now.date(), count_unreadable(report_input))
    failure = bucket.write_report(page, written)
    if failure is not None:
        raise ReportNotKeptError(f"the report cannot be written to the bucket {settings.report_bucket}: {failure}")
    return Kept(len(page), len(document.vpcs))
