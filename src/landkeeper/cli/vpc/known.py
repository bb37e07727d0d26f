"""Reading what is known from the store, and saying how old that is and what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from landkeeper.cli.exit_codes import INCOMPLETE
from landkeeper.cli.output import Row
from landkeeper.cli.terminal import aside
from landkeeper.cli.vpc.query import Query
from landkeeper.org import Membership, Standing, format_time, join_some
from landkeeper.vpctracker.answers.listing import Snapshot, read_known
from landkeeper.vpctracker.attributes import vpc_to_attributes
from landkeeper.wiring.vpc_store import open_store

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc

_NAMED_AT_MOST = 5


def read_answers(query: Query) -> Snapshot:
    """Everything in the store; how old that is, and which items are left out, goes to stderr."""
    known = read_silently(query)
    remark_on(known)
    return known


def read_silently(query: Query) -> Snapshot:
    """Everything in the store, for a command that first looks whether what it was asked for is there."""
    with open_store(query.settings, to_write=False) as store:
        return read_known(store, query.as_of)


def remark_on(known: Snapshot) -> None:
    """Say on stderr how old it is, and which items are left out of it."""
    for error in known.left_out:
        aside(f"left out: {error}", "red")
    remark = _history_remark(known) if known.as_of else freshness(known.coverage.values(), datetime.now(UTC))
    aside(remark, "dim")


def exit_code(known: Snapshot) -> int:
    """0 however stale the answer is; 3 where items had to be left out of it."""
    return INCOMPLETE if known.left_out else 0


def known_row(known: Snapshot, stored: StoredVpc) -> dict[str, Any]:
    """The stored attributes, with `ReadAt` and `Stale`: since when it is known, and why not since."""
    about = known.about(stored)
    read_at = {} if about.read_at is None else {"ReadAt": format_time(about.read_at)}
    return {**vpc_to_attributes(stored), **read_at, "Stale": about.why_stale}


def row_style(row: Row) -> str:
    """Deleted rows faint, stale ones yellow."""
    if "DeletedAt" in row:
        return "dim"
    return "yellow" if row.get("Stale") else ""


def freshness(coverage: Iterable[Coverage], now: datetime) -> str:
    """How old the oldest part of what is known is, and which accounts are not read completely."""
    active = [account for account in coverage if account.membership is Membership.ACTIVE]
    moments = [
        region.complete_at
        for account in active
        for region in account.regions.values()
        if region.complete_at is not None and region.standing is Standing.READ
    ]
    if not moments:
        return "No account has been read completely."
    incomplete = sorted(account.account_name or account.account for account in active if not account.is_complete)
    remark = f"As of {format_time(min(moments))} ({age_of(now - min(moments))})."
    if incomplete:
        names = join_some(incomplete, _NAMED_AT_MOST)
        remark += f" Last read incomplete, showing last known state: {names}."
    return remark


def age_of(age: timedelta) -> str:
    """How long ago, in a fitting unit."""
    minutes = age // timedelta(minutes=1)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _history_remark(known: Snapshot) -> str:
    moment = "" if known.as_of is None else format_time(known.as_of)
    if known.first_record is None:
        return "No data has been recorded yet."
    if moment < known.first_record:
        return f"No data for {moment}: the first record is from {known.first_record}."
    return f"State recorded at {moment}. The age of the data at that time is unknown."
