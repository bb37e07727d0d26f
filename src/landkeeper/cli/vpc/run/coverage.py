"""`vpc coverage`: which accounts and regions were read, and why the others were not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.causes import Cause, group_failures
from landkeeper.cli.exit_codes import FINDINGS
from landkeeper.cli.output import Column, Format, Row, print_rows
from landkeeper.cli.vpc.filters import account_ids, region_codes
from landkeeper.cli.vpc.known import age_of
from landkeeper.cli.vpc.query import settings_of
from landkeeper.org import (
    Account,
    AccountId,
    Failure,
    FailureReason,
    Membership,
    Region,
    Standing,
    counted,
    format_time,
)
from landkeeper.vpctracker.answers.freshness import by_account
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.wiring.vpc_store import open_store

if TYPE_CHECKING:
    from pathlib import Path

_REGIONS_NAMED = 3
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


def run_coverage(
    *, accounts: tuple[str, ...], regions: tuple[str, ...], check: bool, details: bool, table: str | None,
    file: Path | None, format_: Format,
) -> int:  # fmt: skip
    """List when each region of each account was last read completely, and why not since."""
    with open_store(settings_of(table, file), to_write=False) as store:
        known = by_account(store.read_all_coverage())
    owners = account_ids(accounts, (), known) or known.keys()
    coverage = [covered for account, covered in known.items() if account in owners]
    places = region_codes(regions, (), known)
    now = datetime.now(UTC)
    found = [place for covered in coverage for place in _places(covered, now) if not places or place.region in places]
    found.sort(key=lambda place: (place.account.name, place.account.id, place.region or ""))
    states = Counter(str(place.row["State"]) for place in found)
    totals = f"{counted(len(coverage), 'account')}, {counted(len(found), 'place')}: "
    totals += ", ".join(f"{count} {state}" for state, count in sorted(states.items())) + "."
    rows = [place.row for place in found] if details or format_ != "table" else _by_cause(found)
    print_rows(rows, _COLUMNS, format_, totals=totals if rows else _nothing(known),
               style_of=lambda row: _STYLES.get(str(row["State"]), "dim"))  # fmt: skip
    return FINDINGS if check and _BAD & states.keys() else 0


@dataclass(frozen=True, slots=True)
class _Place:
    """A region of an account, or an account of which no region is known, with its row."""

    account: Account
    region: Region | None
    failure: Failure
    row: Row


def _by_cause(places: Sequence[_Place]) -> list[Row]:
    """The rows of a table: those of places that failed alike are one."""
    failed: defaultdict[str, list[_Place]] = defaultdict(list)
    rows = []
    for place in places:
        if place.row["Why"]:
            failed[place.row["State"]].append(place)
        else:
            rows.append(place.row)
    for group in failed.values():
        rows += [_cause_row(cause) for cause in group_failures(group)]
    return rows


def _cause_row(cause: Cause[_Place]) -> Row:
    accounts = {place.account.id for place in cause.places}
    regions = {place.region for place in cause.places if place.region}
    oldest = min((place.row for place in cause.places), key=lambda row: str(row["CompleteAt"]))
    row = {**oldest, "Why": cause.text, "FailedRuns": max(place.row["FailedRuns"] for place in cause.places)}
    if len(accounts) > 1:
        row |= {"AccountName": counted(len(accounts), "account"), "AccountId": ""}
    if len(regions) > 1:
        few = len(regions) <= _REGIONS_NAMED
        row |= {"Region": ", ".join(sorted(regions)) if few else counted(len(regions), "region")}
    return row


def _nothing(known: Mapping[AccountId, Coverage]) -> str:
    return "No place fits the filters." if known else "No account has been read."


def _places(coverage: Coverage, now: datetime) -> Iterator[_Place]:
    account = Account(coverage.account, coverage.account_name)
    about = {"AccountId": account.id, "AccountName": account.name, "FailedRuns": coverage.failed_runs}
    for region, covered in coverage.regions.items() or [(Region(""), RegionCoverage())]:
        state, failure = _state(coverage, covered)
        row = {**about, "Region": region, **_region(state, failure, covered, now)}
        yield _Place(account, region or None, failure or Failure(FailureReason.OTHER), row)


def _region(state: str, failure: Failure | None, covered: RegionCoverage, now: datetime) -> Row:
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
