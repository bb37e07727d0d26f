"""Notify: look at what is stored, and tell what is new through the topic.

What was told is recorded only when the topic has it, one notice at a time: a notice may go out twice, after a crash or
when two tell at once, but none is lost, and of two at once the second tells again no more than the notice under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.org import Failure
from landkeeper.vpctracker.answers.ranking import find_overlaps_by_harm
from landkeeper.vpctracker.notices.news import Concerns, Noticed, decide_notices, find_concerns, fingerprints_of
from landkeeper.vpctracker.notices.ports import NoticeStore, NoticeTopic
from landkeeper.vpctracker.pools.conflicts import Conflict, find_conflicts
from landkeeper.vpctracker.pools.operations import read_pools, read_state
from landkeeper.vpctracker.pools.ports import PoolStore
from landkeeper.vpctracker.pools.tracked import tracked_in

if TYPE_CHECKING:
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.inventory import StoredVpc

_ATTEMPTS = 100
"""More steps than there are notices at once: only somebody who writes all the time makes it so many."""


@dataclass(frozen=True, slots=True)
class NotifyOutcome:
    """What came of it."""

    sent: int
    """How many notices the topic took."""
    failure: Failure | None = None
    """Why the topic did not take one; that and the rest are told the next time."""


def notify(store: NoticeStore, topic: NoticeTopic, config: TrackerConfig, pools: PoolStore) -> NotifyOutcome:
    """Tell what was not told yet of overlaps, default VPCs, unreadable accounts and reservations in conflict.

    Raises what the stores raise.
    """
    before = store.read_noticed()
    vpcs = list(store.read_all())
    findings = find_overlaps_by_harm(vpcs, config)
    conflicts = _find_conflicts(pools, vpcs, config)
    concerns = find_concerns(findings, vpcs, store.read_all_coverage(), config.notices.unreadable_runs, conflicts)
    # What is no longer there is forgotten: should it come back, it is news. What another run told since then stays:
    # it may have seen more than this one.
    return _tell(concerns, before.told - fingerprints_of(concerns), store, topic)


def _find_conflicts(store: PoolStore, vpcs: Sequence[StoredVpc], config: TrackerConfig) -> Iterator[Conflict]:
    pools = read_pools(store)
    live = [stored.vpc for stored in vpcs if stored.is_live]
    tracked = {space: tracked_in(space, live, {}, config) for space in {pool.space for pool in pools}}
    for pool in pools:
        yield from find_conflicts(read_state(store, pool), tracked[pool.space])


def _tell(concerns: Concerns, gone: frozenset[int], store: NoticeStore, topic: NoticeTopic) -> NotifyOutcome:
    fingerprints: frozenset[int] = frozenset()
    """Told by this very run, which another one's record need not show."""
    sent = 0
    for _ in range(_ATTEMPTS):
        stored = store.read_noticed()
        noticed = Noticed(stored.told | fingerprints, stored.version)
        notices = decide_notices(concerns, noticed)
        if notices:
            failure = topic.publish_notice(notices[0])
            if failure is not None:
                return NotifyOutcome(sent, failure)
            fingerprints |= notices[0].fingerprints
            sent += 1
        after = (stored.told | fingerprints) - gone
        is_recorded = after == stored.told and stored.version > 0
        if not is_recorded:
            is_recorded = store.write_noticed(Noticed(after, stored.version + 1))
        if is_recorded and len(notices) <= 1:
            break
    return NotifyOutcome(sent)
