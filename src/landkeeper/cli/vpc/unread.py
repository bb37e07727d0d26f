"""Accounts that are not read on purpose, and declarations of accounts that have expired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.org import counted, join_some

if TYPE_CHECKING:
    from landkeeper.org import Member
    from landkeeper.vpctracker.config import TrackerConfig

_NAMED_AT_MOST = 5


def expiry_remarks(config: TrackerConfig) -> list[str]:
    """Return a sentence for each declared account whose declaration has expired."""
    return [
        f"the declaration of account {known.account} ({known.owner}) expired on {known.expires}: the account counts as "
        "unread"
        for known in config.expired_declarations(datetime.now(UTC).date())
    ]


def left_out_remarks(members: Iterable[Member]) -> list[str]:
    """Return a sentence for each reason why accounts are not read, with their names."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for member in members:
        names[member.membership].append(member.account.label)
    return [
        f"not read: {counted(len(labels), 'account')} {reason}: {join_some(labels, _NAMED_AT_MOST)}"
        for reason, labels in names.items()
    ]
