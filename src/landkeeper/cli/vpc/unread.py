"""Accounts and regions that could not be read, told briefly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.cli.output import counted
from landkeeper.org import join_some

if TYPE_CHECKING:
    from landkeeper.org import Member
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.track import UnreadablePlace

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


def told_by_account(places: Iterable[UnreadablePlace]) -> list[str]:
    """A line for each account and kind of failure: what a policy closes fails in many regions alike."""
    groups: defaultdict[tuple[str, str, str], list[UnreadablePlace]] = defaultdict(list)
    for place in places:
        groups[place.account.id, place.failure.reason, place.failure.code].append(place)
    return [_line(group) for group in groups.values()]


def _line(group: Sequence[UnreadablePlace]) -> str:
    regions = ", ".join(place.region for place in group if place.region)
    return f"{' '.join((group[0].account.label, regions)).rstrip()}: {group[0].failure}"
