"""What a report is made from: stored values and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landkeeper.broom.case import Case
    from landkeeper.org import PartitionOf
    from landkeeper.vpctracker.answers.listing import Snapshot
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.pools.pool import PoolState

LOOKED_BACK = timedelta(days=90)
"""How far the trends go back."""
COMMERCIAL = "aws"
"""The partition of all regions, where nothing else is known of them."""
CASES_LOOKED_BACK = timedelta(days=30)
"""Cases that were settled longer ago are not in the report."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Cases from Broom's ledger, without compliant and exempt launches."""

    cases: tuple[Case, ...]
    since: datetime
    """Cases that were settled earlier are left out."""


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that goes into a report."""

    known: Snapshot
    config: TrackerConfig
    now: datetime
    source: str
    """The store, as in `table VPCTracker`."""
    landkeeper: str
    """The version of Landkeeper."""
    pools: tuple[PoolState, ...] = ()
    """Every pool of the store, ordered by space and address."""
    ledger: Ledger | None = None
    backtest: Mapping[str, Any] | None = None
    """The JSON output of a backtest."""
    unreadable: Mapping[date, int] = field(default_factory=dict)
    """Accounts that could not be read completely, by day, as earlier reports recorded it."""
    partition_of: PartitionOf = lambda _: COMMERCIAL

    @property
    def moment(self) -> datetime:
        """Return the time whose state the report shows."""
        return self.known.as_of or self.now
