"""Reading what is known from the store, and saying how old that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landkeeper.cli.output import stderr
from landkeeper.settings import Settings
from landkeeper.vpctracker.attributes import format_time
from landkeeper.wiring.vpctracker import open_store

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc

_NAMED_AT_MOST = 5


def read_known(settings: Settings) -> list[StoredVpc]:
    """Everything in the store; how old that is goes to stderr."""
    with open_store(settings, to_write=False) as store:
        vpcs = list(store.read_all())
        coverage = list(store.read_all_coverage())
    stderr().print(_freshness(coverage, datetime.now(UTC)), style="dim", markup=False, soft_wrap=True)
    return vpcs


def _freshness(coverage: list[Coverage], now: datetime) -> str:
    moments = [
        region.complete_at for one in coverage for region in one.regions.values() if region.complete_at is not None
    ]
    if not moments:
        return "No account has been read completely yet."
    incomplete = sorted(one.account_name or one.account for one in coverage if not one.is_complete)
    remark = f"As of {format_time(min(moments))} ({_age(now - min(moments))})."
    if incomplete:
        more = len(incomplete) - _NAMED_AT_MOST
        names = ", ".join(incomplete[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        remark += f" Not read completely the last time, shown as last known: {names}."
    return remark


def _age(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
