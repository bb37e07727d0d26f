"""Accounts and regions that could not be read, told briefly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.track import UnreadablePlace


def expiry_remarks(config: TrackerConfig) -> list[str]:
    """Return a sentence for each declared account whose declaration has expired."""
    return [
        f"the declaration of account {known.account} ({known.owner}) expired on {known.expires}: the account counts as "
        "unread"
        for known in config.expired_declarations(datetime.now(UTC).date())
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
