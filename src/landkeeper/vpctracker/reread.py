"""Reread: regions of one account once more, because something in them was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, Region
from landkeeper.vpctracker.dispatch import Unsent, WorkQueue, write_second_look
from landkeeper.vpctracker.events import Reread, Scope, regions_to_read
from landkeeper.vpctracker.track import AccountOutcome, track_account

if TYPE_CHECKING:
    from landkeeper.vpctracker.ports import VpcReader, VpcStore


@dataclass(frozen=True, slots=True)
class RereadOutcome:
    """What the news of one account came to."""

    account: AccountId
    regions: frozenset[Region]
    """The regions that were read again."""
    read: AccountOutcome | None = None
    """None when every region had been read since, or the tracker is not there for it."""
    unsent: Sequence[Unsent] = ()
    """Confirming reads that the queue did not take; the next run confirms what they would have."""


def reread_account(
    rereads: Sequence[Reread],
    reader: VpcReader,
    store: VpcStore,
    queue: WorkQueue,
    *,
    scope: Scope,
    clock: Callable[[], datetime],
) -> RereadOutcome:
    """Read again what these ask for of one account: each region once, and none that was read late enough since.

    A VPC that is not seen is not yet gone: the queue brings its region back for a confirming read.
    """
    account_id = rereads[0].account
    coverage = store.read_coverage(account_id)
    regions = regions_to_read(rereads, coverage, scope)
    if not regions:
        return RereadOutcome(account_id, regions)
    outcome = track_account(
        Account(account_id, coverage.account_name),
        reader,
        store,
        clock=clock,
        regions=regions,
        confirm_deletions=False,
    )
    unsent = queue.send(
        write_second_look(account_id, region, began) for region, began in sorted(outcome.missed.items())
    )
    return RereadOutcome(account_id, regions, outcome, unsent)
