"""What a report is made from: values as the products keep them, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landkeeper.broom.case import Case
    from landkeeper.vpctracker.answers.listing import Snapshot
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.pools.pool import PoolState

LOOKED_BACK = timedelta(days=90)
"""How far the trends go back."""
CASES_LOOKED_BACK = timedelta(days=30)
"""How long ago a case may have been settled to be in the report."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The cases that there are; those of launches that complied are of no interest."""

    cases: tuple[Case, ...]
    since: datetime
    """Cases that were settled before it are not among them."""


@dataclass(frozen=True, slots=True)
class ReportInput:
    """All that goes into a report."""

    known: Snapshot
    config: TrackerConfig
    now: datetime
    source: str
    """What the store is called."""
    landkeeper: str
    """The version that makes the report."""
    pools: tuple[PoolState, ...] = ()
    """Every pool of the store, by space and address."""
    ledger: Ledger | None = None
    backtest: Mapping[str, Any] | None = None
    """The JSON answer of a backtest."""
    unreadable: Mapping[date, int] = field(default_factory=dict)
    """Accounts that could not be read completely on earlier days, as earlier reports knew it."""

    @property
    def moment(self) -> datetime:
        """The time that the report is of."""
        return self.known.as_of or self.now
