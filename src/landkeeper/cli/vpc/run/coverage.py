"""`vpc coverage`: which accounts and regions were read, and why the others were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.cli.exit_codes import FINDINGS
from landkeeper.cli.output import Column, Format, Row, counted, print_rows
from landkeeper.cli.vpc.known import age_of
from landkeeper.cli.vpc.query import settings_of
from landkeeper.org import Failure, Membership, Standing, format_time
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.wiring.vpc_store import open_store

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS = (
    Column("Account", "AccountName", optional=2),
    Column("Account id", "AccountId"),
    Column("Region", "Region"),
    Column("State", "State"),
    Column("Read at", "CompleteAt", optional=1),
    Column("Age", "Age", optional=3),
    Column("Failed runs", "FailedRuns", right=True, optional=4),
    Column("Why", "Why"),
)
_STYLES = {"complete": "", "unreadable": "red", "connections unread": "yellow"}
_BAD = frozenset({"unreadable", "connections unread"})


def run_coverage(*, check: bool, table: str | None, file: Path | None, format_: Format) -> int:
    """List when each region of each account was last read completely, and why not since."""
    with open_store(settings_of(table, file), to_write=False) as store:
        coverage = list(store.read_all_coverage())
    now = datetime.now(UTC)
    rows = sorted((row for covering in coverage for row in _rows(covering, now)), key=lambda row: (
        row["AccountName"], row["AccountId"], row["Region"]))  # fmt: skip
    states = Counter(str(row["State"]) for row in rows)
    totals = f"{counted(len(coverage), 'account')}, {counted(len(rows), 'place')}: "
    totals += ", ".join(f"{count} {state}" for state, count in sorted(states.items())) + "."
    print_rows(rows, _COLUMNS, format_, totals=totals if rows else "No account has been read.",
               style_of=lambda row: _STYLES.get(str(row["State"]), "dim"))  # fmt: skip
    return FINDINGS if check and _BAD & states.keys() else 0


def _rows(coverage: Coverage, now: datetime) -> Iterator[Row]:
    account = {"AccountId": coverage.account, "AccountName": coverage.account_name, "FailedRuns": coverage.failed_runs}
    for region, covered in coverage.regions.items():
        yield {**account, "Region": region, **_region(coverage, covered, now)}
    if not coverage.regions:
        yield {**account, "Region": "", **_region(coverage, RegionCoverage(), now)}


def _region(coverage: Coverage, covered: RegionCoverage, now: datetime) -> Row:
    state, failure = _state(coverage, covered)
    moment = covered.complete_at
    return {
        "State": state,
        "CompleteAt": format_time(moment) if moment else "",
        "Age": age_of(now - moment) if moment else "never",
        "Why": str(failure) if failure else "",
        "Reason": failure.reason.name if failure else "",
    }


def _state(coverage: Coverage, covered: RegionCoverage) -> tuple[str, Failure | None]:
    if coverage.membership is not Membership.ACTIVE:
        return str(coverage.membership), None
    if covered.standing is not Standing.READ:
        return str(covered.standing), None
    failure = coverage.failure or covered.failure
    if failure is not None:
        return "unreadable", failure
    if covered.connections_failure is not None:
        return "connections unread", covered.connections_failure
    return ("complete" if covered.complete_at else "never read"), None
