"""Make the document from stored data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.org import AccountId, Region, format_time
from landkeeper.report.cases_view import view_broom
from landkeeper.report.document import Document
from landkeeper.report.inventory_view import (
    Numbers,
    view_accounts,
    view_coverage,
    view_overlaps,
    view_reasons,
    view_spaces,
    view_vpcs,
)
from landkeeper.report.notices import find_notices
from landkeeper.report.pools_view import view_pools
from landkeeper.report.report_input import COMMERCIAL
from landkeeper.report.trends import view_trends

if TYPE_CHECKING:
    from landkeeper.report.report_input import ReportInput


def view_report(report_input: ReportInput) -> Document:
    """Return the document. A report of an earlier time lacks the parts that have no history."""
    known, config = report_input.known, report_input.config
    is_present = known.as_of is None
    accounts, spaces = view_accounts(known), view_spaces(config)
    numbers = Numbers(
        {AccountId(account.id): number for number, account in enumerate(accounts)},
        {space.name: number for number, space in enumerate(spaces)},
    )
    vpcs = view_vpcs(report_input, numbers)
    live = {stored.vpc.key: number for number, stored in enumerate(stored for stored in known.vpcs if stored.is_live)}
    coverage = view_coverage(known.coverage.values() if is_present else (), numbers)
    trends = view_trends(report_input)
    names = {account.id: account.name for account in accounts}
    pools = view_pools(report_input) if is_present else ()
    broom = view_broom(report_input.ledger, names) if report_input.ledger is not None and is_present else None
    return Document(
        generated_at=format_time(report_input.now),
        as_of=None if known.as_of is None else format_time(known.as_of),
        source=report_input.source,
        landkeeper=report_input.landkeeper,
        notices=tuple(find_notices(known, vpcs, pools, trends, broom)),
        accounts=accounts,
        regions=numbers.regions.texts,
        zones=numbers.zones.texts,
        words=numbers.words.texts,
        spaces=spaces,
        connections=tuple((connection.source, connection.target) for connection in config.connections),
        vpcs=vpcs,
        overlaps=view_overlaps(known, config, live, numbers),
        pools=pools,
        coverage=coverage,
        reasons=view_reasons(coverage),
        trends=trends,
        broom=broom,
        backtest=report_input.backtest,
        partitions=_view_partitions(report_input, numbers),
    )


def _view_partitions(report_input: ReportInput, numbers: Numbers) -> tuple[str, ...]:
    found = tuple(report_input.partition_of(Region(region)) for region in numbers.regions.texts)
    return () if set(found) <= {COMMERCIAL} else found
